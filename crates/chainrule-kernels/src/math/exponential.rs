//! exp, expm1, sigmoid, logarithms and their relatives.

use super::polynomial::{horner32, horner64};
use crate::leaf::{leaf, unary_for};
use crate::simd::Simd;
use std::f64::consts::{LN_2, LOG2_E};

/// `(exp(r) - 1 - r) / r^2` on |r| <= 0.3475.
const EXP_TAIL: [f64; 10] = [
    0.5000000000000001,
    0.16666666666666669,
    0.04166666666662324,
    0.008333333333329994,
    0.0013888888917654016,
    0.00019841269863392214,
    2.4801520613566223e-05,
    2.7557267935231926e-06,
    2.762041219449885e-07,
    2.5100634461878497e-08,
];
const EXP_TAIL_32: [f32; 5] = [
    0.5,
    1.666_657_6e-1,
    4.166_655_2e-2,
    8.363_333e-3,
    1.392_637_6e-3,
];

/// `(2 atanh(s) / s - 2) / s^2` as a polynomial in s^2, for s up to (sqrt(2) - 1) / (sqrt(2) + 1).
const LOG_TAIL: [f64; 7] = [
    0.666666666666667,
    0.3999999999989924,
    0.2857142862609589,
    0.2222221111514416,
    0.18182890556695602,
    0.1533167403016786,
    0.1461703754879165,
];
const LOG_TAIL_32: [f32; 3] = [6.666_668_7e-1, 3.998_877_1e-1, 2.958_04e-1];

/// ln 2 in two parts; the first has trailing zeros, so that a small integer times it is exact.
const LN2_HIGH: f64 = 0.6931471803691238;
const LN2_LOW: f64 = 1.9082149292705877e-10;
const LN2_HIGH_32: f32 = 0.693_359_4;
const LN2_LOW_32: f32 = -2.121_944_4e-4;

/// 1.5 * 2^52 (2^23): adding it rounds to an integer, which then stands in the lowest bits.
pub(crate) const ROUNDER: f64 = 6_755_399_441_055_744.0;
const ROUNDER_32: f32 = 12_582_912.0;

/// `2^n` for a normal result.
#[inline(always)]
fn power_of_two(n: i64) -> f64 {
    f64::from_bits((n.wrapping_add(1023) as u64) << 52)
}

#[inline(always)]
fn power_of_two_32(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

/// `y * 2^n` with one rounding, for -1080 <= n <= 1025.
#[inline(always)]
fn scale(y: f64, n: i64) -> f64 {
    let half = n >> 1;
    y * power_of_two(half) * power_of_two(n.wrapping_sub(half))
}

#[inline(always)]
fn scale_32(y: f32, n: i32) -> f32 {
    let half = n >> 1;
    y * power_of_two_32(half) * power_of_two_32(n.wrapping_sub(half))
}

/// `x` between two bounds; NaN stays.
#[inline(always)]
pub(crate) fn clamp(x: f64, low: f64, high: f64) -> f64 {
    let x = if x > high { high } else { x };
    if x < low { low } else { x }
}

#[inline(always)]
pub(crate) fn clamp_32(x: f32, low: f32, high: f32) -> f32 {
    let x = if x > high { high } else { x };
    if x < low { low } else { x }
}

/// `(n, e)` with x = n ln 2 + r, |r| <= ln(2) / 2 and e = exp(r) - 1.
#[inline(always)]
fn reduced_expm1<S: Simd>(x: f64) -> (f64, i64, f64) {
    let rounded = S::fma64(x, LOG2_E, ROUNDER);
    let n = rounded - ROUNDER;
    let r = S::fma64(n, -LN2_LOW, S::fma64(n, -LN2_HIGH, x));
    let e = S::fma64(r * r, horner64::<S, 10>(r, &EXP_TAIL), r);
    (
        n,
        rounded.to_bits().wrapping_sub(ROUNDER.to_bits()) as i64,
        e,
    )
}

#[inline(always)]
fn reduced_expm1_32<S: Simd>(x: f32) -> (f32, i32, f32) {
    let rounded = S::fma32(x, std::f32::consts::LOG2_E, ROUNDER_32);
    let n = rounded - ROUNDER_32;
    let r = S::fma32(n, -LN2_LOW_32, S::fma32(n, -LN2_HIGH_32, x));
    let e = S::fma32(r * r, horner32::<S, 5>(r, &EXP_TAIL_32), r);
    (
        n,
        rounded.to_bits().wrapping_sub(ROUNDER_32.to_bits()) as i32,
        e,
    )
}

#[inline(always)]
pub(crate) fn exp<S: Simd>(x: f64) -> f64 {
    let (_, n, e) = reduced_expm1::<S>(clamp(x, -747.0, 710.0));
    scale(1.0 + e, n)
}

/// `exp(x + rest)` for a rest so small that it changes only the last places; x within the range of finite results.
#[inline(always)]
pub(crate) fn exp_sum<S: Simd>(x: f64, rest: f64) -> f64 {
    let rounded = S::fma64(x, LOG2_E, ROUNDER);
    let n = rounded - ROUNDER;
    let r = S::fma64(n, -LN2_HIGH, x) + S::fma64(n, -LN2_LOW, rest);
    let e = S::fma64(r * r, horner64::<S, 10>(r, &EXP_TAIL), r);
    let n = rounded.to_bits().wrapping_sub(ROUNDER.to_bits()) as i64;
    scale(1.0 + e, n)
}

#[inline(always)]
pub(crate) fn exp_32<S: Simd>(x: f32) -> f32 {
    let (_, n, e) = reduced_expm1_32::<S>(clamp_32(x, -105.0, 89.0));
    scale_32(1.0 + e, n)
}

#[inline(always)]
fn exp2<S: Simd>(x: f64) -> f64 {
    let x = clamp(x, -1077.0, 1025.0);
    let rounded = x + ROUNDER;
    let r = (x - (rounded - ROUNDER)) * LN_2;
    let e = S::fma64(r * r, horner64::<S, 10>(r, &EXP_TAIL), r);
    scale(
        1.0 + e,
        rounded.to_bits().wrapping_sub(ROUNDER.to_bits()) as i64,
    )
}

#[inline(always)]
fn exp2_32<S: Simd>(x: f32) -> f32 {
    let x = clamp_32(x, -151.0, 129.0);
    let rounded = x + ROUNDER_32;
    let r = (x - (rounded - ROUNDER_32)) * std::f32::consts::LN_2;
    let e = S::fma32(r * r, horner32::<S, 5>(r, &EXP_TAIL_32), r);
    scale_32(
        1.0 + e,
        rounded.to_bits().wrapping_sub(ROUNDER_32.to_bits()) as i32,
    )
}

/// `exp(x) - 1`: 2 (2^(n-1) e + 2^(n-1) - 1/2), so that 2^n may be 2^1024.
#[inline(always)]
pub(crate) fn expm1<S: Simd>(x: f64) -> f64 {
    let (_, n, e) = reduced_expm1::<S>(clamp(x, -40.0, 710.0));
    let half = power_of_two(n.wrapping_sub(1));
    let y = S::fma64(half, e, half - 0.5) * 2.0;
    if x.abs() < 1e-17 { x } else { y }
}

#[inline(always)]
pub(crate) fn expm1_32<S: Simd>(x: f32) -> f32 {
    let (_, n, e) = reduced_expm1_32::<S>(clamp_32(x, -20.0, 89.0));
    let half = power_of_two_32(n.wrapping_sub(1));
    let y = S::fma32(half, e, half - 0.5) * 2.0;
    if x.abs() < 1e-8 { x } else { y }
}

/// `x = 2^k (1 + f)` with 1 + f in [sqrt(1/2), sqrt(2)), for positive finite x.
#[inline(always)]
fn split(x: f64) -> (f64, f64) {
    const LOWEST: u64 = 0x3fe6_a09e_667f_3bcd; // sqrt(1/2)
    let tiny = x < f64::MIN_POSITIVE;
    let scaled = if tiny { x * power_of_two(54) } else { x };
    let bits = scaled.to_bits().wrapping_sub(LOWEST);
    let k = (bits as i64 >> 52) as i32 as f64;
    let m = f64::from_bits((bits & 0x000f_ffff_ffff_ffff).wrapping_add(LOWEST));
    (if tiny { k - 54.0 } else { k }, m - 1.0)
}

#[inline(always)]
fn split_32(x: f32) -> (f32, f32) {
    const LOWEST: u32 = 0x3f35_04f3; // sqrt(1/2)
    let tiny = x < f32::MIN_POSITIVE;
    let scaled = if tiny { x * power_of_two_32(25) } else { x };
    let bits = scaled.to_bits().wrapping_sub(LOWEST);
    let k = (bits as i32 >> 23) as f32;
    let m = f32::from_bits((bits & 0x007f_ffff).wrapping_add(LOWEST));
    (if tiny { k - 25.0 } else { k }, m - 1.0)
}

/// `log(1 + f)` without its leading f: s (f^2/2 + R(s^2)) - f^2/2 with s = f / (2 + f).
#[inline(always)]
fn log1p_tail<S: Simd>(f: f64) -> (f64, f64) {
    let s = f / (2.0 + f);
    let z = s * s;
    let square = 0.5 * f * f;
    (
        square,
        s * S::fma64(z, horner64::<S, 7>(z, &LOG_TAIL), square),
    )
}

/// What a logarithm is where its formula is not: -inf at 0, NaN below, +inf at +inf.
#[inline(always)]
fn log_special(x: f64, y: f64) -> f64 {
    let y = if x == 0.0 { f64::NEG_INFINITY } else { y };
    let y = if x < 0.0 { f64::NAN } else { y };
    // Adding keeps NaN and +inf.
    if x < f64::INFINITY { y } else { x + x }
}

#[inline(always)]
fn log_special_32(x: f32, y: f32) -> f32 {
    let y = if x == 0.0 { f32::NEG_INFINITY } else { y };
    let y = if x < 0.0 { f32::NAN } else { y };
    if x < f32::INFINITY { y } else { x + x }
}

#[inline(always)]
pub(crate) fn log<S: Simd>(x: f64) -> f64 {
    let (k, f) = split(x);
    let (square, tail) = log1p_tail::<S>(f);
    let y = k * LN2_HIGH - ((square - S::fma64(k, LN2_LOW, tail)) - f);
    log_special(x, y)
}

#[inline(always)]
pub(crate) fn log_32<S: Simd>(x: f32) -> f32 {
    let (k, f) = split_32(x);
    let s = f / (2.0 + f);
    let z = s * s;
    let square = 0.5 * f * f;
    let tail = s * S::fma32(z, horner32::<S, 3>(z, &LOG_TAIL_32), square);
    let y = k * LN2_HIGH_32 - ((square - S::fma32(k, LN2_LOW_32, tail)) - f);
    log_special_32(x, y)
}

#[inline(always)]
fn log2<S: Simd>(x: f64) -> f64 {
    let (k, f) = split(x);
    let (square, tail) = log1p_tail::<S>(f);
    let y = S::fma64(f - (square - tail), LOG2_E, k);
    log_special(x, y)
}

#[inline(always)]
fn log10<S: Simd>(x: f64) -> f64 {
    const HIGH: f64 = 0.3010299955494702; // log10(2), a short first part
    const LOW: f64 = 1.1451100898021838e-10;
    let (k, f) = split(x);
    let (square, tail) = log1p_tail::<S>(f);
    let fraction = (f - (square - tail)) * std::f64::consts::LOG10_E;
    let y = S::fma64(k, HIGH, S::fma64(k, LOW, fraction));
    log_special(x, y)
}

/// log of u = 1 + x, corrected by what the sum lost.
#[inline(always)]
pub(crate) fn log1p<S: Simd>(x: f64) -> f64 {
    let u = 1.0 + x;
    let lost = if x < 1.0 {
        x - (u - 1.0)
    } else {
        1.0 - (u - x)
    };
    let correction = lost / u;
    let (k, f) = split(u);
    let (square, tail) = log1p_tail::<S>(f);
    let y = k * LN2_HIGH - ((square - (S::fma64(k, LN2_LOW, tail) + correction)) - f);
    let y = log_special(u, y);
    if x.abs() < 1e-17 { x } else { y }
}

#[inline(always)]
fn log1p_32<S: Simd>(x: f32) -> f32 {
    let u = 1.0 + x;
    let lost = if x < 1.0 {
        x - (u - 1.0)
    } else {
        1.0 - (u - x)
    };
    let correction = lost / u;
    let (k, f) = split_32(u);
    let s = f / (2.0 + f);
    let z = s * s;
    let square = 0.5 * f * f;
    let tail = s * S::fma32(z, horner32::<S, 3>(z, &LOG_TAIL_32), square);
    let low = S::fma32(k, LN2_LOW_32, tail) + correction;
    let y = k * LN2_HIGH_32 - ((square - low) - f);
    let y = log_special_32(u, y);
    if x.abs() < 1e-8 { x } else { y }
}

#[inline(always)]
fn softplus_32<S: Simd>(x: f32) -> f32 {
    let positive = if x < 0.0 { 0.0 } else { x };
    log1p_32::<S>(exp_32::<S>(-x.abs())) + positive
}

#[inline(always)]
fn sigmoid<S: Simd>(x: f64) -> f64 {
    let e = exp::<S>(-x.abs());
    (if x < 0.0 { e } else { 1.0 }) / (1.0 + e)
}

#[inline(always)]
fn sigmoid_32<S: Simd>(x: f32) -> f32 {
    let e = exp_32::<S>(-x.abs());
    (if x < 0.0 { e } else { 1.0 }) / (1.0 + e)
}

#[inline(always)]
fn softplus<S: Simd>(x: f64) -> f64 {
    let positive = if x < 0.0 { 0.0 } else { x };
    log1p::<S>(exp::<S>(-x.abs())) + positive
}

pub(crate) struct Exp;
unary_for!(Exp: f32 => |x, S| exp_32::<S>(x); f64 => |x, S| exp::<S>(x););
pub(crate) struct Exp2;
unary_for!(Exp2: f32 => |x, S| exp2_32::<S>(x); f64 => |x, S| exp2::<S>(x););
pub(crate) struct Expm1;
unary_for!(Expm1: f32 => |x, S| expm1_32::<S>(x); f64 => |x, S| expm1::<S>(x););
pub(crate) struct Log;
unary_for!(Log: f32 => |x, S| log_32::<S>(x); f64 => |x, S| log::<S>(x););
pub(crate) struct Log2;
unary_for!(Log2: f32 => |x, S| log2::<S>(x as f64) as f32; f64 => |x, S| log2::<S>(x););
pub(crate) struct Log10;
unary_for!(Log10: f32 => |x, S| log10::<S>(x as f64) as f32; f64 => |x, S| log10::<S>(x););
pub(crate) struct Log1p;
unary_for!(Log1p: f32 => |x, S| log1p_32::<S>(x); f64 => |x, S| log1p::<S>(x););
pub(crate) struct Sigmoid;
unary_for!(Sigmoid: f32 => |x, S| sigmoid_32::<S>(x); f64 => |x, S| sigmoid::<S>(x););
pub(crate) struct Softplus;
unary_for!(Softplus: f32 => |x, S| softplus_32::<S>(x); f64 => |x, S| softplus::<S>(x););

leaf! {
    /// e to the power x.
    EXP = unary Exp, "exp", "exp(a)", [f32, f64];
    /// 2 to the power x.
    EXP2 = unary Exp2, "exp2", "exp2(a)", [f32, f64];
    /// exp(x) - 1, accurate for small x.
    EXPM1 = unary Expm1, "expm1", "expm1(a)", [f32, f64];
    /// The natural logarithm.
    LOG = unary Log, "log", "log(a)", [f32, f64];
    /// The logarithm to base 2.
    LOG2 = unary Log2, "log2", "log2(a)", [f32, f64];
    /// The logarithm to base 10.
    LOG10 = unary Log10, "log10", "log10(a)", [f32, f64];
    /// log(1 + x), accurate for small x.
    LOG1P = unary Log1p, "log1p", "log1p(a)", [f32, f64];
    /// 1 / (1 + exp(-x)).
    SIGMOID = unary Sigmoid, "sigmoid", "1 / (1 + exp(-a))", [f32, f64];
    /// log(1 + exp(x)), as log1p(exp(-|x|)) + max(x, 0).
    SOFTPLUS = unary Softplus, "softplus", "log1p(exp(-fabs(a))) + fmax(a, 0)", [f32, f64];
}
