//! Linear equations solved by products alone: GMRES (Saad and Schultz 1986), restarted.

use crate::error::{Error, ErrorKind};
use crate::tensor::Tensor;
use chainrule_kernels::DType;

/// The size of the Krylov space before a restart.
const RESTART: usize = 60;

/// The solution of `operator(x) = right`, where the operator is linear and keeps the shape of its argument.
///
/// # Errors
/// When the residual does not get small relative to `right`: the operator is singular or badly conditioned.
pub(crate) fn solve(operator: &dyn Fn(&Tensor) -> Tensor, right: &Tensor) -> Result<Tensor, Error> {
    let tolerance = match right.dtype() {
        DType::F64 => 1e-13,
        _ => 1e-6,
    };
    let scale = norm(right);
    let mut solution = right.zeros_like();
    let mut residual = right.clone();
    let mut size = scale;
    let rounds = 4 + 10 * right.elements().div_ceil(RESTART);
    for _ in 0..rounds {
        if size <= tolerance * scale || size.is_nan() {
            return Ok(solution);
        }
        solution = &solution + improvement(operator, &residual, size, tolerance * scale);
        residual = right - operator(&solution);
        let now = norm(&residual);
        if now > 0.9 * size {
            size = now;
            break; // no progress: what is left is rounding, or the operator is singular
        }
        size = now;
    }
    if size <= 1e4 * tolerance * scale {
        return Ok(solution);
    }
    let message = format!(
        "root: the linear equation of the implicit function theorem was not solved: the residual stays at {size:.3e} \
             of {scale:.3e}\n    help: at the solution the residual's derivative by the unknown must be invertible, and the \
             solver must have converged"
    );
    Err(Error::new(ErrorKind::Derivative, message))
}

/// One round: the correction in a Krylov space that makes the residual smallest.
fn improvement(
    operator: &dyn Fn(&Tensor) -> Tensor,
    residual: &Tensor,
    size: f64,
    enough: f64,
) -> Tensor {
    let shape = residual.shape().clone();
    let flat = |tensor: &Tensor| tensor.shaped(&tensor.elements().into());
    let mut basis = (flat(residual) / size).unsqueeze(0);
    let mut triangle = Triangle::new(size);
    for step in 0..RESTART.min(residual.elements()) {
        let newest = basis.narrow(0, step, 1);
        let image = flat(&operator(&newest.shaped(&shape)));
        // Gram-Schmidt twice keeps the basis orthogonal to rounding.
        let first = basis.matmul(&image);
        let image = image - first.matmul(&basis);
        let second = basis.matmul(&image);
        let image = image - second.matmul(&basis);
        let length = norm(&image);
        let mut column = (first + second).cast(DType::F64).to_vec::<f64>();
        column.push(length);
        let left = triangle.append(column);
        if left <= 0.1 * enough || length == 0.0 || length.is_nan() {
            break;
        }
        basis = Tensor::concat(&[&basis, &(image / length).unsqueeze(0)], 0);
        crate::graph::evaluate(&[&basis]);
    }
    let weights = triangle.solved();
    let used = basis.narrow(0, 0, weights.len());
    let weights = Tensor::from(weights)
        .cast(residual.dtype())
        .to_device(residual.device());
    weights.matmul(&used).shaped(&shape)
}

fn norm(tensor: &Tensor) -> f64 {
    tensor.cast(DType::F64).square().sum(..).sqrt().item()
}

/// The least-squares problem of the Krylov space, kept triangular by rotations.
struct Triangle {
    columns: Vec<Vec<f64>>,
    rotations: Vec<(f64, f64)>,
    right: Vec<f64>,
}

impl Triangle {
    fn new(size: f64) -> Triangle {
        Triangle {
            columns: Vec::new(),
            rotations: Vec::new(),
            right: vec![size],
        }
    }

    /// Takes a column of the Hessenberg matrix; returns the size of the residual that is left.
    fn append(&mut self, mut column: Vec<f64>) -> f64 {
        for (row, &(cosine, sine)) in self.rotations.iter().enumerate() {
            let (upper, lower) = (column[row], column[row + 1]);
            column[row] = cosine * upper + sine * lower;
            column[row + 1] = cosine * lower - sine * upper;
        }
        let last = self.rotations.len();
        let radius = column[last].hypot(column[last + 1]);
        let (cosine, sine) = match radius > 0.0 {
            true => (column[last] / radius, column[last + 1] / radius),
            false => (1.0, 0.0),
        };
        self.rotations.push((cosine, sine));
        column[last] = radius;
        column.truncate(last + 1);
        self.columns.push(column);
        let carried = self.right[last];
        self.right[last] = cosine * carried;
        self.right.push(-sine * carried);
        self.right[last + 1].abs()
    }

    /// The weights of the basis vectors, by back substitution.
    fn solved(&self) -> Vec<f64> {
        let count = self.columns.len();
        let mut weights = vec![0.0; count];
        for row in (0..count).rev() {
            let others: f64 = (row + 1..count)
                .map(|column| self.columns[column][row] * weights[column])
                .sum();
            let pivot = self.columns[row][row];
            weights[row] = match pivot == 0.0 {
                true => 0.0,
                false => (self.right[row] - others) / pivot,
            };
        }
        weights
    }
}
