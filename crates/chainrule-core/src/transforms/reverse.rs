//! The whole of reverse mode: pulling cotangents through one node. The mirror of forward mode.

use super::Side;
use super::forward::scaled;
use super::record::open;
use crate::declare::Derivative;
use crate::graph::walk::Step;
use crate::graph::with_place;
use crate::tensor::Tensor;
use smallvec::SmallVec;

/// Pulls cotangents through all steps, newest first, to the tensors that `wanted` accepts.
pub(crate) fn pull_all(steps: &[Step], cotangents: &mut Side, wanted: &dyn Fn(&Tensor) -> bool) {
    for step in steps.iter().rev() {
        with_place(step.node.place(), || pull(step, cotangents, wanted));
    }
}

fn pull(step: &Step, cotangents: &mut Side, wanted: &dyn Fn(&Tensor) -> bool) {
    let arriving: SmallVec<[Option<Tensor>; 1]> =
        cotangents.of_node(step.node.id).iter().cloned().collect();
    if arriving.iter().all(Option::is_none) {
        return;
    }
    let inputs = &step.inputs[..];
    // A derivative flows only to inputs that have a tangent space and lie on a path from what is differentiated by.
    let active =
        |argument: usize| inputs[argument].dtype().is_floating() && wanted(&inputs[argument]);
    let arguments = || (0..inputs.len()).filter(|&argument| active(argument));
    let mut give = |argument: usize, cotangent: Tensor| {
        let input = &inputs[argument];
        cotangents.accumulate(input, cotangent.cast(input.dtype()));
    };
    let operation = &step.node.operation;
    match operation.derivative() {
        Derivative::Elementwise(diagonal) => {
            let output = &step.outputs()[0];
            let cotangent = arriving[0].as_ref().expect("some cotangent arrived");
            for argument in arguments() {
                if let Some(share) = scaled(diagonal.partial(argument, inputs, output), cotangent) {
                    give(argument, share);
                }
            }
        }
        Derivative::Linear(linear) => {
            for argument in arguments().filter(|&argument| !linear.is_fixed(argument)) {
                give(argument, linear.transpose(argument, inputs, &arriving));
            }
        }
        Derivative::Multilinear(multilinear) => {
            let cotangent = arriving[0].as_ref().expect("some cotangent arrived");
            for argument in arguments() {
                give(argument, multilinear.transpose(argument, inputs, cotangent));
            }
        }
        Derivative::Routed(routed) => {
            let cotangent = arriving[0].as_ref().expect("some cotangent arrived");
            let route = routed.route(inputs, &step.outputs());
            for argument in arguments() {
                give(
                    argument,
                    routed.transpose(&route, argument, inputs, cotangent),
                );
            }
        }
        Derivative::Rule(rule) => {
            let shares = rule.vjp(inputs, &step.outputs(), &arriving);
            for (argument, share) in shares.into_iter().enumerate() {
                if let Some(share) = share.filter(|_| active(argument)) {
                    give(argument, share);
                }
            }
        }
        Derivative::Body => {
            let opened = open(&step.node, inputs);
            let mut inner = Side::new();
            for (output, cotangent) in opened.outputs.iter().zip(&arriving) {
                if let Some(cotangent) = cotangent {
                    inner.accumulate(output, cotangent.clone());
                }
            }
            let on_path = opened.on_path();
            pull_all(&opened.steps, &mut inner, &|tensor| {
                on_path.contains(tensor.id())
            });
            for argument in arguments() {
                if let Some(share) = inner.get(&opened.inputs[argument]) {
                    give(argument, share.clone());
                }
            }
        }
        Derivative::NotDifferentiable(_) | Derivative::Source => {}
    }
}
