//! `chainrule explain`: what backpropagation did with an expression.
//!
//! The text becomes tokens ([`lexer`]), a syntax tree ([`parser`]), and tensors ([`evaluate`]); the expression is then a
//! function of its variables ([`function`]). Its nodes ([`graph`]) with their derivatives ([`differentiate`]) make the
//! [`Model`] of the crate `chainrule-view`, which draws it; [`report`] adds the views in words, [`json`] what was asked for
//! besides.

mod arguments;
mod differentiate;
mod evaluate;
mod extras;
mod function;
mod functions;
mod graph;
mod json;
mod lexer;
mod operators;
mod options;
mod parser;
mod paths;
mod problem;
mod recursive_view;
mod report;
mod second;
mod step;
mod style;
mod syntax;
mod tensor_view;
mod value;
mod variables;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod views_tests;

pub use options::Options;

use chainrule::view::{Array, Direction, Model, Style};
use extras::{ByName, Check, Extras};
use function::{Function, array};
use options::Mode;
use problem::Problem;
use std::io::{self, Write};

/// Why nothing could be explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    #[error("{0}")]
    Problem(Problem),
    #[error("the output cannot be written: {0}")]
    Output(#[from] io::Error),
    #[error("{0} cannot be written: {1}")]
    Picture(String, io::Error),
}

impl From<Problem> for ExplainError {
    fn from(problem: Problem) -> ExplainError {
        ExplainError::Problem(problem)
    }
}

/// Explains an expression on the standard output.
pub fn run(options: &Options) -> Result<(), ExplainError> {
    let function = Function::read(options)?;
    let explained = Explained::of(&function, options)?;
    if let Some(file) = &options.svg {
        std::fs::write(file, explained.models[0].svg())
            .map_err(|error| ExplainError::Picture(file.display().to_string(), error))?;
    }
    let style = style::of_stdout();
    if options.step {
        return Ok(step::run(&explained, style)?);
    }
    let text = if options.json {
        format!("{}\n", explained.json())
    } else if options.dot {
        explained.models[0].dot()
    } else if let Some(file) = &options.svg {
        let summary = report::summary(&explained.models[0], &explained.gradients, style);
        format!("{summary}\ndrawn in {}\n", file.display())
    } else {
        explained.text(style)
    };
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

/// Everything that was computed for the user.
struct Explained {
    /// One in reverse mode, one for each variable in forward mode.
    models: Vec<Model>,
    gradients: ByName<Array>,
    extras: Extras,
}

impl Explained {
    fn of(function: &Function, options: &Options) -> Result<Explained, Problem> {
        let value = function.value(&function.inputs)?;
        let cotangent = match &options.cotangent {
            Some(text) => Some(variables::cotangent(text, &value)?),
            None if value.rank() == 0 => Some(value.ones_like()),
            None if options.needs_no_cotangent() => None,
            None => return Err(function.needs_cotangent(&value)),
        };
        let models = match options.mode {
            Mode::Forward if !function.wrt.is_empty() => function
                .wrt
                .iter()
                .map(|&input| differentiate::forward(function, input))
                .collect::<Result<_, _>>()?,
            _ => vec![differentiate::reverse(function, cotangent.as_ref())?],
        };
        let gradients = gradients(function, &models);
        let weights = cotangent.as_ref().map(array);
        let extras = extras(
            function,
            options,
            &models[0],
            &gradients,
            cotangent.as_ref(),
            weights,
        )?;
        Ok(Explained {
            models,
            gradients,
            extras,
        })
    }

    fn json(&self) -> serde_json::Value {
        let mut object = json::object(&self.models[0], &self.gradients, &self.extras);
        if self.models.len() > 1 {
            json::add_tangents(&mut object, &self.models);
        }
        object
    }

    fn text(&self, style: Style) -> String {
        report::text(&self.models, &self.gradients, &self.extras, style)
    }
}

/// The derivative of the result by each chosen variable: its adjoint, or in forward mode the result's tangent.
fn gradients(function: &Function, models: &[Model]) -> ByName<Array> {
    let model = |at: usize| &models[at.min(models.len() - 1)];
    let chosen = function.wrt.iter().enumerate();
    chosen
        .filter_map(|(at, &input)| {
            let model = model(at);
            let own = &model.nodes[input].value.shape;
            let node = match model.direction {
                Direction::Reverse => input,
                Direction::Forward { .. } => model.result,
                Direction::None => return None,
            };
            let derivative = model.nodes[node].derivative.clone();
            let zero = || Array::zeros(&[&model.nodes[model.result].value.shape[..], own].concat());
            Some((
                function.names[input].clone(),
                derivative.unwrap_or_else(zero),
            ))
        })
        .collect()
}

fn extras(
    function: &Function,
    options: &Options,
    model: &Model,
    gradients: &ByName<Array>,
    cotangent: Option<&chainrule::Tensor>,
    weights: Option<Array>,
) -> Result<Extras, Problem> {
    let mut extras = Extras::default();
    let names = || {
        function
            .wrt
            .iter()
            .map(|&input| (input, function.names[input].clone()))
    };
    if let (true, Some(seed)) = (options.paths, &weights) {
        let found = names().map(|(input, name)| Ok((name, paths::paths(model, input, seed)?)));
        extras.paths = Some(found.collect::<Result<_, Problem>>()?);
    }
    if options.jacobian {
        extras.jacobian = Some(second::jacobians(function)?);
    }
    if let (true, Some(cotangent)) = (options.hessian, cotangent) {
        extras.hessian = Some(second::hessians(function, cotangent)?);
    }
    if let (true, Some(weights)) = (options.check, &weights) {
        let found = names()
            .zip(gradients)
            .map(|((input, name), (_, derivative))| {
                let check = Check {
                    derivative: match model.direction {
                        Direction::Forward { .. } => derivative.weighted(weights),
                        _ => derivative.clone(),
                    },
                    differences: function.differences(input, weights)?,
                };
                Ok((name, check))
            });
        extras.check = Some(found.collect::<Result<_, Problem>>()?);
    }
    Ok(extras)
}
