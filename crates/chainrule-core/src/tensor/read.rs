//! From tensors back to Rust numbers.

use super::Tensor;
use crate::backend::{Scalar, to_array};
use crate::declare::Data;
use crate::error::{Error, ErrorKind, or_raise, raise};
use crate::graph::watch::note_reading;
use chainrule_kernels::DType;
use half::{bf16, f16};
use std::any::{Any, TypeId};

/// A Rust type as which elements can be read.
///
/// Reading does not convert between kinds: `f32` and `f64` read any floating dtype, the integer types any integer dtype
/// whose values fit, `bool` truth values, the half types only themselves.
pub trait Number: Copy + 'static {
    /// The type's name.
    const NAME: &'static str;
    /// The element read as this type, or `None` when that would change it or its kind.
    fn read(element: Scalar, dtype: DType) -> Option<Self>;
}

macro_rules! number {
    ($($type:ty, $pattern:pat => $value:expr;)*) => {$(
        impl Number for $type {
            const NAME: &'static str = stringify!($type);
            fn read(element: Scalar, dtype: DType) -> Option<$type> {
                #[allow(unused_variables)]
                match (element, dtype) {
                    $pattern => $value,
                    _ => None,
                }
            }
        }
    )*};
}

number! {
    f64, (Scalar::Float(value), _) => Some(value);
    f32, (Scalar::Float(value), _) => Some(value as f32);
    bf16, (Scalar::Float(value), DType::BF16) => Some(bf16::from_f64(value));
    f16, (Scalar::Float(value), DType::F16) => Some(f16::from_f64(value));
    i64, (Scalar::Integer(value), _) => Some(value);
    i32, (Scalar::Integer(value), _) => value.try_into().ok();
    u8, (Scalar::Integer(value), _) => value.try_into().ok();
    usize, (Scalar::Integer(value), _) => value.try_into().ok();
    bool, (Scalar::Truth(value), _) => Some(value);
}

/// The Rust type as which the elements of a dtype are handed over.
fn type_of(dtype: DType) -> TypeId {
    match dtype {
        DType::F32 | DType::BF16 | DType::F16 => TypeId::of::<f32>(),
        DType::F64 => TypeId::of::<f64>(),
        DType::I64 => TypeId::of::<i64>(),
        DType::I32 => TypeId::of::<i32>(),
        DType::U8 => TypeId::of::<u8>(),
        _ => TypeId::of::<bool>(),
    }
}

impl Tensor {
    /// The single element, as a Rust number.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::scalar(2.5).item::<f64>(), 2.5);
    /// ```
    ///
    /// # Panics
    /// When there is not exactly one element, or it is not of this type.
    #[track_caller]
    pub fn item<T: Number>(&self) -> T {
        if self.elements() != 1 {
            let message = format!(
                "item: the tensor has {} elements (shape {}), not one\n    help: reduce it, for example with `.sum(..)` or \
                 `.mean(..)`, or read all with `.to_vec()`",
                self.elements(),
                self.shape()
            );
            raise(Error::new(ErrorKind::Shape, message));
        }
        self.read_as("item").swap_remove(0)
    }

    /// All elements in row-major order.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![[1.0, 2.0], [3.0, 4.0]].t().to_vec::<f32>(), [1.0, 3.0, 2.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// When the elements are not of this type.
    #[track_caller]
    pub fn to_vec<T: Number>(&self) -> Vec<T> {
        if TypeId::of::<T>() != type_of(self.dtype()) {
            return self.read_as("to_vec");
        }
        // No element has to be looked at: a large tensor is read as fast as it is copied.
        let elements: Box<dyn Any> = match self.data() {
            Data::F32(elements) => Box::new(elements),
            Data::F64(elements) => Box::new(elements),
            Data::I64(elements) => Box::new(elements),
            Data::I32(elements) => Box::new(elements),
            Data::U8(elements) => Box::new(elements),
            Data::Bool(elements) => Box::new(elements),
            Data::Sets(_) => unreachable!("sets are never stored"),
        };
        *elements
            .downcast()
            .expect("`type_of` names the type of the elements")
    }

    #[track_caller]
    fn read_as<T: Number>(&self, method: &str) -> Vec<T> {
        let read: Option<Vec<T>> = self
            .scalars()
            .into_iter()
            .map(|scalar| T::read(scalar, self.dtype()))
            .collect();
        if let Some(read) = read {
            return read;
        }
        let message = format!(
            "{method}: the elements are {}, which cannot be read as {}\n    help: convert first, with \
             `.cast(DType::..)`, or read them as {}",
            self.dtype(),
            T::NAME,
            self.dtype()
        );
        raise(Error::new(ErrorKind::DType, message))
    }

    /// All elements in row-major order, computing them if necessary.
    #[track_caller]
    fn data(&self) -> Data {
        note_reading(self);
        or_raise(to_array(&self.known_value(), self.spec())).data
    }

    /// All elements as scalars, computing them if necessary.
    #[track_caller]
    pub(crate) fn scalars(&self) -> Vec<Scalar> {
        match self.data() {
            Data::F32(elements) => elements
                .into_iter()
                .map(|x| Scalar::Float(x.into()))
                .collect(),
            Data::F64(elements) => elements.into_iter().map(Scalar::Float).collect(),
            Data::I64(elements) => elements.into_iter().map(Scalar::Integer).collect(),
            Data::I32(elements) => elements
                .into_iter()
                .map(|x| Scalar::Integer(x.into()))
                .collect(),
            Data::U8(elements) => elements
                .into_iter()
                .map(|x| Scalar::Integer(x.into()))
                .collect(),
            Data::Bool(elements) => elements.into_iter().map(Scalar::Truth).collect(),
            Data::Sets(_) => unreachable!("sets are never stored"),
        }
    }

    /// The tensors along the first axis.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let sums: Vec<f32> = tensor![[1.0, 2.0], [3.0, 4.0]].rows().map(|row| row.sum(..).item()).collect();
    /// assert_eq!(sums, [3.0, 7.0]);
    /// ```
    ///
    /// # Panics
    /// When the tensor has no axes.
    #[track_caller]
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Tensor> + '_ {
        if self.rank() == 0 {
            raise(Error::new(
                ErrorKind::Shape,
                "rows: a 0-dimensional tensor has no axis to iterate over",
            ));
        }
        (0..self.shape()[0]).map(|row| self.narrow(0, row, 1).squeeze(0))
    }
}

impl<'a> IntoIterator for &'a Tensor {
    type Item = Tensor;
    type IntoIter = Box<dyn ExactSizeIterator<Item = Tensor> + 'a>;

    /// The tensors along the first axis, as [`rows`](Tensor::rows).
    #[track_caller]
    fn into_iter(self) -> Self::IntoIter {
        Box::new(self.rows())
    }
}
