//! Conversions between the types of registers.
//!
//! Floats become integers by truncation, saturating, NaN as 0; wider integers lose their upper bits; truth is `!= 0`.

use crate::lane::{Compute, Lane, Truth};
use crate::leaf::{Kernel, Unary, unary};
use crate::simd::{Level, Simd};
use std::marker::PhantomData;

/// The conversion to `T`.
pub(crate) struct To<T>(PhantomData<T>);

macro_rules! conversions {
    ($($from:ident => $($to:ident)*;)*) => {$($(
        impl Unary<$from> for To<$to> {
            type Out = $to;
            #[inline(always)]
            fn call<S: Simd>(value: $from) -> $to {
                value as $to
            }
        }
    )*)*};
}
conversions! {
    f32 => f64 i64 i32 u8;
    f64 => f32 i64 i32 u8;
    i64 => f32 f64 i32 u8;
    i32 => f32 f64 i64 u8;
    u8 => f32 f64 i64 i32;
}

macro_rules! truths {
    ($($type:ident)*) => {$(
        impl Unary<$type> for To<Truth> {
            type Out = Truth;
            #[inline(always)]
            fn call<S: Simd>(value: $type) -> Truth {
                Truth((value != 0 as $type) as u8)
            }
        }
        impl Unary<Truth> for To<$type> {
            type Out = $type;
            #[inline(always)]
            fn call<S: Simd>(value: Truth) -> $type {
                value.0 as $type
            }
        }
    )*};
}
truths! { f32 f64 i64 i32 u8 }

/// The identity, which copies a register.
pub(crate) struct Same;
macro_rules! identities {
    ($($type:ident)*) => {$(
        impl Unary<$type> for Same {
            type Out = $type;
            #[inline(always)]
            fn call<S: Simd>(value: $type) -> $type {
                value
            }
        }
    )*};
}
identities! { f32 f64 i64 i32 u8 Truth }

const fn to<A: Lane, T>() -> [Kernel; 3]
where
    To<T>: Unary<A>,
{
    unary::<A, To<T>>()
}

/// Rows: from; columns: to.
static CONVERSIONS: [[[Kernel; 3]; Compute::COUNT]; Compute::COUNT] = [
    [
        unary::<f32, Same>(),
        to::<f32, f64>(),
        to::<f32, i64>(),
        to::<f32, i32>(),
        to::<f32, u8>(),
        to::<f32, Truth>(),
    ],
    [
        to::<f64, f32>(),
        unary::<f64, Same>(),
        to::<f64, i64>(),
        to::<f64, i32>(),
        to::<f64, u8>(),
        to::<f64, Truth>(),
    ],
    [
        to::<i64, f32>(),
        to::<i64, f64>(),
        unary::<i64, Same>(),
        to::<i64, i32>(),
        to::<i64, u8>(),
        to::<i64, Truth>(),
    ],
    [
        to::<i32, f32>(),
        to::<i32, f64>(),
        to::<i32, i64>(),
        unary::<i32, Same>(),
        to::<i32, u8>(),
        to::<i32, Truth>(),
    ],
    [
        to::<u8, f32>(),
        to::<u8, f64>(),
        to::<u8, i64>(),
        to::<u8, i32>(),
        unary::<u8, Same>(),
        to::<u8, Truth>(),
    ],
    [
        to::<Truth, f32>(),
        to::<Truth, f64>(),
        to::<Truth, i64>(),
        to::<Truth, i32>(),
        to::<Truth, u8>(),
        unary::<Truth, Same>(),
    ],
];

/// The kernel that converts, or copies where both types are the same.
pub(crate) fn conversion(from: Compute, to: Compute, level: Level) -> Kernel {
    CONVERSIONS[from as usize][to as usize][level as usize]
}
