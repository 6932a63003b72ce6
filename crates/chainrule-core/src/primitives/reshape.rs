//! The same elements in row-major order under another shape.

use crate::declare::{
    Batch, Derivative, Evaluation, Linear, OperationRef, Primitive, Sample, Shift, Specs, Viewing,
    one, operation,
};
use crate::error::{Error, Mismatch, or_raise, raise};
use crate::family;
use crate::graph::Spec;
use crate::shape::{Axes, Layout, Shape, normalize_axis};
use crate::tensor::Tensor;

family! { Reshape }

/// Another shape of as many elements.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Reshape {
    pub(crate) shape: Shape,
}

impl Primitive for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn formula(&self) -> &'static str {
        "y = x in row-major order under another shape"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        let (have, want) = (inputs[0].elements(), self.shape.checked_elements());
        if want != Some(have) {
            let want = want.map_or("too many".to_owned(), |count| count.to_string());
            return Err(Mismatch::shape(format!(
                "{have} elements do not fill shape {}, which takes {want}",
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
        let to = |shape: Shape| Sample::new(operation(Reshape { shape }));
        vec![
            to(Shape::from([3, 2])).input([2, 3]),
            to(Shape::from(())).input([1, 1]),
            to(Shape::from([0, 7])).input([2, 0]),
        ]
    }
}

impl Viewing for Reshape {
    fn view(&self, input: &Layout, output: &Spec) -> Option<Layout> {
        input.reshaped(output.shape())
    }
}

impl Linear for Reshape {
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
        cotangent.shaped(inputs[0].shape())
    }
}

impl Shift for Reshape {
    fn shifted(&self, extent: usize) -> OperationRef {
        operation(Reshape {
            shape: self.shape.with_axis(0, extent),
        })
    }
}

/// Extents as `reshape` takes them: at most one -1, which stands for what is left.
pub trait Extents {
    /// The extents as a list.
    fn extents(&self) -> Vec<isize>;
}

impl Extents for &[isize] {
    fn extents(&self) -> Vec<isize> {
        self.to_vec()
    }
}

impl<const N: usize> Extents for [isize; N] {
    fn extents(&self) -> Vec<isize> {
        self.to_vec()
    }
}

impl Extents for Vec<isize> {
    fn extents(&self) -> Vec<isize> {
        self.clone()
    }
}

impl Extents for &Shape {
    fn extents(&self) -> Vec<isize> {
        self.iter().map(|&extent| extent as isize).collect()
    }
}

impl Extents for Shape {
    fn extents(&self) -> Vec<isize> {
        (&self).extents()
    }
}

impl Extents for isize {
    fn extents(&self) -> Vec<isize> {
        vec![*self]
    }
}

impl Extents for () {
    fn extents(&self) -> Vec<isize> {
        Vec::new()
    }
}

fn complete(extents: &[isize], elements: usize) -> Result<Shape, Mismatch> {
    if let Some(bad) = extents.iter().find(|&&extent| extent < -1) {
        return Err(Mismatch::shape(format!(
            "an extent of {bad} is not possible"
        )));
    }
    if extents.iter().filter(|&&extent| extent == -1).count() > 1 {
        return Err(Mismatch::shape("only one extent can be -1"));
    }
    let known = extents
        .iter()
        .filter(|&&extent| extent != -1)
        .try_fold(1usize, |product, &extent| {
            product.checked_mul(extent as usize)
        });
    let known = known.ok_or_else(|| Mismatch::shape("the extents are too large"))?;
    if extents.contains(&-1) && (known == 0 || !elements.is_multiple_of(known)) {
        return Err(Mismatch::shape(format!(
            "{elements} elements cannot be divided into rows of {known}, so -1 stands for nothing"
        )));
    }
    Ok(extents
        .iter()
        .map(|&extent| {
            if extent == -1 {
                elements / known
            } else {
                extent as usize
            }
        })
        .collect())
}

impl Tensor {
    /// The same elements in row-major order under another shape; one extent may be -1 and is worked out.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let x = tensor![1.0, 2.0, 3.0, 4.0, 5.0, 6.0].reshape([2, -1]);
    /// assert_eq!(x.shape().to_string(), "[2, 3]");
    /// ```
    ///
    /// # Panics
    /// When the number of elements differs.
    #[track_caller]
    pub fn reshape(&self, extents: impl Extents) -> Tensor {
        or_raise(self.try_reshape(extents))
    }

    /// Like [`reshape`](Tensor::reshape), for shapes that come from data or configuration.
    ///
    /// # Errors
    /// When the number of elements differs.
    #[track_caller]
    pub fn try_reshape(&self, extents: impl Extents) -> Result<Tensor, Error> {
        let shape = complete(&extents.extents(), self.elements())
            .map_err(|mismatch| mismatch.into_error("reshape", &[self.as_operand()]))?;
        if shape == *self.shape() {
            return Ok(self.clone());
        }
        Ok(operation(Reshape { shape })
            .try_apply(&[self])?
            .swap_remove(0))
    }

    /// `reshape` to a shape known to fit.
    #[track_caller]
    pub(crate) fn shaped(&self, shape: &Shape) -> Tensor {
        if shape == self.shape() {
            return self.clone();
        }
        operation(Reshape {
            shape: shape.clone(),
        })
        .of(&[self])
    }

    /// This tensor without the axes named, which must have extent 1; `..` removes every axis of extent 1.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::ones([1, 3, 1]).squeeze(0).shape().to_string(), "[3, 1]");
    /// assert_eq!(Tensor::ones([1, 3, 1]).squeeze(..).shape().to_string(), "[3]");
    /// ```
    ///
    /// # Panics
    /// When an axis does not exist or has another extent.
    #[track_caller]
    pub fn squeeze(&self, axes: impl Into<Axes>) -> Tensor {
        let axes = match axes.into() {
            Axes::All => (0..self.rank())
                .filter(|&axis| self.shape()[axis] == 1)
                .collect(),
            these => self.axes("squeeze", these),
        };
        if let Some(axis) = axes.iter().find(|&&axis| self.shape()[axis] != 1) {
            let reason = format!("axis {axis} has extent {}, not 1", self.shape()[*axis]);
            raise(Mismatch::shape(reason).into_error("squeeze", &[self.as_operand()]));
        }
        let kept = (0..self.rank())
            .filter(|axis| !axes.contains(axis))
            .map(|axis| self.shape()[axis]);
        self.shaped(&kept.collect())
    }

    /// This tensor with an axis of extent 1 inserted, so that it becomes axis number `axis` of the result.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::ones([3]).unsqueeze(0).shape().to_string(), "[1, 3]");
    /// assert_eq!(Tensor::ones([3]).unsqueeze(-1).shape().to_string(), "[3, 1]");
    /// ```
    ///
    /// # Panics
    /// When the axis is out of range.
    #[track_caller]
    pub fn unsqueeze(&self, axis: isize) -> Tensor {
        match normalize_axis(axis, self.rank() + 1) {
            Ok(position) => self.shaped(&self.shape().with_axis(position, 1)),
            Err(reason) => {
                raise(Mismatch::shape(reason).into_error("unsqueeze", &[self.as_operand()]))
            }
        }
    }

    /// The axes from `first` to `last`, both included, merged into one.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::ones([2, 3, 4]).flatten(1, -1).shape().to_string(), "[2, 12]");
    /// ```
    ///
    /// # Panics
    /// When an axis does not exist or `first` lies behind `last`.
    #[track_caller]
    pub fn flatten(&self, first: isize, last: isize) -> Tensor {
        if self.rank() == 0 {
            return self.shaped(&Shape::from([1]));
        }
        let first = self.axis("flatten", first);
        let last = self.axis("flatten", last);
        if first > last {
            let reason = format!("axis {first} lies behind axis {last}");
            raise(Mismatch::shape(reason).into_error("flatten", &[self.as_operand()]));
        }
        let merged: usize = self.shape()[first..=last].iter().product();
        let before = self.shape()[..first].iter().copied();
        let after = self.shape()[last + 1..].iter().copied();
        self.shaped(&before.chain([merged]).chain(after).collect())
    }

    /// One axis number as a position; a bad one is reported for `operation`.
    #[track_caller]
    pub(crate) fn axis(&self, operation: &str, axis: isize) -> usize {
        match normalize_axis(axis, self.rank()) {
            Ok(position) => position,
            Err(reason) => {
                raise(Mismatch::shape(reason).into_error(operation, &[self.as_operand()]))
            }
        }
    }

    /// Axis numbers as positions; bad ones are reported for `operation`.
    #[track_caller]
    pub(crate) fn axes(&self, operation: &str, axes: Axes) -> Vec<usize> {
        match axes.resolve(self.rank()) {
            Ok(positions) => positions,
            Err(reason) => {
                raise(Mismatch::shape(reason).into_error(operation, &[self.as_operand()]))
            }
        }
    }
}
