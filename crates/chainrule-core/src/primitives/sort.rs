//! Order along an axis: positions are found, values follow by gathering, so all of the gradient goes to the chosen.

use crate::declare::{
    Array, Batch, Data, Derivative, Evaluation, OperationRef, Primitive, Reference, Sample, Shift,
    Specs, one, operation,
};
use crate::error::{Error, Mismatch, raise};
use crate::family;
use crate::graph::Spec;
use crate::shape::Layout;
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
        let ordered =
            |compare: &dyn Fn(usize, usize) -> Ordering| self.positions(&inputs[0], compare);
        let positions = match &inputs[0].data {
            Data::F32(x) => ordered(&|a, b| float_order(x[a].into(), x[b].into())),
            Data::F64(x) => ordered(&|a, b| float_order(x[a], x[b])),
            Data::I64(x) => ordered(&|a, b| x[a].cmp(&x[b])),
            Data::I32(x) => ordered(&|a, b| x[a].cmp(&x[b])),
            Data::U8(x) => ordered(&|a, b| x[a].cmp(&x[b])),
            Data::Bool(x) => ordered(&|a, b| x[a].cmp(&x[b])),
            Data::Sets(_) => unreachable!("an order by value has no pattern of its own"),
        };
        Ok(vec![Array::new(specs[0].shape(), Data::I64(positions))])
    }
}

/// Numbers ascending, NaN last; 0 and -0 are equal.
fn float_order(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b)
        .unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

impl Argsort {
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

    /// The `rank`-th least element along `axis` (counted from 1), which disappears, and its position.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![3.0, 1.0, 2.0].kthvalue(2, 0).0.item::<f32>(), 2.0);
    /// ```
    ///
    /// # Panics
    /// When the axis does not exist or has fewer elements.
    #[track_caller]
    pub fn kthvalue(&self, rank: usize, axis: isize) -> (Tensor, Tensor) {
        let position = self.axis("kthvalue", axis);
        if rank == 0 || rank > self.shape()[position] {
            let reason = format!(
                "there is no element number {rank} along axis {position} of extent {}",
                self.shape()[position]
            );
            raise(Mismatch::index(reason).into_error("kthvalue", &[self.as_operand()]));
        }
        let index = self.argsort(axis, false).narrow(axis, rank - 1, 1);
        let axis = position as isize;
        (self.gather(axis, &index).squeeze(axis), index.squeeze(axis))
    }

    /// The median along `axis`, which disappears, and its position; of an even number of elements the lower one.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![4.0, 1.0, 2.0, 3.0].median(0).0.item::<f32>(), 2.0);
    /// ```
    ///
    /// # Panics
    /// When the axis does not exist or has extent 0.
    #[track_caller]
    pub fn median(&self, axis: isize) -> (Tensor, Tensor) {
        let extent = self.shape()[self.axis("median", axis)];
        self.kthvalue(extent.div_ceil(2), axis)
    }
}
