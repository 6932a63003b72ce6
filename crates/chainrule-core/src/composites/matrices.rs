//! Functions of matrices and vectors made of products, solutions and singular values.

use crate::error::{Mismatch, raise};
use crate::shape::Shape;
use crate::tensor::Tensor;
use chainrule_kernels::DType;

/// Which norm [`Tensor::matrix_norm`] takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MatrixNorm {
    /// The root of the sum of squared elements.
    Frobenius,
    /// The sum of the singular values.
    Nuclear,
    /// The greatest singular value.
    Spectral,
    /// The least singular value.
    LeastSingular,
    /// The greatest sum of absolute elements of a column.
    Columns,
    /// The least sum of absolute elements of a column.
    LeastColumn,
    /// The greatest sum of absolute elements of a row.
    Rows,
    /// The least sum of absolute elements of a row.
    LeastRow,
}

impl Tensor {
    /// The `power`-th power of square matrices `[.., n, n]`, by repeated squaring: of the inverse where it is negative, the
    /// identity where it is 0.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![[1.0, 1.0], [0.0, 1.0]].matrix_power(5).to_vec::<f32>(), [1.0, 5.0, 0.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// When the matrices are not square; when the value is computed and one to be inverted is singular.
    #[track_caller]
    pub fn matrix_power(&self, power: i32) -> Tensor {
        let rank = self.rank();
        if rank < 2 || self.shape()[rank - 1] != self.shape()[rank - 2] {
            let mismatch = Mismatch::shape("the matrix must be square");
            raise(mismatch.into_error("matrix_power", &[self.as_operand()]));
        }
        let base = if power < 0 { self.inv() } else { self.clone() };
        let (mut square, mut left, mut product) = (base, power.unsigned_abs(), None::<Tensor>);
        while left > 0 {
            if left & 1 == 1 {
                product = Some(match product {
                    Some(product) => product.matmul(&square),
                    None => square.clone(),
                });
            }
            left >>= 1;
            if left > 0 {
                square = square.matmul(&square);
            }
        }
        product.unwrap_or_else(|| self.identity_like())
    }

    /// The x `[.., n, k]` of least squares |A x - b|, and of those the shortest: `self` is A `[.., m, n]`, b `[.., m, k]`.
    /// By the pseudoinverse.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let x = tensor![[1.0], [1.0]].lstsq(&tensor![[1.0], [3.0]]);
    /// assert!((x.item::<f32>() - 2.0).abs() < 1e-6);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not fit.
    #[track_caller]
    pub fn lstsq(&self, b: &Tensor) -> Tensor {
        self.pinv(None).matmul(b)
    }

    /// The solution of L Lᵀ x = b for a factor L of [`cholesky`](Tensor::cholesky); shapes as of
    /// [`solve`](Tensor::solve).
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let a = tensor![[4.0, 2.0], [2.0, 5.0]];
    /// let x = a.cholesky().cholesky_solve(&tensor![4.0, 2.0]);
    /// assert_eq!(x.to_vec::<f32>(), [1.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not fit; when the value is computed and a diagonal holds 0.
    #[track_caller]
    pub fn cholesky_solve(&self, b: &Tensor) -> Tensor {
        let half = self.solve_triangular(b, false, false);
        self.adjoint().solve_triangular(&half, true, false)
    }

    /// The number of singular values of matrices `[.., m, n]` above `relative` times the greatest (`None`: the dtype's
    /// precision times the greater of m and n), as `i64`.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![[1.0, 2.0], [2.0, 4.0]].matrix_rank(None).item::<i64>(), 1);
    /// ```
    ///
    /// # Panics
    /// When there are fewer than two axes.
    #[track_caller]
    pub fn matrix_rank(&self, relative: Option<f64>) -> Tensor {
        let (_, values, _) = self.svd();
        if values.shape()[values.rank() - 1] == 0 {
            return values.cast(DType::I64).sum(-1);
        }
        let precision = match values.dtype() {
            DType::F64 => f64::EPSILON,
            DType::F32 => f32::EPSILON.into(),
            DType::BF16 => 0.007_812_5,
            _ => 0.000_976_562_5,
        };
        let greater = self
            .shape()
            .iter()
            .rev()
            .take(2)
            .copied()
            .max()
            .unwrap_or(0);
        let relative = relative.unwrap_or(precision * greater as f64);
        let least = values.max(crate::keep(-1)) * relative;
        values.gt(&least).count_nonzero(-1)
    }

    /// A norm of matrices `[.., m, n]`.
    ///
    /// ```
    /// use chainrule_core::{MatrixNorm, tensor};
    /// let a = tensor![[3.0, 0.0], [0.0, -4.0]];
    /// assert_eq!(a.matrix_norm(MatrixNorm::Frobenius).item::<f32>(), 5.0);
    /// assert_eq!(a.matrix_norm(MatrixNorm::Nuclear).item::<f32>(), 7.0);
    /// ```
    ///
    /// # Panics
    /// When there are fewer than two axes, or a greatest or least of nothing is asked for.
    #[track_caller]
    pub fn matrix_norm(&self, norm: MatrixNorm) -> Tensor {
        self.require_floating("matrix_norm");
        if self.rank() < 2 {
            let mismatch = Mismatch::shape("there are no two axes of a matrix");
            raise(mismatch.into_error("matrix_norm", &[self.as_operand()]));
        }
        match norm {
            MatrixNorm::Frobenius => self.norm(2.0, [-2, -1]),
            MatrixNorm::Nuclear => self.svd().1.sum(-1),
            MatrixNorm::Spectral => self.svd().1.max(-1),
            MatrixNorm::LeastSingular => self.svd().1.min(-1),
            MatrixNorm::Columns => self.abs().sum(-2).max(-1),
            MatrixNorm::LeastColumn => self.abs().sum(-2).min(-1),
            MatrixNorm::Rows => self.abs().sum(-1).max(-1),
            MatrixNorm::LeastRow => self.abs().sum(-1).min(-1),
        }
    }

    /// The vector product of vectors of three elements along `axis`.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let z = tensor![1.0, 0.0, 0.0].cross(&tensor![0.0, 1.0, 0.0], -1);
    /// assert_eq!(z.to_vec::<f32>(), [0.0, 0.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// When the ranks differ, the axis does not exist or does not have extent 3, or the shapes do not broadcast.
    #[track_caller]
    pub fn cross(&self, other: &Tensor, axis: isize) -> Tensor {
        let at = self.axis("cross", axis);
        if self.rank() != other.rank() || self.shape()[at] != 3 || other.shape()[at] != 3 {
            let mismatch = Mismatch::shape(format!("axis {at} of both must have extent 3"));
            raise(mismatch.into_error("cross", &[self.as_operand(), other.as_operand()]));
        }
        let turned = |x: &Tensor, by: isize| x.roll(by, axis);
        turned(self, -1) * turned(other, -2) - turned(self, -2) * turned(other, -1)
    }

    /// The products of all elements of two tensors as blocks (Kronecker's product): the extents multiply, axis by axis from
    /// the last.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let y = tensor![1.0, 2.0].kron(&tensor![1.0, 10.0]);
    /// assert_eq!(y.to_vec::<f32>(), [1.0, 10.0, 2.0, 20.0]);
    /// ```
    #[track_caller]
    pub fn kron(&self, other: &Tensor) -> Tensor {
        let rank = self.rank().max(other.rank());
        let padded = |x: &Tensor| {
            vec![1; rank - x.rank()]
                .into_iter()
                .chain(x.shape().iter().copied())
                .collect::<Vec<usize>>()
        };
        let (a, b) = (padded(self), padded(other));
        let spread: Shape = a.iter().flat_map(|&extent| [extent, 1]).collect();
        let dense: Shape = b.iter().flat_map(|&extent| [1, extent]).collect();
        let result: Shape = a.iter().zip(&b).map(|(a, b)| a * b).collect();
        (self.shaped(&spread) * other.shaped(&dense)).shaped(&result)
    }

    /// The sum of products over pairs of axes, the first list of `self`, the second of `other`; the result has the other
    /// axes of `self`, then those of `other`.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// let y = Tensor::ones([2, 3, 4]).tensordot(&Tensor::ones([4, 5, 2]), &[0, 2], &[2, 0]);
    /// assert_eq!(y.shape()[..], [3, 5]);
    /// ```
    ///
    /// # Panics
    /// When an axis does not exist or is given twice, or the extents of a pair differ.
    #[track_caller]
    pub fn tensordot(&self, other: &Tensor, axes: &[isize], other_axes: &[isize]) -> Tensor {
        let first = self.axes("tensordot", axes.into());
        let second = other.axes("tensordot", other_axes.into());
        let extents = |x: &Tensor, axes: &[usize]| {
            axes.iter().map(|&axis| x.shape()[axis]).collect::<Vec<_>>()
        };
        if extents(self, &first) != extents(other, &second) {
            let reason = "the axes to be multiplied over must have equal extents, pair by pair";
            let operands = [self.as_operand(), other.as_operand()];
            raise(Mismatch::shape(reason).into_error("tensordot", &operands));
        }
        let rest = |x: &Tensor, axes: &[usize]| {
            (0..x.rank())
                .filter(|axis| !axes.contains(axis))
                .collect::<Vec<_>>()
        };
        let (rest_a, rest_b) = (rest(self, &first), rest(other, &second));
        let count: usize = extents(self, &first).iter().product();
        let rows: usize = extents(self, &rest_a).iter().product();
        let columns: usize = extents(other, &rest_b).iter().product();
        let order_a: Vec<usize> = rest_a.iter().chain(&first).copied().collect();
        let order_b: Vec<usize> = second.iter().chain(&rest_b).copied().collect();
        let a = self.permute(order_a).shaped(&Shape::from([rows, count]));
        let b = other
            .permute(order_b)
            .shaped(&Shape::from([count, columns]));
        let result: Shape = extents(self, &rest_a)
            .into_iter()
            .chain(extents(other, &rest_b))
            .collect();
        a.matmul(b).shaped(&result)
    }

    /// The powers 0 to `count` - 1 of each element along a new last axis (Vandermonde's matrix of a vector).
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![2.0, 3.0].vander(3).to_vec::<f32>(), [1.0, 2.0, 4.0, 1.0, 3.0, 9.0]);
    /// ```
    #[track_caller]
    pub fn vander(&self, count: usize) -> Tensor {
        let shape = self.shape().with_axis(self.rank(), count.saturating_sub(1));
        let column = self.unsqueeze(-1);
        if count == 0 {
            return column.narrow(-1, 0, 0);
        }
        let factors = Tensor::concat(&[&column.ones_like(), &column.expand(&shape)], -1);
        factors.cumprod(-1)
    }
}
