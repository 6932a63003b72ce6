//! Reordering axes.

use crate::declare::{
    Batch, Derivative, Evaluation, Linear, OperationRef, Primitive, Sample, Shift, Specs, Viewing,
    one, operation,
};
use crate::error::Mismatch;
use crate::family;
use crate::graph::Spec;
use crate::shape::{Axes, Layout};
use crate::tensor::Tensor;

family! { Permute }

/// Axis `i` of the result is axis `axes[i]` of the input. A transpose never conjugates.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Permute {
    pub(crate) axes: Vec<usize>,
}

impl Permute {
    /// Whether this is the transpose of matrices in the last two axes.
    pub(crate) fn swaps_last_two(&self) -> bool {
        let rank = self.axes.len();
        rank >= 2
            && self.axes[..rank - 2]
                .iter()
                .enumerate()
                .all(|(position, &axis)| position == axis)
            && self.axes[rank - 2] == rank - 1
    }

    pub(crate) fn inverse(&self) -> Permute {
        let mut axes = vec![0; self.axes.len()];
        for (position, &axis) in self.axes.iter().enumerate() {
            axes[axis] = position;
        }
        Permute { axes }
    }
}

impl Primitive for Permute {
    fn name(&self) -> &'static str {
        "permute"
    }

    fn formula(&self) -> &'static str {
        "y = x with its axes in another order"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        let from = inputs[0].shape();
        if self.axes.len() != from.rank() {
            let reason = format!(
                "{} axes were listed for a tensor of {}",
                self.axes.len(),
                from.rank()
            );
            return Err(Mismatch::shape(reason));
        }
        one(inputs[0].with_shape(self.axes.iter().map(|&axis| from[axis]).collect::<Vec<_>>()))
    }

    fn evaluation(&self) -> Evaluation<'_> {
        Evaluation::View(self)
    }

    fn derivative(&self) -> Derivative<'_> {
        Derivative::Linear(self)
    }

    fn batch(&self) -> Batch<'_> {
        Batch::ShiftAxes(self)
    }

    fn samples() -> Vec<Sample> {
        let with = |axes: Vec<usize>| Sample::new(operation(Permute { axes }));
        vec![
            with(vec![1, 0]).input([2, 3]),
            with(vec![2, 0, 1]).input([2, 3, 4]),
            with(vec![1, 0]).input([0, 3]),
        ]
    }
}

impl Viewing for Permute {
    fn view(&self, input: &Layout, output: &Spec) -> Option<Layout> {
        Some(Layout {
            shape: output.shape().clone(),
            strides: self.axes.iter().map(|&axis| input.strides[axis]).collect(),
            offset: input.offset,
        })
    }
}

impl Linear for Permute {
    fn is_fixed(&self, _argument: usize) -> bool {
        false
    }

    fn transpose(
        &self,
        _argument: usize,
        _inputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Tensor {
        let cotangent = cotangents[0]
            .as_ref()
            .expect("the single output has a cotangent");
        operation(self.inverse()).of(&[cotangent])
    }
}

impl Shift for Permute {
    fn shifted(&self, _extent: usize) -> OperationRef {
        let axes = std::iter::once(0)
            .chain(self.axes.iter().map(|axis| axis + 1))
            .collect();
        operation(Permute { axes })
    }
}

impl Tensor {
    /// This tensor with its axes in the order given: axis `i` of the result is axis `axes[i]`. Nothing is copied.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::ones([2, 3, 4]).permute([2, 0, 1]).shape().to_string(), "[4, 2, 3]");
    /// ```
    ///
    /// # Panics
    /// When the axes are not a permutation of all axes.
    #[track_caller]
    pub fn permute(&self, axes: impl Into<Axes>) -> Tensor {
        let axes = self.axes("permute", axes.into());
        if axes
            .iter()
            .enumerate()
            .all(|(position, &axis)| position == axis)
            && axes.len() == self.rank()
        {
            return self.clone();
        }
        operation(Permute { axes }).of(&[self])
    }

    /// This tensor with two axes exchanged. Nothing is copied; nothing is conjugated.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::ones([2, 3, 4]).transpose(0, -1).shape().to_string(), "[4, 3, 2]");
    /// ```
    ///
    /// # Panics
    /// When an axis does not exist.
    #[track_caller]
    pub fn transpose(&self, first: isize, second: isize) -> Tensor {
        let (first, second) = (
            self.axis("transpose", first),
            self.axis("transpose", second),
        );
        if first == second {
            return self.clone();
        }
        let mut axes: Vec<usize> = (0..self.rank()).collect();
        axes.swap(first, second);
        operation(Permute { axes }).of(&[self])
    }

    /// The transpose of a matrix, or of every matrix in the last two axes; a vector or number is returned as it is.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![[1.0, 2.0]].t().shape().to_string(), "[2, 1]");
    /// ```
    #[track_caller]
    pub fn t(&self) -> Tensor {
        if self.rank() < 2 {
            self.clone()
        } else {
            self.transpose(-2, -1)
        }
    }

    /// This tensor with axis `from` moved to position `to`; the others keep their order.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::ones([2, 3, 4]).move_axis(0, -1).shape().to_string(), "[3, 4, 2]");
    /// ```
    ///
    /// # Panics
    /// When an axis does not exist.
    #[track_caller]
    pub fn move_axis(&self, from: isize, to: isize) -> Tensor {
        let (from, to) = (self.axis("move_axis", from), self.axis("move_axis", to));
        let mut axes: Vec<usize> = (0..self.rank()).filter(|&axis| axis != from).collect();
        axes.insert(to, from);
        self.permute(axes)
    }
}
