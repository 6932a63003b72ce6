//! Nested Rust arrays as tensors, for the `tensor!` macro.

use super::{Tensor, default_dtype};
use crate::backend::Scalar;
use crate::shape::Shape;
use chainrule_kernels::DType;

/// A number, or arrays of numbers nested to any depth: what `tensor!` accepts.
pub trait Nested {
    /// The dtype the tensor gets: float literals take the default dtype, integers `i64`, truth values `bool`.
    fn dtype() -> DType;
    /// Appends the extents, outermost first.
    fn extents(&self, extents: &mut Vec<usize>);
    /// Appends the numbers in row-major order.
    fn numbers(&self, numbers: &mut Vec<Scalar>);
}

macro_rules! nested {
    ($($type:ty, $dtype:expr, $scalar:expr;)*) => {$(
        impl Nested for $type {
            fn dtype() -> DType { $dtype }
            fn extents(&self, _extents: &mut Vec<usize>) {}
            fn numbers(&self, numbers: &mut Vec<Scalar>) {
                let scalar: fn($type) -> Scalar = $scalar;
                numbers.push(scalar(*self));
            }
        }
    )*};
}

nested! {
    f64, default_dtype(), Scalar::Float;
    f32, default_dtype(), |x| Scalar::Float(x.into());
    i32, DType::I64, |x| Scalar::Integer(x.into());
    i64, DType::I64, Scalar::Integer;
    u8, DType::U8, |x| Scalar::Integer(x.into());
    bool, DType::Bool, Scalar::Truth;
}

impl<T: Nested, const N: usize> Nested for [T; N] {
    fn dtype() -> DType {
        T::dtype()
    }

    fn extents(&self, extents: &mut Vec<usize>) {
        extents.push(N);
        if let Some(first) = self.first() {
            first.extents(extents);
        }
    }

    fn numbers(&self, numbers: &mut Vec<Scalar>) {
        for inner in self {
            inner.numbers(numbers);
        }
    }
}

impl Tensor {
    /// A tensor of a number or of nested arrays; the `tensor!` macro calls this.
    ///
    /// # Panics
    /// When memory runs out.
    #[track_caller]
    pub fn from_nested<T: Nested>(nested: &T) -> Tensor {
        let mut extents = Vec::new();
        nested.extents(&mut extents);
        let mut numbers = Vec::new();
        nested.numbers(&mut numbers);
        Tensor::from_scalars(&numbers, Shape::from(extents), T::dtype())
    }
}

/// A tensor written out as `vec!` writes vectors: `tensor![1, 2, 3]`, `tensor![[1.0, 2.0], [3.0, 4.0]]`.
///
/// Float literals make the default dtype (`f32`, see [`set_default_dtype`](crate::set_default_dtype)), integer literals
/// `i64`, truth values `bool`. A single number without axes is [`Tensor::scalar`](crate::Tensor::scalar).
///
/// ```
/// use chainrule_core::{tensor, DType};
/// let x = tensor![[1.0, 2.0], [3.0, 4.0]];
/// assert_eq!(x.shape().to_string(), "[2, 2]");
/// assert_eq!(x.dtype(), DType::F32);
/// ```
#[macro_export]
macro_rules! tensor {
    [$($element:expr),+ $(,)?] => { $crate::Tensor::from_nested(&[$($element),+]) };
}
