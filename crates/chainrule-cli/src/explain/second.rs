//! Jacobians of the result and second derivatives, by the engine's transforms.

use super::extras::ByName;
use super::function::{Function, array, refused};
use super::problem::Problem;
use chainrule::view::Array;
use chainrule::{DType, ErrorKind, Tensor, attempt, grad, jacrev};

/// The Jacobian of the result by each chosen variable: the result's shape followed by the variable's.
pub fn jacobians(function: &Function) -> Result<ByName<Array>, Problem> {
    let result = array(&function.value(&function.inputs)?).shape;
    let by = |input: usize| {
        let own = array(&function.inputs[input]).shape;
        let zero = Array::zeros(&[result.clone(), own].concat());
        let value = |x: &Tensor| result_with(function, &[(input, x)]);
        or_zero(|| jacrev(value)(&function.inputs[input]), zero)
    };
    by_name(function, by)
}

/// The second derivatives of the result, weighted by the cotangent: for each pair of chosen variables the shape of the
/// first followed by that of the second.
pub fn hessians(function: &Function, cotangent: &Tensor) -> Result<ByName<ByName<Array>>, Problem> {
    let block = |row: usize, column: usize| {
        let shapes = [row, column].map(|input| array(&function.inputs[input]).shape);
        let zero = Array::zeros(&shapes.concat());
        let weighted = |y: Tensor| y.mul(cotangent).sum(..);
        // Both places are moved apart, so that a variable may stand for both.
        let slope = |x: &Tensor| {
            let inner = |moved: &Tensor| {
                let given = if row == column {
                    vec![(row, moved)]
                } else {
                    vec![(column, x), (row, moved)]
                };
                weighted(result_with(function, &given))
            };
            let at = if row == column {
                x
            } else {
                &function.inputs[row]
            };
            grad(inner)(at)
        };
        or_zero(|| jacrev(slope)(&function.inputs[column]), zero)
    };
    by_name(function, |row| {
        by_name(function, |column| block(row, column))
    })
}

fn by_name<T>(
    function: &Function,
    of: impl Fn(usize) -> Result<T, Problem>,
) -> Result<ByName<T>, Problem> {
    let chosen = function.wrt.iter();
    chosen
        .map(|&input| Ok((function.names[input].clone(), of(input)?)))
        .collect()
}

/// The result with some variables replaced.
fn result_with(function: &Function, given: &[(usize, &Tensor)]) -> Tensor {
    let mut inputs = function.inputs.clone();
    for (input, tensor) in given {
        inputs[*input] = (*tensor).clone();
    }
    function
        .moved(&inputs, &[])
        .result
        .tensor()
        .cast(DType::F64)
}

/// What the engine computes; zero where it says that no derivative flows.
fn or_zero(compute: impl FnOnce() -> Tensor, zero: Array) -> Result<Array, Problem> {
    match attempt(|| array(&compute())) {
        Ok(found) if found.shape == zero.shape => Ok(found),
        Ok(_) => Ok(zero),
        Err(error) if error.kind() == ErrorKind::Derivative => Ok(zero),
        Err(error) => Err(refused(&error)),
    }
}
