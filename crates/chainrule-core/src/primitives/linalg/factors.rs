//! Triangular factors: Cholesky's and QR.

use super::dense::{self, Matrix};
use super::function::{MatrixFunction, check_square, matrix_functions, with_last};
use crate::declare::{Sample, Specs, one, operation};
use crate::error::{Mismatch, raise};
use crate::family;
use crate::graph::Spec;
use crate::tensor::Tensor;

family! { Cholesky, Qr }
matrix_functions! { Cholesky, Qr }

/// The lower triangular L with L Lᵀ = (A + Aᵀ) / 2.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Cholesky;

/// Q with orthonormal columns and upper triangular R with Q R = A, for at least as many rows as columns.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Qr;

/// The lower triangle with half the diagonal.
fn lower_half(matrix: &Tensor) -> Tensor {
    (matrix.tril(0) + matrix.tril(-1)) * 0.5
}

/// A⁻¹ B for triangular A.
fn solved(a: &Tensor, b: &Tensor, upper: bool) -> Tensor {
    a.solve_triangular(b, upper, false)
}

/// B A⁻¹ for triangular A.
fn solved_right(b: &Tensor, a: &Tensor, upper: bool) -> Tensor {
    solved(&a.adjoint(), &b.adjoint(), !upper).adjoint()
}

impl MatrixFunction for Cholesky {
    fn name(&self) -> &'static str {
        "cholesky"
    }

    fn formula(&self) -> &'static str {
        "y = L with L Lᵀ = (A + Aᵀ) / 2"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        check_square(inputs[0])?;
        one(inputs[0].clone())
    }

    fn value(&self, operands: &[Matrix]) -> Result<Vec<Matrix>, String> {
        Ok(vec![dense::cholesky(&operands[0])?])
    }

    /// dL = L Φ(L⁻¹ dA L⁻ᵀ), with Φ the lower triangle with half the diagonal.
    fn jvp(
        &self,
        _inputs: &[Tensor],
        outputs: &[Tensor],
        tangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        let l = &outputs[0];
        let tangent = tangents[0].as_ref();
        vec![tangent.map(|tangent| {
            let left = solved(l, &tangent.symmetric_part(), false);
            let inner = solved(l, &left.adjoint(), false);
            l.matmul(lower_half(&inner))
        })]
    }

    /// The symmetric part of L⁻ᵀ Φ(Lᵀ G) L⁻¹ (Murray 2016).
    fn vjp(
        &self,
        _inputs: &[Tensor],
        outputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        let l = &outputs[0];
        let cotangent = cotangents[0].as_ref();
        vec![cotangent.map(|cotangent| {
            let inner = lower_half(&l.adjoint().matmul(cotangent.tril(0)));
            let left = solved(&l.adjoint(), &inner, true);
            solved_right(&left, l, false).symmetric_part()
        })]
    }

    fn samples() -> Vec<Sample> {
        let of = || Sample::new(operation(Cholesky));
        vec![
            of().dominant([3, 3]),
            of().dominant([2, 2, 2]),
            of().dominant([0, 0]),
        ]
    }
}

impl MatrixFunction for Qr {
    fn name(&self) -> &'static str {
        "qr"
    }

    fn formula(&self) -> &'static str {
        "y = Q, R with Q R = A"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        let rank = inputs[0].rank();
        let (rows, columns) = (inputs[0].shape()[rank - 2], inputs[0].shape()[rank - 1]);
        if rows < columns {
            return Err(Mismatch::shape("there are fewer rows than columns"));
        }
        let r = with_last(inputs[0], &[columns, columns]);
        Ok(smallvec::smallvec![inputs[0].clone(), r])
    }

    fn value(&self, operands: &[Matrix]) -> Result<Vec<Matrix>, String> {
        let (q, r) = dense::qr(&operands[0]);
        Ok(vec![q, r])
    }

    /// With S = X + Xᵀ for X = Qᵀ dA R⁻¹, and Ψ its upper triangle with half the diagonal: dR = Ψ R, dQ = dA R⁻¹ - Q Ψ.
    fn jvp(
        &self,
        _inputs: &[Tensor],
        outputs: &[Tensor],
        tangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        let (q, r) = (&outputs[0], &outputs[1]);
        let Some(tangent) = &tangents[0] else {
            return vec![None, None];
        };
        let right = solved_right(tangent, r, true);
        let inner = q.adjoint().matmul(&right);
        let both = &inner + inner.adjoint();
        let upper = (both.triu(0) + both.triu(1)) * 0.5;
        vec![Some(right - q.matmul(&upper)), Some(upper.matmul(r))]
    }

    /// (Gq + Q C) R⁻ᵀ, where C is R Grᵀ - Gqᵀ Q with its lower triangle mirrored to the upper (Walter, Lehmann 2013).
    fn vjp(
        &self,
        _inputs: &[Tensor],
        outputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        let (q, r) = (&outputs[0], &outputs[1]);
        let from_r = cotangents[1]
            .as_ref()
            .map(|g| r.matmul(g.triu(0).adjoint()));
        let from_q = cotangents[0].as_ref().map(|g| -g.adjoint().matmul(q));
        let Some(inner) = sum(from_r, from_q) else {
            return vec![None];
        };
        let mirrored = inner.tril(0) + inner.tril(-1).adjoint();
        let whole = sum(cotangents[0].clone(), Some(q.matmul(mirrored)));
        vec![whole.map(|whole| solved_right(&whole, &r.adjoint(), false))]
    }

    fn samples() -> Vec<Sample> {
        let of = || Sample::new(operation(Qr));
        vec![
            of().dominant([3, 3]),
            of().dominant([4, 2]),
            of().dominant([2, 3, 2]),
        ]
    }
}

/// The sum of what is there.
pub(super) fn sum(first: Option<Tensor>, second: Option<Tensor>) -> Option<Tensor> {
    match (first, second) {
        (Some(first), Some(second)) => Some(first + second),
        (first, second) => first.or(second),
    }
}

impl Tensor {
    /// The lower triangular L with L Lᵀ = A for symmetric positive definite matrices `[.., n, n]`. Of a matrix that is not
    /// symmetric the symmetric part counts, so the gradient is symmetric.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let l = tensor![[4.0, 2.0], [2.0, 5.0]].cholesky();
    /// assert_eq!(l.to_vec::<f32>(), [2.0, 0.0, 1.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// When the matrices are not square; when the value is computed and one is not positive definite.
    #[track_caller]
    pub fn cholesky(&self) -> Tensor {
        operation(Cholesky).of(&[&self.floating()])
    }

    /// Q and R with Q R = A for matrices `[.., m, n]`: Q `[.., m, k]` has orthonormal columns, R `[.., k, n]` is upper
    /// triangular, k the lesser of m and n. By Householder's reflections, with LAPACK's signs. The derivative needs the
    /// first k columns to be independent.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let a = tensor![[3.0, 1.0], [4.0, 2.0]];
    /// let (q, r) = a.qr();
    /// assert!((q.matmul(r) - a).abs().max(..).item::<f32>() < 1e-6);
    /// ```
    ///
    /// # Panics
    /// When there are fewer than two axes.
    #[track_caller]
    pub fn qr(&self) -> (Tensor, Tensor) {
        let a = self.floating();
        if a.rank() < 2 {
            let mismatch = Mismatch::shape("there are no two axes of a matrix");
            raise(mismatch.into_error("qr", &[self.as_operand()]));
        }
        let (rows, columns) = (a.shape()[a.rank() - 2], a.shape()[a.rank() - 1]);
        let square = a.narrow(-1, 0, columns.min(rows));
        let outputs = operation(Qr).all_of(&[&square]);
        let (q, r) = (outputs[0].clone(), outputs[1].clone());
        if columns <= rows {
            return (q, r);
        }
        // The further columns follow from the first: Qᵀ times them.
        let rest = q.adjoint().matmul(a.narrow(-1, rows, columns - rows));
        (q, Tensor::concat(&[&r, &rest], -1))
    }
}
