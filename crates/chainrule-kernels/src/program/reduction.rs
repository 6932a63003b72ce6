//! The order in which a row is reduced, the same inside a program and by itself, for every thread count.
//!
//! A row is cut into segments of [`SEGMENT`] elements, a segment into blocks of 256. Within a block element `i` goes to
//! lane `i mod 32`, in the element's own arithmetic (halves: `f32`). The 32 lanes are folded in halves (lane `l` with lane
//! `l + 16`, then 8, 4, 2, 1), block totals are added up in order within their segment, segment totals in order within
//! the row; all of this in `f64` for floating-point rows. The total is rounded once.

// Lanes are numbered: that is the form the optimiser turns into vector instructions.
#![allow(clippy::needless_range_loop)]

use super::CHUNK;
use crate::element::{DType, Element};
use crate::half::{round_to, widen};
use crate::lane::{Compute, Lane, Truth};
use crate::leaf::Binary;
use crate::math::arithmetic::{Add, Maximum, Minimum, Mul};
use crate::simd::{Level, Simd, each_level, end_of_block, level};

/// Elements of a row that one task reduces.
pub const SEGMENT: usize = 64 * CHUNK;

const LANES: usize = 32;

/// How a row becomes one element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Reduction {
    /// The sum; 0 for an empty row. Integers wrap, Bool: or.
    Sum,
    /// The product; 1 for an empty row. Integers wrap, Bool: and.
    Product,
    /// The largest element, NaN if there is one; the least value there is for an empty row.
    Maximum,
    /// The smallest element, NaN if there is one; the greatest value there is for an empty row.
    Minimum,
}

/// A row's running total: an `f64`, or an integer of the row's type, in its lowest bytes.
pub(crate) type Total = u64;

/// The type that block totals are combined in.
trait Summed: Lane {
    type Wide: Lane;
    const LEAST: Self;
    const GREATEST: Self;
    fn widen(self) -> Self::Wide;
    fn to_bits(wide: Self::Wide) -> Total;
    fn from_bits(bits: Total) -> Self::Wide;
}

macro_rules! summed {
    ($($type:ident $wide:ident $least:expr, $greatest:expr, $to:expr, $from:expr, $out:expr;)*) => {$(
        impl Summed for $type {
            type Wide = $wide;
            const LEAST: Self = $least;
            const GREATEST: Self = $greatest;
            #[inline(always)]
            fn widen(self) -> $wide {
                let convert: fn($type) -> $wide = $out;
                convert(self)
            }
            #[inline(always)]
            fn to_bits(wide: $wide) -> Total {
                let convert: fn($wide) -> Total = $to;
                convert(wide)
            }
            #[inline(always)]
            fn from_bits(bits: Total) -> $wide {
                let convert: fn(Total) -> $wide = $from;
                convert(bits)
            }
        }
    )*};
}
summed! {
    f32 f64 f32::NEG_INFINITY, f32::INFINITY, |w| w.to_bits(), |b| f64::from_bits(b), |x| x as f64;
    f64 f64 f64::NEG_INFINITY, f64::INFINITY, |w| w.to_bits(), |b| f64::from_bits(b), |x| x;
    i64 i64 i64::MIN, i64::MAX, |w| w as u64, |b| b as i64, |x| x;
    i32 i32 i32::MIN, i32::MAX, |w| w as u32 as u64, |b| b as u32 as i32, |x| x;
    u8 u8 u8::MIN, u8::MAX, |w| w as u64, |b| b as u8, |x| x;
    Truth Truth Truth(0), Truth(1), |w| w.0 as u64, |b| Truth(b as u8), |x| x;
}

/// One of the four reductions: an operation and its identity.
trait Fold<T: Summed>: Binary<T, Out = T> + Binary<T::Wide, Out = T::Wide> {
    fn identity() -> T;
}
macro_rules! folds {
    ($($type:ident)*) => {$(
        impl Fold<$type> for Add {
            fn identity() -> $type {
                <$type>::from_i64(0)
            }
        }
        impl Fold<$type> for Mul {
            fn identity() -> $type {
                <$type>::from_i64(1)
            }
        }
        impl Fold<$type> for Maximum {
            fn identity() -> $type {
                <$type as Summed>::LEAST
            }
        }
        impl Fold<$type> for Minimum {
            fn identity() -> $type {
                <$type as Summed>::GREATEST
            }
        }
    )*};
}
folds! { f32 f64 i64 i32 u8 Truth }

/// The total of one block of at most 256 elements.
///
/// # Safety
/// `x` is valid for `count` elements.
#[inline(always)]
unsafe fn block_total<S: Simd, T: Summed, F: Fold<T>>(x: *const T, count: usize) -> T::Wide {
    let mut lanes = [F::identity(); LANES];
    let mut index = 0;
    while index < count {
        let length = LANES.min(count - index);
        let mut group = [F::identity(); LANES];
        // SAFETY: `index + length <= count`.
        unsafe {
            if length == LANES {
                group = x.add(index).cast::<[T; LANES]>().read_unaligned();
            } else {
                // Beyond the end stands the identity, which changes no lane.
                std::ptr::copy_nonoverlapping(x.add(index), group.as_mut_ptr(), length);
            }
        }
        for lane in 0..LANES {
            lanes[lane] = <F as Binary<T>>::call::<S>(lanes[lane], group[lane]);
        }
        end_of_block();
        index += LANES;
    }
    let mut wide = lanes.map(T::widen);
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            wide[lane] = <F as Binary<T::Wide>>::call::<S>(wide[lane], wide[lane + half]);
        }
        half /= 2;
    }
    wide[0]
}

#[inline(always)]
unsafe fn fold_body<S: Simd, T: Summed, F: Fold<T>>(
    x: *const u8,
    count: usize,
    total: Total,
) -> Total {
    let mut total = T::from_bits(total);
    let mut index = 0;
    while index < count {
        let length = CHUNK.min(count - index);
        // SAFETY: the caller vouches for `count` elements.
        let block = unsafe { block_total::<S, T, F>(x.cast::<T>().add(index), length) };
        total = <F as Binary<T::Wide>>::call::<S>(total, block);
        index += CHUNK;
    }
    T::to_bits(total)
}

each_level! { fn fold_kernels<T: Summed, F: Fold<T>>(x: *const u8, count: usize, total: Total) -> Total = fold_body }

fn identity_of<T: Summed, F: Fold<T>>() -> Total {
    T::to_bits(F::identity().widen())
}
fn combine_of<T: Summed, F: Fold<T>>(a: Total, b: Total) -> Total {
    let (a, b) = (T::from_bits(a), T::from_bits(b));
    T::to_bits(<F as Binary<T::Wide>>::call::<crate::simd::Baseline>(a, b))
}

/// The functions that one reduction of one type consists of.
#[derive(Clone, Copy)]
pub(crate) struct Steps {
    fold: [unsafe fn(*const u8, usize, Total) -> Total; 3],
    identity: fn() -> Total,
    combine: fn(Total, Total) -> Total,
}

const fn steps<T: Summed, F: Fold<T>>() -> Steps {
    Steps {
        fold: fold_kernels::<T, F>(),
        identity: identity_of::<T, F>,
        combine: combine_of::<T, F>,
    }
}

macro_rules! table {
    ($($type:ident)*) => {
        [$([steps::<$type, Add>(), steps::<$type, Mul>(), steps::<$type, Maximum>(), steps::<$type, Minimum>()]),*]
    };
}
static STEPS: [[Steps; 4]; Compute::COUNT] = table!(f32 f64 i64 i32 u8 Truth);

impl Steps {
    pub(crate) fn of(reduction: Reduction, dtype: DType) -> Steps {
        STEPS[Compute::of(dtype) as usize][reduction as usize]
    }

    /// The total of nothing.
    pub(crate) fn identity(&self) -> Total {
        (self.identity)()
    }

    /// Two totals, the earlier first.
    pub(crate) fn combine(&self, a: Total, b: Total) -> Total {
        (self.combine)(a, b)
    }

    /// `total` continued by the blocks of `count` elements at `x`.
    ///
    /// # Safety
    /// `x` is valid for `count` elements of the register type; the machine supports `level`.
    #[inline]
    pub(crate) unsafe fn fold(
        &self,
        level: Level,
        x: *const u8,
        count: usize,
        total: Total,
    ) -> Total {
        // SAFETY: the caller's contract.
        unsafe { self.fold[level as usize](x, count, total) }
    }
}

/// Writes a finished total as element `index` of memory of `dtype`.
///
/// # Safety
/// `start` is valid for writing element `index`.
pub(crate) unsafe fn write_total(dtype: DType, total: Total, start: *mut u8, index: usize) {
    let float = f64::from_bits(total);
    // SAFETY: the caller vouches for the element.
    unsafe {
        match dtype {
            DType::F32 => start.cast::<f32>().add(index).write(float as f32),
            DType::F64 => start.cast::<f64>().add(index).write(float),
            DType::BF16 => {
                let rounded = round_to(dtype, float as f32);
                start
                    .cast::<u16>()
                    .add(index)
                    .write((rounded.to_bits() >> 16) as u16)
            }
            DType::F16 => start
                .cast::<u16>()
                .add(index)
                .write(crate::half::f32_to_f16(float as f32)),
            DType::I64 => start.cast::<i64>().add(index).write(total as i64),
            DType::I32 => start.cast::<i32>().add(index).write(total as i32),
            DType::U8 | DType::Bool => start.add(index).write(total as u8),
        }
    }
}

/// The reduction of one contiguous row, bit for bit what a program's trailing reduction gives.
///
/// ```
/// use chainrule_kernels::program::reduction::{Reduction, reduce_row};
/// assert_eq!(reduce_row(Reduction::Maximum, &[1i32, 7, 3]), 7);
/// ```
pub fn reduce_row<T: Element>(reduction: Reduction, row: &[T]) -> T {
    let steps = Steps::of(reduction, T::DTYPE);
    let mut total = steps.identity();
    for segment in row.chunks(SEGMENT) {
        total = steps.combine(total, segment_total(&steps, segment));
    }
    let mut result = T::ZERO;
    // SAFETY: `result` is one element of the dtype.
    unsafe { write_total(T::DTYPE, total, (&raw mut result).cast(), 0) };
    result
}

pub(crate) fn segment_total<T: Element>(steps: &Steps, segment: &[T]) -> Total {
    let mut total = steps.identity();
    if !T::DTYPE.is_half() {
        // SAFETY: the slice vouches for its elements, which are their own register type.
        return unsafe { steps.fold(level(), segment.as_ptr().cast(), segment.len(), total) };
    }
    let mut wide = [0f32; CHUNK];
    for block in segment.chunks(CHUNK) {
        // SAFETY: both sides hold `block.len() <= CHUNK` elements.
        unsafe {
            widen(
                T::DTYPE,
                level(),
                wide.as_mut_ptr(),
                block.as_ptr().cast(),
                block.len(),
            );
            total = steps.fold(level(), wide.as_ptr().cast(), block.len(), total);
        }
    }
    total
}

/// The sum of one contiguous row: [`reduce_row`] with [`Reduction::Sum`].
pub fn reduce_row_sum<T: Element>(row: &[T]) -> T {
    reduce_row(Reduction::Sum, row)
}

/// The product of one contiguous row.
pub fn reduce_row_product<T: Element>(row: &[T]) -> T {
    reduce_row(Reduction::Product, row)
}

/// The maximum of one contiguous row; NaN if it holds one.
pub fn reduce_row_maximum<T: Element>(row: &[T]) -> T {
    reduce_row(Reduction::Maximum, row)
}

/// The minimum of one contiguous row; NaN if it holds one.
pub fn reduce_row_minimum<T: Element>(row: &[T]) -> T {
    reduce_row(Reduction::Minimum, row)
}
