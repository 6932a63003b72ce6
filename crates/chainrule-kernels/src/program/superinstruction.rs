//! Pairs of instructions computed as one, which saves a store and a load of the value between them.
//!
//! Each part rounds by itself: the pair gives the bits of its parts.

use super::builder::{Definition, Node, Register};
use crate::element::DType;
use crate::leaf::{Binary, Kernel, Leaf, Ternary, ternary};
use crate::math::arithmetic::{self, Add, Mul, Sub};
use crate::simd::{Level, Simd};
use std::marker::PhantomData;

/// `Second(First(a, b), c)`.
struct Then<First, Second>(PhantomData<(First, Second)>);

/// `c - a`.
struct Reversed;

macro_rules! lanes {
    ($($lane:ident)*) => {$(
        impl Binary<$lane> for Reversed {
            type Out = $lane;
            #[inline(always)]
            fn call<S: Simd>(a: $lane, b: $lane) -> $lane {
                b - a
            }
        }
        impl<F: Binary<$lane, Out = $lane>, G: Binary<$lane, Out = $lane>> Ternary<$lane> for Then<F, G> {
            type First = $lane;
            #[inline(always)]
            fn call<S: Simd>(a: $lane, b: $lane, c: $lane) -> $lane {
                G::call::<S>(F::call::<S>(a, b), c)
            }
        }
    )*};
}
lanes! { f32 f64 }

macro_rules! table {
    ($lane:ident: $($first:ident),*) => {
        [$([
            ternary::<$lane, Then<$first, Add>>(),
            ternary::<$lane, Then<$first, Mul>>(),
            ternary::<$lane, Then<$first, Sub>>(),
            ternary::<$lane, Then<$first, Reversed>>(),
        ]),*]
    };
}
/// Rows: the first operation, columns: the second.
static PAIRS_32: [[[Kernel; 3]; 4]; 3] = table!(f32: Add, Mul, Sub);
static PAIRS_64: [[[Kernel; 3]; 4]; 3] = table!(f64: Add, Mul, Sub);

fn row(leaf: &'static Leaf) -> Option<usize> {
    [&arithmetic::ADD, &arithmetic::MUL, &arithmetic::SUB]
        .into_iter()
        .position(|candidate| std::ptr::eq(candidate, leaf))
}

/// A pair: the kernel, and its three operands.
pub(super) struct Pair {
    pub(super) kernel: Kernel,
    pub(super) inner: Register,
    pub(super) operands: [Register; 3],
}

/// Joins `node` with one of its operands, if `may_vanish` says that nobody else reads that one.
pub(super) fn join(
    nodes: &[Node],
    node: &Node,
    level: Level,
    may_vanish: impl Fn(Register) -> bool,
) -> Option<Pair> {
    let Definition::Apply {
        leaf,
        dtype,
        operands,
    } = node.definition
    else {
        return None;
    };
    let table = match dtype {
        DType::F32 => &PAIRS_32,
        DType::F64 => &PAIRS_64,
        _ => return None,
    };
    let second = row(leaf)?;
    [(0, 1), (1, 0)].into_iter().find_map(|(this, other)| {
        let (inner, rest) = (operands[this], operands[other]);
        if inner == rest || !may_vanish(inner) {
            return None;
        }
        let Definition::Apply {
            leaf: first,
            operands: [a, b, _],
            ..
        } = nodes[inner.index()].definition
        else {
            return None;
        };
        let column = if second == 2 && this == 1 { 3 } else { second };
        Some(Pair {
            kernel: table[row(first)?][column][level as usize],
            inner,
            operands: [a, b, rest],
        })
    })
}
