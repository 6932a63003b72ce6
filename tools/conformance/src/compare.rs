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
        let same = a == e
            || (a.is_nan() && e.is_nan())
            || (e.is_finite() && (a - e).abs() <= ABSOLUTE + RELATIVE * e.abs());
        if !same {
            return Err(format!("{what}: element {index} is {a:e}, expected {e:e}"));
        }
    }
    Ok(())
}
