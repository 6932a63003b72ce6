//! The whole of reverse mode: pulling cotangents through one node. The mirror of forward mode.

use super::forward::{scaled, scaled_by};
use super::record::open;
use super::side::{Below, Row, Side};
use crate::declare::Derivative;
use crate::graph::walk::{Step, Walk};
use crate::graph::{Few, with_place};
use crate::tensor::Tensor;

/// Pulls cotangents through all steps of a walk, newest first, to everything that takes part in it.
pub(crate) fn pull_all(walk: &Walk, cotangents: &mut Side<'_>) {
    for (position, step) in walk.steps.iter().enumerate().rev() {
        let (arriving, below) = cotangents.at_step(position);
        if arriving.iter().any(Option::is_some) {
            with_place(step.node.place(), || pull(step, arriving, below));
        }
    }
    cotangents.settle(0);
}

fn pull(step: &Step, arriving: &Row, mut below: Below<'_>) {
    let inputs = &step.inputs[..];
    // The inputs to which a derivative flows, with their rows.
    let rows = Few::of(inputs, |input| below.row(input));
    let arguments = rows.iter().enumerate();
    let arguments = arguments.filter_map(|(argument, row)| Some((argument, (*row)?)));
    let single = || arriving[0].as_ref().expect("some cotangent arrived");
    let mut give = |(argument, row): (usize, usize), cotangent: Tensor| {
        below.give(row, &inputs[argument], cotangent);
    };
    match step.node.operation.derivative() {
        Derivative::Elementwise(diagonal) => {
            for to in arguments {
                let share = match diagonal.known_partial(to.0) {
                    Some(number) => scaled_by(number, single()),
                    None => scaled(diagonal.partial(to.0, inputs, &step.output()), single()),
                };
                if let Some(share) = share {
                    give(to, share);
                }
            }
        }
        Derivative::Linear(linear) => {
            for to in arguments {
                if !linear.is_fixed(to.0) {
                    give(to, linear.transpose(to.0, inputs, arriving));
                }
            }
        }
        Derivative::Multilinear(multilinear) => {
            for to in arguments {
                give(to, multilinear.transpose(to.0, inputs, single()));
            }
        }
        Derivative::Routed(routed) => {
            let route = routed.route(inputs, &step.outputs());
            for to in arguments {
                give(to, routed.transpose(&route, to.0, inputs, single()));
            }
        }
        Derivative::Rule(rule) => {
            let mut shares = rule.vjp(inputs, &step.outputs(), arriving);
            for to in arguments {
                if let Some(share) = shares.get_mut(to.0).and_then(Option::take) {
                    give(to, share);
                }
            }
        }
        Derivative::Body => {
            let opened = open(&step.node, inputs);
            let mut inner = Side::over(&opened.walk);
            for (output, cotangent) in opened.outputs.iter().zip(arriving.iter()) {
                if let Some(cotangent) = cotangent {
                    inner.accumulate(output, cotangent.clone());
                }
            }
            pull_all(&opened.walk, &mut inner);
            for to in arguments {
                if let Some(share) = inner.get(&opened.inputs[to.0]) {
                    give(to, share.clone());
                }
            }
        }
        Derivative::NotDifferentiable(_) | Derivative::Source => {}
    }
}
