//! Cumulative sums and products along the middle axis of `[outer, n, inner]`.
//!
//! Floats accumulate in `f64` and are rounded at every output.

use crate::combine::{Combine, Lane, Product, Reducible, Sum};
use crate::reduce::{ReduceElement, Wide};
use crate::threads::{Shared, divide_range, divide_rows};
use crate::vectorised::vectorised;

/// Neighbouring inner elements that are scanned together.
const COLUMNS: usize = 64;
/// Rows that are scanned together where there is no inner axis, so that additions need not wait for each other.
const ROWS: usize = 8;
/// Elements that one task takes at least.
const GRAIN: usize = 1 << 14;

/// Writes the sums of all elements up to and including each along the middle axis, or with `reverse` from each to the
/// last; both slices are contiguous.
///
/// # Panics
/// When a slice does not hold `outer * n * inner` elements.
///
/// ```
/// let mut sums = [0; 4];
/// chainrule_kernels::scan::cumulative_sum([1, 4, 1], false, &[1, 2, 3, 4], &mut sums);
/// assert_eq!(sums, [1, 3, 6, 10]);
/// ```
pub fn cumulative_sum<T: ReduceElement>(
    extents: [usize; 3],
    reverse: bool,
    input: &[T],
    out: &mut [T],
) {
    scan::<T, Sum>("cumulative sum", extents, reverse, input, out);
}

/// Writes the products of all elements up to and including each along the middle axis; both slices are contiguous.
///
/// # Panics
/// When a slice does not hold `outer * n * inner` elements.
pub fn cumulative_product<T: ReduceElement>(extents: [usize; 3], input: &[T], out: &mut [T]) {
    scan::<T, Product>("cumulative product", extents, false, input, out);
}

fn scan<T: ReduceElement, O: Combine>(
    what: &str,
    extents: [usize; 3],
    reverse: bool,
    input: &[T],
    out: &mut [T],
) {
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
    if inner == 1 {
        divide_rows(out, ROWS * n, GRAIN, &|first, out| {
            let groups = out.chunks_mut(ROWS * n);
            let inputs = input[first * ROWS * n..].chunks(ROWS * n);
            for (out, input) in groups.zip(inputs) {
                if out.len() == ROWS * n {
                    rows::<T, O, ROWS>(&input[..ROWS * n], out, reverse);
                } else {
                    for (out, input) in out.chunks_exact_mut(n).zip(input.chunks_exact(n)) {
                        rows::<T, O, 1>(input, out, reverse);
                    }
                }
            }
        });
        return;
    }
    let blocks = inner.div_ceil(COLUMNS);
    let shared = Shared::new(out);
    let unit = n * inner.min(COLUMNS);
    divide_range(outer * blocks, GRAIN.div_ceil(unit), &|range| {
        for index in range {
            let first = index % blocks * COLUMNS;
            let columns = Columns {
                start: index / blocks * n * inner + first,
                rows: n,
                stride: inner,
                width: COLUMNS.min(inner - first),
                reverse,
            };
            // SAFETY: each block of columns has its own elements of `out`, and all lie inside both slices.
            unsafe { scan_columns::<T, O>(input, &shared, &columns) };
        }
    });
}

/// Scans `COUNT` rows of equal length at the same time.
fn rows<T: Reducible, O: Combine, const COUNT: usize>(input: &[T], out: &mut [T], reverse: bool) {
    let length = input.len() / COUNT;
    let mut sums = [O::identity::<Wide<T>>(); COUNT];
    let mut step = |at: usize| {
        for (row, sum) in sums.iter_mut().enumerate() {
            let position = row * length + at;
            *sum = O::combine(*sum, input[position].lane().widen());
            out[position] = T::from_lane(T::Lane::narrow(*sum));
        }
    };
    if reverse {
        (0..length).rev().for_each(step);
    } else {
        (0..length).for_each(&mut step);
    }
}

/// Neighbouring columns of `rows` elements, `stride` apart.
struct Columns {
    start: usize,
    rows: usize,
    stride: usize,
    width: usize,
    reverse: bool,
}

/// # Safety
/// The columns, at most [`COLUMNS`], are inside `out`, and nobody else uses their elements there.
#[inline(always)]
unsafe fn columns_body<const FUSED: bool, T: Reducible, O: Combine>(
    input: &[T],
    out: &Shared<T>,
    columns: &Columns,
) {
    let mut sums = [O::identity::<Wide<T>>(); COLUMNS];
    let sums = &mut sums[..columns.width];
    for step in 0..columns.rows {
        let row = match columns.reverse {
            false => step,
            true => columns.rows - 1 - step,
        };
        let at = columns.start + row * columns.stride;
        let elements = at..at + columns.width;
        // SAFETY: the caller gives these elements to this call alone.
        let out = unsafe { out.range(elements.clone()) };
        for ((sum, &element), out) in sums.iter_mut().zip(&input[elements]).zip(out) {
            *sum = O::combine(*sum, element.lane().widen());
            *out = T::from_lane(T::Lane::narrow(*sum));
        }
    }
}

vectorised! {
    unsafe fn scan_columns[T: Reducible, O: Combine](
        input: &[T],
        out: &Shared<T>,
        columns: &Columns,
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
            [1, 300, 1],
            [90, 200, 1],
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
            cumulative_sum(extents, false, &input, &mut sums);
            let mut from_end = input.clone();
            cumulative_sum(extents, true, &input, &mut from_end);
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
                        let rest: f64 = (r..n).map(|r| to(input[(o * n + r) * inner + i])).sum();
                        assert!((to(from_end[at]) - rest).abs() <= tolerance * rest.abs());
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
        cumulative_sum([1, 4, 1], false, &[1.0, f32::NAN, 1.0, 1.0], &mut out);
        assert!(out[0] == 1.0 && out[1..].iter().all(|x| x.is_nan()));
    }

    #[test]
    #[should_panic(expected = "cumulative sum: extents [1, 3, 1] need 3 elements")]
    fn a_short_output_is_refused() {
        cumulative_sum([1, 3, 1], false, &[1, 2, 3], &mut [0, 0]);
    }
}
