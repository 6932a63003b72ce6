//! Order along an axis: positions are found, values follow by gathering, so all of the gradient goes to the chosen.

use crate::declare::{
    Array, Batch, Data, Derivative, Evaluation, OperationRef, Primitive, Reference, Sample, Shift,
    Specs, one, operation,
};
use crate::error::{Error, Mismatch, raise};
use crate::family;
use crate::graph::Spec;
use crate::shape::{Layout, ReductionAxes};
use crate::tensor::Tensor;
use chainrule_kernels::DType;
use std::cmp::Ordering;

family! { Argsort }

/// The positions of the elements along `axis` in order; equal elements keep theirs, NaN counts as greatest.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Argsort {
    pub(crate) axis: usize,
    pub(crate) descending: bool,
}

impl Primitive for Argsort {
    fn name(&self) -> &'static str {
        "argsort"
    }

    fn formula(&self) -> &'static str {
        "y = the positions of x in order along an axis"
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
        let along = |axis, descending| Sample::new(operation(Argsort { axis, descending }));
        vec![
            along(0, false).distinct([5]),
            along(1, true).distinct([3, 4]),
            along(0, false).distinct([4, 2]),
        ]
    }
}

impl Reference for Argsort {
    fn value(&self, inputs: &[Array], specs: &[Spec]) -> Result<Vec<Array>, Error> {
        Ok(vec![Array::new(
            specs[0].shape(),
            Data::I64(self.order(&inputs[0])),
        )])
    }
}

/// Numbers ascending, NaN last; 0 and -0 are equal.
fn float_order(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b)
        .unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// Whether the elements at two positions are equal.
pub(crate) fn equal_at(input: &Array, a: usize, b: usize) -> bool {
    match &input.data {
        Data::F32(x) => x[a] == x[b],
        Data::F64(x) => x[a] == x[b],
        Data::I64(x) => x[a] == x[b],
        Data::I32(x) => x[a] == x[b],
        Data::U8(x) => x[a] == x[b],
        Data::Bool(x) => x[a] == x[b],
        Data::Sets(_) => unreachable!("a choice by value has no pattern of its own"),
    }
}

impl Argsort {
    /// The positions along the axis, in order.
    pub(crate) fn order(&self, input: &Array) -> Vec<i64> {
        let ordered = |compare: &dyn Fn(usize, usize) -> Ordering| self.positions(input, compare);
        match &input.data {
            Data::F32(x) => ordered(&|a, b| float_order(x[a].into(), x[b].into())),
            Data::F64(x) => ordered(&|a, b| float_order(x[a], x[b])),
            Data::I64(x) => ordered(&|a, b| x[a].cmp(&x[b])),
            Data::I32(x) => ordered(&|a, b| x[a].cmp(&x[b])),
            Data::U8(x) => ordered(&|a, b| x[a].cmp(&x[b])),
            Data::Bool(x) => ordered(&|a, b| x[a].cmp(&x[b])),
            Data::Sets(_) => unreachable!("an order by value has no pattern of its own"),
        }
    }

    fn positions(&self, input: &Array, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<i64> {
        let layout = Layout::contiguous(input.shape.clone());
        let (extent, stride) = (input.shape[self.axis], layout.strides[self.axis] as usize);
        let mut result = vec![0; input.shape.elements()];
        for start in 0..result.len() {
            if start / stride % extent != 0 {
                continue; // not the first element of its row
            }
            let mut order: Vec<usize> = (0..extent).collect();
            order.sort_by(|&a, &b| {
                let ordering = compare(start + a * stride, start + b * stride);
                if self.descending {
                    ordering.reverse()
                } else {
                    ordering
                }
            });
            for (rank, position) in order.into_iter().enumerate() {
                result[start + rank * stride] = position as i64;
            }
        }
        result
    }
}

impl Shift for Argsort {
    fn shifted(&self, _extent: usize) -> OperationRef {
        operation(Argsort {
            axis: self.axis + 1,
            ..self.clone()
        })
    }
}

impl Tensor {
    /// The positions of the elements in order along `axis`, as `i64`. Equal elements keep their order, NaN counts as
    /// greatest.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![3.0, 1.0, 2.0].argsort(0, false).to_vec::<i64>(), [1, 2, 0]);
    /// ```
    ///
    /// # Panics
    /// When the axis does not exist.
    #[track_caller]
    pub fn argsort(&self, axis: isize, descending: bool) -> Tensor {
        let axis = self.axis("argsort", axis);
        operation(Argsort { axis, descending }).of(&[self])
    }

    /// The elements in order along `axis`, and the positions they had.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let (values, positions) = tensor![3.0, 1.0, 2.0].sort(0, true);
    /// assert_eq!((values.to_vec::<f32>(), positions.to_vec::<i64>()), (vec![3.0, 2.0, 1.0], vec![0, 2, 1]));
    /// ```
    ///
    /// # Panics
    /// When the axis does not exist.
    #[track_caller]
    pub fn sort(&self, axis: isize, descending: bool) -> (Tensor, Tensor) {
        let positions = self.argsort(axis, descending);
        (self.gather(axis, &positions), positions)
    }

    /// The `count` greatest (or least) elements along `axis`, best first, and their positions.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let (values, _) = tensor![3.0, 1.0, 2.0].topk(2, 0, true);
    /// assert_eq!(values.to_vec::<f32>(), [3.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// When the axis does not exist or has fewer elements.
    #[track_caller]
    pub fn topk(&self, count: usize, axis: isize, largest: bool) -> (Tensor, Tensor) {
        let position = self.axis("topk", axis);
        if count > self.shape()[position] {
            let reason = format!(
                "{count} elements are asked for, axis {position} has {}",
                self.shape()[position]
            );
            raise(Mismatch::index(reason).into_error("topk", &[self.as_operand()]));
        }
        let positions = self.argsort(axis, largest).narrow(axis, 0, count);
        (self.gather(axis, &positions), positions)
    }

    /// The `rank`-th least element along an axis (counted from 1), which disappears unless it is [kept](crate::keep), and
    /// its position (over several axes flat in them). NaN counts as greatest.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![3.0, 1.0, 2.0].kthvalue(2, 0).0.item::<f32>(), 2.0);
    /// ```
    ///
    /// # Panics
    /// When an axis does not exist or there are fewer elements.
    #[track_caller]
    pub fn kthvalue(&self, rank: usize, axes: impl Into<ReductionAxes>) -> (Tensor, Tensor) {
        let over = self.over("kthvalue", axes.into());
        let (x, position) = self.along_one(&over.axes);
        if rank == 0 || rank > x.shape()[position] {
            let reason = format!(
                "there is no element number {rank} along axis {position} of extent {}",
                x.shape()[position]
            );
            raise(Mismatch::index(reason).into_error("kthvalue", &[self.as_operand()]));
        }
        let axis = position as isize;
        let index = x.argsort(axis, false).narrow(axis, rank - 1, 1);
        let value = x.gather(axis, &index).squeeze(axis);
        (over.result(value), over.result(index.squeeze(axis)))
    }
}
