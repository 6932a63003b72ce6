//! The types that reductions and scans combine elements in, and what they combine them by.
//!
//! The module is private, so the traits that public functions name from here are sealed.
#![allow(missing_docs)]

use half::{bf16, f16};

/// The type that elements are combined in within short runs, and its operations.
pub trait Lane: Copy + Send + Sync + PartialOrd + 'static {
    /// What the results of runs are combined in.
    type Wide: Lane;
    const ZERO: Self;
    const ONE: Self;
    const LEAST: Self;
    const GREATEST: Self;
    fn add(self, other: Self) -> Self;
    fn multiply(self, other: Self) -> Self;
    fn is_nan(self) -> bool;
    fn widen(self) -> Self::Wide;
    fn narrow(wide: Self::Wide) -> Self;
}

macro_rules! float_lane {
    ($($type:ty)*) => {$(
        impl Lane for $type {
            type Wide = f64;
            const ZERO: $type = 0.0;
            const ONE: $type = 1.0;
            const LEAST: $type = <$type>::NEG_INFINITY;
            const GREATEST: $type = <$type>::INFINITY;
            #[inline(always)]
            fn add(self, other: $type) -> $type {
                self + other
            }
            #[inline(always)]
            fn multiply(self, other: $type) -> $type {
                self * other
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                self != self
            }
            #[inline(always)]
            fn widen(self) -> f64 {
                self.into()
            }
            #[inline(always)]
            fn narrow(wide: f64) -> $type {
                wide as $type
            }
        }
    )*};
}

macro_rules! integer_lane {
    ($($type:ty)*) => {$(
        impl Lane for $type {
            type Wide = $type;
            const ZERO: $type = 0;
            const ONE: $type = 1;
            const LEAST: $type = <$type>::MIN;
            const GREATEST: $type = <$type>::MAX;
            #[inline(always)]
            fn add(self, other: $type) -> $type {
                self.wrapping_add(other)
            }
            #[inline(always)]
            fn multiply(self, other: $type) -> $type {
                self.wrapping_mul(other)
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                false
            }
            #[inline(always)]
            fn widen(self) -> $type {
                self
            }
            #[inline(always)]
            fn narrow(wide: $type) -> $type {
                wide
            }
        }
    )*};
}

float_lane!(f32 f64);
integer_lane!(i64 i32 u8);

/// Combines two partial results.
pub trait Combine: 'static {
    fn identity<L: Lane>() -> L;
    fn combine<L: Lane>(left: L, right: L) -> L;
}

pub struct Sum;
pub struct Product;
pub struct Max;
pub struct Min;

impl Combine for Sum {
    #[inline(always)]
    fn identity<L: Lane>() -> L {
        L::ZERO
    }
    #[inline(always)]
    fn combine<L: Lane>(left: L, right: L) -> L {
        left.add(right)
    }
}

impl Combine for Product {
    #[inline(always)]
    fn identity<L: Lane>() -> L {
        L::ONE
    }
    #[inline(always)]
    fn combine<L: Lane>(left: L, right: L) -> L {
        left.multiply(right)
    }
}

impl Combine for Max {
    #[inline(always)]
    fn identity<L: Lane>() -> L {
        L::LEAST
    }
    #[inline(always)]
    fn combine<L: Lane>(left: L, right: L) -> L {
        if left > right || left.is_nan() {
            left
        } else {
            right
        }
    }
}

impl Combine for Min {
    #[inline(always)]
    fn identity<L: Lane>() -> L {
        L::GREATEST
    }
    #[inline(always)]
    fn combine<L: Lane>(left: L, right: L) -> L {
        if left < right || left.is_nan() {
            left
        } else {
            right
        }
    }
}

/// How an element becomes the type it is combined in, and back.
pub trait Reducible: Copy {
    type Lane: Lane;
    fn lane(self) -> Self::Lane;
    fn from_lane(lane: Self::Lane) -> Self;
    /// The elements as lanes, where they are their own lanes.
    fn as_lanes(elements: &mut [Self]) -> Option<&mut [Self::Lane]>;
}

macro_rules! reducible {
    ($($type:ty => $lane:ty, $to:expr, $from:expr, $lanes:expr;)*) => {$(
        impl Reducible for $type {
            type Lane = $lane;
            #[inline(always)]
            fn lane(self) -> $lane {
                $to(self)
            }
            #[inline(always)]
            fn from_lane(lane: $lane) -> $type {
                $from(lane)
            }
            fn as_lanes(elements: &mut [$type]) -> Option<&mut [$lane]> {
                let lanes: fn(&mut [$type]) -> Option<&mut [$lane]> = $lanes;
                lanes(elements)
            }
        }
    )*};
}

reducible! {
    f32 => f32, |x| x, |x| x, |elements| Some(elements);
    f64 => f64, |x| x, |x| x, |elements| Some(elements);
    bf16 => f32, bf16::to_f32, bf16::from_f32, |_| None;
    f16 => f32, f16::to_f32, f16::from_f32, |_| None;
    i64 => i64, |x| x, |x| x, |elements| Some(elements);
    i32 => i32, |x| x, |x| x, |elements| Some(elements);
    u8 => u8, |x| x, |x| x, |elements| Some(elements);
}
