//! Layer normalization of contiguous rows, forward and backward.
//!
//! Ba, Kiros, Hinton, "Layer normalization", 2016. Halves compute in `f32` and round once.

use crate::element::Element;
use crate::real::{Real, RealElement, sum_of};
use crate::threads::{Shared, divide_range, fork_join};
use crate::vectorised::vectorised;

/// Elements that one task takes at least.
const GRAIN: usize = 1 << 13;
/// The most partial sums that gradients of weight and bias are kept in.
const PARTS: usize = 64;

/// The element types that can be normalized: the floating ones.
pub trait NormalizationElement: RealElement {}
impl<T: RealElement> NormalizationElement for T {}

/// Writes `(x - mean) * rstd * weight + bias` of every row of `columns` elements, with the row's mean and
/// `rstd = 1 / sqrt(variance + epsilon)`, the variance being the biased one.
///
/// `mean` and `rstd` hold one number a row. Without `weight` it counts as ones, without `bias` as zeros.
///
/// # Panics
/// When a slice's length does not fit.
#[allow(clippy::too_many_arguments)]
pub fn layer_norm<T: NormalizationElement>(
    columns: usize,
    x: &[T],
    weight: Option<&[T]>,
    bias: Option<&[T]>,
    epsilon: f64,
    out: &mut [T],
    mean: &mut [T::Real],
    rstd: &mut [T::Real],
) {
    let rows = check(columns, x.len(), &[out.len()], &[mean.len(), rstd.len()]);
    for (name, slice) in [("weight", weight), ("bias", bias)] {
        check_columns(name, columns, slice.map(<[T]>::len));
    }
    let (out, mean, rstd) = (Shared::new(out), Shared::new(mean), Shared::new(rstd));
    let epsilon = T::Real::from_f64(epsilon);
    divide_range(rows, GRAIN.div_ceil(columns.max(1)), &|range| {
        for row in range {
            let at = row * columns..(row + 1) * columns;
            // SAFETY (all three): each row has its own output, mean and rstd.
            let (out, mean, rstd) = unsafe {
                (
                    out.range(at.clone()),
                    mean.range(row..row + 1),
                    rstd.range(row..row + 1),
                )
            };
            (mean[0], rstd[0]) = forward_row(&x[at], weight, bias, epsilon, out);
        }
    });
}

/// The gradients of [`layer_norm`] with respect to `x`, `weight` and `bias`, from the cotangent `ct` of its result.
///
/// With `h = (x - mean) * rstd` and `g = ct * weight`: `grad_x = rstd * (g - mean(g) - h * mean(g * h))`,
/// `grad_weight = sum over rows of ct * h`, `grad_bias = sum over rows of ct`. The sums' order depends on the number of
/// rows alone.
///
/// # Panics
/// When a slice's length does not fit.
#[allow(clippy::too_many_arguments)]
pub fn layer_norm_backward<T: NormalizationElement>(
    columns: usize,
    x: &[T],
    weight: Option<&[T]>,
    mean: &[T::Real],
    rstd: &[T::Real],
    ct: &[T],
    grad_x: &mut [T],
    grad_weight: &mut [T],
    grad_bias: &mut [T],
) {
    let rows = check(
        columns,
        x.len(),
        &[ct.len(), grad_x.len()],
        &[mean.len(), rstd.len()],
    );
    check_columns("weight", columns, weight.map(<[T]>::len));
    check_columns("grad weight", columns, Some(grad_weight.len()));
    check_columns("grad bias", columns, Some(grad_bias.len()));
    let height = rows.div_ceil(PARTS).max(16);
    let parts = rows.div_ceil(height);
    let mut sums = vec![T::Real::ZERO; parts * 2 * columns];
    let (grad_x, shared_sums) = (Shared::new(grad_x), Shared::new(&mut sums));
    fork_join(parts, &|part| {
        // SAFETY: each part has its own sums.
        let sums = unsafe { shared_sums.range(part * 2 * columns..(part + 1) * 2 * columns) };
        let (weight_sums, bias_sums) = sums.split_at_mut(columns);
        for row in part * height..((part + 1) * height).min(rows) {
            let at = row * columns..(row + 1) * columns;
            // SAFETY: each row has its own gradient.
            let grad_x = unsafe { grad_x.range(at.clone()) };
            let statistics = (mean[row], rstd[row]);
            backward_row(
                &x[at.clone()],
                weight,
                statistics,
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

fn check(columns: usize, x: usize, like_x: &[usize], a_row: &[usize]) -> usize {
    assert!(
        x == 0 || columns > 0 && x.is_multiple_of(columns),
        "layer norm: {x} elements are not whole rows of {columns}"
    );
    assert!(
        like_x.iter().all(|&length| length == x),
        "layer norm: slices of {like_x:?} elements beside x of {x}"
    );
    let rows = x.checked_div(columns).unwrap_or(0);
    assert!(
        a_row.iter().all(|&length| length == rows),
        "layer norm: mean and rstd of {a_row:?} elements for {rows} rows"
    );
    rows
}

fn check_columns(name: &str, columns: usize, length: Option<usize>) {
    if let Some(length) = length {
        assert!(
            length == columns,
            "layer norm: {name} of {length} elements for rows of {columns}"
        );
    }
}

#[inline(always)]
fn forward_body<const FUSED: bool, T: RealElement>(
    x: &[T],
    weight: Option<&[T]>,
    bias: Option<&[T]>,
    epsilon: T::Real,
    out: &mut [T],
) -> (T::Real, T::Real) {
    let count = x.len();
    let out = &mut out[..count];
    let scale = T::Real::ONE / T::Real::from_f64(count as f64);
    let mean = sum_of(count, |i| x[i].to_real()) * scale;
    let variance = sum_of(count, |i| {
        let distance = x[i].to_real() - mean;
        distance * distance
    }) * scale;
    let rstd = T::Real::ONE / (variance + epsilon).sqrt();
    match (weight, bias) {
        (Some(weight), Some(bias)) => {
            let (weight, bias) = (&weight[..count], &bias[..count]);
            for i in 0..count {
                let h = (x[i].to_real() - mean) * rstd;
                out[i] = T::from_real(h * weight[i].to_real() + bias[i].to_real());
            }
        }
        _ => {
            for i in 0..count {
                let mut y = (x[i].to_real() - mean) * rstd;
                if let Some(weight) = weight {
                    y = y * weight[i].to_real();
                }
                if let Some(bias) = bias {
                    y += bias[i].to_real();
                }
                out[i] = T::from_real(y);
            }
        }
    }
    (mean, rstd)
}

#[inline(always)]
fn backward_body<const FUSED: bool, T: RealElement>(
    x: &[T],
    weight: Option<&[T]>,
    (mean, rstd): (T::Real, T::Real),
    ct: &[T],
    grad_x: &mut [T],
    weight_sums: &mut [T::Real],
    bias_sums: &mut [T::Real],
) {
    let count = x.len();
    let (ct, grad_x) = (&ct[..count], &mut grad_x[..count]);
    let (weight_sums, bias_sums) = (&mut weight_sums[..count], &mut bias_sums[..count]);
    let scale = T::Real::ONE / T::Real::from_f64(count as f64);
    let h = |i: usize| (x[i].to_real() - mean) * rstd;
    let g = |i: usize| match weight {
        Some(weight) => ct[i].to_real() * weight[i].to_real(),
        None => ct[i].to_real(),
    };
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
        weight: Option<&[T]>,
        bias: Option<&[T]>,
        epsilon: <T as RealElement>::Real,
        out: &mut [T],
    ) -> (<T as RealElement>::Real, <T as RealElement>::Real) = forward_body;
    fn backward_row[T: RealElement](
        x: &[T],
        weight: Option<&[T]>,
        statistics: (<T as RealElement>::Real, <T as RealElement>::Real),
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

    fn forward(
        columns: usize,
        x: &[f64],
        weight: Option<&[f64]>,
        bias: Option<&[f64]>,
    ) -> [Vec<f64>; 3] {
        let rows = x.len().checked_div(columns).unwrap_or(0);
        let (mut y, mut mean, mut rstd) = (vec![9.0; x.len()], vec![9.0; rows], vec![9.0; rows]);
        layer_norm(columns, x, weight, bias, 1e-5, &mut y, &mut mean, &mut rstd);
        [y, mean, rstd]
    }

    #[test]
    fn rows_become_standard() {
        let (rows, columns) = (7, 130);
        let x: Vec<f64> = normals(1, rows * columns)
            .iter()
            .map(|x| 5.0 + 3.0 * x)
            .collect();
        let [y, mean, rstd] = forward(columns, &x, None, None);
        for row in 0..rows {
            let x = &x[row * columns..][..columns];
            let expected_mean = x.iter().sum::<f64>() / columns as f64;
            let variance =
                x.iter().map(|x| (x - expected_mean).powi(2)).sum::<f64>() / columns as f64;
            assert!((mean[row] - expected_mean).abs() < 1e-13);
            assert!((rstd[row] - 1.0 / (variance + 1e-5).sqrt()).abs() < 1e-13);
            for column in 0..columns {
                let expected = (x[column] - expected_mean) / (variance + 1e-5).sqrt();
                assert!((y[row * columns + column] - expected).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn gradients_agree_with_differences() {
        for (rows, columns) in [(1, 1), (3, 5), (40, 33), (0, 4)] {
            let (x, ct) = (normals(1, rows * columns), normals(2, rows * columns));
            let (weight, bias) = (normals(3, columns), normals(4, columns));
            for weighted in [true, false] {
                let w = weighted.then_some(&weight[..]);
                let loss = |x: &[f64], w: Option<&[f64]>, b: &[f64]| {
                    let [y, _, _] = forward(columns, x, w, Some(b));
                    y.iter().zip(&ct).map(|(y, ct)| y * ct).sum::<f64>()
                };
                let [_, mean, rstd] = forward(columns, &x, w, Some(&bias));
                let mut grad_x = vec![9.0; rows * columns];
                let (mut grad_w, mut grad_b) = (vec![9.0; columns], vec![9.0; columns]);
                layer_norm_backward(
                    columns,
                    &x,
                    w,
                    &mean,
                    &rstd,
                    &ct,
                    &mut grad_x,
                    &mut grad_w,
                    &mut grad_b,
                );
                let step = 1e-5;
                let difference =
                    |moved: &dyn Fn(f64) -> f64| (moved(step) - moved(-step)) / (2.0 * step);
                let moved = |values: &[f64], at: usize, by: f64| {
                    let mut values = values.to_vec();
                    values[at] += by;
                    values
                };
                for i in (0..rows * columns).step_by(7) {
                    let expected = difference(&|by| loss(&moved(&x, i, by), w, &bias));
                    assert!(
                        (grad_x[i] - expected).abs() < 1e-5,
                        "{} {expected}",
                        grad_x[i]
                    );
                }
                for i in 0..columns {
                    if weighted {
                        let expected =
                            difference(&|by| loss(&x, Some(&moved(&weight, i, by)), &bias));
                        assert!((grad_w[i] - expected).abs() < 1e-5);
                    }
                    let expected = difference(&|by| loss(&x, w, &moved(&bias, i, by)));
                    assert!((grad_b[i] - expected).abs() < 1e-5);
                }
            }
        }
    }

    #[test]
    fn single_precision_agrees_with_double() {
        let (rows, columns) = (70, 300);
        let (x, ct) = (normals(1, rows * columns), normals(2, rows * columns));
        let weight = normals(3, columns);
        let single = |values: &[f64]| values.iter().map(|&x| x as f32).collect::<Vec<_>>();
        let [y, mean, rstd] = forward(columns, &x, Some(&weight), None);
        let (mut grad, mut grad_w, mut grad_b) = (y.clone(), weight.clone(), weight.clone());
        layer_norm_backward(
            columns,
            &x,
            Some(&weight),
            &mean,
            &rstd,
            &ct,
            &mut grad,
            &mut grad_w,
            &mut grad_b,
        );
        let (x, ct, weight) = (single(&x), single(&ct), single(&weight));
        let (mut y32, mut grad32) = (x.clone(), x.clone());
        let (mut mean32, mut rstd32) = (vec![0.0; rows], vec![0.0; rows]);
        let (mut grad_w32, mut grad_b32) = (weight.clone(), weight.clone());
        layer_norm(
            columns,
            &x,
            Some(&weight),
            None,
            1e-5,
            &mut y32,
            &mut mean32,
            &mut rstd32,
        );
        layer_norm_backward(
            columns,
            &x,
            Some(&weight),
            &mean32,
            &rstd32,
            &ct,
            &mut grad32,
            &mut grad_w32,
            &mut grad_b32,
        );
        for (single, double) in [
            (y32, y),
            (grad32, grad),
            (grad_w32, grad_w),
            (grad_b32, grad_b),
        ] {
            for (single, double) in single.iter().zip(double) {
                assert!((f64::from(*single) - double).abs() < 1e-4 * (1.0 + double.abs()));
            }
        }
    }
}
