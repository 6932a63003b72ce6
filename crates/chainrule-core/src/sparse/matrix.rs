//! A sparse matrix of derivatives.

use super::{Colouring, Pattern};
use crate::tensor::Tensor;
use std::fmt;
use std::sync::Arc;

/// A matrix that holds the entries of a [`Pattern`] only.
///
/// The values are a tensor, one number for each entry, row after row: they can be computed with and differentiated again.
/// Together with the pattern's row starts and column indices they are the CSR format.
#[derive(Clone)]
pub struct SparseMatrix {
    pattern: Arc<Pattern>,
    values: Tensor,
    colouring: Arc<Colouring>,
}

impl SparseMatrix {
    pub(super) fn new(
        pattern: Arc<Pattern>,
        values: Tensor,
        colouring: Arc<Colouring>,
    ) -> SparseMatrix {
        SparseMatrix {
            pattern,
            values,
            colouring,
        }
    }

    /// The numbers of rows and columns.
    pub fn shape(&self) -> [usize; 2] {
        self.pattern.shape()
    }

    /// Where the entries are.
    pub fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// The values of the entries, row after row: `[entries]`.
    pub fn values(&self) -> &Tensor {
        &self.values
    }

    /// The colouring by which the values were found; its [`count`](Colouring::count) is the number of products that it took.
    pub fn colouring(&self) -> &Colouring {
        &self.colouring
    }

    /// The CSR format: where each row's entries start (and at last their number), their columns, and their values.
    pub fn csr(&self) -> (&[usize], &[u32], &Tensor) {
        (
            self.pattern.row_starts(),
            self.pattern.column_indices(),
            &self.values,
        )
    }

    /// The COO format: the row, the column and the value of every entry, each `[entries]`; rows and columns are `i64`.
    pub fn coo(&self) -> (Tensor, Tensor, Tensor) {
        let (rows, columns): (Vec<i64>, Vec<i64>) = self
            .pattern
            .coordinates()
            .map(|(row, column)| (i64::from(row), i64::from(column)))
            .unzip();
        (
            Tensor::from(rows),
            Tensor::from(columns),
            self.values.clone(),
        )
    }

    /// The whole matrix, `[rows, columns]`, with zeros where there is no entry.
    pub fn to_dense(&self) -> Tensor {
        let [rows, columns] = self.shape();
        let places: Vec<i64> = self
            .pattern
            .coordinates()
            .map(|(row, column)| i64::from(row) * columns as i64 + i64::from(column))
            .collect();
        let flat = zeros(&self.values, rows * columns);
        flat.scatter_add(0, &Tensor::from(places), &self.values)
            .shaped(&[rows, columns].into())
    }

    /// The product with a vector `[columns]`: `[rows]`.
    ///
    /// # Panics
    /// When the vector has another shape.
    #[track_caller]
    pub fn matvec(&self, vector: &Tensor) -> Tensor {
        let (rows, columns, values) = self.coo();
        let terms = values * vector.index_select(0, &columns);
        zeros(&terms, self.shape()[0]).scatter_add(0, &rows, &terms)
    }
}

fn zeros(like: &Tensor, count: usize) -> Tensor {
    like.filled_like(0.0).sum(..).expand([count])
}

impl fmt::Debug for SparseMatrix {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [rows, columns] = self.shape();
        write!(
            out,
            "SparseMatrix({rows} x {columns}, {} entries of {}, {} colours)",
            self.pattern.entries(),
            self.values.dtype(),
            self.colouring.count()
        )
    }
}
