//! Arithmetic: signs, sums, products, quotients, powers, extrema.
//!
//! Integers wrap. Integer division rounds down and gives 0 for a divisor of 0, so it never traps.

use super::exponential::{exp, log};
use crate::lane::Truth;
use crate::leaf::{binary_for, leaf, unary_for};

pub(crate) struct Neg;
unary_for!(Neg:
    f32 => |x, S| -x;
    f64 => |x, S| -x;
    i64 => |x, S| x.wrapping_neg();
    i32 => |x, S| x.wrapping_neg();
    u8 => |x, S| x.wrapping_neg();
);
pub(crate) struct Abs;
unary_for!(Abs:
    f32 => |x, S| x.abs();
    f64 => |x, S| x.abs();
    i64 => |x, S| x.wrapping_abs();
    i32 => |x, S| x.wrapping_abs();
    u8 => |x, S| x;
);
macro_rules! float_sign {
    ($x:ident) => {
        if $x > 0.0 {
            1.0
        } else if $x < 0.0 {
            -1.0
        } else if $x == 0.0 {
            0.0
        } else {
            $x
        }
    };
}
pub(crate) struct Sign;
unary_for!(Sign:
    f32 => |x, S| float_sign!(x);
    f64 => |x, S| float_sign!(x);
    i64 => |x, S| x.signum();
    i32 => |x, S| x.signum();
    u8 => |x, S| (x > 0) as u8;
);
pub(crate) struct Square;
unary_for!(Square:
    f32 => |x, S| x * x;
    f64 => |x, S| x * x;
    i64 => |x, S| x.wrapping_mul(x);
    i32 => |x, S| x.wrapping_mul(x);
    u8 => |x, S| x.wrapping_mul(x);
);
pub(crate) struct Sqrt;
unary_for!(Sqrt: f32 => |x, S| x.sqrt(); f64 => |x, S| x.sqrt(););
pub(crate) struct Rsqrt;
unary_for!(Rsqrt: f32 => |x, S| 1.0 / x.sqrt(); f64 => |x, S| 1.0 / x.sqrt(););
pub(crate) struct Reciprocal;
unary_for!(Reciprocal: f32 => |x, S| 1.0 / x; f64 => |x, S| 1.0 / x;);
pub(crate) struct Relu;
unary_for!(Relu:
    f32 => |x, S| if x <= 0.0 { 0.0 } else { x };
    f64 => |x, S| if x <= 0.0 { 0.0 } else { x };
    i64 => |x, S| x.max(0);
    i32 => |x, S| x.max(0);
    u8 => |x, S| x;
);

pub(crate) struct Add;
binary_for!(Add:
    f32 => |a, b, S| a + b;
    f64 => |a, b, S| a + b;
    i64 => |a, b, S| a.wrapping_add(b);
    i32 => |a, b, S| a.wrapping_add(b);
    u8 => |a, b, S| a.wrapping_add(b);
    Truth => |a, b, S| Truth(a.0 | b.0);
);
pub(crate) struct Sub;
binary_for!(Sub:
    f32 => |a, b, S| a - b;
    f64 => |a, b, S| a - b;
    i64 => |a, b, S| a.wrapping_sub(b);
    i32 => |a, b, S| a.wrapping_sub(b);
    u8 => |a, b, S| a.wrapping_sub(b);
);
pub(crate) struct Mul;
binary_for!(Mul:
    f32 => |a, b, S| a * b;
    f64 => |a, b, S| a * b;
    i64 => |a, b, S| a.wrapping_mul(b);
    i32 => |a, b, S| a.wrapping_mul(b);
    u8 => |a, b, S| a.wrapping_mul(b);
    Truth => |a, b, S| Truth(a.0 & b.0);
);

/// The quotient rounded down; 0 for a divisor of 0.
macro_rules! floor_quotient {
    ($name:ident, $remainder:ident, $type:ident) => {
        #[inline(always)]
        fn $name(a: $type, b: $type) -> $type {
            if b == 0 {
                return 0;
            }
            let uneven = a.wrapping_rem(b) != 0 && (a < 0) != (b < 0);
            a.wrapping_div(b) - uneven as $type
        }
        /// The remainder with the divisor's sign; 0 for a divisor of 0.
        #[inline(always)]
        fn $remainder(a: $type, b: $type) -> $type {
            if b == 0 {
                return 0;
            }
            let rest = a.wrapping_rem(b);
            if rest != 0 && (rest < 0) != (b < 0) {
                rest + b
            } else {
                rest
            }
        }
    };
}
floor_quotient!(floor_div_i64, floor_rem_i64, i64);
floor_quotient!(floor_div_i32, floor_rem_i32, i32);

pub(crate) struct Div;
binary_for!(Div:
    f32 => |a, b, S| a / b;
    f64 => |a, b, S| a / b;
    i64 => |a, b, S| floor_div_i64(a, b);
    i32 => |a, b, S| floor_div_i32(a, b);
    u8 => |a, b, S| a.checked_div(b).unwrap_or(0);
);
macro_rules! float_rem {
    ($a:ident, $b:ident) => {{
        let rest = $a % $b;
        if rest != 0.0 && (rest < 0.0) != ($b < 0.0) {
            rest + $b
        } else {
            rest
        }
    }};
}
pub(crate) struct Rem;
binary_for!(Rem:
    f32 => |a, b, S| float_rem!(a, b);
    f64 => |a, b, S| float_rem!(a, b);
    i64 => |a, b, S| floor_rem_i64(a, b);
    i32 => |a, b, S| floor_rem_i32(a, b);
    u8 => |a, b, S| a.checked_rem(b).unwrap_or(0);
);

/// `a^b` by exp(b log|a|) in `f64`, which leaves 20 bits to spare in `f32`.
#[inline(always)]
fn pow_32<S: crate::simd::Simd>(a: f32, b: f32) -> f32 {
    let (wide, exponent) = (a as f64, b as f64);
    let size = exp::<S>(exponent * log::<S>(wide.abs()));
    // Above 2^24 every f32 is even; below, halves of odd integers are not integers.
    let integer = b == b.trunc();
    let odd = integer && b.abs() < 16_777_216.0 && (0.5 * b) != (0.5 * b).trunc();
    let signed = if odd { size.copysign(wide) } else { size };
    let real = if a < 0.0 && !integer && a > f32::NEG_INFINITY {
        f64::NAN
    } else {
        signed
    };
    let unit = b == 0.0 || a == 1.0 || (a == -1.0 && b.abs() == f32::INFINITY);
    (if unit { 1.0 } else { real }) as f32
}
macro_rules! integer_pow {
    ($name:ident, $type:ident) => {
        /// The wrapping power; a negative exponent gives the power's integer part (0 unless the base is 1 or -1).
        #[inline(always)]
        #[allow(unused_comparisons, clippy::absurd_extreme_comparisons)]
        fn $name(base: $type, exponent: $type) -> $type {
            if exponent < 0 {
                return match base {
                    1 => 1,
                    _ if base == (0 as $type).wrapping_sub(1) => {
                        if exponent & 1 == 0 {
                            1
                        } else {
                            base
                        }
                    }
                    _ => 0,
                };
            }
            let (mut power, mut square, mut left) = (1 as $type, base, exponent);
            while left != 0 {
                if left & 1 == 1 {
                    power = power.wrapping_mul(square);
                }
                square = square.wrapping_mul(square);
                left >>= 1;
            }
            power
        }
    };
}
integer_pow!(pow_i64, i64);
integer_pow!(pow_i32, i32);
integer_pow!(pow_u8, u8);
pub(crate) struct Pow;
binary_for!(Pow:
    f32 => |a, b, S| pow_32::<S>(a, b);
    f64 => |a, b, S| a.powf(b);
    i64 => |a, b, S| pow_i64(a, b);
    i32 => |a, b, S| pow_i32(a, b);
    u8 => |a, b, S| pow_u8(a, b);
);

#[inline(always)]
fn hypot_32(a: f32, b: f32) -> f32 {
    let (x, y) = (a as f64, b as f64);
    let length = (x * x + y * y).sqrt() as f32;
    let infinite = a.abs() == f32::INFINITY || b.abs() == f32::INFINITY;
    if infinite { f32::INFINITY } else { length }
}
pub(crate) struct Hypot;
binary_for!(Hypot: f32 => |a, b, S| hypot_32(a, b); f64 => |a, b, S| a.hypot(b););

macro_rules! float_extremum {
    ($a:ident $compare:tt $b:ident) => {
        if $a $compare $b || $a.is_nan() { $a } else { $b }
    };
}
pub(crate) struct Maximum;
binary_for!(Maximum:
    f32 => |a, b, S| float_extremum!(a > b);
    f64 => |a, b, S| float_extremum!(a > b);
    i64 => |a, b, S| a.max(b);
    i32 => |a, b, S| a.max(b);
    u8 => |a, b, S| a.max(b);
    Truth => |a, b, S| Truth(a.0 | b.0);
);
pub(crate) struct Minimum;
binary_for!(Minimum:
    f32 => |a, b, S| float_extremum!(a < b);
    f64 => |a, b, S| float_extremum!(a < b);
    i64 => |a, b, S| a.min(b);
    i32 => |a, b, S| a.min(b);
    u8 => |a, b, S| a.min(b);
    Truth => |a, b, S| Truth(a.0 & b.0);
);

leaf! {
    /// -x.
    NEG = unary Neg, "neg", "-a", [f32, f64, i64, i32, u8];
    /// The absolute value.
    ABS = unary Abs, "abs", "(a < 0 ? -a : a)", [f32, f64, i64, i32, u8];
    /// 1, 0 or -1 as x is positive, zero (of either sign) or negative; NaN for NaN.
    SIGN = unary Sign, "sign", "(a > 0 ? 1 : a < 0 ? -1 : a == 0 ? 0 : a)", [f32, f64, i64, i32, u8];
    /// x * x.
    SQUARE = unary Square, "square", "a * a", [f32, f64, i64, i32, u8];
    /// The square root.
    SQRT = unary Sqrt, "sqrt", "sqrt(a)", [f32, f64];
    /// 1 / sqrt(x).
    RSQRT = unary Rsqrt, "rsqrt", "1 / sqrt(a)", [f32, f64];
    /// 1 / x.
    RECIPROCAL = unary Reciprocal, "reciprocal", "1 / a", [f32, f64];
    /// x where x is positive, else 0; NaN for NaN.
    RELU = unary Relu, "relu", "(a <= 0 ? 0 : a)", [f32, f64, i64, i32, u8];
    /// a + b; on Bool: or.
    ADD = binary Add, "add", "a + b", [f32, f64, i64, i32, u8, Truth];
    /// a - b.
    SUB = binary Sub, "sub", "a - b", [f32, f64, i64, i32, u8];
    /// a * b; on Bool: and.
    MUL = binary Mul, "mul", "a * b", [f32, f64, i64, i32, u8, Truth];
    /// a / b; on integers rounded down, 0 where b is 0.
    DIV = binary Div, "div", "a / b", [f32, f64, i64, i32, u8];
    /// The remainder with the divisor's sign; on integers 0 where b is 0.
    REM = binary Rem, "rem", "(fmod(a, b) != 0 && (fmod(a, b) < 0) != (b < 0) ? fmod(a, b) + b : fmod(a, b))", [f32, f64, i64, i32, u8], element_by_element;
    /// a to the power b; on integers wrapping, and 0 for a negative exponent unless a is 1 or -1.
    POW = binary Pow, "pow", "pow(a, b)", [f32, f64, i64, i32, u8];
    /// sqrt(a^2 + b^2) without overflow.
    HYPOT = binary Hypot, "hypot", "hypot(a, b)", [f32, f64];
    /// The larger of both; NaN if either is.
    MAXIMUM = binary Maximum, "maximum", "(a > b || a != a ? a : b)", [f32, f64, i64, i32, u8, Truth];
    /// The smaller of both; NaN if either is.
    MINIMUM = binary Minimum, "minimum", "(a < b || a != a ? a : b)", [f32, f64, i64, i32, u8, Truth];
}
