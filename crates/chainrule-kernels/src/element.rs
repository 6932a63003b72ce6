//! The element types a tensor can have.

use half::{bf16, f16};
use std::fmt;

/// The type of a tensor's elements.
///
/// The enum is open: complex types may join it, so a `match` on it needs a wildcard arm.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[repr(u8)]
pub enum DType {
    /// 32-bit IEEE 754 floating point.
    F32,
    /// 64-bit IEEE 754 floating point.
    F64,
    /// 16-bit "brain" floating point: the upper half of an `f32`.
    BF16,
    /// 16-bit IEEE 754 floating point.
    F16,
    /// 64-bit signed integer.
    I64,
    /// 32-bit signed integer.
    I32,
    /// 8-bit unsigned integer.
    U8,
    /// Truth value, stored as one byte that is 0 or 1.
    Bool,
}

impl DType {
    /// Every dtype, in declaration order.
    pub const ALL: [DType; 8] = [
        DType::F32,
        DType::F64,
        DType::BF16,
        DType::F16,
        DType::I64,
        DType::I32,
        DType::U8,
        DType::Bool,
    ];

    /// Bytes one element takes.
    pub const fn size(self) -> usize {
        match self {
            DType::F64 | DType::I64 => 8,
            DType::F32 | DType::I32 => 4,
            DType::BF16 | DType::F16 => 2,
            DType::U8 | DType::Bool => 1,
        }
    }

    /// Whether the dtype has a tangent space: the floating-point types.
    pub const fn is_floating(self) -> bool {
        matches!(self, DType::F32 | DType::F64 | DType::BF16 | DType::F16)
    }

    /// Whether the dtype is a 16-bit floating type, which computes in `f32` and rounds after every primitive.
    pub const fn is_half(self) -> bool {
        matches!(self, DType::BF16 | DType::F16)
    }

    /// The short lower-case name: `f32`, `bf16`, `bool`, ...
    pub const fn name(self) -> &'static str {
        match self {
            DType::F32 => "f32",
            DType::F64 => "f64",
            DType::BF16 => "bf16",
            DType::F16 => "f16",
            DType::I64 => "i64",
            DType::I32 => "i32",
            DType::U8 => "u8",
            DType::Bool => "bool",
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

impl fmt::Debug for DType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A Rust type that a [`Buffer`](crate::Buffer) can be read as: plain old data of one [`DType`].
///
/// Sealed: every bit pattern of an implementing type must be valid, which is why `bool` is not one (a [`DType::Bool`]
/// buffer is read as `u8`).
pub trait Element: sealed::Sealed + Copy + Send + Sync + PartialEq + fmt::Debug + 'static {
    /// The dtype of which this is the storage type.
    const DTYPE: DType;
    /// The additive identity.
    const ZERO: Self;
}

macro_rules! element {
    ($($type:ty => $dtype:ident, $zero:expr;)*) => {$(
        impl sealed::Sealed for $type {}
        impl Element for $type {
            const DTYPE: DType = DType::$dtype;
            const ZERO: Self = $zero;
        }
    )*};
}

element! {
    f32 => F32, 0.0;
    f64 => F64, 0.0;
    bf16 => BF16, bf16::ZERO;
    f16 => F16, f16::ZERO;
    i64 => I64, 0;
    i32 => I32, 0;
    u8 => U8, 0;
}
