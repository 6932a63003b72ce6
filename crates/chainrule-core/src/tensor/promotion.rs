//! Which dtype an operation on several dtypes computes in: PyTorch's rules.
//!
//! Dtypes form three categories, truth values < integers < floats. Operands of the highest category decide; within it
//! tensors with axes go before 0-dimensional ones, and those before Rust numbers, which never widen a tensor of their
//! own category. A Rust float beside an integer tensor gives the default dtype.

use super::Tensor;
use crate::backend::Scalar;
use crate::graph::Spec;
use crate::shape::{Shape, broadcast};
use chainrule_kernels::DType;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

static DEFAULT: AtomicU8 = AtomicU8::new(0);

/// The dtype of tensors made from literals: [`DType::F32`] unless [`set_default_dtype`] said otherwise.
pub fn default_dtype() -> DType {
    DType::ALL[DEFAULT.load(Relaxed) as usize]
}

/// Sets the dtype of tensors made from literals from now on, in the whole process.
///
/// # Panics
/// When `dtype` is not a floating-point type.
#[track_caller]
pub fn set_default_dtype(dtype: DType) {
    assert!(
        dtype.is_floating(),
        "the default dtype is a floating-point type, not {dtype}"
    );
    let position = DType::ALL
        .iter()
        .position(|&known| known == dtype)
        .expect("ALL lists every dtype");
    DEFAULT.store(position as u8, Relaxed);
}

fn category(dtype: DType) -> u8 {
    match dtype {
        DType::Bool => 0,
        dtype if dtype.is_floating() => 2,
        _ => 1,
    }
}

/// The smallest dtype that holds both, as PyTorch's `promote_types`.
///
/// ```
/// use chainrule_core::{promote, DType};
/// assert_eq!(promote(DType::I64, DType::F16), DType::F16);
/// assert_eq!(promote(DType::BF16, DType::F16), DType::F32);
/// assert_eq!(promote(DType::U8, DType::I32), DType::I32);
/// ```
pub fn promote(first: DType, second: DType) -> DType {
    if first == second {
        return first;
    }
    match category(first).cmp(&category(second)) {
        std::cmp::Ordering::Less => return second,
        std::cmp::Ordering::Greater => return first,
        std::cmp::Ordering::Equal => {}
    }
    let either = |dtype| first == dtype || second == dtype;
    if either(DType::F64) {
        DType::F64
    } else if category(first) == 2 {
        DType::F32 // f32 with a half, or the two halves
    } else if either(DType::I64) {
        DType::I64
    } else {
        DType::I32
    }
}

/// The dtype in which a tensor of `dtype` meets a Rust number.
pub(crate) fn with_scalar(dtype: DType, scalar: Scalar) -> DType {
    match scalar {
        Scalar::Float(_) if !dtype.is_floating() => default_dtype(),
        Scalar::Integer(_) if dtype == DType::Bool => DType::I64,
        _ => dtype,
    }
}

/// The dtype in which several tensors meet: 0-dimensional ones count less within a category.
pub(crate) fn common_dtype(specs: &[&Spec]) -> DType {
    let of_rank = |zero: bool| {
        let dtypes = specs
            .iter()
            .filter(|spec| (spec.rank() == 0) == zero)
            .map(|spec| spec.dtype());
        dtypes.reduce(promote)
    };
    match (of_rank(false), of_rank(true)) {
        (Some(axes), Some(zero)) if category(zero) > category(axes) => zero,
        (Some(axes), _) => axes,
        (None, Some(zero)) => zero,
        (None, None) => default_dtype(),
    }
}

/// The tensors with a common dtype and shape, ready for an elementwise operation called `name`.
#[track_caller]
pub(crate) fn promoted<const N: usize>(
    name: &'static str,
    mut tensors: [Tensor; N],
) -> [Tensor; N] {
    let aligned = |tensor: &Tensor| {
        tensor.dtype() == tensors[0].dtype() && tensor.shape() == tensors[0].shape()
    };
    if tensors.iter().all(aligned) {
        return tensors;
    }
    let specs: [&Spec; N] = std::array::from_fn(|index| tensors[index].spec());
    let dtype = common_dtype(&specs);
    let shape = common_shape(name, &tensors);
    // A closure would not know the user's line.
    for tensor in &mut tensors {
        *tensor = tensor.cast(dtype).expand(&shape);
    }
    tensors
}

/// The shape to which all tensors broadcast.
#[track_caller]
pub(crate) fn common_shape(name: &'static str, tensors: &[Tensor]) -> Shape {
    let shapes: Vec<&Shape> = tensors.iter().map(Tensor::shape).collect();
    match broadcast(&shapes) {
        Ok(shape) => shape,
        Err(reason) => {
            let operands: Vec<_> = tensors.iter().map(Tensor::as_operand).collect();
            crate::error::raise(crate::error::Mismatch::shape(reason).into_error(name, &operands))
        }
    }
}

impl Tensor {
    /// This tensor if its dtype is a floating-point type, else converted to the default dtype.
    #[track_caller]
    pub(crate) fn floating(&self) -> Tensor {
        if self.dtype().is_floating() {
            self.clone()
        } else {
            self.cast(default_dtype())
        }
    }
}
