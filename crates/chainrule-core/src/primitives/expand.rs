//! Repeating elements along axes of extent 1: broadcasting as a node of its own.

use crate::declare::{
    Batch, Derivative, Evaluation, Linear, OperationRef, Primitive, Sample, Shift, Specs, Viewing,
    one, operation,
};
use crate::error::Mismatch;
use crate::family;
use crate::graph::Spec;
use crate::shape::{Layout, Shape};
use crate::tensor::Tensor;

family! { Expand }

/// Repetition along axes of extent 1. Ranks are equal: the method has inserted the missing axes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Expand {
    pub(crate) shape: Shape,
}

impl Primitive for Expand {
    fn name(&self) -> &'static str {
        "expand"
    }

    fn formula(&self) -> &'static str {
        "y[.., i, ..] = x[.., 0, ..]"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        let from = inputs[0].shape();
        let fits = from.rank() == self.shape.rank()
            && from
                .iter()
                .zip(self.shape.iter())
                .all(|(have, want)| have == want || *have == 1);
        if !fits {
            return Err(Mismatch::shape(format!(
                "{from} does not broadcast to {}",
                self.shape
            )));
        }
        one(inputs[0].with_shape(&self.shape))
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
        let to = |shape: Shape| Sample::new(operation(Expand { shape }));
        vec![
            to(Shape::from([2, 3])).input([2, 1]),
            to(Shape::from([4, 2, 3])).input([1, 2, 1]),
            to(Shape::from([0, 3])).input([1, 3]),
        ]
    }
}

impl Viewing for Expand {
    fn view(&self, input: &Layout, output: &Spec) -> Option<Layout> {
        let mut layout = input.clone();
        for axis in 0..layout.shape.rank() {
            if layout.shape[axis] != output.shape()[axis] {
                layout.strides[axis] = 0;
            }
        }
        layout.shape = output.shape().clone();
        Some(layout)
    }
}

impl Linear for Expand {
    fn is_fixed(&self, _argument: usize) -> bool {
        false
    }

    fn transpose(
        &self,
        _argument: usize,
        inputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Tensor {
        let cotangent = cotangents[0]
            .as_ref()
            .expect("the single output has a cotangent");
        let from = inputs[0].shape();
        let repeated: Vec<usize> = (0..from.rank())
            .filter(|&axis| from[axis] != self.shape[axis])
            .collect();
        cotangent.sum(repeated).shaped(from)
    }
}

impl Shift for Expand {
    fn shifted(&self, extent: usize) -> OperationRef {
        operation(Expand {
            shape: self.shape.with_axis(0, extent),
        })
    }
}

impl Tensor {
    /// This tensor broadcast to `shape`: axes of extent 1 are repeated, missing leading axes added. Nothing is copied.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![1.0, 2.0].expand([2, 2]).to_vec::<f32>(), [1.0, 2.0, 1.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// When the shape does not broadcast to `shape`.
    #[track_caller]
    pub fn expand(&self, shape: impl Into<Shape>) -> Tensor {
        let shape = shape.into();
        if shape == *self.shape() {
            return self.clone();
        }
        let missing = shape.rank().saturating_sub(self.rank());
        let aligned: Shape = std::iter::repeat_n(1, missing)
            .chain(self.shape().iter().copied())
            .collect();
        let aligned = self.shaped(&aligned);
        if *aligned.shape() == shape {
            return aligned;
        }
        operation(Expand { shape }).of(&[&aligned])
    }
}
