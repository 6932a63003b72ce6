//! The most frequent element along an axis.

use super::sort::{Argsort, equal_at};
use crate::declare::{
    Array, Batch, Data, Derivative, Evaluation, OperationRef, Primitive, Reference, Sample, Shift,
    Specs, one, operation,
};
use crate::error::{Error, Mismatch};
use crate::family;
use crate::graph::Spec;
use crate::shape::ReductionAxes;
use crate::tensor::Tensor;
use chainrule_kernels::DType;

family! { ModePosition }

/// The position of the most frequent element along `axis`: the least of equally frequent ones, at its last place.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ModePosition {
    pub(crate) axis: usize,
}

impl Primitive for ModePosition {
    fn name(&self) -> &'static str {
        "mode"
    }

    fn formula(&self) -> &'static str {
        "y = the position of the most frequent x along an axis"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        if inputs[0].shape()[self.axis] == 0 {
            let reason = format!("axis {} has extent 0: there is no element", self.axis);
            return Err(Mismatch::shape(reason));
        }
        let shape = inputs[0].shape().without_axis(self.axis);
        one(inputs[0].with_shape(shape).with_dtype(DType::I64))
    }

    fn evaluation(&self) -> Evaluation<'_> {
        Evaluation::Reference(self)
    }

    fn derivative(&self) -> Derivative<'_> {
        Derivative::NotDifferentiable(
            "a position is an integer, constant wherever it is continuous",
        )
    }

    fn batch(&self) -> Batch<'_> {
        Batch::ShiftAxes(self)
    }

    fn samples() -> Vec<Sample> {
        let along = |axis| Sample::new(operation(ModePosition { axis }));
        vec![
            along(0).distinct([4]),
            along(1).integers([2, 4], [1, 2, 2, 1, 3, 3, 5, 3]),
            along(0).integers([3, 2], [1, 2, 2, 2, 1, 3]),
        ]
    }
}

impl Reference for ModePosition {
    fn value(&self, inputs: &[Array], specs: &[Spec]) -> Result<Vec<Array>, Error> {
        let input = &inputs[0];
        let ascending = Argsort {
            axis: self.axis,
            descending: false,
            count: input.shape[self.axis],
        };
        let order = ascending.order(input);
        let (extent, stride) = (
            input.shape[self.axis],
            input.shape[self.axis + 1..].iter().product::<usize>(),
        );
        let modes = (0..specs[0].elements()).map(|output| {
            let start = output / stride * extent * stride + output % stride;
            let row: Vec<i64> = (0..extent)
                .map(|rank| order[start + rank * stride])
                .collect();
            let at = |position: i64| start + position as usize * stride;
            let runs = row.chunk_by(|&a, &b| equal_at(input, at(a), at(b)));
            // Backwards, since of equally long runs `max_by_key` gives the last.
            let longest = runs.rev().max_by_key(|run| run.len());
            *longest
                .and_then(|run| run.last())
                .expect("shape rules refuse an empty row")
        });
        Ok(vec![Array::new(
            specs[0].shape(),
            Data::I64(modes.collect()),
        )])
    }
}

impl Shift for ModePosition {
    fn shifted(&self, _extent: usize) -> OperationRef {
        operation(ModePosition {
            axis: self.axis + 1,
        })
    }
}

impl Tensor {
    /// The most frequent element along an axis, which disappears unless it is [kept](crate::keep), and its position: the
    /// least of equally frequent ones, at its last place. Over several axes the position is flat in them.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let (value, position) = tensor![3.0, 1.0, 3.0, 2.0].mode(0);
    /// assert_eq!((value.item::<f32>(), position.item::<i64>()), (3.0, 2));
    /// ```
    ///
    /// # Panics
    /// When an axis does not exist or has extent 0.
    #[track_caller]
    pub fn mode(&self, axes: impl Into<ReductionAxes>) -> (Tensor, Tensor) {
        let over = self.over("mode", axes.into());
        let (x, axis) = self.along_one(&over.axes);
        let position = operation(ModePosition { axis })
            .of(&[&x])
            .unsqueeze(axis as isize);
        let value = x.gather(axis as isize, &position);
        let dropped = |kept: Tensor| over.result(kept.squeeze(axis as isize));
        (dropped(value), dropped(position))
    }
}
