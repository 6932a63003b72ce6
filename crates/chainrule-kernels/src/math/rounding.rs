//! Rounding to integers.

use crate::leaf::{leaf, unary_for};

macro_rules! rounding {
    ($($function:ident $method:ident;)*) => {$(
        pub(crate) struct $function;
        unary_for!($function: f32 => |x, S| x.$method(); f64 => |x, S| x.$method(););
    )*};
}
rounding! {
    Floor floor;
    Ceil ceil;
    Round round_ties_even;
    Trunc trunc;
}

leaf! {
    /// The largest integer not above x.
    FLOOR = unary Floor, "floor", "floor(a)", [f32, f64];
    /// The smallest integer not below x.
    CEIL = unary Ceil, "ceil", "ceil(a)", [f32, f64];
    /// The nearest integer, the even one of two equally near.
    ROUND = unary Round, "round", "rint(a)", [f32, f64];
    /// The integer part, towards zero.
    TRUNC = unary Trunc, "trunc", "trunc(a)", [f32, f64];
}
