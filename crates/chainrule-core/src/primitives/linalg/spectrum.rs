//! Eigenvalues of symmetric matrices, singular values, and the pseudoinverse that they give.

use super::dense::Matrix;
use super::factors::sum;
use super::function::{MatrixFunction, check_square, matrix_functions, with_last};
use super::spectral;
use crate::declare::{Real, Sample, Specs, one, operation};
use crate::error::Mismatch;
use crate::family;
use crate::graph::Spec;
use crate::tensor::Tensor;
use chainrule_kernels::DType;

family! { Eigh, Pinv, Svd }
matrix_functions! { Eigh, Pinv, Svd }

/// Eigenvalues, ascending, and eigenvectors of (A + Aᵀ) / 2.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Eigh;

/// U, singular values (descending) and Vᵀ, reduced.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Svd;

/// The Moore-Penrose inverse; singular values up to `relative` times the greatest count as 0.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Pinv {
    pub(crate) relative: Real,
}

/// The main diagonal of each matrix.
fn diagonal(matrix: &Tensor) -> Tensor {
    matrix.diagonal(0, -2, -1)
}

/// A matrix over the differences `values[j] - values[i]`, with 0 on its diagonal.
fn over_differences(matrix: &Tensor, values: &Tensor) -> Tensor {
    let differences = values.unsqueeze(-2) - values.unsqueeze(-1);
    let identity = differences.identity_like();
    (matrix - matrix * &identity) / (differences + identity)
}

impl MatrixFunction for Eigh {
    fn name(&self) -> &'static str {
        "eigh"
    }

    fn formula(&self) -> &'static str {
        "y = λ, V with (A + Aᵀ)/2 V = V diag λ"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        let extent = check_square(inputs[0])?;
        Ok(smallvec::smallvec![
            with_last(inputs[0], &[extent]),
            inputs[0].clone()
        ])
    }

    fn value(&self, operands: &[Matrix]) -> Result<Vec<Matrix>, String> {
        let (values, vectors) = spectral::eigh(&operands[0]);
        Ok(vec![values, vectors])
    }

    /// With M = Vᵀ dA V: dλ = diag M, dV = V (M[i, j] / (λ[j] - λ[i])).
    fn jvp(
        &self,
        _inputs: &[Tensor],
        outputs: &[Tensor],
        tangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        let (values, vectors) = (&outputs[0], &outputs[1]);
        let Some(tangent) = &tangents[0] else {
            return vec![None, None];
        };
        let inner = vectors
            .adjoint()
            .matmul(tangent.symmetric_part())
            .matmul(vectors);
        let turn = over_differences(&inner, values);
        vec![Some(diagonal(&inner)), Some(vectors.matmul(turn))]
    }

    /// V (diag Gλ + (Vᵀ Gv)[i, j] / (λ[j] - λ[i])) Vᵀ, symmetric part.
    fn vjp(
        &self,
        _inputs: &[Tensor],
        outputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        let (values, vectors) = (&outputs[0], &outputs[1]);
        let from_values = cotangents[0].as_ref().map(|g| g.diag_embed(0));
        let from_vectors = cotangents[1]
            .as_ref()
            .map(|g| over_differences(&vectors.adjoint().matmul(g), values));
        let inner = sum(from_values, from_vectors);
        vec![inner.map(|inner| {
            vectors
                .matmul(inner)
                .matmul(vectors.adjoint())
                .symmetric_part()
        })]
    }

    fn samples() -> Vec<Sample> {
        let of = || Sample::new(operation(Eigh));
        vec![
            of().dominant([3, 3]),
            of().dominant([2, 2, 2]),
            of().dominant([0, 0]),
        ]
    }
}

impl MatrixFunction for Svd {
    fn name(&self) -> &'static str {
        "svd"
    }

    fn formula(&self) -> &'static str {
        "y = U, s, Vᵀ with A = U diag s Vᵀ"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        let rank = inputs[0].rank();
        let (rows, columns) = (inputs[0].shape()[rank - 2], inputs[0].shape()[rank - 1]);
        let count = rows.min(columns);
        let of = |last: &[usize]| with_last(inputs[0], last);
        Ok(smallvec::smallvec![
            of(&[rows, count]),
            of(&[count]),
            of(&[count, columns])
        ])
    }

    fn value(&self, operands: &[Matrix]) -> Result<Vec<Matrix>, String> {
        let (u, s, v) = spectral::svd(&operands[0]);
        Ok(vec![u, s, v.transposed()])
    }

    /// With P = Uᵀ dA V: ds = diag P; dU = U E(P S + S Pᵀ) and dV = V E(S P + Pᵀ S), where E divides by s[j]² - s[i]² off the
    /// diagonal; for tall (wide) matrices also the part of dA V S⁻¹ (dAᵀ U S⁻¹) that U (V) does not span.
    fn jvp(
        &self,
        _inputs: &[Tensor],
        outputs: &[Tensor],
        tangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        let (u, s, vt) = (&outputs[0], &outputs[1], &outputs[2]);
        let Some(tangent) = &tangents[0] else {
            return vec![None, None, None];
        };
        let (row, column) = (s.unsqueeze(-2), s.unsqueeze(-1));
        let inner = u.adjoint().matmul(tangent).matmul(vt.adjoint());
        let squares = s.square();
        let turn_u = over_differences(&(&inner * &row + &column * inner.adjoint()), &squares);
        let turn_v = over_differences(&(&column * &inner + inner.adjoint() * &row), &squares);
        let mut du = u.matmul(turn_u);
        let mut dv = vt.adjoint().matmul(turn_v);
        if is_tall(u) {
            du += outside(&tangent.matmul(vt.adjoint()), u) / &row;
        }
        if is_tall(&vt.adjoint()) {
            dv += outside(&tangent.adjoint().matmul(u), &vt.adjoint()) / &row;
        }
        vec![Some(du), Some(diagonal(&inner)), Some(dv.adjoint())]
    }

    /// The transpose of [`jvp`](MatrixFunction::jvp).
    fn vjp(
        &self,
        _inputs: &[Tensor],
        outputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        let (u, s, vt) = (&outputs[0], &outputs[1], &outputs[2]);
        let (row, column) = (s.unsqueeze(-2), s.unsqueeze(-1));
        let squares = s.square();
        let skewed = |x: Tensor| over_differences(&(&x - x.adjoint()), &squares);
        let from_u = cotangents[0]
            .as_ref()
            .map(|g| skewed(u.adjoint().matmul(g)) * &row);
        let from_s = cotangents[1].as_ref().map(|g| g.diag_embed(0));
        let v_cotangent = cotangents[2].as_ref().map(Tensor::adjoint);
        let from_v = v_cotangent.as_ref().map(|g| &column * skewed(vt.matmul(g)));
        let inner = sum(sum(from_u, from_s), from_v);
        let mut whole = inner.map(|inner| u.matmul(inner).matmul(vt));
        if let (Some(g), true) = (&cotangents[0], is_tall(u)) {
            let rest = (outside(g, u) / &row).matmul(vt);
            whole = sum(whole, Some(rest));
        }
        if let (Some(g), true) = (&v_cotangent, is_tall(&vt.adjoint())) {
            let rest = u.matmul((outside(g, &vt.adjoint()) / &row).adjoint());
            whole = sum(whole, Some(rest));
        }
        vec![whole]
    }

    fn samples() -> Vec<Sample> {
        let of = || Sample::new(operation(Svd));
        vec![
            of().dominant([3, 3]),
            of().dominant([3, 2]),
            of().dominant([2, 2, 4]),
        ]
    }
}

fn is_tall(matrix: &Tensor) -> bool {
    matrix.shape()[matrix.rank() - 2] > matrix.shape()[matrix.rank() - 1]
}

/// The part of the columns of `x` that the orthonormal columns of `basis` do not span.
fn outside(x: &Tensor, basis: &Tensor) -> Tensor {
    x - basis.matmul(basis.adjoint().matmul(x))
}

impl MatrixFunction for Pinv {
    fn name(&self) -> &'static str {
        "pinv"
    }

    fn formula(&self) -> &'static str {
        "y = A⁺"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        let rank = inputs[0].rank();
        let (rows, columns) = (inputs[0].shape()[rank - 2], inputs[0].shape()[rank - 1]);
        one(with_last(inputs[0], &[columns, rows]))
    }

    fn value(&self, operands: &[Matrix]) -> Result<Vec<Matrix>, String> {
        Ok(vec![spectral::pseudoinverse(&operands[0], self.relative.0)])
    }

    /// -P dA P + P Pᵀ dAᵀ (I - A P) + (I - P A) dAᵀ Pᵀ P, where the rank stays (Golub, Pereyra 1973).
    fn jvp(
        &self,
        inputs: &[Tensor],
        outputs: &[Tensor],
        tangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        let (a, p) = (&inputs[0], &outputs[0]);
        let tangent = tangents[0].as_ref();
        vec![tangent.map(|d| {
            let d_t = d.adjoint();
            let left = p.matmul(p.adjoint()).matmul(&d_t);
            let right = d_t.matmul(p.adjoint()).matmul(p);
            let left = &left - left.matmul(a).matmul(p);
            let right = &right - p.matmul(a).matmul(&right);
            left + right - p.matmul(d).matmul(p)
        })]
    }

    fn vjp(
        &self,
        inputs: &[Tensor],
        outputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        let (a, p) = (&inputs[0], &outputs[0]);
        let cotangent = cotangents[0].as_ref();
        vec![cotangent.map(|g| {
            let (p_t, g_t) = (p.adjoint(), g.adjoint());
            let left = g_t.matmul(p).matmul(&p_t);
            let right = p_t.matmul(p).matmul(&g_t);
            let left = &left - a.matmul(p).matmul(&left);
            let right = &right - right.matmul(p).matmul(a);
            left + right - p_t.matmul(g).matmul(&p_t)
        })]
    }

    fn samples() -> Vec<Sample> {
        let of = || {
            Sample::new(operation(Pinv {
                relative: Real(1e-15),
            }))
        };
        vec![
            of().dominant([3, 3]),
            of().dominant([2, 3]),
            of().dominant([2, 3, 2]),
        ]
    }
}

impl Tensor {
    /// The eigenvalues of symmetric matrices `[.., n, n]`, ascending, and orthonormal eigenvectors as the columns of
    /// `[.., n, n]`. Of a matrix that is not symmetric the symmetric part counts, so the gradient is symmetric. The sign of
    /// an eigenvector is left free; its derivative needs an eigenvalue that differs from all others (it is infinite or NaN
    /// otherwise).
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let (values, _) = tensor![[2.0, 1.0], [1.0, 2.0]].eigh();
    /// assert_eq!(values.to_vec::<f32>(), [1.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// When the matrices are not square.
    #[track_caller]
    pub fn eigh(&self) -> (Tensor, Tensor) {
        let outputs = operation(Eigh).all_of(&[&self.floating()]);
        (outputs[0].clone(), outputs[1].clone())
    }

    /// U, s and Vᵀ with A = U diag(s) Vᵀ for matrices `[.., m, n]`: U `[.., m, k]` and V `[.., n, k]` have orthonormal
    /// columns, the singular values s `[.., k]` descend, k is the lesser of m and n. A pair of columns of U and V is free in
    /// its sign; their derivatives need singular values that differ (and, where m and n differ, are not 0).
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let (_, s, _) = tensor![[0.0, 2.0], [3.0, 0.0]].svd();
    /// assert_eq!(s.to_vec::<f32>(), [3.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// When there are fewer than two axes.
    #[track_caller]
    pub fn svd(&self) -> (Tensor, Tensor, Tensor) {
        let outputs = operation(Svd).all_of(&[&self.floating()]);
        (outputs[0].clone(), outputs[1].clone(), outputs[2].clone())
    }

    /// The Moore-Penrose inverse `[.., n, m]` of matrices `[.., m, n]`. Singular values up to `relative` times the greatest
    /// count as 0; `None` is the dtype's precision times the greater of m and n. The derivative is along matrices of the
    /// same rank.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![[2.0], [0.0]].pinv(None).to_vec::<f32>(), [0.5, 0.0]);
    /// ```
    ///
    /// # Panics
    /// When there are fewer than two axes.
    #[track_caller]
    pub fn pinv(&self, relative: Option<f64>) -> Tensor {
        let a = self.floating();
        let greater = a.shape().iter().rev().take(2).copied().max().unwrap_or(0);
        let precision = match a.dtype() {
            DType::F64 => f64::EPSILON,
            DType::F32 => f32::EPSILON.into(),
            DType::BF16 => 0.007_812_5,
            _ => 0.000_976_562_5,
        };
        let relative = Real(relative.unwrap_or(precision * greater as f64));
        operation(Pinv { relative }).of(&[&a])
    }
}
