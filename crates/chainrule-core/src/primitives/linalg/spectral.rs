//! Eigenvalues and singular values by Jacobi's rotations (Golub, Van Loan, 8.5 and 8.6.3): slow, accurate to the last
//! digits.

use super::dense::Matrix;

/// More sweeps than any matrix of this world needs.
const SWEEPS: usize = 60;

/// The rotation (cosine, sine) that makes the off-diagonal element of [[a, b], [b, d]] zero.
fn rotation(a: f64, b: f64, d: f64) -> (f64, f64) {
    let half = (d - a) / (2.0 * b);
    let tangent = 1.0_f64.copysign(half) / (half.abs() + half.hypot(1.0));
    let cosine = 1.0 / tangent.hypot(1.0);
    (cosine, tangent * cosine)
}

fn rotate_columns(matrix: &mut Matrix, p: usize, q: usize, (cosine, sine): (f64, f64)) {
    for row in 0..matrix.rows {
        let (x, y) = (matrix[(row, p)], matrix[(row, q)]);
        matrix[(row, p)] = cosine * x - sine * y;
        matrix[(row, q)] = sine * x + cosine * y;
    }
}

fn permuted_columns(matrix: &Matrix, order: &[usize]) -> Matrix {
    Matrix::from_fn(matrix.rows, order.len(), |row, column| {
        matrix[(row, order[column])]
    })
}

/// Eigenvalues, ascending, and eigenvectors, as columns, of the symmetric part of A.
pub(crate) fn eigh(a: &Matrix) -> (Matrix, Matrix) {
    let mut a = a.symmetric_part();
    let extent = a.rows;
    let mut vectors = Matrix::identity(extent);
    for _ in 0..SWEEPS {
        let mut rotated = false;
        for p in 0..extent {
            for q in p + 1..extent {
                let size = (a[(p, p)].abs() * a[(q, q)].abs()).sqrt();
                if a[(p, q)].abs() <= f64::EPSILON * 1e-2 * size || a[(p, q)] == 0.0 {
                    continue;
                }
                rotated = true;
                let turn = rotation(a[(p, p)], a[(p, q)], a[(q, q)]);
                rotate_columns(&mut a, p, q, turn);
                let mut transposed = a.transposed();
                rotate_columns(&mut transposed, p, q, turn);
                a = transposed.transposed();
                (a[(p, q)], a[(q, p)]) = (0.0, 0.0);
                rotate_columns(&mut vectors, p, q, turn);
            }
        }
        if !rotated {
            break;
        }
    }
    let mut order: Vec<usize> = (0..extent).collect();
    order.sort_by(|&i, &j| a[(i, i)].total_cmp(&a[(j, j)]));
    let values = Matrix::from_fn(extent, 1, |row, _| a[(order[row], order[row])]);
    (values, permuted_columns(&vectors, &order))
}

/// U (columns), the singular values, descending, and V (columns) with A = U diag(s) Vᵀ, reduced.
pub(crate) fn svd(a: &Matrix) -> (Matrix, Matrix, Matrix) {
    if a.rows < a.columns {
        let (u, s, v) = svd(&a.transposed());
        return (v, s, u);
    }
    // Rotations from the right make the columns orthogonal; their lengths are the singular values.
    let mut columns = a.clone();
    let mut v = Matrix::identity(a.columns);
    for _ in 0..SWEEPS {
        let mut rotated = false;
        for p in 0..a.columns {
            for q in p + 1..a.columns {
                let product = |i, j| {
                    (0..a.rows)
                        .map(|row| columns[(row, i)] * columns[(row, j)])
                        .sum::<f64>()
                };
                let (pp, pq, qq) = (product(p, p), product(p, q), product(q, q));
                if pq.abs() <= f64::EPSILON * (pp * qq).sqrt() || pq == 0.0 {
                    continue;
                }
                rotated = true;
                let turn = rotation(pp, pq, qq);
                rotate_columns(&mut columns, p, q, turn);
                rotate_columns(&mut v, p, q, turn);
            }
        }
        if !rotated {
            break;
        }
    }
    let length = |column| {
        (0..a.rows)
            .map(|row| columns[(row, column)].powi(2))
            .sum::<f64>()
            .sqrt()
    };
    let lengths: Vec<f64> = (0..a.columns).map(length).collect();
    let mut order: Vec<usize> = (0..a.columns).collect();
    order.sort_by(|&i, &j| lengths[j].total_cmp(&lengths[i]));
    let s = Matrix::from_fn(a.columns, 1, |row, _| lengths[order[row]]);
    let u = orthonormal(permuted_columns(&columns, &order), &s);
    (u, s, permuted_columns(&v, &order))
}

/// Orthogonal columns of the given lengths made unit vectors; for length 0 any that are orthogonal to the others.
fn orthonormal(mut columns: Matrix, lengths: &Matrix) -> Matrix {
    let negligible = lengths
        .data
        .first()
        .map_or(0.0, |greatest| greatest * f64::EPSILON * 1e-3);
    for column in 0..columns.columns {
        let length = lengths.data[column];
        if length > negligible {
            for row in 0..columns.rows {
                columns[(row, column)] /= length;
            }
        } else {
            complete(&mut columns, column);
        }
    }
    columns
}

/// Makes `column` a unit vector orthogonal to the columns before it: of the axes, the one that keeps most of its length.
fn complete(columns: &mut Matrix, column: usize) {
    let mut best = (0.0, Vec::new());
    for axis in 0..columns.rows {
        let mut vector = vec![0.0; columns.rows];
        vector[axis] = 1.0;
        for _ in 0..2 {
            for before in 0..column {
                let product: f64 = (0..columns.rows)
                    .map(|row| vector[row] * columns[(row, before)])
                    .sum();
                for row in 0..columns.rows {
                    vector[row] -= product * columns[(row, before)];
                }
            }
        }
        let length = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
        if length > best.0 {
            best = (length, vector);
        }
    }
    for row in 0..columns.rows {
        columns[(row, column)] = best.1[row] / best.0;
    }
}

/// The Moore-Penrose inverse; singular values up to `relative` times the greatest count as 0.
pub(crate) fn pseudoinverse(a: &Matrix, relative: f64) -> Matrix {
    let (u, s, v) = svd(a);
    let least = s.data.first().map_or(0.0, |greatest| greatest * relative);
    Matrix::from_fn(a.columns, a.rows, |row, column| {
        let kept = (0..s.rows).filter(|&k| s.data[k] > least);
        kept.map(|k| v[(row, k)] * u[(column, k)] / s.data[k]).sum()
    })
}

/// exp A by scaling, Padé's approximation of order 13 and squaring (Higham 2005).
pub(crate) fn exponential(a: &Matrix) -> Result<Matrix, String> {
    const LARGEST: f64 = 5.371_920_351_148_152;
    const COEFFICIENTS: [f64; 14] = [
        64_764_752_532_480_000.0,
        32_382_376_266_240_000.0,
        7_771_770_303_897_600.0,
        1_187_353_796_428_800.0,
        129_060_195_264_000.0,
        10_559_470_521_600.0,
        670_442_572_800.0,
        33_522_128_640.0,
        1_323_241_920.0,
        40_840_800.0,
        960_960.0,
        16_380.0,
        182.0,
        1.0,
    ];
    let norm = a.one_norm();
    if !norm.is_finite() {
        return Err("has elements that are not finite".to_owned());
    }
    let squarings = (norm / LARGEST).log2().ceil().max(0.0) as i32;
    let a = a.scaled(0.5_f64.powi(squarings));
    let square = a.times(&a);
    // Even and odd powers apart, by Horner's scheme.
    let sum = |first: usize| {
        (0..6).rev().fold(
            Matrix::identity(a.rows).scaled(COEFFICIENTS[first + 12]),
            |sum, power| {
                let constant = Matrix::identity(a.rows).scaled(COEFFICIENTS[first + 2 * power]);
                sum.times(&square).plus(&constant)
            },
        )
    };
    let (even, odd) = (sum(0), a.times(&sum(1)));
    let quotient = super::dense::solve(&even.plus(&odd.scaled(-1.0)), &even.plus(&odd))?;
    Ok((0..squarings).fold(quotient, |power, _| power.times(&power)))
}
