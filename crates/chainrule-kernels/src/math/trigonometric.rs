//! Trigonometric functions and their inverses.

use super::exponential::ROUNDER;
use super::polynomial::{horner32, horner64};
use crate::leaf::{Unary, binary_for, leaf, unary_for};
use crate::simd::Simd;
use std::f64::consts::{FRAC_2_PI, FRAC_PI_2, FRAC_PI_4, PI};

/// `(sin(r) / r - 1) / r^2` as a polynomial in r^2, |r| <= pi / 4.
const SIN_TAIL: [f64; 7] = [
    -0.16666666666666666,
    0.008333333333333331,
    -0.0001984126984126502,
    2.7557319219304477e-06,
    -2.5052106220409384e-08,
    1.605852971266686e-10,
    -7.586584848459799e-13,
];
const SIN_TAIL_32: [f32; 3] = [-1.666_666_4e-1, 8.332_746e-3, -1.958_742_2e-4];

/// `(cos(r) - 1 + r^2 / 2) / r^4` as a polynomial in r^2, |r| <= pi / 4.
const COS_TAIL: [f64; 7] = [
    0.041666666666666664,
    -0.0013888888888888887,
    2.480158730158462e-05,
    -2.755731922138354e-07,
    2.0876755784387464e-09,
    -1.1470459827734685e-11,
    4.745809482337876e-14,
];
const COS_TAIL_32: [f32; 3] = [4.166_666_4e-2, -1.388_830_1e-3, 2.454_747e-5];

/// `(atan(t) / t - 1) / t^2` as a polynomial in t^2, |t| <= tan(pi / 8).
const ATAN_TAIL: [f64; 11] = [
    -0.3333333333333333,
    0.1999999999999549,
    -0.1428571428466014,
    0.11111111014741562,
    -0.09090904557214267,
    0.0769218270524632,
    -0.06664504610032648,
    0.05858089538610203,
    -0.050851391487066376,
    0.03922268882347632,
    -0.0191659065063043,
];

/// `(asin(t) / t - 1) / t^2` as a polynomial in t^2, |t| <= 1/2.
const ASIN_TAIL: [f64; 13] = [
    0.16666666666666669,
    0.07499999999998433,
    0.04464285714635543,
    0.030381944138531247,
    0.02237217294214989,
    0.017352392720869973,
    0.013971212973552933,
    0.011479177415184906,
    0.01032281435018578,
    0.005457506718640358,
    0.01740087944269402,
    -0.014851887071247204,
    0.028757851367421566,
];

/// pi / 2 in three parts; the first two have 33 bits, so that their products with a quadrant's number are exact.
const QUARTER_1: f64 = 1.5707963267341256;
const QUARTER_2: f64 = 6.077100506303966e-11;
const QUARTER_3: f64 = 2.0222662487959506e-21;
/// What rounding took from pi / 2 (and, halved, from pi / 4).
const FRAC_PI_2_LOW: f64 = 6.123233995736766e-17;

/// Arguments above this go to the standard library, whose reduction is exact for all.
const REDUCIBLE: f64 = 1_000_000.0;

/// `(quadrant, r, rest)` with x = quadrant pi/2 + r + rest and |r| <= pi/4.
#[inline(always)]
fn reduce<S: Simd>(x: f64) -> (u64, f64, f64) {
    let rounded = S::fma64(x, FRAC_2_PI, ROUNDER);
    let n = rounded - ROUNDER;
    let first = x - n * QUARTER_1; // exact
    let second = n * QUARTER_2; // exact
    let high = first - second;
    // What the subtraction lost (Knuth's two-sum), and the third part.
    let virtual_second = first - high;
    let lost = (first - (high + virtual_second)) + (virtual_second - second);
    let rest = S::fma64(n, -QUARTER_3, lost);
    let r = high + rest;
    (rounded.to_bits(), r, (high - r) + rest)
}

#[inline(always)]
fn sin_reduced<S: Simd>(r: f64, rest: f64) -> f64 {
    let z = r * r;
    let cube = z * r;
    let tail = cube * horner64::<S, 7>(z, &SIN_TAIL);
    r + (tail + S::fma64(-0.5 * z, rest, rest))
}

#[inline(always)]
fn cos_reduced<S: Simd>(r: f64, rest: f64) -> f64 {
    let z = r * r;
    let half = 0.5 * z;
    let one_less = 1.0 - half;
    let tail = S::fma64(z * z, horner64::<S, 7>(z, &COS_TAIL), -(r * rest));
    one_less + (((1.0 - one_less) - half) + tail)
}

/// The sine of x + shift * pi/2.
#[inline(always)]
fn sin_shifted<S: Simd>(x: f64, shift: u64) -> f64 {
    let (quadrant, r, rest) = reduce::<S>(x);
    let quadrant = quadrant.wrapping_add(shift);
    let (sine, cosine) = (sin_reduced::<S>(r, rest), cos_reduced::<S>(r, rest));
    let y = if quadrant & 1 == 0 { sine } else { cosine };
    f64::from_bits(y.to_bits() ^ ((quadrant & 2) << 62))
}

/// As [`sin_shifted`]: the argument is reduced in `f64`, the polynomials are `f32`.
#[inline(always)]
fn sin_shifted_32<S: Simd>(x: f32, shift: u64) -> f32 {
    let wide = x as f64;
    let rounded = S::fma64(wide, FRAC_2_PI, ROUNDER);
    let n = rounded - ROUNDER;
    let r = ((wide - n * QUARTER_1) - n * (QUARTER_2 + QUARTER_3)) as f32;
    let quadrant = (rounded.to_bits() as u32).wrapping_add(shift as u32);
    let z = r * r;
    let sine = S::fma32(z * r, horner32::<S, 3>(z, &SIN_TAIL_32), r);
    let cosine = S::fma32(
        z * z,
        horner32::<S, 3>(z, &COS_TAIL_32),
        S::fma32(-0.5, z, 1.0),
    );
    let y = if quadrant & 1 == 0 { sine } else { cosine };
    f32::from_bits(y.to_bits() ^ ((quadrant & 2) << 30))
}

#[inline(always)]
fn sin<S: Simd>(x: f64) -> f64 {
    let y = sin_shifted::<S>(x, 0);
    if x.abs() < 1e-9 { x } else { y }
}

#[inline(always)]
fn sin_32<S: Simd>(x: f32) -> f32 {
    let y = sin_shifted_32::<S>(x, 0);
    if x.abs() < 1e-5 { x } else { y }
}

#[inline(always)]
fn tan<S: Simd>(x: f64) -> f64 {
    let (quadrant, r, rest) = reduce::<S>(x);
    let (sine, cosine) = (sin_reduced::<S>(r, rest), cos_reduced::<S>(r, rest));
    let odd = quadrant & 1 == 1;
    let y = (if odd { -cosine } else { sine }) / (if odd { sine } else { cosine });
    if x.abs() < 1e-9 { x } else { y }
}

/// A function of one operand whose vector form holds up to [`REDUCIBLE`].
macro_rules! periodic {
    ($($function:ident $exact:ident: |$x:ident, $simd:ident| $narrow:expr, $wide:expr;)*) => {$(
        pub(crate) struct $function;
        impl Unary<f32> for $function {
            type Out = f32;
            const GUARDED: bool = true;
            #[inline(always)]
            fn call<$simd: Simd>($x: f32) -> f32 {
                $narrow
            }
            #[inline(always)]
            fn outside(x: f32) -> bool {
                x.abs() > REDUCIBLE as f32
            }
            fn exact(x: f32) -> f32 {
                (x as f64).$exact() as f32
            }
        }
        impl Unary<f64> for $function {
            type Out = f64;
            const GUARDED: bool = true;
            #[inline(always)]
            fn call<$simd: Simd>($x: f64) -> f64 {
                $wide
            }
            #[inline(always)]
            fn outside(x: f64) -> bool {
                x.abs() > REDUCIBLE
            }
            fn exact(x: f64) -> f64 {
                x.$exact()
            }
        }
    )*};
}
periodic! {
    Sin sin: |x, S| sin_32::<S>(x), sin::<S>(x);
    Cos cos: |x, S| sin_shifted_32::<S>(x, 1), sin_shifted::<S>(x, 1);
    Tan tan: |x, S| tan::<S>(x as f64) as f32, tan::<S>(x);
}

/// The arc tangent of numerator / denominator, 0 <= numerator, denominator, neither both zero nor both infinite.
#[inline(always)]
fn atan_of_ratio<S: Simd>(numerator: f64, denominator: f64) -> f64 {
    const TAN_PI_8: f64 = 0.4142135623730950;
    let inverted = numerator > denominator;
    let low = if inverted { denominator } else { numerator };
    let high = if inverted { numerator } else { denominator };
    let ratio = low / high;
    // Between tan(pi/8) and 1 turn by pi/4: atan(q) = pi/4 + atan((q - 1) / (q + 1)).
    let turned = ratio > TAN_PI_8;
    let t = if turned {
        (ratio - 1.0) / (ratio + 1.0)
    } else {
        ratio
    };
    let z = t * t;
    let tail = t * z * horner64::<S, 11>(z, &ATAN_TAIL);
    let (base, base_low) = if turned {
        (FRAC_PI_4, 0.5 * FRAC_PI_2_LOW)
    } else {
        (0.0, 0.0)
    };
    let within = (tail + base_low) + t;
    if inverted {
        (FRAC_PI_2 - base) - (within - FRAC_PI_2_LOW)
    } else {
        base + within
    }
}

#[inline(always)]
fn atan<S: Simd>(x: f64) -> f64 {
    atan_of_ratio::<S>(x.abs(), 1.0).copysign(x)
}

#[inline(always)]
fn atan2<S: Simd>(y: f64, x: f64) -> f64 {
    let (up, across) = (y.abs(), x.abs());
    let both_infinite = up == f64::INFINITY && across == f64::INFINITY;
    let both_zero = up == 0.0 && across == 0.0;
    let numerator = if both_infinite { 1.0 } else { up };
    let denominator = if both_infinite || both_zero {
        1.0
    } else {
        across
    };
    let acute = atan_of_ratio::<S>(numerator, denominator);
    let angle = if x.is_sign_negative() {
        (PI - acute) + 2.0 * FRAC_PI_2_LOW
    } else {
        acute
    };
    let angle = angle.copysign(y);
    if x.is_nan() || y.is_nan() {
        x + y
    } else {
        angle
    }
}

/// `asin(t)` for |t| <= 1/2, with z = t^2.
#[inline(always)]
fn asin_small<S: Simd>(t: f64, z: f64) -> f64 {
    S::fma64(t * z, horner64::<S, 13>(z, &ASIN_TAIL), t)
}

/// `(t, z)`: |x| itself below 1/2, sqrt((1 - |x|) / 2) above, and its square.
#[inline(always)]
fn asin_argument(a: f64) -> (f64, f64) {
    let half = 0.5 * (1.0 - a);
    let far = a > 0.5;
    (
        if far { half.sqrt() } else { a },
        if far { half } else { a * a },
    )
}

#[inline(always)]
fn asin<S: Simd>(x: f64) -> f64 {
    let a = x.abs();
    let (t, z) = asin_argument(a);
    let small = asin_small::<S>(t, z);
    let far = FRAC_PI_2 - (2.0 * small - FRAC_PI_2_LOW);
    (if a > 0.5 { far } else { small }).copysign(x)
}

#[inline(always)]
fn acos<S: Simd>(x: f64) -> f64 {
    let a = x.abs();
    let (t, z) = asin_argument(a);
    let small = asin_small::<S>(t, z);
    let near = FRAC_PI_2 - (small.copysign(x) - FRAC_PI_2_LOW);
    let far = if x < 0.0 {
        PI - (2.0 * small - 2.0 * FRAC_PI_2_LOW)
    } else {
        2.0 * small
    };
    if a > 0.5 { far } else { near }
}

pub(crate) struct Asin;
unary_for!(Asin: f32 => |x, S| asin::<S>(x as f64) as f32; f64 => |x, S| asin::<S>(x););
pub(crate) struct Acos;
unary_for!(Acos: f32 => |x, S| acos::<S>(x as f64) as f32; f64 => |x, S| acos::<S>(x););
pub(crate) struct Atan;
unary_for!(Atan: f32 => |x, S| atan::<S>(x as f64) as f32; f64 => |x, S| atan::<S>(x););
pub(crate) struct Atan2;
binary_for!(Atan2:
    f32 => |y, x, S| atan2::<S>(y as f64, x as f64) as f32;
    f64 => |y, x, S| atan2::<S>(y, x);
);

leaf! {
    /// The sine of an angle in radians.
    SIN = unary Sin, "sin", "sin(a)", [f32, f64];
    /// The cosine of an angle in radians.
    COS = unary Cos, "cos", "cos(a)", [f32, f64];
    /// The tangent of an angle in radians.
    TAN = unary Tan, "tan", "tan(a)", [f32, f64];
    /// The inverse of the sine, in [-pi/2, pi/2]; NaN outside [-1, 1].
    ASIN = unary Asin, "asin", "asin(a)", [f32, f64];
    /// The inverse of the cosine, in [0, pi]; NaN outside [-1, 1].
    ACOS = unary Acos, "acos", "acos(a)", [f32, f64];
    /// The inverse of the tangent, in [-pi/2, pi/2].
    ATAN = unary Atan, "atan", "atan(a)", [f32, f64];
    /// The angle of the point (second, first) from the positive axis, in [-pi, pi].
    ATAN2 = binary Atan2, "atan2", "atan2(a, b)", [f32, f64];
}
