//! The error function and its complement.

use super::exponential::{clamp, clamp_32, exp_32, exp_sum};
use super::polynomial::{horner32, horner64};
use crate::leaf::{leaf, unary_for};
use crate::simd::Simd;

/// `erf(x) / x` as a polynomial in x^2, |x| <= 1.
const ERF_RATIO: [f64; 14] = [
    1.1283791670955126,
    -0.37612638903183754,
    0.1128379167095512,
    -0.02686617064512984,
    0.0052239776254232985,
    -0.000854832702193483,
    0.00012055332902888736,
    -1.4925647567519332e-05,
    1.6462045441468418e-06,
    -1.6364642158167616e-07,
    1.4792401209404813e-08,
    -1.216456005728345e-09,
    8.709045129053106e-11,
    -4.230945824295338e-12,
];

/// `(1 + 2 x) exp(x^2) erfc(x)` as a polynomial in q = (x - 4) / (x + 4), for 0.6 <= x <= 29.
const SCALED_COMPLEMENT: [f64; 23] = [
    1.2329951186255526,
    -0.1396211168405625,
    0.0153796521026201,
    0.06809705425468955,
    -0.1010390660363294,
    0.09373283499848974,
    -0.06633036581152744,
    0.03716751553461748,
    -0.016197734067622843,
    0.005031970010253337,
    -0.0007577732066667687,
    -0.0001992569152303264,
    0.00015062125017695227,
    -2.439824771805114e-05,
    -1.122061577899552e-05,
    5.706948651554396e-06,
    2.908071531569799e-07,
    -8.201708516826752e-07,
    7.85841013637646e-08,
    1.0379671625802839e-07,
    -2.085937932929949e-08,
    -9.840679328648673e-09,
    2.787483417270161e-09,
];

/// `erf(x) / x - 1` as a polynomial in x^2, |x| <= 1, for `f32`.
const ERF_RATIO_32: [f32; 7] = [
    0.128_379_17,
    -3.761262596e-01,
    1.128359437e-01,
    -2.685421146e-02,
    5.189087242e-03,
    -8.016864303e-04,
    7.875874871e-05,
];

/// `-log(erfc(x)) / x` on [1, 4], where erf(x) becomes 1 in `f32`.
const COMPLEMENT_EXPONENT_32: [f32; 8] = [
    1.128943920e+00,
    6.340141296e-01,
    1.080355048e-01,
    -2.526864037e-02,
    4.357486498e-03,
    -5.118096597e-04,
    3.608354746e-05,
    -1.138465564e-06,
];

/// `(x^2, what its rounding lost)`.
#[inline(always)]
fn exact_square<S: Simd>(x: f64) -> (f64, f64) {
    let square = x * x;
    if S::FUSED {
        return (square, x.mul_add(x, -square));
    }
    let high = f64::from_bits(x.to_bits() & !0x07ff_ffff);
    let low = x - high;
    (
        square,
        ((high * high - square) + 2.0 * high * low) + low * low,
    )
}

/// erfc(x) for x >= 0.6.
#[inline(always)]
fn complement<S: Simd>(x: f64) -> f64 {
    let x = clamp(x, 0.6, 28.0);
    let q = (x - 4.0) / (x + 4.0);
    let (square, lost) = exact_square::<S>(x);
    // What rounding took from the divisor 1 + 2 x goes into the exponent, as does what it took from x^2.
    let divisor = 2.0 * x + 1.0;
    let divisor_lost = (1.0 - (divisor - 2.0 * x)) / divisor;
    let e = exp_sum::<S>(-square, -(lost + divisor_lost));
    e * horner64::<S, 23>(q, &SCALED_COMPLEMENT) / divisor
}

/// erf(x) for |x| <= 1.
#[inline(always)]
fn erf_small<S: Simd>(x: f64) -> f64 {
    x * horner64::<S, 14>(x * x, &ERF_RATIO)
}

#[inline(always)]
fn erf<S: Simd>(x: f64) -> f64 {
    let a = x.abs();
    let far = (1.0 - complement::<S>(a)).copysign(x);
    if a > 1.0 { far } else { erf_small::<S>(x) }
}

#[inline(always)]
fn erfc<S: Simd>(x: f64) -> f64 {
    let a = x.abs();
    let far = complement::<S>(a);
    let far = if x < 0.0 { 2.0 - far } else { far };
    if a > 0.6 {
        far
    } else {
        1.0 - erf_small::<S>(x)
    }
}

#[inline(always)]
fn erf_32<S: Simd>(x: f32) -> f32 {
    let a = x.abs();
    let near = S::fma32(x, horner32::<S, 7>(x * x, &ERF_RATIO_32), x);
    let c = clamp_32(a, 0.0, 4.0);
    let complement = exp_32::<S>(-c * horner32::<S, 8>(c, &COMPLEMENT_EXPONENT_32));
    let far = (1.0 - complement).copysign(x);
    if a > 1.0 { far } else { near }
}

pub(crate) struct Erf;
unary_for!(Erf: f32 => |x, S| erf_32::<S>(x); f64 => |x, S| erf::<S>(x););
pub(crate) struct Erfc;
unary_for!(Erfc: f32 => |x, S| erfc::<S>(x as f64) as f32; f64 => |x, S| erfc::<S>(x););

leaf! {
    /// 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.
    ERF = unary Erf, "erf", "erf(a)", [f32, f64];
    /// 1 - erf(x), accurate where that is small.
    ERFC = unary Erfc, "erfc", "erfc(a)", [f32, f64];
}
