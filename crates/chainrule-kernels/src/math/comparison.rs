//! Comparisons and the predicates of floating-point values.

use crate::lane::Truth;
use crate::leaf::{binary_for, leaf, unary_for};

macro_rules! comparison {
    ($($function:ident $operator:tt;)*) => {$(
        pub(crate) struct $function;
        binary_for!($function:
            f32 -> Truth => |a, b, S| Truth((a $operator b) as u8);
            f64 -> Truth => |a, b, S| Truth((a $operator b) as u8);
            i64 -> Truth => |a, b, S| Truth((a $operator b) as u8);
            i32 -> Truth => |a, b, S| Truth((a $operator b) as u8);
            u8 -> Truth => |a, b, S| Truth((a $operator b) as u8);
            Truth => |a, b, S| Truth((a.0 $operator b.0) as u8);
        );
    )*};
}
comparison! {
    Eq ==;
    Ne !=;
    Lt <;
    Le <=;
    Gt >;
    Ge >=;
}

pub(crate) struct IsNan;
unary_for!(IsNan:
    f32 -> Truth => |x, S| Truth(x.is_nan() as u8);
    f64 -> Truth => |x, S| Truth(x.is_nan() as u8);
);
pub(crate) struct IsInf;
unary_for!(IsInf:
    f32 -> Truth => |x, S| Truth((x.abs() == f32::INFINITY) as u8);
    f64 -> Truth => |x, S| Truth((x.abs() == f64::INFINITY) as u8);
);
pub(crate) struct IsFinite;
unary_for!(IsFinite:
    f32 -> Truth => |x, S| Truth((x.abs() < f32::INFINITY) as u8);
    f64 -> Truth => |x, S| Truth((x.abs() < f64::INFINITY) as u8);
);

leaf! {
    /// Whether a = b.
    EQ = binary Eq, "eq", "a == b", [f32, f64, i64, i32, u8, Truth], truth;
    /// Whether a differs from b (true for NaN).
    NE = binary Ne, "ne", "a != b", [f32, f64, i64, i32, u8, Truth], truth;
    /// Whether a < b.
    LT = binary Lt, "lt", "a < b", [f32, f64, i64, i32, u8, Truth], truth;
    /// Whether a <= b.
    LE = binary Le, "le", "a <= b", [f32, f64, i64, i32, u8, Truth], truth;
    /// Whether a > b.
    GT = binary Gt, "gt", "a > b", [f32, f64, i64, i32, u8, Truth], truth;
    /// Whether a >= b.
    GE = binary Ge, "ge", "a >= b", [f32, f64, i64, i32, u8, Truth], truth;
    /// Whether x is not a number.
    ISNAN = unary IsNan, "isnan", "isnan(a)", [f32, f64], truth;
    /// Whether x is infinite, of either sign.
    ISINF = unary IsInf, "isinf", "isinf(a)", [f32, f64], truth;
    /// Whether x is neither infinite nor NaN.
    ISFINITE = unary IsFinite, "isfinite", "isfinite(a)", [f32, f64], truth;
}
