//! Hyperbolic functions and their inverses.

use super::exponential::{clamp, clamp_32, exp, expm1, expm1_32, log, log1p};
use crate::leaf::{leaf, unary_for};
use crate::simd::Simd;
use std::f64::consts::LN_2;

/// Above this, exp(-|x|) is lost beside exp(|x|), which is then taken as a square lest it overflow.
const LARGE: f64 = 40.0;

#[inline(always)]
fn sinh<S: Simd>(x: f64) -> f64 {
    let a = x.abs();
    let t = expm1::<S>(clamp(a, 0.0, LARGE));
    let small = 0.5 * (t + t / (t + 1.0));
    let root = exp::<S>(0.5 * a);
    let y = if a > LARGE { 0.5 * root * root } else { small };
    // Halving a subnormal would round.
    if a < 1e-9 { x } else { y.copysign(x) }
}

#[inline(always)]
fn cosh<S: Simd>(x: f64) -> f64 {
    let a = x.abs();
    let root = exp::<S>(0.5 * a);
    let e = exp::<S>(clamp(a, 0.0, LARGE));
    if a > LARGE {
        0.5 * root * root
    } else {
        0.5 * e + 0.5 / e
    }
}

#[inline(always)]
fn tanh<S: Simd>(x: f64) -> f64 {
    let t = expm1::<S>(2.0 * clamp(x.abs(), 0.0, 20.0));
    (t / (t + 2.0)).copysign(x)
}

#[inline(always)]
fn tanh_32<S: Simd>(x: f32) -> f32 {
    let t = expm1_32::<S>(2.0 * clamp_32(x.abs(), 0.0, 10.0));
    (t / (t + 2.0)).copysign(x)
}

#[inline(always)]
fn asinh<S: Simd>(x: f64) -> f64 {
    let a = x.abs();
    let square = a * a;
    let near = log1p::<S>(a + square / (1.0 + (1.0 + square).sqrt()));
    let far = log::<S>(a) + LN_2;
    (if a > 1e9 { far } else { near }).copysign(x)
}

#[inline(always)]
fn acosh<S: Simd>(x: f64) -> f64 {
    let t = x - 1.0;
    let near = log1p::<S>(t + (t * (t + 2.0)).sqrt());
    let far = log::<S>(x) + LN_2;
    let y = if x > 1e9 { far } else { near };
    if x < 1.0 { f64::NAN } else { y }
}

#[inline(always)]
fn atanh<S: Simd>(x: f64) -> f64 {
    let a = x.abs();
    let y = 0.5 * log1p::<S>((a + a) / (1.0 - a));
    if a < 1e-9 { x } else { y.copysign(x) }
}

pub(crate) struct Sinh;
unary_for!(Sinh: f32 => |x, S| sinh::<S>(x as f64) as f32; f64 => |x, S| sinh::<S>(x););
pub(crate) struct Cosh;
unary_for!(Cosh: f32 => |x, S| cosh::<S>(x as f64) as f32; f64 => |x, S| cosh::<S>(x););
pub(crate) struct Tanh;
unary_for!(Tanh: f32 => |x, S| tanh_32::<S>(x); f64 => |x, S| tanh::<S>(x););
pub(crate) struct Asinh;
unary_for!(Asinh: f32 => |x, S| asinh::<S>(x as f64) as f32; f64 => |x, S| asinh::<S>(x););
pub(crate) struct Acosh;
unary_for!(Acosh: f32 => |x, S| acosh::<S>(x as f64) as f32; f64 => |x, S| acosh::<S>(x););
pub(crate) struct Atanh;
unary_for!(Atanh: f32 => |x, S| atanh::<S>(x as f64) as f32; f64 => |x, S| atanh::<S>(x););

leaf! {
    /// The hyperbolic sine.
    SINH = unary Sinh, "sinh", "sinh(a)", [f32, f64];
    /// The hyperbolic cosine.
    COSH = unary Cosh, "cosh", "cosh(a)", [f32, f64];
    /// The hyperbolic tangent.
    TANH = unary Tanh, "tanh", "tanh(a)", [f32, f64];
    /// The inverse of sinh.
    ASINH = unary Asinh, "asinh", "asinh(a)", [f32, f64];
    /// The inverse of cosh, at least 0; NaN below 1.
    ACOSH = unary Acosh, "acosh", "acosh(a)", [f32, f64];
    /// The inverse of tanh; NaN outside [-1, 1].
    ATANH = unary Atanh, "atanh", "atanh(a)", [f32, f64];
}
