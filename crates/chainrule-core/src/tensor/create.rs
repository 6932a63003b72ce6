//! Tensors from Rust data, and filled ones.

use super::{Tensor, default_dtype};
use crate::backend::{Scalar, Value};
use crate::error::{Error, ErrorKind, or_raise, raise};
use crate::graph::{Device, Spec};
use crate::shape::Shape;
use chainrule_kernels::{Buffer, DType, Element};

/// Checks that a tensor of this shape can exist and returns its number of elements.
fn checked_elements(shape: &Shape, dtype: DType) -> Result<usize, Error> {
    let count = shape.checked_elements().filter(|count| {
        count
            .checked_mul(dtype.size())
            .is_some_and(|bytes| bytes <= isize::MAX as usize / 2)
    });
    count.ok_or_else(|| {
        let message =
            format!("a tensor of shape {shape} and dtype {dtype} does not fit in any memory");
        Error::new(ErrorKind::Memory, message)
    })
}

impl Tensor {
    /// A tensor of `shape` from its elements in row-major order; the dtype is that of the elements.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// let x = Tensor::try_from_vec(vec![1.0f64, 2.0, 3.0, 4.0], [2, 2])?;
    /// assert_eq!(x.shape().to_string(), "[2, 2]");
    /// assert!(Tensor::try_from_vec(vec![1.0f64], [2, 2]).is_err());
    /// # Ok::<(), chainrule_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the number of elements is not that of the shape, or memory runs out.
    #[track_caller]
    pub fn try_from_vec<T: Element>(
        elements: Vec<T>,
        shape: impl Into<Shape>,
    ) -> Result<Tensor, Error> {
        let shape = shape.into();
        let expected = checked_elements(&shape, T::DTYPE)?;
        if elements.len() != expected {
            let message = format!(
                "from_vec: {} elements were given, shape {shape} takes {expected}",
                elements.len()
            );
            return Err(Error::new(ErrorKind::Shape, message));
        }
        let spec = Spec::new(shape.clone(), T::DTYPE);
        let buffer = Buffer::from_slice(&elements)?;
        Ok(Tensor::from_buffer(buffer, spec))
    }

    /// Like [`try_from_vec`](Tensor::try_from_vec), for data known to fit.
    ///
    /// # Panics
    /// When the number of elements is not that of the shape, or memory runs out.
    #[track_caller]
    pub fn from_vec<T: Element>(elements: Vec<T>, shape: impl Into<Shape>) -> Tensor {
        or_raise(Tensor::try_from_vec(elements, shape))
    }

    /// A leaf holding the elements of `buffer`.
    #[track_caller]
    pub(crate) fn from_buffer(buffer: Buffer, spec: Spec) -> Tensor {
        let value = match spec.rank() {
            0 => Value::Filled(crate::backend::first_element(&buffer, spec.dtype())),
            _ => Value::contiguous(buffer, spec.shape().clone()),
        };
        Tensor::constant_of(value, spec)
    }

    /// A tensor of `shape` from numbers, converted to `dtype`.
    #[track_caller]
    pub(crate) fn from_scalars(numbers: &[Scalar], shape: Shape, dtype: DType) -> Tensor {
        let spec = Spec::new(shape, dtype);
        let array = crate::backend::array_of(numbers, &spec);
        match crate::backend::from_array(array, &spec) {
            Ok(value) => Tensor::constant_of(value, spec),
            Err(error) => raise(error),
        }
    }

    /// A tensor of which every element is `number`, in the default dtype.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::full([2], 0.5).to_vec::<f32>(), [0.5, 0.5]);
    /// ```
    ///
    /// # Panics
    /// When a tensor of this shape fits in no memory.
    #[track_caller]
    pub fn full(shape: impl Into<Shape>, number: f64) -> Tensor {
        Tensor::full_as(shape, Scalar::Float(number), default_dtype())
    }

    /// A tensor of `dtype` of which every element is `scalar`.
    ///
    /// # Panics
    /// When a tensor of this shape fits in no memory.
    #[track_caller]
    pub fn full_as(shape: impl Into<Shape>, scalar: Scalar, dtype: DType) -> Tensor {
        let shape = shape.into();
        if let Err(error) = checked_elements(&shape, dtype) {
            raise(error);
        }
        Tensor::filled(scalar, Spec::new(shape, dtype))
    }

    /// A 0-dimensional tensor: one number, in the default dtype.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::scalar(2.5).rank(), 0);
    /// ```
    #[track_caller]
    pub fn scalar(number: f64) -> Tensor {
        Tensor::full((), number)
    }

    /// Zeros in the default dtype. No memory is used until somebody looks.
    ///
    /// # Panics
    /// When a tensor of this shape fits in no memory.
    #[track_caller]
    pub fn zeros(shape: impl Into<Shape>) -> Tensor {
        Tensor::full(shape, 0.0)
    }

    /// Ones in the default dtype.
    ///
    /// # Panics
    /// When a tensor of this shape fits in no memory.
    #[track_caller]
    pub fn ones(shape: impl Into<Shape>) -> Tensor {
        Tensor::full(shape, 1.0)
    }

    /// Zeros of this tensor's shape, dtype and device.
    #[track_caller]
    pub fn zeros_like(&self) -> Tensor {
        self.filled_like(0.0)
    }

    /// Ones of this tensor's shape, dtype and device.
    #[track_caller]
    pub fn ones_like(&self) -> Tensor {
        self.filled_like(1.0)
    }

    /// The same elements on another device.
    ///
    /// The value is computed and handed over at once; history ends here.
    ///
    /// ```
    /// use chainrule_core::{tensor, Device};
    /// let x = tensor![1.0, 2.0].to_device(Device::PLAIN);
    /// assert_eq!(x.exp().device(), Device::PLAIN);
    /// ```
    #[track_caller]
    pub fn to_device(&self, device: Device) -> Tensor {
        if device == self.device() {
            return self.clone();
        }
        Tensor::constant_of(self.known_value(), self.spec().with_device(device))
    }
}

macro_rules! from_rust {
    ($($type:ty),*) => {$(
        impl From<$type> for Tensor {
            /// A 0-dimensional tensor of this dtype.
            #[track_caller]
            fn from(number: $type) -> Tensor {
                Tensor::from_vec(vec![number], ())
            }
        }
        impl From<Vec<$type>> for Tensor {
            /// A tensor with one axis; the dtype is that of the elements.
            #[track_caller]
            fn from(elements: Vec<$type>) -> Tensor {
                let count = elements.len();
                Tensor::from_vec(elements, count)
            }
        }
        impl From<&[$type]> for Tensor {
            /// A tensor with one axis; the dtype is that of the elements.
            #[track_caller]
            fn from(elements: &[$type]) -> Tensor {
                Tensor::from(elements.to_vec())
            }
        }
        impl<const N: usize> From<[$type; N]> for Tensor {
            /// A tensor with one axis; the dtype is that of the elements.
            #[track_caller]
            fn from(elements: [$type; N]) -> Tensor {
                Tensor::from(elements.to_vec())
            }
        }
    )*};
}

from_rust!(f32, f64, half::bf16, half::f16, i64, i32, u8);

impl From<bool> for Tensor {
    #[track_caller]
    fn from(truth: bool) -> Tensor {
        Tensor::filled(Scalar::Truth(truth), Spec::new((), DType::Bool))
    }
}

impl From<Vec<bool>> for Tensor {
    #[track_caller]
    fn from(elements: Vec<bool>) -> Tensor {
        let scalars: Vec<Scalar> = elements.into_iter().map(Scalar::Truth).collect();
        let count = scalars.len();
        Tensor::from_scalars(&scalars, Shape::from(count), DType::Bool)
    }
}
