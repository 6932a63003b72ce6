//! Order along an axis: positions are found, values follow by gathering, so all of the gradient goes to the chosen.

use crate::declare::{
    Array, Batch, Data, Derivative, Evaluation, OperationRef, Primitive, Reference, Sample, Shift,
    Specs, one, operation,
};
use crate::error::{Error, Mismatch, raise};
use crate::family;
use crate::graph::Spec;
use crate::shape::ReductionAxes;
use crate::tensor::Tensor;
use chainrule_kernels::DType;
use std::cmp::Ordering;

family! { Argsort }

/// The positions of the first `count` elements along `axis` in order; equal elements keep theirs, NaN counts as greatest.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Argsort {
    pub(crate) axis: usize,
    pub(crate) descending: bool,
    pub(crate) count: usize,
}

impl Primitive for Argsort {
    fn name(&self) -> &'static str {
        "argsort"
    }

    fn formula(&self) -> &'static str {
        "y = the positions of x in order along an axis"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        let shape = inputs[0].shape();
        if self.count > shape[self.axis] {
            let reason = format!(
                "{} elements are asked for, axis {} has {}",
                self.count, self.axis, shape[self.axis]
            );
            return Err(Mismatch::shape(reason));
        }
        let chosen = shape.with_extent(self.axis, self.count);
        one(inputs[0].with_shape(chosen).with_dtype(DType::I64))
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
        let along = |axis, descending, count| {
            Sample::new(operation(Argsort {
                axis,
                descending,
                count,
            }))
        };
        vec![
            along(0, false, 5).distinct([5]),
            along(1, true, 4).distinct([3, 4]),
            along(0, false, 4).distinct([4, 2]),
            along(0, true, 2).distinct([4, 2]),
            along(0, false, 0).distinct([3]),
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
        let extent = input.shape[self.axis];
        let inner: usize = input.shape[self.axis + 1..].iter().product();
        let outer: usize = input.shape[..self.axis].iter().product();
        let mut result = vec![0; outer * self.count * inner];
        for row in 0..outer * inner {
            let (block, lane) = (row / inner, row % inner);
            let at = |position: usize| (block * extent + position) * inner + lane;
            let mut order: Vec<usize> = (0..extent).collect();
            order.sort_by(|&a, &b| {
                let ordering = compare(at(a), at(b));
                if self.descending {
                    ordering.reverse()
                } else {
                    ordering
                }
            });
            for (rank, position) in order.into_iter().take(self.count).enumerate() {
                result[(block * self.count + rank) * inner + lane] = position as i64;
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
        self.first_in_order(axis, descending, self.shape()[axis])
    }

    #[track_caller]
    fn first_in_order(&self, axis: usize, descending: bool, count: usize) -> Tensor {
        operation(Argsort {
            axis,
            descending,
            count,
        })
        .of(&[self])
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
        let positions = self.first_in_order(position, largest, count);
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
        let order = x.first_in_order(position, false, rank);
        let index = order.narrow(axis, rank - 1, 1);
        let value = x.gather(axis, &index).squeeze(axis);
        (over.result(value), over.result(index.squeeze(axis)))
    }
}
