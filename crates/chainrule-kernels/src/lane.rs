//! The types that a kernel's registers hold.

use crate::element::DType;

/// The arithmetic a dtype computes in. Halves compute in `f32`; `Bool` is a byte with its own arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Compute {
    F32,
    F64,
    I64,
    I32,
    U8,
    Truth,
}

impl Compute {
    /// How many there are.
    pub(crate) const COUNT: usize = 6;

    /// What elements of `dtype` compute in.
    pub(crate) const fn of(dtype: DType) -> Compute {
        match dtype {
            DType::F32 | DType::BF16 | DType::F16 => Compute::F32,
            DType::F64 => Compute::F64,
            DType::I64 => Compute::I64,
            DType::I32 => Compute::I32,
            DType::U8 => Compute::U8,
            DType::Bool => Compute::Truth,
        }
    }

    /// Bytes a register's element takes.
    pub(crate) const fn size(self) -> usize {
        match self {
            Compute::F64 | Compute::I64 => 8,
            Compute::F32 | Compute::I32 => 4,
            Compute::U8 | Compute::Truth => 1,
        }
    }
}

/// A truth value in a register: a byte that is 0 or 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Truth(pub(crate) u8);

/// An element of a register.
pub(crate) trait Lane: Copy + Default + PartialEq + std::fmt::Debug + 'static {
    const COMPUTE: Compute;
    fn from_f32(value: f32) -> Self;
    fn from_f64(value: f64) -> Self;
    fn from_i64(value: i64) -> Self;
    fn to_f32(self) -> f32;
    fn to_f64(self) -> f64;
}

macro_rules! lane {
    ($($type:ident $compute:ident;)*) => {$(
        impl Lane for $type {
            const COMPUTE: Compute = Compute::$compute;
            #[inline(always)]
            fn from_f32(value: f32) -> Self {
                value as $type
            }
            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as $type
            }
            #[inline(always)]
            fn from_i64(value: i64) -> Self {
                value as $type
            }
            #[inline(always)]
            fn to_f32(self) -> f32 {
                self as f32
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as f64
            }
        }
    )*};
}

lane! {
    f32 F32;
    f64 F64;
    i64 I64;
    i32 I32;
    u8 U8;
}

impl Lane for Truth {
    const COMPUTE: Compute = Compute::Truth;
    #[inline(always)]
    fn from_f32(value: f32) -> Self {
        Truth((value != 0.0) as u8)
    }
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        Truth((value != 0.0) as u8)
    }
    #[inline(always)]
    fn from_i64(value: i64) -> Self {
        Truth((value != 0) as u8)
    }
    #[inline(always)]
    fn to_f32(self) -> f32 {
        self.0 as f32
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self.0 as f64
    }
}
