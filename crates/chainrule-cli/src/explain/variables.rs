//! The values the user gives: `x=-2`, `w=[1, 2]`.

use super::evaluate::constant;
use super::problem::{Problem, Span};
use chainrule::{DType, Scalar, Tensor};

/// Reads `NAME=VALUE` arguments, in their order.
pub fn variables(given: &[String]) -> Result<Vec<(String, Tensor)>, Problem> {
    let mut variables: Vec<(String, Tensor)> = Vec::new();
    for text in given {
        let (name, tensor) = variable(text).map_err(|problem| problem.within(text))?;
        if variables.iter().any(|(known, _)| *known == name) {
            return Err(
                Problem::at(Span::new(0, name.len()), format!("`{name}` is given twice"))
                    .within(text),
            );
        }
        variables.push((name, tensor));
    }
    Ok(variables)
}

fn variable(text: &str) -> Result<(String, Tensor), Problem> {
    let whole = Span::new(0, text.len());
    let Some((name, value)) = text.split_once('=') else {
        return Err(
            Problem::at(whole, "a variable and its value are expected here")
                .help("such as x=2; an expression of several words needs quotation marks"),
        );
    };
    let trimmed = name.trim();
    let mut letters = trimmed.chars();
    let is_name = letters
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_alphanumeric() || letter == '_');
    if !is_name {
        let span = Span::new(0, name.len().max(1));
        return Err(Problem::at(
            span,
            "a variable's name has letters, digits and `_`, and does not begin with a digit",
        ));
    }
    let tensor = constant(value).map_err(|problem| {
        problem.within(value).note(format!(
            "in the value of `{trimmed}`, which cannot depend on other variables"
        ))
    })?;
    Ok((trimmed.to_owned(), as_float(&tensor)))
}

/// The cotangent of a result of this shape: given for each element, or one number for all.
pub fn cotangent(text: &str, result: &Tensor) -> Result<Tensor, Problem> {
    let given =
        as_float(&constant(text).map_err(|problem| problem.note("in the value of --cotangent"))?);
    if given.shape() == result.shape() {
        return Ok(given);
    }
    if given.rank() == 0 {
        let number = given.item::<f64>();
        return Ok(Tensor::full_as(
            result.shape(),
            Scalar::Float(number),
            DType::F64,
        ));
    }
    Err(Problem::new(format!(
        "the cotangent has shape {}, the result {}",
        given.shape(),
        result.shape()
    ))
    .help("give the cotangent the shape of the result, or one number for all its elements"))
}

fn as_float(tensor: &Tensor) -> Tensor {
    tensor.cast(DType::F64)
}
