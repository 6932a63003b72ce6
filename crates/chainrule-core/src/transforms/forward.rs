//! The whole of forward mode: pushing tangents through one node.

use super::Side;
use super::record::open;
use crate::declare::Derivative;
use crate::graph::walk::{Step, Walk};
use crate::graph::{with_due, with_place};
use crate::tensor::Tensor;
use smallvec::SmallVec;

/// Pushes tangents through all steps of a walk, oldest first.
pub(crate) fn push_all(walk: &Walk, tangents: &mut Side<'_>) {
    for step in &walk.steps {
        // A tangent is computed right after the value it belongs to, so that values need not be held.
        let due = Some(step.node.due);
        with_place(step.node.place(), || with_due(due, || push(step, tangents)));
    }
}

fn push(step: &Step, tangents: &mut Side<'_>) {
    let inputs = &step.inputs[..];
    let incoming: SmallVec<[Option<Tensor>; 2]> =
        inputs.iter().map(|x| tangents.get(x).cloned()).collect();
    if incoming.iter().all(Option::is_none) {
        return; // behind a stop_gradient or an integer
    }
    let outputs = step.outputs();
    let operation = &step.node.operation;
    let or_zeros = |position: usize| {
        incoming[position]
            .clone()
            .unwrap_or_else(|| inputs[position].zeros_like())
    };
    match operation.derivative() {
        Derivative::Elementwise(diagonal) => {
            let terms = present(&incoming).filter_map(|(argument, tangent)| {
                match diagonal.known_partial(argument) {
                    Some(number) => scaled_by(number, tangent),
                    None => scaled(diagonal.partial(argument, inputs, &outputs[0]), tangent),
                }
            });
            set_sum(tangents, &outputs[0], terms);
        }
        Derivative::Linear(linear) => {
            if (0..inputs.len())
                .all(|position| incoming[position].is_none() || linear.is_fixed(position))
            {
                return;
            }
            let arguments: Vec<Tensor> = (0..inputs.len())
                .map(|position| {
                    if linear.is_fixed(position) {
                        inputs[position].clone()
                    } else {
                        or_zeros(position)
                    }
                })
                .collect();
            let images = operation.all_of(&arguments.iter().collect::<Vec<_>>());
            for (output, image) in outputs.iter().zip(images) {
                tangents.set(output, image);
            }
        }
        Derivative::Multilinear(_) => {
            let terms = present(&incoming).map(|(argument, tangent)| {
                let mut arguments: SmallVec<[&Tensor; 2]> = inputs.iter().collect();
                arguments[argument] = tangent;
                operation.of(&arguments)
            });
            set_sum(tangents, &outputs[0], terms);
        }
        Derivative::Routed(routed) => {
            let route = routed.route(inputs, &outputs);
            let arguments: Vec<Tensor> = (0..inputs.len()).map(or_zeros).collect();
            tangents.set(&outputs[0], routed.apply(&route, &arguments));
        }
        Derivative::Rule(rule) => {
            let images = rule.jvp(inputs, &outputs, &incoming);
            for (output, image) in outputs.iter().zip(images) {
                if let Some(image) = image {
                    tangents.set(output, image);
                }
            }
        }
        Derivative::Body => {
            let opened = open(&step.node, inputs);
            let mut inner = Side::over(&opened.walk);
            for (input, tangent) in opened.inputs.iter().zip(&incoming) {
                if let Some(tangent) = tangent {
                    inner.set(input, tangent.clone());
                }
            }
            push_all(&opened.walk, &mut inner);
            for (output, image) in outputs.iter().zip(&opened.outputs) {
                if let Some(image) = inner.get(image) {
                    tangents.set(output, image.clone());
                }
            }
        }
        Derivative::NotDifferentiable(_) | Derivative::Source => {}
    }
}

fn present(entries: &[Option<Tensor>]) -> impl Iterator<Item = (usize, &Tensor)> {
    entries
        .iter()
        .enumerate()
        .filter_map(|(position, entry)| Some((position, entry.as_ref()?)))
}

/// `partial * vector`, without the multiplication where either is known to be 1, -1 or 0 everywhere.
pub(crate) fn scaled(partial: Tensor, vector: &Tensor) -> Option<Tensor> {
    match partial.known_fill() {
        Some(number @ (0.0 | 1.0 | -1.0)) => scaled_by(number, vector),
        // The cotangent a backward pass starts from.
        _ if vector.known_fill() == Some(1.0) && vector.spec() == partial.spec() => Some(partial),
        _ => Some(partial * vector),
    }
}

/// `number * vector` for 1, -1 and 0.
pub(crate) fn scaled_by(number: f64, vector: &Tensor) -> Option<Tensor> {
    match number {
        0.0 => None,
        1.0 => Some(vector.clone()),
        _ => Some(-vector),
    }
}

fn set_sum(tangents: &mut Side<'_>, output: &Tensor, terms: impl Iterator<Item = Tensor>) {
    if let Some(sum) = terms.reduce(|sum, term| sum + term) {
        tangents.set(output, sum);
    }
}
