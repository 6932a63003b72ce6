//! Running sums and products along an axis.

use crate::declare::{
    Array, Batch, Composite, Derivative, Evaluation, Linear, OperationRef, Primitive, Reference,
    Ring, Sample, Shift, Specs, one, operation,
};
use crate::each_ring;
use crate::error::{Error, Mismatch};
use crate::family;
use crate::graph::Spec;
use crate::tensor::Tensor;
use chainrule_kernels::DType;

family! { CumulativeSum, CumulativeProduct }

/// Each element plus all before it along `axis`; with `reverse`, plus all after it, which is the transpose.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CumulativeSum {
    pub(crate) axis: usize,
    pub(crate) reverse: bool,
}

impl Primitive for CumulativeSum {
    fn name(&self) -> &'static str {
        "cumsum"
    }

    fn formula(&self) -> &'static str {
        "y[i] = Σ x[j] over j ≤ i"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        if inputs[0].dtype() == DType::Bool {
            return Err(Mismatch::dtype("truth values have no sum")
                .help("convert first: `.cast(DType::I64)`"));
        }
        one(inputs[0].clone())
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
        let along = |axis, reverse| Sample::new(operation(CumulativeSum { axis, reverse }));
        vec![
            along(0, false).input([4]),
            along(1, false).input([2, 5]),
            along(0, true).input([3, 2]),
            along(1, false).input([2, 0]),
        ]
    }
}

impl Reference for CumulativeSum {
    fn value(&self, inputs: &[Array], specs: &[Spec]) -> Result<Vec<Array>, Error> {
        let shape = specs[0].shape();
        let (extent, inner) = (
            shape[self.axis],
            shape[self.axis + 1..].iter().product::<usize>(),
        );
        let data =
            each_ring!(&inputs[0].data, elements => running(elements, extent, inner, self.reverse));
        Ok(vec![Array::new(shape, data)])
    }
}

fn running<T: Ring>(elements: &[T], extent: usize, inner: usize, reverse: bool) -> Vec<T> {
    let mut sums = elements.to_vec();
    let block = extent * inner;
    if block == 0 {
        return sums;
    }
    for rows in sums.chunks_mut(block) {
        for step in 1..extent {
            for lane in 0..inner {
                let (this, before) = match reverse {
                    false => (step * inner + lane, (step - 1) * inner + lane),
                    true => (
                        (extent - 1 - step) * inner + lane,
                        (extent - step) * inner + lane,
                    ),
                };
                rows[this] = rows[this].plus(&rows[before]);
            }
        }
    }
    sums
}

impl Linear for CumulativeSum {
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
        let transposed = CumulativeSum {
            axis: self.axis,
            reverse: !self.reverse,
        };
        operation(transposed).of(&[cotangent])
    }
}

impl Shift for CumulativeSum {
    fn shifted(&self, _extent: usize) -> OperationRef {
        operation(CumulativeSum {
            axis: self.axis + 1,
            ..self.clone()
        })
    }
}

/// Each element times all before it along `axis`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CumulativeProduct {
    pub(crate) axis: usize,
}

impl Composite for CumulativeProduct {
    fn name(&self) -> &'static str {
        "cumprod"
    }

    fn formula(&self) -> &'static str {
        "y[i] = Π x[j] over j ≤ i"
    }

    fn check(&self, inputs: &[&Spec]) -> Result<(), Mismatch> {
        if inputs[0].dtype() == DType::Bool {
            return Err(Mismatch::dtype("truth values have no product")
                .help("convert first: `.cast(DType::I64)`"));
        }
        Ok(())
    }

    /// Products over windows that double in length (Hillis, Steele 1986), so that the derivative needs no division.
    fn body(&self, inputs: &[Tensor]) -> Vec<Tensor> {
        let (mut x, axis) = (inputs[0].clone(), self.axis as isize);
        let extent = x.shape()[self.axis];
        let mut window = 1;
        while window < extent {
            let head = x.narrow(axis, 0, window);
            let tail = x.narrow(axis, window, extent - window);
            let before = x.narrow(axis, 0, extent - window);
            x = Tensor::concat(&[&head, &(tail * before)], axis);
            window *= 2;
        }
        vec![x]
    }

    fn derivative(&self) -> Derivative<'_> {
        Derivative::Body
    }

    fn batch(&self) -> Batch<'_> {
        Batch::ShiftAxes(self)
    }

    fn samples() -> Vec<Sample> {
        let along = |axis| Sample::new(operation(CumulativeProduct { axis }));
        vec![
            along(0).input([4]),
            along(1).input([2, 5]),
            along(0).input([3, 2]),
            along(1).input([2, 0]),
        ]
    }
}

impl Shift for CumulativeProduct {
    fn shifted(&self, _extent: usize) -> OperationRef {
        operation(CumulativeProduct {
            axis: self.axis + 1,
        })
    }
}

impl Tensor {
    /// Each element plus all before it along `axis`. Integers and truth values sum in `i64`.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![1.0, 2.0, 3.0].cumsum(0).to_vec::<f32>(), [1.0, 3.0, 6.0]);
    /// ```
    ///
    /// # Panics
    /// When the axis does not exist.
    #[track_caller]
    pub fn cumsum(&self, axis: isize) -> Tensor {
        let x = if self.dtype().is_floating() {
            self.clone()
        } else {
            self.cast(DType::I64)
        };
        if x.rank() == 0 {
            return x;
        }
        let axis = x.axis("cumsum", axis);
        operation(CumulativeSum {
            axis,
            reverse: false,
        })
        .of(&[&x])
    }

    /// Each element times all before it along `axis`; the derivative is right also where elements are zero. Integers and
    /// truth values multiply in `i64`.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![1.0, 2.0, 3.0].cumprod(0).to_vec::<f32>(), [1.0, 2.0, 6.0]);
    /// ```
    ///
    /// # Panics
    /// When the axis does not exist.
    #[track_caller]
    pub fn cumprod(&self, axis: isize) -> Tensor {
        let x = if self.dtype().is_floating() {
            self.clone()
        } else {
            self.cast(DType::I64)
        };
        if x.rank() == 0 {
            return x;
        }
        let axis = x.axis("cumprod", axis);
        operation(CumulativeProduct { axis }).of(&[&x])
    }

    /// log Σ exp of each element and all before it along `axis`, without overflow. All derivatives are finite where the
    /// value is (PyTorch's forward mode gives NaN for negative tangents).
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let y = tensor![0.0, 0.0].logcumsumexp(0).to_vec::<f32>();
    /// assert_eq!(y, [0.0, 2.0f32.ln()]);
    /// ```
    ///
    /// # Panics
    /// When the axis does not exist.
    #[track_caller]
    pub fn logcumsumexp(&self, axis: isize) -> Tensor {
        let mut x = self.floating();
        if x.rank() == 0 {
            return x;
        }
        let position = x.axis("logcumsumexp", axis);
        let extent = x.shape()[position];
        let mut window = 1;
        while window < extent {
            let head = x.narrow(position as isize, 0, window);
            let tail = x.narrow(position as isize, window, extent - window);
            let before = x.narrow(position as isize, 0, extent - window);
            x = Tensor::concat(&[&head, &tail.logaddexp(before)], position as isize);
            window *= 2;
        }
        x
    }
}
