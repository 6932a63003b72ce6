//! Operands that take their shape and dtype from a partner: tensors and Rust's own numbers.

use super::{Tensor, promotion};
use crate::backend::Scalar;

/// What can stand beside a tensor in a binary operation: a tensor, a reference to one, or a Rust number.
///
/// A Rust number does not widen its partner: `x_f32 * 2.0` stays `f32`. Only `f64` and `i32` literals are accepted, so
/// that `(2.0 * &x).exp()` infers.
pub trait Like {
    /// The operand as a tensor: numbers get the partner's shape, and its dtype where that can hold them.
    fn like(&self, partner: &Tensor) -> Tensor;
    /// The operand if it is a tensor already; `None` for numbers, which adapt.
    fn as_tensor(&self) -> Option<&Tensor>;
}

impl Like for Tensor {
    fn like(&self, _partner: &Tensor) -> Tensor {
        self.clone()
    }

    fn as_tensor(&self) -> Option<&Tensor> {
        Some(self)
    }
}

impl Like for &Tensor {
    fn like(&self, _partner: &Tensor) -> Tensor {
        (*self).clone()
    }

    fn as_tensor(&self) -> Option<&Tensor> {
        Some(self)
    }
}

impl Like for f64 {
    #[track_caller]
    fn like(&self, partner: &Tensor) -> Tensor {
        let scalar = Scalar::Float(*self);
        let dtype = promotion::with_scalar(partner.dtype(), scalar);
        Tensor::filled(scalar, partner.spec().with_dtype(dtype))
    }

    fn as_tensor(&self) -> Option<&Tensor> {
        None
    }
}

impl Like for i32 {
    #[track_caller]
    fn like(&self, partner: &Tensor) -> Tensor {
        let scalar = Scalar::Integer(i64::from(*self));
        let dtype = promotion::with_scalar(partner.dtype(), scalar);
        Tensor::filled(scalar, partner.spec().with_dtype(dtype))
    }

    fn as_tensor(&self) -> Option<&Tensor> {
        None
    }
}
