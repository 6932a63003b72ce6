//! Layer normalization of contiguous rows, forward and backward.
//!
//! Ba, Kiros, Hinton, "Layer normalization", 2016. Halves compute in `f32` and round once.

use crate::buffer::workspace;
use crate::element::Element;
use crate::real::{Real, RealElement, sum_of};
use crate::threads::{Shared, divide_rows, fork_join};
use crate::vectorised::vectorised;

/// Elements that one task takes at least.
const GRAIN: usize = 1 << 13;
/// The most partial sums that gradients of weight and bias are kept in.
const PARTS: usize = 64;

/// The element types that can be normalized: the floating ones.
pub trait NormalizationElement: RealElement {}
impl<T: RealElement> NormalizationElement for T {}

/// Writes `(x - mean) / sqrt(variance + epsilon) * weight + bias` of every row of `columns` elements, the variance being
/// the biased one.
///
/// # Panics
/// When a slice's length does not fit.
///
/// ```
/// let mut out = [0.0; 2];
/// chainrule_kernels::normalization::layer_norm(2, &[1.0f32, 3.0], &[1.0; 2], &[5.0; 2], 0.0, &mut out);
/// assert_eq!(out, [4.0, 6.0]);
/// ```
pub fn layer_norm<T: NormalizationElement>(
    columns: usize,
    x: &[T],
    weight: &[T],
    bias: &[T],
    epsilon: f64,
    out: &mut [T],
) {
    check(columns, x.len(), &[out.len()]);
    check_columns("weight", columns, weight.len());
    check_columns("bias", columns, bias.len());
    let epsilon = T::Real::from_f64(epsilon);
    divide_rows(out, columns, GRAIN, &|first, rows| {
        for (offset, out) in rows.chunks_exact_mut(columns).enumerate() {
            let x = &x[(first + offset) * columns..][..columns];
            forward_row(x, weight, bias, epsilon, out);
        }
    });
}

/// The gradients of [`layer_norm`] with respect to `x`, `weight` and `bias`, from the cotangent `ct` of its result.
///
/// With `r = 1 / sqrt(variance + epsilon)`, `h = (x - mean) * r` and `g = ct * weight`:
/// `grad_x = r * (g - mean(g) - h * mean(g * h))`, `grad_weight = sum over rows of ct * h`, `grad_bias = sum over rows of
/// ct`. The sums' order depends on the number of rows alone.
///
/// # Panics
/// When a slice's length does not fit.
#[allow(clippy::too_many_arguments)]
pub fn layer_norm_backward<T: NormalizationElement>(
    columns: usize,
    x: &[T],
    weight: &[T],
    epsilon: f64,
    ct: &[T],
    grad_x: &mut [T],
    grad_weight: &mut [T],
    grad_bias: &mut [T],
) {
    let rows = check(columns, x.len(), &[ct.len(), grad_x.len()]);
    check_columns("weight", columns, weight.len());
    check_columns("grad weight", columns, grad_weight.len());
    check_columns("grad bias", columns, grad_bias.len());
    let epsilon = T::Real::from_f64(epsilon);
    let height = rows.div_ceil(PARTS).max(16);
    let parts = rows.div_ceil(height);
    let mut sums = workspace::<T::Real>(parts * 2 * columns);
    let sums = sums.as_mut_slice::<T::Real>();
    sums.fill(T::Real::ZERO);
    let (grad_x, shared_sums) = (Shared::new(grad_x), Shared::new(&mut *sums));
    fork_join(parts, &|part| {
        // SAFETY: each part has its own sums.
        let sums = unsafe { shared_sums.range(part * 2 * columns..(part + 1) * 2 * columns) };
        let (weight_sums, bias_sums) = sums.split_at_mut(columns);
        for row in part * height..((part + 1) * height).min(rows) {
            let at = row * columns..(row + 1) * columns;
            // SAFETY: each row has its own gradient.
            let grad_x = unsafe { grad_x.range(at.clone()) };
            backward_row(
                &x[at.clone()],
                weight,
                epsilon,
                &ct[at],
                grad_x,
                weight_sums,
                bias_sums,
            );
        }
    });
    for column in 0..columns {
        let total = |from: usize| {
            let parts = (0..parts).map(|part| sums[part * 2 * columns + from + column]);
            T::from_real(parts.sum())
        };
        grad_weight[column] = total(0);
        grad_bias[column] = total(columns);
    }
}

fn check(columns: usize, x: usize, like_x: &[usize]) -> usize {
    assert!(
        x == 0 || columns > 0 && x.is_multiple_of(columns),
        "layer norm: {x} elements are not whole rows of {columns}"
    );
    assert!(
        like_x.iter().all(|&length| length == x),
        "layer norm: slices of {like_x:?} elements beside x of {x}"
    );
    x.checked_div(columns).unwrap_or(0)
}

fn check_columns(name: &str, columns: usize, length: usize) {
    assert!(
        length == columns,
        "layer norm: {name} of {length} elements for rows of {columns}"
    );
}

/// Mean and `1 / sqrt(variance + epsilon)` of a row.
#[inline(always)]
fn mean_and_scale<T: RealElement>(x: &[T], epsilon: T::Real) -> (T::Real, T::Real) {
    let count = x.len();
    let scale = T::Real::ONE / T::Real::from_f64(count as f64);
    let mean = sum_of(count, |i| x[i].to_real()) * scale;
    let variance = sum_of(count, |i| {
        let distance = x[i].to_real() - mean;
        distance * distance
    }) * scale;
    (mean, T::Real::ONE / (variance + epsilon).sqrt())
}

#[inline(always)]
fn forward_body<const FUSED: bool, T: RealElement>(
    x: &[T],
    weight: &[T],
    bias: &[T],
    epsilon: T::Real,
    out: &mut [T],
) {
    let count = x.len();
    let (weight, bias, out) = (&weight[..count], &bias[..count], &mut out[..count]);
    let (mean, rstd) = mean_and_scale(x, epsilon);
    for i in 0..count {
        let h = (x[i].to_real() - mean) * rstd;
        out[i] = T::from_real(h * weight[i].to_real() + bias[i].to_real());
    }
}

#[inline(always)]
fn backward_body<const FUSED: bool, T: RealElement>(
    x: &[T],
    weight: &[T],
    epsilon: T::Real,
    ct: &[T],
    grad_x: &mut [T],
    weight_sums: &mut [T::Real],
    bias_sums: &mut [T::Real],
) {
    let count = x.len();
    let (weight, ct, grad_x) = (&weight[..count], &ct[..count], &mut grad_x[..count]);
    let (weight_sums, bias_sums) = (&mut weight_sums[..count], &mut bias_sums[..count]);
    let (mean, rstd) = mean_and_scale(x, epsilon);
    let scale = T::Real::ONE / T::Real::from_f64(count as f64);
    let h = |i: usize| (x[i].to_real() - mean) * rstd;
    let g = |i: usize| ct[i].to_real() * weight[i].to_real();
    let mean_g = sum_of(count, g) * scale;
    let mean_gh = sum_of(count, |i| g(i) * h(i)) * scale;
    for i in 0..count {
        grad_x[i] = T::from_real(rstd * (g(i) - mean_g - h(i) * mean_gh));
        weight_sums[i] += ct[i].to_real() * h(i);
        bias_sums[i] += ct[i].to_real();
    }
}

vectorised! {
    fn forward_row[T: RealElement](
        x: &[T],
        weight: &[T],
        bias: &[T],
        epsilon: <T as RealElement>::Real,
        out: &mut [T],
    ) = forward_body;
    fn backward_row[T: RealElement](
        x: &[T],
        weight: &[T],
        epsilon: <T as RealElement>::Real,
        ct: &[T],
        grad_x: &mut [T],
        weight_sums: &mut [<T as RealElement>::Real],
        bias_sums: &mut [<T as RealElement>::Real],
    ) = backward_body;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::fill_normal_f64;

    fn normals(key: u64, count: usize) -> Vec<f64> {
        let mut values = vec![0.0; count];
        fill_normal_f64(key, 0, &mut values);
        values
    }

    fn forward<T: NormalizationElement>(x: &[T], weight: &[T], bias: &[T]) -> Vec<T> {
        let mut y = x.to_vec();
        layer_norm(weight.len(), x, weight, bias, 1e-5, &mut y);
        y
    }

    fn backward<T: NormalizationElement>(x: &[T], weight: &[T], ct: &[T]) -> [Vec<T>; 3] {
        // What stands in the results before is overwritten.
        let (mut grad_x, mut grad_weight) = (ct.to_vec(), weight.to_vec());
        let mut grad_bias = weight.to_vec();
        layer_norm_backward(
            weight.len(),
            x,
            weight,
            1e-5,
            ct,
            &mut grad_x,
            &mut grad_weight,
            &mut grad_bias,
        );
        [grad_x, grad_weight, grad_bias]
    }

    #[test]
    fn rows_become_standard() {
        let (rows, columns) = (7, 130);
        let x: Vec<f64> = normals(1, rows * columns)
            .iter()
            .map(|x| 5.0 + 3.0 * x)
            .collect();
        let (weight, bias) = (normals(2, columns), normals(3, columns));
        let y = forward(&x, &weight, &bias);
        for row in 0..rows {
            let x = &x[row * columns..][..columns];
            let mean = x.iter().sum::<f64>() / columns as f64;
            let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / columns as f64;
            for column in 0..columns {
                let standard = (x[column] - mean) / (variance + 1e-5).sqrt();
                let expected = standard * weight[column] + bias[column];
                assert!((y[row * columns + column] - expected).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn gradients_agree_with_differences() {
        for (rows, columns) in [(1, 1), (3, 5), (40, 33), (0, 4)] {
            let (x, ct) = (normals(1, rows * columns), normals(2, rows * columns));
            let (weight, bias) = (normals(3, columns), normals(4, columns));
            let loss = |x: &[f64], weight: &[f64], bias: &[f64]| {
                let y = forward(x, weight, bias);
                y.iter().zip(&ct).map(|(y, ct)| y * ct).sum::<f64>()
            };
            let difference = |values: &[f64], at: usize, loss: &dyn Fn(&[f64]) -> f64| {
                let step = 1e-5;
                let moved = |by: f64| {
                    let mut values = values.to_vec();
                    values[at] += by;
                    loss(&values)
                };
                (moved(step) - moved(-step)) / (2.0 * step)
            };
            let [grad_x, grad_weight, grad_bias] = backward(&x, &weight, &ct);
            for i in (0..rows * columns).step_by(7) {
                let expected = difference(&x, i, &|x| loss(x, &weight, &bias));
                assert!((grad_x[i] - expected).abs() < 1e-5);
            }
            for i in 0..columns {
                let expected = difference(&weight, i, &|weight| loss(&x, weight, &bias));
                assert!((grad_weight[i] - expected).abs() < 1e-5);
                let expected = difference(&bias, i, &|bias| loss(&x, &weight, bias));
                assert!((grad_bias[i] - expected).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn single_precision_agrees_with_double() {
        let (rows, columns) = (70, 300);
        let (x, ct) = (normals(1, rows * columns), normals(2, rows * columns));
        let (weight, bias) = (normals(3, columns), normals(4, columns));
        let single = |values: &[f64]| values.iter().map(|&x| x as f32).collect::<Vec<_>>();
        let [x32, ct32, weight32] = [&x, &ct, &weight].map(|values| single(values));
        let double = [
            vec![forward(&x, &weight, &bias)],
            backward(&x, &weight, &ct).to_vec(),
        ];
        let single = [
            vec![forward(&x32, &weight32, &single(&bias))],
            backward(&x32, &weight32, &ct32).to_vec(),
        ];
        let numbers = single.iter().flatten().flatten();
        for (single, double) in numbers.zip(double.iter().flatten().flatten()) {
            assert!((f64::from(*single) - double).abs() < 1e-4 * (1.0 + double.abs()));
        }
    }

    #[test]
    #[should_panic(expected = "layer norm: weight of 1 elements for rows of 2")]
    fn a_short_weight_is_refused() {
        layer_norm(2, &[0.0; 4], &[1.0], &[0.0; 2], 1e-5, &mut [0.0; 4]);
    }
}
