//! Linear systems: general and triangular matrices, and exponentials of matrices.

use super::dense::{self, Matrix};
use super::function::{MatrixFunction, check_leading, check_square, matrix_functions};
use super::spectral;
use crate::declare::{Sample, Specs, one, operation};
use crate::error::{Mismatch, raise};
use crate::family;
use crate::graph::Spec;
use crate::tensor::Tensor;

family! { MatrixExp, Solve, SolveTriangular }
matrix_functions! { MatrixExp, Solve, SolveTriangular }

/// A⁻¹ B. Operands: A `[.., n, n]`, B `[.., n, k]`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Solve;

/// A⁻¹ B for triangular A, of which only that triangle is read; with `unit` its diagonal counts as ones.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SolveTriangular {
    pub(crate) upper: bool,
    pub(crate) unit: bool,
}

/// exp A.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MatrixExp;

fn system_shape(inputs: &[&Spec]) -> Result<Specs, Mismatch> {
    let names = &["matrix", "right side"];
    let checked = || {
        let extent = check_square(inputs[0])?;
        check_leading(inputs[0], inputs[1])?;
        let rows = inputs[1].shape()[inputs[1].rank() - 2];
        if rows != extent {
            let reason = format!("the right side has {rows} rows, the matrix {extent}");
            return Err(Mismatch::shape(reason));
        }
        one(inputs[1].clone())
    };
    checked().map_err(|mismatch| mismatch.naming(names))
}

/// `dB - dA X`, where at least one is present.
fn moved_right_side(
    tangents: &[Option<Tensor>],
    x: &Tensor,
    part: &dyn Fn(&Tensor) -> Tensor,
) -> Tensor {
    match (&tangents[0], &tangents[1]) {
        (None, Some(b)) => b.clone(),
        (Some(a), None) => -part(a).matmul(x),
        (Some(a), Some(b)) => b - part(a).matmul(x),
        (None, None) => unreachable!("a tangent is present"),
    }
}

impl MatrixFunction for Solve {
    fn name(&self) -> &'static str {
        "solve"
    }

    fn formula(&self) -> &'static str {
        "y = A⁻¹ b"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        system_shape(inputs)
    }

    fn value(&self, operands: &[Matrix]) -> Result<Vec<Matrix>, String> {
        Ok(vec![dense::solve(&operands[0], &operands[1])?])
    }

    /// A dX = dB - dA X.
    fn jvp(
        &self,
        inputs: &[Tensor],
        outputs: &[Tensor],
        tangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        let right = moved_right_side(tangents, &outputs[0], &Tensor::clone);
        vec![Some(operation(Solve).of(&[&inputs[0], &right]))]
    }

    /// The cotangent of B solves Aᵀ G = cotangent; that of A is -G Xᵀ.
    fn vjp(
        &self,
        inputs: &[Tensor],
        outputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        let Some(cotangent) = &cotangents[0] else {
            return vec![None, None];
        };
        let b = operation(Solve).of(&[&inputs[0].adjoint(), cotangent]);
        vec![Some(-b.matmul(outputs[0].adjoint())), Some(b)]
    }

    fn samples() -> Vec<Sample> {
        let of = || Sample::new(operation(Solve));
        vec![
            of().dominant([3, 3]).input([3, 2]),
            of().dominant([2, 2, 2]).input([2, 2, 1]),
            of().dominant([0, 0]).input([0, 2]),
        ]
    }
}

impl SolveTriangular {
    /// The elements of a matrix that the solution depends on.
    fn part(&self, a: &Tensor) -> Tensor {
        let first = i64::from(self.unit);
        if self.upper {
            a.triu(first)
        } else {
            a.tril(-first)
        }
    }

    fn transposed(&self) -> SolveTriangular {
        SolveTriangular {
            upper: !self.upper,
            unit: self.unit,
        }
    }
}

impl MatrixFunction for SolveTriangular {
    fn name(&self) -> &'static str {
        "solve_triangular"
    }

    fn formula(&self) -> &'static str {
        "y = A⁻¹ b, A triangular"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        system_shape(inputs)
    }

    fn value(&self, operands: &[Matrix]) -> Result<Vec<Matrix>, String> {
        let (a, b) = (&operands[0], &operands[1]);
        Ok(vec![dense::solve_triangular(a, b, self.upper, self.unit)?])
    }

    /// As of `solve`, of the triangle only.
    fn jvp(
        &self,
        inputs: &[Tensor],
        outputs: &[Tensor],
        tangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        let right = moved_right_side(tangents, &outputs[0], &|a| self.part(a));
        vec![Some(operation(self.clone()).of(&[&inputs[0], &right]))]
    }

    fn vjp(
        &self,
        inputs: &[Tensor],
        outputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        let Some(cotangent) = &cotangents[0] else {
            return vec![None, None];
        };
        let b = operation(self.transposed()).of(&[&inputs[0].adjoint(), cotangent]);
        let a = self.part(&-b.matmul(outputs[0].adjoint()));
        vec![Some(a), Some(b)]
    }

    fn samples() -> Vec<Sample> {
        let of = |upper, unit| Sample::new(operation(SolveTriangular { upper, unit }));
        vec![
            of(true, false).dominant([3, 3]).input([3, 2]),
            of(false, false).dominant([2, 2, 2]).input([2, 2, 1]),
            of(true, true).dominant([3, 3]).input([3, 1]),
            of(false, true).dominant([2, 2]).input([2, 2]),
        ]
    }
}

/// [[a, b], [0, a]].
fn block(a: &Tensor, b: &Tensor) -> Tensor {
    let upper = Tensor::concat(&[a, b], -1);
    let lower = Tensor::concat(&[&a.zeros_like(), a], -1);
    Tensor::concat(&[&upper, &lower], -2)
}

/// The derivative of exp at A in a direction: the upper right block of exp [[A, direction], [0, A]] (Mathias 1996).
fn derivative_of_exp(a: &Tensor, direction: &Tensor) -> Tensor {
    let extent = a.shape()[a.rank() - 1];
    let both = operation(MatrixExp).of(&[&block(a, direction)]);
    both.narrow(-2, 0, extent).narrow(-1, extent, extent)
}

impl MatrixFunction for MatrixExp {
    fn name(&self) -> &'static str {
        "matrix_exp"
    }

    fn formula(&self) -> &'static str {
        "y = Σ Aᵏ / k!"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        check_square(inputs[0])?;
        one(inputs[0].clone())
    }

    fn value(&self, operands: &[Matrix]) -> Result<Vec<Matrix>, String> {
        Ok(vec![spectral::exponential(&operands[0])?])
    }

    fn jvp(
        &self,
        inputs: &[Tensor],
        _outputs: &[Tensor],
        tangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        let direction = tangents[0].as_ref();
        vec![direction.map(|direction| derivative_of_exp(&inputs[0], direction))]
    }

    fn vjp(
        &self,
        inputs: &[Tensor],
        _outputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        let direction = cotangents[0].as_ref();
        vec![direction.map(|direction| derivative_of_exp(&inputs[0].adjoint(), direction))]
    }

    fn samples() -> Vec<Sample> {
        let of = || Sample::new(operation(MatrixExp));
        vec![of().input([3, 3]), of().input([2, 2, 2])]
    }
}

impl Tensor {
    /// The solution x of A x = b: `self` is A `[.., n, n]`; b is `[.., n, k]`, or vectors `[.., n]` where it has one axis
    /// less than A (or only one). Leading axes broadcast. By elimination with pivots.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let x = tensor![[2.0, 0.0], [0.0, 4.0]].solve(&tensor![2.0, 2.0]);
    /// assert_eq!(x.to_vec::<f32>(), [1.0, 0.5]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not fit; when the value is computed and a matrix is singular.
    #[track_caller]
    pub fn solve(&self, b: &Tensor) -> Tensor {
        self.solved("solve", b, |a, b| operation(Solve).of(&[a, b]))
    }

    /// [`solve`](Tensor::solve) for a triangular matrix, of which only the upper (or lower) triangle is read; with `unit`
    /// its diagonal counts as ones.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let x = tensor![[2.0, 7.0], [1.0, 1.0]].solve_triangular(&tensor![2.0, 2.0], false, false);
    /// assert_eq!(x.to_vec::<f32>(), [1.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not fit; when the value is computed and the diagonal holds 0.
    #[track_caller]
    pub fn solve_triangular(&self, b: &Tensor, upper: bool, unit: bool) -> Tensor {
        let triangular = SolveTriangular { upper, unit };
        self.solved("solve_triangular", b, |a, b| {
            operation(triangular).of(&[a, b])
        })
    }

    /// Aligns matrix and right side, a vector as a column.
    #[track_caller]
    fn solved(
        &self,
        name: &str,
        b: &Tensor,
        run: impl FnOnce(&Tensor, &Tensor) -> Tensor,
    ) -> Tensor {
        let rank = self.rank();
        if rank < 2 || b.rank() == 0 {
            let mismatch = Mismatch::shape("A must be [.., n, n] and b [.., n] or [.., n, k]")
                .naming(&["A", "b"]);
            raise(mismatch.into_error(name, &[self.as_operand(), b.as_operand()]));
        }
        let is_vector = b.rank() == 1 || *b.shape() == self.shape().without_axis(rank - 1);
        let dtype = crate::tensor::promote(self.dtype(), b.dtype());
        let column = if is_vector {
            b.unsqueeze(-1)
        } else {
            b.clone()
        };
        let a = self.cast(dtype).floating();
        let column = column.cast(a.dtype());
        let (a, column) = crate::primitives::matmul::with_equal_leading_axes(a, column);
        let x = run(&a, &column);
        if is_vector { x.squeeze(-1) } else { x }
    }

    /// The inverse of square matrices `[.., n, n]`. To solve a system, [`solve`](Tensor::solve) is quicker and more exact.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![[0.0, 2.0], [4.0, 0.0]].inv().to_vec::<f32>(), [0.0, 0.25, 0.5, 0.0]);
    /// ```
    ///
    /// # Panics
    /// When the matrices are not square; when the value is computed and one is singular.
    #[track_caller]
    pub fn inv(&self) -> Tensor {
        let a = self.floating();
        if let Err(mismatch) = check_square(a.spec()) {
            raise(mismatch.into_error("inv", &[self.as_operand()]));
        }
        operation(Solve).of(&[&a, &a.identity_like()])
    }

    /// The identity matrix over the last two axes, in the shape of a square one.
    #[track_caller]
    pub(crate) fn identity_like(&self) -> Tensor {
        let extent = self.shape()[self.rank() - 1];
        let identity = Tensor::eye(extent)
            .cast(self.dtype())
            .to_device(self.device());
        identity.expand(self.shape())
    }

    /// The exponential of square matrices `[.., n, n]`, Σ Aᵏ / k!.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![[0.0, 1.0], [0.0, 0.0]].matrix_exp().to_vec::<f32>(), [1.0, 1.0, 0.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// When the matrices are not square.
    #[track_caller]
    pub fn matrix_exp(&self) -> Tensor {
        operation(MatrixExp).of(&[&self.floating()])
    }
}
