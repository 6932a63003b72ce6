//! Sums over axes.

use crate::declare::{
    Array, Batch, Data, Derivative, Evaluation, Linear, OperationRef, Primitive, Reference, Ring,
    Sample, Shift, Specs, one, operation,
};
use crate::each_ring;
use crate::error::{Error, Mismatch};
use crate::family;
use crate::graph::Spec;
use crate::shape::{Layout, ReductionAxes, Shape};
use crate::tensor::Tensor;
use chainrule_kernels::DType;
use chainrule_kernels::program::reduction::reduce_row_sum;

family! { Sum }

/// The sum over `axes`, which disappear. Ascending, without repetition.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Sum {
    pub(crate) axes: Vec<usize>,
}

/// `shape` without `axes`.
pub(crate) fn without_axes(shape: &Shape, axes: &[usize]) -> Shape {
    (0..shape.rank())
        .filter(|axis| !axes.contains(axis))
        .map(|axis| shape[axis])
        .collect()
}

/// The positions of the elements that each output of a reduction over `axes` reads: the outputs outermost, row-major.
pub(crate) fn reduction_layout(shape: &Shape, axes: &[usize]) -> (Layout, usize) {
    let strides = shape.contiguous_strides();
    let kept = (0..shape.rank()).filter(|axis| !axes.contains(axis));
    let order: Vec<usize> = kept.chain(axes.iter().copied()).collect();
    let layout = Layout {
        shape: order.iter().map(|&axis| shape[axis]).collect(),
        strides: order.iter().map(|&axis| strides[axis]).collect(),
        offset: 0,
    };
    (layout, axes.iter().map(|&axis| shape[axis]).product())
}

impl Primitive for Sum {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn formula(&self) -> &'static str {
        "y = Σ x over the axes"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        if inputs[0].dtype() == DType::Bool {
            return Err(Mismatch::dtype("truth values have no sum")
                .help("convert first: `.cast(DType::I64)`"));
        }
        one(inputs[0].with_shape(without_axes(inputs[0].shape(), &self.axes)))
    }

    fn evaluation(&self) -> Evaluation<'_> {
        Evaluation::Reference(self)
    }

    fn derivative(&self) -> Derivative<'_> {
        Derivative::Linear(self)
    }

    fn batch(&self) -> Batch<'_> {
        Batch::ShiftAxes(self)
    }

    fn samples() -> Vec<Sample> {
        let over = |axes: &[usize]| {
            Sample::new(operation(Sum {
                axes: axes.to_vec(),
            }))
        };
        vec![
            over(&[0]).input([3, 4]),
            over(&[1]).input([3, 4]),
            over(&[0, 2]).input([2, 3, 2]),
            over(&[0, 1]).input([3, 4]),
            over(&[]).input(()),
            over(&[0]).input([0, 2]),
        ]
    }
}

impl Reference for Sum {
    fn value(&self, inputs: &[Array], specs: &[Spec]) -> Result<Vec<Array>, Error> {
        let (layout, count) = reduction_layout(&inputs[0].shape, &self.axes);
        // Real rows have one order of summation everywhere, so that a fused sum is the same number.
        let data = match &inputs[0].data {
            Data::F32(rows) if layout.is_contiguous() && count > 0 => {
                Data::F32(rows.chunks(count).map(reduce_row_sum).collect())
            }
            Data::F64(rows) if layout.is_contiguous() && count > 0 => {
                Data::F64(rows.chunks(count).map(reduce_row_sum).collect())
            }
            other => {
                each_ring!(other, elements => sums(elements, &layout, specs[0].elements(), count))
            }
        };
        Ok(vec![Array::new(specs[0].shape(), data)])
    }
}

fn sums<T: Ring>(elements: &[T], layout: &Layout, outputs: usize, count: usize) -> Vec<T> {
    let mut positions = layout.positions();
    (0..outputs)
        .map(|_| {
            positions
                .by_ref()
                .take(count)
                .fold(T::zero(), |sum, position| sum.plus(&elements[position]))
        })
        .collect()
}

impl Linear for Sum {
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
        cotangent.restored(inputs[0].shape(), &self.axes)
    }
}

impl Shift for Sum {
    fn shifted(&self, _extent: usize) -> OperationRef {
        operation(Sum {
            axes: self.axes.iter().map(|axis| axis + 1).collect(),
        })
    }
}

impl Tensor {
    /// The sum over the axes, which disappear unless they are [kept](crate::keep): `..` for all. Integers and truth values sum in `i64`.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let x = tensor![[1.0, 2.0], [3.0, 4.0]];
    /// assert_eq!(x.sum(0).to_vec::<f32>(), [4.0, 6.0]);
    /// assert_eq!(x.sum(..).item::<f32>(), 10.0);
    /// ```
    ///
    /// # Panics
    /// When an axis does not exist or is given twice.
    #[track_caller]
    pub fn sum(&self, axes: impl Into<ReductionAxes>) -> Tensor {
        let over = self.over("sum", axes.into());
        let summed = if self.dtype().is_floating() {
            self.clone()
        } else {
            self.cast(DType::I64)
        };
        if over.axes.is_empty() {
            return summed;
        }
        let axes = over.axes.clone();
        over.result(operation(Sum { axes }).of(&[&summed]))
    }

    /// A reduction's result with the reduced axes back as extent 1.
    #[track_caller]
    pub(crate) fn with_kept_axes(&self, full: &Shape, axes: &[usize]) -> Tensor {
        let kept: Shape = (0..full.rank())
            .map(|axis| if axes.contains(&axis) { 1 } else { full[axis] })
            .collect();
        self.shaped(&kept)
    }

    /// A reduction's result broadcast over the reduced axes again.
    #[track_caller]
    pub(crate) fn restored(&self, full: &Shape, axes: &[usize]) -> Tensor {
        self.with_kept_axes(full, axes).expand(full)
    }
}
