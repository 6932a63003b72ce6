//! What the objectives have in common: a value and a derivative, made anew at each call, and their times.

use crate::measure::Bench;
use chainrule::prelude::*;
use std::rc::Rc;

/// An objective of ADBench over the inputs of a file.
pub trait Objective {
    /// The objective's numbers, in order; what is concatenated is left to the reader, so that it is not timed.
    fn value(&self) -> Vec<Tensor>;

    /// Its derivative by all parameters.
    fn derivative(&self) -> Derivative;
}

/// A derivative, as the objective has it.
pub enum Derivative {
    /// Of one number: the parts of the gradient, one after the other.
    Gradient(Vec<Tensor>),
    /// Of many numbers by few parameters: `columns[j, i]`, the derivative of number i by parameter j.
    Columns(Tensor),
    /// Of many numbers by many parameters, most of it zero.
    Sparse(Sparse),
}

/// A matrix by its entries that may be non-zero, in any order.
pub struct Sparse {
    /// Rows and columns.
    pub shape: [usize; 2],
    /// The row and column of each entry.
    pub places: Rc<[(usize, usize)]>,
    /// Tensors whose elements, one after the other, are the entries' values.
    pub values: Vec<Tensor>,
}

impl Derivative {
    /// The tensors that hold it.
    pub fn tensors(&self) -> Vec<&Tensor> {
        match self {
            Derivative::Gradient(parts) => parts.iter().collect(),
            Derivative::Columns(columns) => vec![columns],
            Derivative::Sparse(sparse) => sparse.values.iter().collect(),
        }
    }
}

/// An objective's numbers, its derivative and the median time of a call of each, in milliseconds.
pub struct Outcome {
    pub objective: Vec<f64>,
    pub derivative: Derivative,
    pub objective_ms: f64,
    pub derivative_ms: f64,
}

/// Evaluates and times the objective and its derivative.
pub fn run(bench: &Bench, objective: &dyn Objective) -> Outcome {
    let value = || {
        let value = objective.value();
        evaluate(&value.iter().collect::<Vec<_>>());
        value
    };
    let derivative = || {
        let derivative = objective.derivative();
        evaluate(&derivative.tensors());
        derivative
    };
    Outcome {
        objective: value().iter().flat_map(Tensor::to_vec::<f64>).collect(),
        derivative: derivative(),
        objective_ms: 1e3 * bench.time(|| drop(value())).median,
        derivative_ms: 1e3 * bench.time(|| drop(derivative())).median,
    }
}
