//! Higher-order and sparse views of a declaration against the plain ones.

use super::gradients::{Case, compare, weights};
use crate::sparse::sparsity;
use crate::tensor::Tensor;
use crate::transforms::{jacfwd, jvp, taylor};

/// The real outputs as a function of the real inputs.
fn real_outputs(case: &Case, real: &[Tensor]) -> Vec<Tensor> {
    let outputs = case.run(&case.with_real(real)).into_iter();
    outputs
        .filter(|output| output.dtype().is_floating())
        .collect()
}

/// The first three derivatives along a direction, by Taylor mode and by nested forward mode.
pub(super) fn taylor_against_nesting(case: &Case) -> Result<(), String> {
    if !case.is_differentiable() {
        return Ok(());
    }
    let real = case.real_inputs();
    let entries = real.iter().enumerate();
    let direction: Vec<Tensor> = entries
        .map(|(seed, input)| weights(input, seed + 13))
        .collect();
    let f = |real: &Vec<Tensor>| real_outputs(case, real);
    let first = |real: &Vec<Tensor>| jvp(f, real, &direction).1;
    let second = |real: &Vec<Tensor>| jvp(first, real, &direction).1;
    let third = |real: &Vec<Tensor>| jvp(second, real, &direction).1;
    let (_, derivatives) = taylor(f, &real, &direction, 3);
    let nested = [first(&real), second(&real), third(&real)];
    for (order, (ours, nested)) in derivatives.iter().zip(&nested).enumerate() {
        for (position, (ours, nested)) in ours.iter().zip(nested).enumerate() {
            let what = format!("derivative {} of output {position}", order + 1);
            compare(&what, ours, nested, 1e-9)?;
        }
    }
    Ok(())
}

/// No entry of the Jacobian is missed.
pub(super) fn pattern_against_jacobian(case: &Case) -> Result<(), String> {
    if !case.is_differentiable() {
        return Ok(());
    }
    let real = case.real_inputs();
    let f = |real: &Vec<Tensor>| real_outputs(case, real);
    let pattern = sparsity(f, &real);
    let jacobian = jacfwd(f)(&real);
    let mut first_row = 0;
    for (output, blocks) in f(&real).iter().zip(&jacobian) {
        let mut first_column = 0;
        for (input, block) in real.iter().zip(blocks) {
            let columns = input.elements();
            for (place, entry) in block.to_vec::<f64>().into_iter().enumerate() {
                let (row, column) = (first_row + place / columns, first_column + place % columns);
                if entry != 0.0 && !pattern.contains(row, column) {
                    return Err(format!(
                        "entry ({row}, {column}) is {entry:e} and not in the pattern"
                    ));
                }
            }
            first_column += columns;
        }
        first_row += output.elements();
    }
    Ok(())
}
