//! The floating types that kernels compute in, and the element types that compute in them.
//!
//! The module is private, so the traits that public functions name from here are sealed.
#![allow(missing_docs)]

use crate::element::Element;
use crate::math::exponential::{exp, exp_32};
use crate::simd::{Baseline, Fused};
use half::{bf16, f16};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// A type to compute in: `f32` or `f64`.
pub trait Real:
    Element
    + Default
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + Sum
{
    const ONE: Self;
    const NEG_INFINITY: Self;
    fn from_f64(value: f64) -> Self;
    fn to_f64(self) -> f64;
    /// `self * factor + term`, rounded once where `FUSED`.
    fn multiply_add<const FUSED: bool>(self, factor: Self, term: Self) -> Self;
    fn sqrt(self) -> Self;
    fn exp<const FUSED: bool>(self) -> Self;
    fn ln(self) -> Self;
}

macro_rules! real {
    ($($type:ident, $exp:ident;)*) => {$(
        impl Real for $type {
            const ONE: $type = 1.0;
            const NEG_INFINITY: $type = $type::NEG_INFINITY;
            #[inline(always)]
            fn from_f64(value: f64) -> $type {
                value as $type
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self.into()
            }
            #[inline(always)]
            fn multiply_add<const FUSED: bool>(self, factor: $type, term: $type) -> $type {
                if FUSED { self.mul_add(factor, term) } else { self * factor + term }
            }
            #[inline(always)]
            fn sqrt(self) -> $type {
                $type::sqrt(self)
            }
            #[inline(always)]
            fn exp<const FUSED: bool>(self) -> $type {
                if FUSED { $exp::<Fused>(self) } else { $exp::<Baseline>(self) }
            }
            #[inline(always)]
            fn ln(self) -> $type {
                $type::ln(self)
            }
        }
    )*};
}

real! {
    f32, exp_32;
    f64, exp;
}

/// An element type that computes in a [`Real`] and is rounded back: all floating dtypes.
pub trait RealElement: Element + Default {
    type Real: Real;
    fn to_real(self) -> Self::Real;
    fn from_real(value: Self::Real) -> Self;
}

macro_rules! real_element {
    ($($type:ident in $real:ident, $to:expr, $from:expr;)*) => {$(
        impl RealElement for $type {
            type Real = $real;
            #[inline(always)]
            fn to_real(self) -> $real {
                $to(self)
            }
            #[inline(always)]
            fn from_real(value: $real) -> $type {
                $from(value)
            }
        }
    )*};
}

real_element! {
    f32 in f32, |x| x, |x| x;
    f64 in f64, |x| x, |x| x;
    bf16 in f32, bf16::to_f32, bf16::from_f32;
    f16 in f32, f16::to_f32, f16::from_f32;
}

/// Lanes that sums over a row are kept in.
const LANES: usize = 32;

/// The sum of `term(0..count)`, in an order that depends on `count` alone.
#[inline(always)]
pub(crate) fn sum_of<R: Real>(count: usize, term: impl Fn(usize) -> R) -> R {
    let mut lanes = [R::ZERO; LANES];
    let whole = count / LANES * LANES;
    for block in (0..whole).step_by(LANES) {
        for lane in 0..LANES {
            lanes[lane] += term(block + lane);
        }
    }
    for index in whole..count {
        lanes[index - whole] += term(index);
    }
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
        }
        width /= 2;
    }
    lanes[0]
}

/// The greatest of `term(0..count)`; NaN if one is NaN; negative infinity of nothing.
#[inline(always)]
pub(crate) fn max_of<R: Real>(count: usize, term: impl Fn(usize) -> R) -> R {
    #[allow(clippy::eq_op)] // NaN is what differs from itself
    let greater = |a: R, b: R| if a > b || a != a { a } else { b };
    let mut lanes = [R::NEG_INFINITY; LANES];
    let whole = count / LANES * LANES;
    for block in (0..whole).step_by(LANES) {
        for lane in 0..LANES {
            lanes[lane] = greater(lanes[lane], term(block + lane));
        }
    }
    for index in whole..count {
        lanes[index - whole] = greater(lanes[index - whole], term(index));
    }
    lanes.into_iter().fold(R::NEG_INFINITY, greater)
}
