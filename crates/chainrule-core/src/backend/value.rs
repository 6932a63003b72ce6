//! Computed values.

use crate::shape::Layout;
use chainrule_kernels::{Buffer, DType};
use half::{bf16, f16};
use std::sync::Arc;

/// One number of any dtype.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar {
    /// A floating-point number; exactly representable in the dtype it stands for.
    Float(f64),
    /// An integer.
    Integer(i64),
    /// A truth value.
    Truth(bool),
}

impl Scalar {
    /// The number converted to `dtype` as `cast` does: floats round, integers wrap or saturate as Rust's `as`.
    pub fn cast(self, dtype: DType) -> Scalar {
        match dtype {
            DType::F64 => Scalar::Float(self.to_f64()),
            DType::F32 => Scalar::Float(f64::from(self.to_f64() as f32)),
            DType::BF16 => Scalar::Float(bf16::from_f32(self.to_f64() as f32).to_f64()),
            DType::F16 => Scalar::Float(f16::from_f32(self.to_f64() as f32).to_f64()),
            DType::I64 => Scalar::Integer(self.to_i64()),
            DType::I32 => Scalar::Integer(match self {
                Scalar::Float(value) => i64::from(value as i32),
                _ => i64::from(self.to_i64() as i32),
            }),
            DType::U8 => Scalar::Integer(match self {
                Scalar::Float(value) => i64::from(value as u8),
                _ => i64::from(self.to_i64() as u8),
            }),
            _ => Scalar::Truth(match self {
                Scalar::Float(value) => value != 0.0,
                Scalar::Integer(value) => value != 0,
                Scalar::Truth(value) => value,
            }),
        }
    }

    /// The number as `f64`.
    pub fn to_f64(self) -> f64 {
        match self {
            Scalar::Float(value) => value,
            Scalar::Integer(value) => value as f64,
            Scalar::Truth(value) => f64::from(u8::from(value)),
        }
    }

    /// The number as `i64`.
    pub fn to_i64(self) -> i64 {
        match self {
            Scalar::Float(value) => value as i64,
            Scalar::Integer(value) => value,
            Scalar::Truth(value) => i64::from(value),
        }
    }
}

/// A computed value, together with the spec of the node it belongs to.
#[derive(Clone)]
pub enum Value {
    /// Every element is this number; a 0-dimensional value always has this form.
    Filled(Scalar),
    /// Elements in memory.
    Array(Arc<Stored>),
}

/// Elements in the memory of the machine, seen through a layout.
pub struct Stored {
    /// The memory, possibly shared with other values.
    pub buffer: Arc<Buffer>,
    /// Where the elements lie.
    pub layout: Layout,
}

impl Value {
    /// A value that owns its elements, row-major.
    pub fn contiguous(buffer: Buffer, shape: crate::shape::Shape) -> Value {
        Value::Array(Arc::new(Stored {
            buffer: Arc::new(buffer),
            layout: Layout::contiguous(shape),
        }))
    }
}
