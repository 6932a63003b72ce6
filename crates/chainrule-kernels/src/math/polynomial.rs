//! Evaluation of polynomials, the core of the elementary functions.
//!
//! The coefficients in this folder interpolate at Chebyshev nodes, computed with 60 digits; what is interpolated is always
//! the remainder behind the terms that must be exact.

use crate::simd::Simd;

/// `c[0] + c[1] x + c[2] x^2 + ...` in `f32`.
#[inline(always)]
pub(crate) fn horner32<S: Simd, const N: usize>(x: f32, c: &[f32; N]) -> f32 {
    let mut sum = c[N - 1];
    let mut index = N - 1;
    while index > 0 {
        index -= 1;
        sum = S::fma32(sum, x, c[index]);
    }
    sum
}

/// `c[0] + c[1] x + c[2] x^2 + ...` in `f64`.
#[inline(always)]
pub(crate) fn horner64<S: Simd, const N: usize>(x: f64, c: &[f64; N]) -> f64 {
    let mut sum = c[N - 1];
    let mut index = N - 1;
    while index > 0 {
        index -= 1;
        sum = S::fma64(sum, x, c[index]);
    }
    sum
}
