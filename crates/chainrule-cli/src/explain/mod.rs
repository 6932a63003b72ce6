//! `chainrule explain`: what backpropagation did with an expression.
//!
//! The text becomes tokens ([`lexer`]), a syntax tree ([`parser`]), tensors ([`evaluate`]), and those a function of the
//! variables ([`function`]).

mod arguments;
#[allow(dead_code, reason = "the places are shown with the nodes")]
mod evaluate;
mod function;
mod functions;
#[allow(dead_code, reason = "the pictures that need it are not drawn yet")]
mod layout;
mod lexer;
#[allow(dead_code, reason = "the views use the rest")]
mod number;
mod options;
mod parser;
mod problem;
mod suggest;
mod syntax;
mod value;
mod variables;

#[cfg(test)]
mod tests;

pub use options::Options;

use function::{Function, array};
use problem::Problem;
use serde_json::{Map, Value as Json, json};
use std::io::{self, Write};

/// Why nothing could be explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    #[error("{0}")]
    Problem(Problem),
    #[error("the output cannot be written: {0}")]
    Output(#[from] io::Error),
}

impl From<Problem> for ExplainError {
    fn from(problem: Problem) -> ExplainError {
        ExplainError::Problem(problem)
    }
}

/// Explains an expression on the standard output.
pub fn run(options: &Options) -> Result<(), ExplainError> {
    let function = Function::read(options)?;
    let output = explained(&function, options)?;
    io::stdout().lock().write_all(output.as_bytes())?;
    Ok(())
}

fn explained(function: &Function, options: &Options) -> Result<String, Problem> {
    let value = function.value(&function.inputs)?;
    let cotangent = match &options.cotangent {
        Some(text) => variables::cotangent(text, &value)?,
        None if value.rank() == 0 => value.ones_like(),
        None => {
            return Err(Problem::at(function.result_span(), format!(
                "the result has shape {}: there are {} results to differentiate",
                value.shape(), value.elements()
            ))
            .within(&function.text)
            .help("give --cotangent, the derivative of what follows by the result (--cotangent 1 for the sum), or ask for the --jacobian"));
        }
    };
    let gradients = function.gradients(&cotangent)?;
    let value = array(&value);
    let cotangent = array(&cotangent);
    let mut json_gradients = Map::new();
    let mut checks = Map::new();
    let mut text = format!("{} = {}\n", function.text, value.text(72));
    for &input in &function.wrt {
        let name = &function.names[input];
        json_gradients.insert(name.clone(), gradients[input].json());
        text += &format!("gradient by {name}: {}\n", gradients[input].text(60));
        if options.check {
            let differences = function.differences(input, &cotangent)?;
            text += &format!("  by differences: {}\n", differences.text(60));
            checks.insert(name.clone(), differences.json());
        }
    }
    if !options.json {
        return Ok(text);
    }
    let mut object = Map::new();
    object.insert("expression".into(), json!(function.text));
    object.insert("value".into(), value.json());
    object.insert("shape".into(), json!(value.shape));
    object.insert("gradients".into(), Json::Object(json_gradients));
    if options.check {
        object.insert("check".into(), Json::Object(checks));
    }
    Ok(format!("{}\n", Json::Object(object)))
}
