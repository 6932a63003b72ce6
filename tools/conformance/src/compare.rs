//! When two tensors count as equal.

use crate::case::dtype_name;
use chainrule::{DType, Tensor};

const RELATIVE: f64 = 1e-7;
const ABSOLUTE: f64 = 1e-9;

fn numbers(tensor: &Tensor) -> Vec<f64> {
    if tensor.dtype().is_floating() {
        tensor.to_vec()
    } else {
        tensor.cast(DType::F64).to_vec()
    }
}

/// Whether a number counts as what is expected; NaN equals NaN.
pub fn close(actual: f64, expected: f64) -> bool {
    actual == expected
        || (actual.is_nan() && expected.is_nan())
        || (expected.is_finite()
            && (actual - expected).abs() <= ABSOLUTE + RELATIVE * expected.abs())
}

/// Shape, dtype and elements; NaN equals NaN.
pub fn compare(what: &str, actual: &Tensor, expected: &Tensor) -> Result<(), String> {
    if actual.shape() != expected.shape() {
        return Err(format!(
            "{what}: shape {} instead of {}",
            actual.shape(),
            expected.shape()
        ));
    }
    if actual.dtype() != expected.dtype() {
        return Err(format!(
            "{what}: {} instead of {}",
            dtype_name(actual.dtype()),
            dtype_name(expected.dtype())
        ));
    }
    let (actual, expected) = (numbers(actual), numbers(expected));
    for (index, (a, e)) in actual.iter().zip(&expected).enumerate() {
        if !close(*a, *e) {
            return Err(format!("{what}: element {index} is {a:e}, expected {e:e}"));
        }
    }
    Ok(())
}
