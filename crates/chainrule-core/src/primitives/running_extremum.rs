//! The greatest and least elements so far along an axis: positions are found, values follow by gathering, so all of the
//! gradient goes to the chosen.

use super::extremum::Ordered;
use crate::declare::{
    Array, Batch, Data, Derivative, Evaluation, OperationRef, Primitive, Reference, Sample, Shift,
    Specs, one, operation,
};
use crate::error::{Error, Mismatch};
use crate::family;
use crate::graph::Spec;
use crate::tensor::Tensor;
use chainrule_kernels::DType;

family! { RunningExtremum }

/// For each element the position of the greatest (or least) one up to it along `axis`: the last of equals, the last NaN
/// once there is one.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RunningExtremum {
    pub(crate) axis: usize,
    pub(crate) greatest: bool,
}

impl Primitive for RunningExtremum {
    fn name(&self) -> &'static str {
        if self.greatest { "cummax" } else { "cummin" }
    }

    fn formula(&self) -> &'static str {
        "y[i] = the position of the extremum of x[j] over j ≤ i"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        one(inputs[0].with_dtype(DType::I64))
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
        let along = |axis, greatest| Sample::new(operation(RunningExtremum { axis, greatest }));
        vec![
            along(0, true).distinct([5]),
            along(1, false).distinct([3, 4]),
            along(0, true).distinct([4, 2]),
        ]
    }
}

impl Reference for RunningExtremum {
    fn value(&self, inputs: &[Array], specs: &[Spec]) -> Result<Vec<Array>, Error> {
        let positions = match &inputs[0].data {
            Data::F32(x) => self.positions(x, &inputs[0]),
            Data::F64(x) => self.positions(x, &inputs[0]),
            Data::I64(x) => self.positions(x, &inputs[0]),
            Data::I32(x) => self.positions(x, &inputs[0]),
            Data::U8(x) => self.positions(x, &inputs[0]),
            Data::Bool(x) => self.positions(x, &inputs[0]),
            Data::Sets(_) => unreachable!("a choice by value has no pattern of its own"),
        };
        Ok(vec![Array::new(specs[0].shape(), Data::I64(positions))])
    }
}

impl RunningExtremum {
    fn positions<T: Ordered>(&self, elements: &[T], input: &Array) -> Vec<i64> {
        let extent = input.shape[self.axis];
        let stride: usize = input.shape[self.axis + 1..].iter().product();
        let mut positions = vec![0; elements.len()];
        for flat in 0..elements.len() {
            let step = flat / stride % extent;
            if step == 0 {
                continue; // the first element of a row is its own extremum
            }
            let holder = positions[flat - stride];
            let best = &elements[flat - (step - holder as usize) * stride];
            let stays = match (best.is_nan(), elements[flat].is_nan()) {
                (true, challenger_is_nan) => !challenger_is_nan,
                (false, true) => false,
                (false, false) if self.greatest => best.exceeds(&elements[flat]),
                (false, false) => elements[flat].exceeds(best),
            };
            positions[flat] = if stays { holder } else { step as i64 };
        }
        positions
    }
}

impl Shift for RunningExtremum {
    fn shifted(&self, _extent: usize) -> OperationRef {
        operation(RunningExtremum {
            axis: self.axis + 1,
            ..self.clone()
        })
    }
}

impl Tensor {
    /// For each element the greatest one up to it along `axis`, and its position: the last of equals; NaN stays from
    /// where it occurs. All of the gradient goes to the chosen elements.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let (values, positions) = tensor![1.0, 3.0, 2.0].cummax(0);
    /// assert_eq!((values.to_vec::<f32>(), positions.to_vec::<i64>()), (vec![1.0, 3.0, 3.0], vec![0, 1, 1]));
    /// ```
    ///
    /// # Panics
    /// When the axis does not exist.
    #[track_caller]
    pub fn cummax(&self, axis: isize) -> (Tensor, Tensor) {
        self.running_extremum(self.axis("cummax", axis), true)
    }

    /// For each element the least one up to it along `axis`, and its position; see [`cummax`](Tensor::cummax).
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![2.0, 3.0, 1.0].cummin(0).0.to_vec::<f32>(), [2.0, 2.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// When the axis does not exist.
    #[track_caller]
    pub fn cummin(&self, axis: isize) -> (Tensor, Tensor) {
        self.running_extremum(self.axis("cummin", axis), false)
    }

    #[track_caller]
    fn running_extremum(&self, axis: usize, greatest: bool) -> (Tensor, Tensor) {
        let positions = operation(RunningExtremum { axis, greatest }).of(&[self]);
        (self.gather(axis as isize, &positions), positions)
    }
}
