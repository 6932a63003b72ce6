//! Softmax and its logarithm, with derivatives that have kernels of their own.

use crate::declare::{Batch, Composite, Derivative, OperationRef, Rule, Sample, Shift, operation};
use crate::error::Mismatch;
use crate::family;
use crate::graph::Spec;
use crate::tensor::Tensor;

family! { Softmax, SoftmaxBackward, LogSoftmax, LogSoftmaxBackward }

/// exp(x) over its sum along an axis.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Softmax {
    pub(crate) axis: usize,
}

/// The cotangent of softmax's input from its output and the output's cotangent.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SoftmaxBackward {
    pub(crate) axis: usize,
}

/// The logarithm of softmax, computed without forming the quotient.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LogSoftmax {
    pub(crate) axis: usize,
}

/// The cotangent of log-softmax's input from its output and the output's cotangent.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LogSoftmaxBackward {
    pub(crate) axis: usize,
}

fn check(inputs: &[&Spec]) -> Result<(), Mismatch> {
    let first = inputs[0];
    if !first.dtype().is_floating() {
        return Err(
            Mismatch::dtype(format!("not defined for {}", first.dtype()))
                .help("convert first: `.cast(DType::F32)`"),
        );
    }
    if inputs.iter().any(|spec| spec.shape() != first.shape()) {
        return Err(Mismatch::shape("the shapes differ"));
    }
    Ok(())
}

/// The sum along `axis`, repeated to the full shape.
fn sum_along(x: &Tensor, axis: usize) -> Tensor {
    x.sum(axis as isize).restored(x.shape(), &[axis])
}

/// `x` less its greatest element along `axis`, which counts as a constant: the result does not depend on it.
fn shifted(x: &Tensor, axis: usize) -> Tensor {
    if x.shape()[axis] == 0 {
        return x.clone();
    }
    x - x
        .stop_gradient()
        .max(axis as isize)
        .restored(x.shape(), &[axis])
}

macro_rules! along_an_axis {
    ($($name:ident, $text:literal, $formula:literal, $inputs:literal, $body:expr;)*) => {$(
        impl Composite for $name {
            fn name(&self) -> &'static str {
                $text
            }

            fn formula(&self) -> &'static str {
                $formula
            }

            fn check(&self, inputs: &[&Spec]) -> Result<(), Mismatch> {
                check(inputs)
            }

            fn body(&self, inputs: &[Tensor]) -> Vec<Tensor> {
                let body: fn(&[Tensor], usize) -> Tensor = $body;
                vec![body(inputs, self.axis)]
            }

            fn derivative(&self) -> Derivative<'_> {
                self.rule()
            }

            fn batch(&self) -> Batch<'_> {
                Batch::ShiftAxes(self)
            }

            fn samples() -> Vec<Sample> {
                let on = |axis: usize, shape: &[usize]| {
                    (0..$inputs).fold(Sample::new(operation($name { axis })), |sample, _| sample.input(shape))
                };
                vec![on(1, &[3, 4]), on(0, &[3, 4]), on(1, &[2, 3, 2]), on(0, &[5]), on(0, &[0, 3])]
            }
        }

        impl Shift for $name {
            fn shifted(&self, _extent: usize) -> OperationRef {
                operation($name { axis: self.axis + 1 })
            }
        }
    )*};
}

along_an_axis! {
    Softmax, "softmax", "y = exp(x) / Σ exp(x)", 1, |x, axis| {
        let exponentials = shifted(&x[0], axis).exp();
        let sums = sum_along(&exponentials, axis);
        exponentials / sums
    };
    SoftmaxBackward, "softmax_backward", "g = y (c - Σ c y)", 2, |x, axis| {
        let (y, cotangent) = (&x[0], &x[1]);
        y * (cotangent - sum_along(&(cotangent * y), axis))
    };
    LogSoftmax, "log_softmax", "y = x - log Σ exp(x)", 1, |x, axis| {
        let shifted = shifted(&x[0], axis);
        let sums = shifted.exp().sum(axis as isize).log();
        &shifted - sums.restored(shifted.shape(), &[axis])
    };
    LogSoftmaxBackward, "log_softmax_backward", "g = c - exp(y) Σ c", 2, |x, axis| {
        let (y, cotangent) = (&x[0], &x[1]);
        cotangent - y.exp() * sum_along(cotangent, axis)
    };
}

impl Softmax {
    fn rule(&self) -> Derivative<'_> {
        Derivative::Rule(self)
    }
}

impl LogSoftmax {
    fn rule(&self) -> Derivative<'_> {
        Derivative::Rule(self)
    }
}

impl SoftmaxBackward {
    fn rule(&self) -> Derivative<'_> {
        Derivative::Body
    }
}

impl LogSoftmaxBackward {
    fn rule(&self) -> Derivative<'_> {
        Derivative::Body
    }
}

/// The Jacobian of softmax is symmetric, so the same product serves both directions.
impl Rule for Softmax {
    fn jvp(
        &self,
        _inputs: &[Tensor],
        outputs: &[Tensor],
        tangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        let tangent = tangents[0].as_ref().expect("the only input has a tangent");
        vec![Some(
            operation(SoftmaxBackward { axis: self.axis }).of(&[&outputs[0], tangent]),
        )]
    }

    fn vjp(
        &self,
        _inputs: &[Tensor],
        outputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        let cotangent = cotangents[0]
            .as_ref()
            .expect("the only output has a cotangent");
        vec![Some(
            operation(SoftmaxBackward { axis: self.axis }).of(&[&outputs[0], cotangent]),
        )]
    }
}

impl Rule for LogSoftmax {
    fn jvp(
        &self,
        _inputs: &[Tensor],
        outputs: &[Tensor],
        tangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        let tangent = tangents[0].as_ref().expect("the only input has a tangent");
        vec![Some(
            tangent - sum_along(&(outputs[0].exp() * tangent), self.axis),
        )]
    }

    fn vjp(
        &self,
        _inputs: &[Tensor],
        outputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        let cotangent = cotangents[0]
            .as_ref()
            .expect("the only output has a cotangent");
        vec![Some(
            operation(LogSoftmaxBackward { axis: self.axis }).of(&[&outputs[0], cotangent]),
        )]
    }
}

impl Tensor {
    /// exp(x) divided by its sum along `axis`: positive numbers that sum to 1. Same shape; integers become the default
    /// dtype. Large elements do not overflow.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![[0.0, 0.0]].softmax(-1).to_vec::<f32>(), [0.5, 0.5]);
    /// ```
    ///
    /// # Panics
    /// When the axis does not exist.
    #[track_caller]
    pub fn softmax(&self, axis: isize) -> Tensor {
        if self.rank() == 0 {
            return self.floating().ones_like();
        }
        let axis = self.axis("softmax", axis);
        operation(Softmax { axis }).of(&[&self.floating()])
    }

    /// The logarithm of [`softmax`](Tensor::softmax), exact where softmax itself would round to 0. Same shape.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let y = tensor![[1000.0, 0.0]].log_softmax(-1).to_vec::<f32>();
    /// assert_eq!(y, [0.0, -1000.0]);
    /// ```
    ///
    /// # Panics
    /// When the axis does not exist.
    #[track_caller]
    pub fn log_softmax(&self, axis: isize) -> Tensor {
        if self.rank() == 0 {
            return self.floating().zeros_like();
        }
        let axis = self.axis("log_softmax", axis);
        operation(LogSoftmax { axis }).of(&[&self.floating()])
    }
}
