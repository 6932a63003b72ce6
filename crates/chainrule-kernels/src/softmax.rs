//! Softmax and its logarithm over contiguous rows, with what their derivatives need.
//!
//! Halves compute in `f32` and round once.

use crate::element::Element;
use crate::real::{Real, RealElement, max_of, sum_of};
use crate::threads::divide_rows;
use crate::vectorised::vectorised;

/// Elements that one task takes at least.
const GRAIN: usize = 1 << 13;

/// The element types that softmax works on: the floating ones.
pub trait SoftmaxElement: RealElement {}
impl<T: RealElement> SoftmaxElement for T {}

/// `exp(x - max) / sum(exp(x - max))` of every row of `columns` elements.
///
/// # Panics
/// When the slices differ in length or do not hold whole rows.
///
/// ```
/// let mut y = [0.0; 2];
/// chainrule_kernels::softmax::softmax(2, &[0.0_f64, 3f64.ln()], &mut y);
/// assert!((y[0] - 0.25).abs() < 1e-15 && (y[1] - 0.75).abs() < 1e-15);
/// ```
pub fn softmax<T: SoftmaxElement>(columns: usize, x: &[T], out: &mut [T]) {
    check("softmax", columns, &[x.len()], out.len());
    each_row(columns, out, &|row, out, scratch| {
        softmax_row(&x[row * columns..][..columns], out, scratch);
    });
}

/// `x - max - ln(sum(exp(x - max)))` of every row of `columns` elements.
///
/// # Panics
/// When the slices differ in length or do not hold whole rows.
pub fn log_softmax<T: SoftmaxElement>(columns: usize, x: &[T], out: &mut [T]) {
    check("log softmax", columns, &[x.len()], out.len());
    each_row(columns, out, &|row, out, _| {
        log_softmax_row(&x[row * columns..][..columns], out);
    });
}

/// `y * (ct - sum(ct * y))` of every row: what softmax's result `y` makes of the cotangent `ct`.
///
/// # Panics
/// When the slices differ in length or do not hold whole rows.
pub fn softmax_backward<T: SoftmaxElement>(columns: usize, y: &[T], ct: &[T], out: &mut [T]) {
    check("softmax backward", columns, &[y.len(), ct.len()], out.len());
    each_row(columns, out, &|row, out, _| {
        let at = row * columns;
        softmax_backward_row(&y[at..][..columns], &ct[at..][..columns], out);
    });
}

/// `ct - exp(y) * sum(ct)` of every row: what log-softmax's result `y` makes of the cotangent `ct`.
///
/// # Panics
/// When the slices differ in length or do not hold whole rows.
pub fn log_softmax_backward<T: SoftmaxElement>(columns: usize, y: &[T], ct: &[T], out: &mut [T]) {
    check(
        "log softmax backward",
        columns,
        &[y.len(), ct.len()],
        out.len(),
    );
    each_row(columns, out, &|row, out, _| {
        let at = row * columns;
        log_softmax_backward_row(&y[at..][..columns], &ct[at..][..columns], out);
    });
}

fn check(what: &str, columns: usize, inputs: &[usize], out: usize) {
    assert!(
        inputs.iter().all(|&length| length == out),
        "{what}: inputs of {inputs:?} elements for an output of {out}"
    );
    assert!(
        out == 0 || columns > 0 && out.is_multiple_of(columns),
        "{what}: {out} elements are not whole rows of {columns}"
    );
}

/// Work on one row: its number, its output, scratch of its length.
type RowWork<'a, T> = dyn Fn(usize, &mut [T], &mut [<T as RealElement>::Real]) + Sync + 'a;

/// Calls `work(row, its output, scratch of a row)` for every row, over the threads.
fn each_row<T: RealElement>(columns: usize, out: &mut [T], work: &RowWork<'_, T>) {
    divide_rows(out, columns, GRAIN, &|first, rows| {
        let mut scratch = vec![T::Real::ZERO; columns];
        for (index, row) in rows.chunks_exact_mut(columns).enumerate() {
            work(first + index, row, &mut scratch);
        }
    });
}

#[inline(always)]
fn softmax_body<const FUSED: bool, T: RealElement>(
    x: &[T],
    out: &mut [T],
    scratch: &mut [T::Real],
) {
    let count = x.len();
    let (out, scratch) = (&mut out[..count], &mut scratch[..count]);
    let max = max_of(count, |i| x[i].to_real());
    for i in 0..count {
        scratch[i] = (x[i].to_real() - max).exp::<FUSED>();
    }
    let scale = T::Real::ONE / sum_of(count, |i| scratch[i]);
    for i in 0..count {
        out[i] = T::from_real(scratch[i] * scale);
    }
}

#[inline(always)]
fn log_softmax_body<const FUSED: bool, T: RealElement>(x: &[T], out: &mut [T]) {
    let count = x.len();
    let out = &mut out[..count];
    let max = max_of(count, |i| x[i].to_real());
    let log = sum_of(count, |i| (x[i].to_real() - max).exp::<FUSED>()).ln();
    for i in 0..count {
        out[i] = T::from_real(x[i].to_real() - max - log);
    }
}

#[inline(always)]
fn softmax_backward_body<const FUSED: bool, T: RealElement>(y: &[T], ct: &[T], out: &mut [T]) {
    let count = y.len();
    let (ct, out) = (&ct[..count], &mut out[..count]);
    let dot = sum_of(count, |i| ct[i].to_real() * y[i].to_real());
    for i in 0..count {
        out[i] = T::from_real(y[i].to_real() * (ct[i].to_real() - dot));
    }
}

#[inline(always)]
fn log_softmax_backward_body<const FUSED: bool, T: RealElement>(y: &[T], ct: &[T], out: &mut [T]) {
    let count = y.len();
    let (ct, out) = (&ct[..count], &mut out[..count]);
    let sum = sum_of(count, |i| ct[i].to_real());
    for i in 0..count {
        out[i] = T::from_real(ct[i].to_real() - y[i].to_real().exp::<FUSED>() * sum);
    }
}

vectorised! {
    fn softmax_row[T: RealElement](x: &[T], out: &mut [T], scratch: &mut [<T as RealElement>::Real]) = softmax_body;
    fn log_softmax_row[T: RealElement](x: &[T], out: &mut [T]) = log_softmax_body;
    fn softmax_backward_row[T: RealElement](y: &[T], ct: &[T], out: &mut [T]) = softmax_backward_body;
    fn log_softmax_backward_row[T: RealElement](y: &[T], ct: &[T], out: &mut [T]) = log_softmax_backward_body;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::fill_normal_f64;
    use half::{bf16, f16};

    fn check_type<T: SoftmaxElement>(tolerance: f64) {
        for (rows, columns) in [
            (1, 1),
            (3, 5),
            (2, 32),
            (4, 100),
            (0, 3),
            (300, 257),
            (2, 40_000),
        ] {
            let numbers = |key| {
                let mut values = vec![0.0; rows * columns];
                fill_normal_f64(key, 0, &mut values);
                values
                    .iter()
                    .map(|&x| T::from_real(T::Real::from_f64(3.0 * x)))
                    .collect::<Vec<T>>()
            };
            let to = |x: T| x.to_real().to_f64();
            let (x, ct) = (numbers(1), numbers(2));
            let empty = || vec![T::default(); rows * columns];
            let (mut y, mut log_y, mut grad, mut log_grad) = (empty(), empty(), empty(), empty());
            softmax(columns, &x, &mut y);
            log_softmax(columns, &x, &mut log_y);
            softmax_backward(columns, &y, &ct, &mut grad);
            log_softmax_backward(columns, &log_y, &ct, &mut log_grad);
            for row in 0..rows {
                let range = row * columns..(row + 1) * columns;
                let max = x[range.clone()]
                    .iter()
                    .map(|&x| to(x))
                    .fold(f64::MIN, f64::max);
                let sum: f64 = x[range.clone()].iter().map(|&x| (to(x) - max).exp()).sum();
                let dot: f64 = range.clone().map(|i| to(ct[i]) * to(y[i])).sum();
                let total: f64 = range.clone().map(|i| to(ct[i])).sum();
                let near = |got: T, expected: f64, size: f64| {
                    assert!(
                        (to(got) - expected).abs() <= tolerance * (size + expected.abs()),
                        "{} {expected}",
                        to(got)
                    );
                };
                for i in range {
                    near(y[i], (to(x[i]) - max).exp() / sum, 1e-5);
                    near(log_y[i], to(x[i]) - max - sum.ln(), 1.0);
                    near(grad[i], to(y[i]) * (to(ct[i]) - dot), 1e-3);
                    let share = to(log_y[i]).exp();
                    near(
                        log_grad[i],
                        to(ct[i]) - share * total,
                        1.0 + share * columns as f64,
                    );
                }
            }
        }
    }

    #[test]
    fn against_the_formulas() {
        check_type::<f64>(1e-12);
        check_type::<f32>(2e-5);
        check_type::<bf16>(1e-2);
        check_type::<f16>(4e-3);
    }

    #[test]
    fn extreme_inputs() {
        let mut y = [0f32; 3];
        softmax(3, &[1e30, -1e30, 1e30], &mut y);
        assert_eq!(y, [0.5, 0.0, 0.5]);
        softmax(3, &[f32::NEG_INFINITY, 0.0, f32::NEG_INFINITY], &mut y);
        assert_eq!(y, [0.0, 1.0, 0.0]);
        softmax(3, &[f32::NAN, 0.0, 1.0], &mut y);
        assert!(y.iter().all(|x| x.is_nan()));
        log_softmax(3, &[f32::NEG_INFINITY; 3], &mut y);
        assert!(y.iter().all(|x| x.is_nan()));
    }

    #[test]
    #[should_panic(expected = "softmax: 4 elements are not whole rows of 3")]
    fn ragged_rows_are_refused() {
        softmax(3, &[0f32; 4], &mut [0f32; 4]);
    }
}
