//! The order of rows: stable sorting and the greatest or least few, as positions.
//!
//! NaN counts as greater than every number and all NaN as equal; so do 0 and -0.

use crate::element::Element;
use crate::threads::divide_rows;
use half::{bf16, f16};

/// Elements that one task takes at least.
const GRAIN: usize = 1 << 11;

mod sealed {
    /// An integer that orders as the element does.
    pub trait Key {
        /// How many low bits of the key are used.
        const BITS: u32;
        fn key(self) -> u64;
    }
}
use sealed::Key;

macro_rules! float_key {
    ($($type:ty, $bits:ty, $signed:ty, $zero:expr;)*) => {$(
        impl Key for $type {
            const BITS: u32 = <$bits>::BITS;
            #[inline(always)]
            fn key(self) -> u64 {
                const SIGN: $bits = 1 << (<$bits>::BITS - 1);
                let bits = if self == $zero { 0 } else { self.to_bits() };
                if self.is_nan() {
                    <$bits>::MAX.into()
                } else {
                    // Negative numbers order backwards.
                    let flip = (bits as $signed >> (<$bits>::BITS - 1)) as $bits | SIGN;
                    (bits ^ flip).into()
                }
            }
        }
    )*};
}

macro_rules! integer_key {
    ($($type:ty, $bits:ty;)*) => {$(
        impl Key for $type {
            const BITS: u32 = <$bits>::BITS;
            #[inline(always)]
            fn key(self) -> u64 {
                (self as $bits ^ <$type>::MIN as $bits).into()
            }
        }
    )*};
}

float_key! {
    f32, u32, i32, 0.0;
    f64, u64, i64, 0.0;
    bf16, u16, i16, bf16::ZERO;
    f16, u16, i16, f16::ZERO;
}
integer_key! {
    i64, u64;
    i32, u32;
    u8, u8;
}

/// The element types that can be sorted: all of them.
pub trait SortElement: Element + Key {}
impl<T: Element + Key> SortElement for T {}

/// A key and a position in one integer: ordering those is ordering by key, equal keys by position.
trait Packed: Ord + Copy {
    fn new(key: u64, position: usize) -> Self;
    fn position(self) -> i64;
    /// [`DIGIT`] bits of the key from bit `shift` on.
    fn digit(self, shift: u32) -> usize;
}

/// Bits of a key that one pass of a sort looks at.
const DIGIT: u32 = 11;
const DIGITS: usize = 1 << DIGIT;
/// Elements from which passes over the digits are quicker than comparing.
const WORTH_PASSES: usize = 4 * DIGITS;

impl Packed for u64 {
    #[inline(always)]
    fn new(key: u64, position: usize) -> u64 {
        key << 32 | position as u64
    }
    #[inline(always)]
    fn position(self) -> i64 {
        i64::from(self as u32)
    }
    #[inline(always)]
    fn digit(self, shift: u32) -> usize {
        (self >> (32 + shift)) as usize % DIGITS
    }
}

impl Packed for u128 {
    #[inline(always)]
    fn new(key: u64, position: usize) -> u128 {
        u128::from(key) << 64 | position as u128
    }
    #[inline(always)]
    fn position(self) -> i64 {
        self as u64 as i64
    }
    #[inline(always)]
    fn digit(self, shift: u32) -> usize {
        (self >> (64 + shift)) as usize % DIGITS
    }
}

/// Writes the positions that sort every row of `columns` elements; equal elements keep their order, also descending.
///
/// # Panics
/// When the slices differ in length or do not hold whole rows.
///
/// ```
/// let mut order = [0; 3];
/// chainrule_kernels::sort::argsort(3, &[2.0, f32::NAN, 1.0], false, &mut order);
/// assert_eq!(order, [2, 0, 1]);
/// ```
pub fn argsort<T: SortElement>(columns: usize, x: &[T], descending: bool, out: &mut [i64]) {
    assert!(
        x.len() == out.len(),
        "argsort: {} positions for {} elements",
        out.len(),
        x.len()
    );
    select(columns, x, columns, descending, out);
}

/// Writes the positions of the `k` greatest (or least) elements of every row of `columns` elements, the best first,
/// equal elements in their order.
///
/// # Panics
/// When `k` exceeds `columns` or a slice's length does not fit.
pub fn top_k<T: SortElement>(columns: usize, x: &[T], k: usize, largest: bool, out: &mut [i64]) {
    assert!(k <= columns, "top-k: {k} elements of rows of {columns}");
    let rows = x.len().checked_div(columns).unwrap_or(0);
    assert!(
        out.len() == rows * k,
        "top-k: {} positions for {rows} rows of {k}",
        out.len()
    );
    select(columns, x, k, largest, out);
}

fn select<T: SortElement>(columns: usize, x: &[T], k: usize, descending: bool, out: &mut [i64]) {
    assert!(
        x.is_empty() || x.len().is_multiple_of(columns),
        "sort: {} elements are not whole rows of {columns}",
        x.len()
    );
    if T::BITS <= 32 && columns <= u32::MAX as usize {
        select_packed::<T, u64>(columns, x, k, descending, out);
    } else {
        select_packed::<T, u128>(columns, x, k, descending, out);
    }
}

fn select_packed<T: SortElement, P: Packed>(
    columns: usize,
    x: &[T],
    k: usize,
    descending: bool,
    out: &mut [i64],
) {
    let mask = if T::BITS == 64 {
        u64::MAX
    } else {
        (1 << T::BITS) - 1
    };
    let flip = if descending { mask } else { 0 };
    let grain = (GRAIN * k / columns.max(1)).max(1);
    divide_rows(out, k, grain, &|first, rows| {
        // Vectors of one task, reused from row to row.
        let (mut packed, mut other) = (Vec::with_capacity(columns), Vec::new());
        for (offset, out) in rows.chunks_exact_mut(k).enumerate() {
            let row = &x[(first + offset) * columns..][..columns];
            packed.clear();
            packed.extend(
                row.iter()
                    .enumerate()
                    .map(|(position, element)| P::new(element.key() ^ flip, position)),
            );
            if k == columns && k >= WORTH_PASSES {
                sort_by_digits(&mut packed, &mut other, T::BITS);
            } else {
                if k < columns {
                    packed.select_nth_unstable(k);
                }
                packed[..k].sort_unstable();
            }
            for (out, packed) in out.iter_mut().zip(&packed) {
                *out = packed.position();
            }
        }
    });
}

/// Sorts by the keys' digits, the least significant first (Knuth, "The Art of Computer Programming" 3, 5.2.5). Equal keys
/// keep their order.
fn sort_by_digits<P: Packed>(packed: &mut Vec<P>, other: &mut Vec<P>, bits: u32) {
    other.clear();
    other.extend_from_slice(packed);
    for shift in (0..bits).step_by(DIGIT as usize) {
        let mut places = vec![0usize; DIGITS];
        for element in &*packed {
            places[element.digit(shift)] += 1;
        }
        if places.contains(&packed.len()) {
            continue; // all have the same digit
        }
        let mut next = 0;
        for place in &mut places {
            next += std::mem::replace(place, next);
        }
        for &element in &*packed {
            let place = &mut places[element.digit(shift)];
            other[*place] = element;
            *place += 1;
        }
        std::mem::swap(packed, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::fill_integers;
    use std::cmp::Ordering;

    fn check<T: SortElement + PartialOrd>(from: impl Fn(i64) -> T) {
        #[allow(clippy::eq_op)] // NaN is what differs from itself
        let order = |a: &T, b: &T| match (a != a, b != b) {
            (false, false) => a.partial_cmp(b).unwrap(),
            (a, b) => a.cmp(&b),
        };
        for (rows, columns) in [
            (1, 1),
            (5, 8),
            (3, 100),
            (200, 33),
            (1, 5000),
            (2, 10_000),
            (0, 4),
            (4, 0),
        ] {
            let mut numbers = vec![0; rows * columns];
            fill_integers(rows as u64, 0, -20, 21, &mut numbers);
            let x: Vec<T> = numbers.iter().map(|&n| from(n)).collect();
            for descending in [false, true] {
                let mut out = vec![-1; x.len()];
                argsort(columns, &x, descending, &mut out);
                for k in [0, 1, columns / 2, columns] {
                    if k > columns {
                        continue;
                    }
                    let mut best = vec![-1; rows * k];
                    top_k(columns, &x, k, descending, &mut best);
                    for row in 0..rows {
                        assert_eq!(best[row * k..][..k], out[row * columns..][..k]);
                    }
                }
                for row in 0..rows {
                    let x = &x[row * columns..][..columns];
                    let mut expected: Vec<i64> = (0..columns as i64).collect();
                    expected.sort_by(|&a, &b| -> Ordering {
                        let order = order(&x[a as usize], &x[b as usize]);
                        if descending { order.reverse() } else { order }
                    });
                    assert_eq!(out[row * columns..][..columns], expected);
                }
            }
        }
    }

    #[test]
    fn every_type_against_a_stable_sort() {
        let special = |n: i64| match n {
            0 => -0.0,
            1 => 0.0,
            2 => f64::NAN,
            3 => -f64::NAN,
            4 => f64::INFINITY,
            5 => f64::NEG_INFINITY,
            n => n as f64 * 0.25,
        };
        check(special);
        check(|n| special(n) as f32);
        check(|n| bf16::from_f64(special(n)));
        check(|n| f16::from_f64(special(n)));
        check(|n| if n == 7 { i64::MIN } else { n });
        check(|n| if n == 7 { i32::MIN } else { n as i32 });
        check(|n| n as u8);
    }

    #[test]
    #[should_panic(expected = "top-k: 3 elements of rows of 2")]
    fn too_many_are_refused() {
        top_k(2, &[1, 2], 3, true, &mut [0; 3]);
    }
}
