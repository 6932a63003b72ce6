//! Cumulative sums and products along the middle axis of `[outer, n, inner]`.
//!
//! Floats accumulate in `f64` and are rounded at every output.

use crate::combine::{Combine, Lane, Product, Reducible, Sum};
use crate::reduce::{ReduceElement, Wide};
use crate::threads::{Shared, divide_range};
use crate::vectorised::vectorised;

/// Neighbouring inner elements that are scanned together.
const COLUMNS: usize = 64;
/// Elements that one task takes at least.
const GRAIN: usize = 1 << 14;

/// Writes the sums of all elements up to and including each along the middle axis; both slices are contiguous.
///
/// # Panics
/// When a slice does not hold `outer * n * inner` elements.
///
/// ```
/// let mut sums = [0; 4];
/// chainrule_kernels::scan::cumulative_sum([1, 4, 1], &[1, 2, 3, 4], &mut sums);
/// assert_eq!(sums, [1, 3, 6, 10]);
/// ```
pub fn cumulative_sum<T: ReduceElement>(extents: [usize; 3], input: &[T], out: &mut [T]) {
    scan::<T, Sum>("cumulative sum", extents, input, out);
}

/// Writes the products of all elements up to and including each along the middle axis; both slices are contiguous.
///
/// # Panics
/// When a slice does not hold `outer * n * inner` elements.
pub fn cumulative_product<T: ReduceElement>(extents: [usize; 3], input: &[T], out: &mut [T]) {
    scan::<T, Product>("cumulative product", extents, input, out);
}

fn scan<T: ReduceElement, O: Combine>(what: &str, extents: [usize; 3], input: &[T], out: &mut [T]) {
    let [outer, n, inner] = extents;
    let total = outer * n * inner;
    assert!(
        input.len() == total && out.len() == total,
        "{what}: extents {extents:?} need {total} elements, the input has {} and the output {}",
        input.len(),
        out.len()
    );
    if total == 0 {
        return;
    }
    let blocks = inner.div_ceil(COLUMNS);
    let shared = Shared::new(out);
    let unit = n * inner.min(COLUMNS);
    divide_range(outer * blocks, GRAIN.div_ceil(unit), &|range| {
        for index in range {
            let first = index % blocks * COLUMNS;
            let width = COLUMNS.min(inner - first);
            let start = index / blocks * n * inner + first;
            // SAFETY: each block of columns has its own elements of `out`, and all lie inside both slices.
            unsafe { columns::<T, O>(input, &shared, start, n, inner, width) };
        }
    });
}

/// # Safety
/// Elements `start + row * stride..` of width `width`, at most [`COLUMNS`], are inside `out`, which nobody else uses.
#[inline(always)]
unsafe fn columns_body<const FUSED: bool, T: Reducible, O: Combine>(
    input: &[T],
    out: &Shared<T>,
    start: usize,
    rows: usize,
    stride: usize,
    width: usize,
) {
    let mut sums = [O::identity::<Wide<T>>(); COLUMNS];
    let sums = &mut sums[..width];
    for row in 0..rows {
        let at = start + row * stride;
        // SAFETY: the caller gives these elements to this call alone.
        let out = unsafe { out.range(at..at + width) };
        for ((sum, &element), out) in sums.iter_mut().zip(&input[at..at + width]).zip(out) {
            *sum = O::combine(*sum, element.lane().widen());
            *out = T::from_lane(T::Lane::narrow(*sum));
        }
    }
}

vectorised! {
    unsafe fn columns[T: Reducible, O: Combine](
        input: &[T],
        out: &Shared<T>,
        start: usize,
        rows: usize,
        stride: usize,
        width: usize,
    ) = columns_body;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::fill_uniform_f64;
    use half::bf16;

    fn check<T: ReduceElement>(tolerance: f64, from: impl Fn(f64) -> T, to: impl Fn(T) -> f64) {
        for extents in [
            [1, 1, 1],
            [3, 5, 1],
            [2, 7, 3],
            [1, 3000, 1],
            [4, 9, 130],
            [0, 3, 2],
            [2, 0, 2],
            [300, 64, 5],
        ] {
            let [outer, n, inner] = extents;
            let mut values = vec![0.0; outer * n * inner];
            fill_uniform_f64(4, 0, &mut values);
            let input: Vec<T> = values.iter().map(|&x| from(x * 1.5)).collect();
            let mut sums = input.clone();
            cumulative_sum(extents, &input, &mut sums);
            let mut products = input.clone();
            cumulative_product(extents, &input, &mut products);
            for o in 0..outer {
                for i in 0..inner {
                    let (mut sum, mut product) = (0.0, 1.0);
                    for r in 0..n {
                        let at = (o * n + r) * inner + i;
                        sum += to(input[at]);
                        product *= to(input[at]);
                        assert!((to(sums[at]) - sum).abs() <= tolerance * sum.abs());
                        assert!(
                            (to(products[at]) - product).abs() <= tolerance * product.abs() + 1e-38
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn against_a_plain_loop() {
        check::<f64>(1e-13, |x| x, |x| x);
        check::<f32>(1e-7, |x| x as f32, f64::from);
        check::<bf16>(4e-3, bf16::from_f64, |x| x.to_f64());
        check::<i64>(0.0, |x| x as i64, |x| x as f64);
        check::<i32>(0.0, |x| x as i32, f64::from);
    }

    #[test]
    fn nan_stays_from_where_it_is() {
        let mut out = [0.0; 4];
        cumulative_sum([1, 4, 1], &[1.0, f32::NAN, 1.0, 1.0], &mut out);
        assert!(out[0] == 1.0 && out[1..].iter().all(|x| x.is_nan()));
    }

    #[test]
    #[should_panic(expected = "cumulative sum: extents [1, 3, 1] need 3 elements")]
    fn a_short_output_is_refused() {
        cumulative_sum([1, 3, 1], &[1, 2, 3], &mut [0, 0]);
    }
}
