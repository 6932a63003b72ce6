//! Dense matrices of `f64` and the classical algorithms on them, as plainly as they can be written.

use std::ops::{Index, IndexMut};

/// A row-major matrix.
#[derive(Clone, Debug)]
pub(crate) struct Matrix {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) data: Vec<f64>,
}

impl Index<(usize, usize)> for Matrix {
    type Output = f64;
    fn index(&self, (row, column): (usize, usize)) -> &f64 {
        &self.data[row * self.columns + column]
    }
}

impl IndexMut<(usize, usize)> for Matrix {
    fn index_mut(&mut self, (row, column): (usize, usize)) -> &mut f64 {
        &mut self.data[row * self.columns + column]
    }
}

impl Matrix {
    pub(crate) fn from_fn(
        rows: usize,
        columns: usize,
        element: impl Fn(usize, usize) -> f64,
    ) -> Matrix {
        let element = &element;
        Matrix {
            rows,
            columns,
            data: (0..rows)
                .flat_map(|row| (0..columns).map(move |column| element(row, column)))
                .collect(),
        }
    }

    pub(crate) fn identity(extent: usize) -> Matrix {
        Matrix::from_fn(extent, extent, |row, column| {
            f64::from(u8::from(row == column))
        })
    }

    pub(crate) fn transposed(&self) -> Matrix {
        Matrix::from_fn(self.columns, self.rows, |row, column| self[(column, row)])
    }

    pub(crate) fn symmetric_part(&self) -> Matrix {
        Matrix::from_fn(self.rows, self.rows, |row, column| {
            (self[(row, column)] + self[(column, row)]) / 2.0
        })
    }

    pub(crate) fn scaled(&self, factor: f64) -> Matrix {
        Matrix::from_fn(self.rows, self.columns, |row, column| {
            self[(row, column)] * factor
        })
    }

    pub(crate) fn plus(&self, other: &Matrix) -> Matrix {
        Matrix::from_fn(self.rows, self.columns, |row, column| {
            self[(row, column)] + other[(row, column)]
        })
    }

    pub(crate) fn times(&self, other: &Matrix) -> Matrix {
        Matrix::from_fn(self.rows, other.columns, |row, column| {
            (0..self.columns)
                .map(|k| self[(row, k)] * other[(k, column)])
                .sum()
        })
    }

    fn swap_rows(&mut self, first: usize, second: usize) {
        for column in 0..self.columns {
            self.data.swap(
                first * self.columns + column,
                second * self.columns + column,
            );
        }
    }

    /// The greatest sum of absolute elements of a column.
    pub(crate) fn one_norm(&self) -> f64 {
        let column = |column| {
            (0..self.rows)
                .map(|row| self[(row, column)].abs())
                .sum::<f64>()
        };
        (0..self.columns).map(column).fold(0.0, f64::max)
    }
}

/// P A = L U by Gaussian elimination with the greatest pivot of each column: both factors in one matrix, the row of A that
/// each row comes from, and the determinant of P.
pub(crate) fn lu(a: &Matrix) -> (Matrix, Vec<usize>, f64) {
    let mut factors = a.clone();
    let mut order: Vec<usize> = (0..a.rows).collect();
    let mut sign = 1.0;
    for step in 0..a.rows.min(a.columns) {
        let mut pivot = step;
        for row in step + 1..a.rows {
            if factors[(row, step)].abs() > factors[(pivot, step)].abs() {
                pivot = row;
            }
        }
        if pivot != step {
            factors.swap_rows(pivot, step);
            order.swap(pivot, step);
            sign = -sign;
        }
        if factors[(step, step)] == 0.0 {
            continue;
        }
        for row in step + 1..a.rows {
            let factor = factors[(row, step)] / factors[(step, step)];
            factors[(row, step)] = factor;
            for column in step + 1..a.columns {
                factors[(row, column)] -= factor * factors[(step, column)];
            }
        }
    }
    (factors, order, sign)
}

/// Solves A X = B for triangular A, of which only the triangle is read.
pub(crate) fn solve_triangular(
    a: &Matrix,
    b: &Matrix,
    upper: bool,
    unit: bool,
) -> Result<Matrix, String> {
    let extent = a.rows;
    let mut x = b.clone();
    for step in 0..extent {
        let row = if upper { extent - 1 - step } else { step };
        let solved = if upper { row + 1..extent } else { 0..row };
        let pivot = if unit { 1.0 } else { a[(row, row)] };
        if pivot == 0.0 {
            return Err(format!("is singular: its diagonal element {row} is 0"));
        }
        for column in 0..b.columns {
            let known: f64 = solved.clone().map(|k| a[(row, k)] * x[(k, column)]).sum();
            x[(row, column)] = (x[(row, column)] - known) / pivot;
        }
    }
    Ok(x)
}

/// Solves A X = B.
pub(crate) fn solve(a: &Matrix, b: &Matrix) -> Result<Matrix, String> {
    let (factors, order, _) = lu(a);
    if (0..a.rows).any(|step| factors[(step, step)] == 0.0) {
        return Err("is singular".to_owned());
    }
    let permuted = Matrix::from_fn(b.rows, b.columns, |row, column| b[(order[row], column)]);
    let forward = solve_triangular(&factors, &permuted, false, true)?;
    solve_triangular(&factors, &forward, true, false)
}

/// The lower triangular L with L Lᵀ = the symmetric part of A.
pub(crate) fn cholesky(a: &Matrix) -> Result<Matrix, String> {
    let a = a.symmetric_part();
    let mut l = Matrix::from_fn(a.rows, a.rows, |_, _| 0.0);
    for row in 0..a.rows {
        for column in 0..=row {
            let known: f64 = (0..column).map(|k| l[(row, k)] * l[(column, k)]).sum();
            let rest = a[(row, column)] - known;
            if row > column {
                l[(row, column)] = rest / l[(column, column)];
            } else if rest > 0.0 {
                l[(row, row)] = rest.sqrt();
            } else {
                let leading = row + 1;
                return Err(format!(
                    "is not positive definite: its leading {leading}×{leading} part is not"
                ));
            }
        }
    }
    Ok(l)
}

/// Q R = A by Householder's reflections, reduced, for at least as many rows as columns (and signs as LAPACK has them).
pub(crate) fn qr(a: &Matrix) -> (Matrix, Matrix) {
    let mut r = a.clone();
    let mut q = Matrix::from_fn(a.rows, a.columns, |row, column| {
        f64::from(u8::from(row == column))
    });
    let mut reflections = Vec::new();
    for step in 0..a.columns {
        let below: f64 = (step + 1..a.rows).map(|row| r[(row, step)].powi(2)).sum();
        let mut vector = vec![0.0; a.rows];
        if below > 0.0 {
            let head = r[(step, step)];
            let length = -(head * head + below).sqrt().copysign(head);
            vector[step] = 1.0;
            for row in step + 1..a.rows {
                vector[row] = r[(row, step)] / (head - length);
            }
        }
        reflect(&vector, &mut r);
        reflections.push(vector);
    }
    for vector in reflections.iter().rev() {
        reflect(vector, &mut q);
    }
    let upper = Matrix::from_fn(a.columns, a.columns, |row, column| {
        if row <= column { r[(row, column)] } else { 0.0 }
    });
    (q, upper)
}

/// (I - 2 v vᵀ / vᵀv) M in place; nothing for a zero vector.
fn reflect(vector: &[f64], matrix: &mut Matrix) {
    let square: f64 = vector.iter().map(|x| x * x).sum();
    if square == 0.0 {
        return;
    }
    for column in 0..matrix.columns {
        let product: f64 = (0..matrix.rows)
            .map(|row| vector[row] * matrix[(row, column)])
            .sum();
        for row in 0..matrix.rows {
            matrix[(row, column)] -= 2.0 * product / square * vector[row];
        }
    }
}
