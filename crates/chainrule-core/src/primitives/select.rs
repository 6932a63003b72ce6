//! Choosing between two tensors by a condition.

use crate::declare::{
    Batch, Derivative, Evaluation, Linear, Primitive, Sample, Specs, one, operation,
};
use crate::error::Mismatch;
use crate::family;
use crate::graph::Spec;
use crate::tensor::{Like, Tensor, promoted};
use chainrule_kernels::{DType, math};

family! { Where }

/// Elements of one tensor where a condition holds, of another elsewhere. Linear in the two; the condition is fixed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Where;

impl Primitive for Where {
    fn name(&self) -> &'static str {
        "where"
    }

    fn formula(&self) -> &'static str {
        "y = x if condition else z"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        let [condition, chosen, other] = inputs else {
            return Err(Mismatch::argument("three operands are needed"));
        };
        if condition.dtype() != DType::Bool {
            return Err(
                Mismatch::dtype("the condition must be truth values").help("compare: `x.gt(0.0)`")
            );
        }
        if condition.shape() != chosen.shape()
            || chosen.shape() != other.shape()
            || chosen.dtype() != other.dtype()
        {
            return Err(Mismatch::shape("the operands differ in shape or dtype"));
        }
        one((*chosen).clone())
    }

    fn evaluation(&self) -> Evaluation<'_> {
        Evaluation::Pointwise(&math::SELECT)
    }

    fn derivative(&self) -> Derivative<'_> {
        Derivative::Linear(self)
    }

    fn batch(&self) -> Batch<'_> {
        Batch::Aligned
    }

    fn samples() -> Vec<Sample> {
        let condition = [true, false, false, true, true, false];
        vec![
            Sample::new(operation(Where))
                .truth([2, 3], condition)
                .input([2, 3])
                .input([2, 3]),
            Sample::new(operation(Where))
                .truth((), [false])
                .input(())
                .input(()),
            Sample::new(operation(Where))
                .truth([0], [])
                .input([0])
                .input([0]),
        ]
    }
}

impl Linear for Where {
    fn is_fixed(&self, argument: usize) -> bool {
        argument == 0
    }

    fn transpose(
        &self,
        argument: usize,
        inputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Tensor {
        let cotangent = cotangents[0]
            .as_ref()
            .expect("the single output has a cotangent");
        let zero = cotangent.zeros_like();
        match argument {
            1 => operation(Where).of(&[&inputs[0], cotangent, &zero]),
            _ => operation(Where).of(&[&inputs[0], &zero, cotangent]),
        }
    }
}

impl Tensor {
    /// With `self` a condition: the elements of `chosen` where it holds and of `other` elsewhere. All shapes broadcast.
    ///
    /// The derivative follows the chosen element only, so `x.gt(0.0).where_(x.log(), 0.0)` has finite gradients where
    /// `log` has none. (`where` is a keyword of Rust, hence the underscore.)
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let x = tensor![-1.0, 2.0];
    /// assert_eq!(x.gt(0.0).where_(&x, 0.0).to_vec::<f32>(), [0.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// When `self` is not `bool`, or the shapes do not broadcast.
    #[track_caller]
    pub fn where_(&self, chosen: impl Like, other: impl Like) -> Tensor {
        // A number adapts to the tensor beside it; two numbers are as they would be beside truth values.
        let chosen_like = chosen.like(other.as_tensor().unwrap_or(self));
        let other = other.like(chosen.as_tensor().unwrap_or(&chosen_like));
        let chosen = chosen_like;
        let [chosen, other] = promoted("where", [chosen, other]);
        let shape =
            crate::tensor::common_shape("where", &[self.clone(), chosen.clone(), other.clone()]);
        operation(Where).of(&[
            &self.expand(&shape),
            &chosen.expand(&shape),
            &other.expand(&shape),
        ])
    }

    /// The elements with NaN and the infinities replaced by numbers; the derivative there is zero. Same shape and dtype.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let x = tensor![1.0, f64::NAN, f64::NEG_INFINITY];
    /// assert_eq!(x.nan_to_num(0.0, 9.0, -9.0).to_vec::<f32>(), [1.0, 0.0, -9.0]);
    /// ```
    #[track_caller]
    pub fn nan_to_num(&self, nan: f64, positive_infinity: f64, negative_infinity: f64) -> Tensor {
        if !self.dtype().is_floating() {
            return self.clone();
        }
        let finite = self.is_nan().where_(nan, self);
        let finite = self.eq(f64::INFINITY).where_(positive_infinity, finite);
        self.eq(f64::NEG_INFINITY).where_(negative_infinity, finite)
    }
}
