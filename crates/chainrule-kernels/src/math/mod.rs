//! The scalar functions, a file a family: each written once as branch-free scalar code, compiled for every vector level.

// Coefficients are printed as they were computed; one is close to 2 / sqrt(pi), and must not become it.
#![allow(clippy::excessive_precision, clippy::approx_constant)]

pub mod arithmetic;
pub(crate) mod cast;
pub mod comparison;
pub mod error_function;
pub mod exponential;
pub mod hyperbolic;
pub mod logic;
pub(crate) mod polynomial;
pub mod rounding;
pub mod select;
pub mod trigonometric;
#[cfg(test)]
mod values;

#[cfg(test)]
mod accuracy;

pub use arithmetic::*;
pub use comparison::*;
pub use error_function::*;
pub use exponential::*;
pub use hyperbolic::*;
pub use logic::*;
pub use rounding::*;
pub use select::*;
pub use trigonometric::*;

use crate::leaf::Leaf;

/// Every leaf, for tests and listings that walk them all.
pub static ALL: &[&Leaf] = &[
    &NEG,
    &ABS,
    &SIGN,
    &SQUARE,
    &SQRT,
    &RSQRT,
    &RECIPROCAL,
    &RELU,
    &ADD,
    &SUB,
    &MUL,
    &DIV,
    &REM,
    &POW,
    &HYPOT,
    &MAXIMUM,
    &MINIMUM,
    &EQ,
    &NE,
    &LT,
    &LE,
    &GT,
    &GE,
    &ISNAN,
    &ISINF,
    &ISFINITE,
    &ERF,
    &ERFC,
    &EXP,
    &EXP2,
    &EXPM1,
    &LOG,
    &LOG2,
    &LOG10,
    &LOG1P,
    &SIGMOID,
    &SOFTPLUS,
    &SINH,
    &COSH,
    &TANH,
    &ASINH,
    &ACOSH,
    &ATANH,
    &AND,
    &OR,
    &XOR,
    &NOT,
    &FLOOR,
    &CEIL,
    &ROUND,
    &TRUNC,
    &SELECT,
    &SIN,
    &COS,
    &TAN,
    &ASIN,
    &ACOS,
    &ATAN,
    &ATAN2,
];
