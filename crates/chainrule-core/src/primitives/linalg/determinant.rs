//! Determinants and their logarithms.

use super::dense::{self, Matrix};
use super::function::{MatrixFunction, check_square, matrix_functions, with_last};
use crate::declare::{Sample, Specs, one, operation};
use crate::error::Mismatch;
use crate::family;
use crate::graph::Spec;
use crate::tensor::Tensor;

family! { Det, SlogDet }
matrix_functions! { Det, SlogDet }

/// The determinant.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Det;

/// The sign of the determinant and the logarithm of its absolute value.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SlogDet;

fn single(number: f64) -> Matrix {
    Matrix::from_fn(1, 1, |_, _| number)
}

/// Σ over the matrix.
fn total(matrix: &Tensor) -> Tensor {
    matrix.sum([-2, -1])
}

/// Numbers `[..]` as matrices `[.., 1, 1]`.
fn as_matrices(numbers: &Tensor) -> Tensor {
    numbers.unsqueeze(-1).unsqueeze(-1)
}

impl MatrixFunction for Det {
    fn name(&self) -> &'static str {
        "det"
    }

    fn formula(&self) -> &'static str {
        "y = det A"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        check_square(inputs[0])?;
        one(with_last(inputs[0], &[]))
    }

    fn value(&self, operands: &[Matrix]) -> Result<Vec<Matrix>, String> {
        let (factors, _, sign) = dense::lu(&operands[0]);
        let diagonal = (0..factors.rows).map(|step| factors[(step, step)]);
        Ok(vec![single(diagonal.product::<f64>() * sign)])
    }

    /// det A · tr(A⁻¹ dA) (Jacobi).
    fn jvp(
        &self,
        inputs: &[Tensor],
        outputs: &[Tensor],
        tangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        let inverse = inputs[0].inv().adjoint();
        let tangent = tangents[0].as_ref();
        vec![tangent.map(|tangent| &outputs[0] * total(&(inverse * tangent)))]
    }

    fn vjp(
        &self,
        inputs: &[Tensor],
        outputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        let cotangent = cotangents[0].as_ref();
        vec![
            cotangent.map(|cotangent| {
                as_matrices(&(cotangent * &outputs[0])) * inputs[0].inv().adjoint()
            }),
        ]
    }

    fn samples() -> Vec<Sample> {
        let of = || Sample::new(operation(Det));
        vec![of().dominant([3, 3]), of().dominant([2, 2, 2])]
    }
}

impl MatrixFunction for SlogDet {
    fn name(&self) -> &'static str {
        "slogdet"
    }

    fn formula(&self) -> &'static str {
        "y = sign det A, log |det A|"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        check_square(inputs[0])?;
        let number = with_last(inputs[0], &[]);
        Ok(smallvec::smallvec![number.clone(), number])
    }

    fn value(&self, operands: &[Matrix]) -> Result<Vec<Matrix>, String> {
        let (factors, _, sign) = dense::lu(&operands[0]);
        let diagonal: Vec<f64> = (0..factors.rows)
            .map(|step| factors[(step, step)])
            .collect();
        let signs = diagonal
            .iter()
            .map(|x| if *x == 0.0 { 0.0 } else { x.signum() });
        let logarithm = diagonal.iter().map(|x| x.abs().ln()).sum();
        Ok(vec![
            single(signs.product::<f64>() * sign),
            single(logarithm),
        ])
    }

    /// tr(A⁻¹ dA); the sign is constant.
    fn jvp(
        &self,
        inputs: &[Tensor],
        _outputs: &[Tensor],
        tangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        let inverse = inputs[0].inv().adjoint();
        let tangent = tangents[0].as_ref();
        vec![None, tangent.map(|tangent| total(&(inverse * tangent)))]
    }

    fn vjp(
        &self,
        inputs: &[Tensor],
        _outputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        let cotangent = cotangents[1].as_ref();
        vec![cotangent.map(|cotangent| as_matrices(cotangent) * inputs[0].inv().adjoint())]
    }

    fn samples() -> Vec<Sample> {
        let of = || Sample::new(operation(SlogDet));
        vec![of().dominant([3, 3]), of().dominant([2, 2, 2])]
    }
}

impl Tensor {
    /// The determinant of square matrices `[.., n, n]`, by elimination with pivots. (The derivative is made of the inverse,
    /// so asking for it at a singular matrix is an error.)
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![[2.0, 1.0], [1.0, 3.0]].det().item::<f32>(), 5.0);
    /// ```
    ///
    /// # Panics
    /// When the matrices are not square.
    #[track_caller]
    pub fn det(&self) -> Tensor {
        operation(Det).of(&[&self.floating()])
    }

    /// The sign of the determinant of square matrices `[.., n, n]` and the logarithm of its absolute value, which does not
    /// overflow: 0 and -infinity for singular ones.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let (sign, logarithm) = tensor![[0.0, 1.0], [1.0, 0.0]].slogdet();
    /// assert_eq!((sign.item::<f32>(), logarithm.item::<f32>()), (-1.0, 0.0));
    /// ```
    ///
    /// # Panics
    /// When the matrices are not square.
    #[track_caller]
    pub fn slogdet(&self) -> (Tensor, Tensor) {
        let outputs = operation(SlogDet).all_of(&[&self.floating()]);
        (outputs[0].clone(), outputs[1].clone())
    }

    /// The logarithm of the determinant of square matrices `[.., n, n]`: NaN where it is negative, -infinity where it is 0.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![[1.0, 1.0], [0.0, 1.0]].logdet().item::<f32>(), 0.0);
    /// ```
    ///
    /// # Panics
    /// When the matrices are not square.
    #[track_caller]
    pub fn logdet(&self) -> Tensor {
        let (sign, logarithm) = self.slogdet();
        sign.lt(0.0).where_(f64::NAN, logarithm)
    }
}
