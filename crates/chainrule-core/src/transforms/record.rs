//! Recording a function on fresh inputs, the first half of every transform; and opening a composite's body.

use crate::declare::Evaluation;
use crate::error::{Error, ErrorKind};
use crate::graph::walk::{Edges, Walk, between, cut_by};
use crate::graph::{Node, Scope, without_evaluation};
use crate::tensor::Tensor;
use std::sync::Arc;

/// A function recorded between fresh inputs and its outputs.
pub(crate) struct Recorded {
    pub(crate) inputs: Vec<Tensor>,
    pub(crate) outputs: Vec<Tensor>,
    pub(crate) walk: Walk,
}

impl Recorded {
    pub(crate) fn between(inputs: Vec<Tensor>, outputs: Vec<Tensor>) -> Recorded {
        let walk = between(&inputs, &outputs, Edges::Differentiable);
        Recorded {
            inputs,
            outputs,
            walk,
        }
    }
}

/// The scope of a running transform: while it is open, what stands on its inputs remembers how it was computed.
pub(crate) struct Running(Arc<Scope>);

impl Running {
    pub(crate) fn start() -> Running {
        Running(Scope::opened())
    }

    pub(crate) fn fresh(&self, tensors: &[&Tensor]) -> Vec<Tensor> {
        tensors.iter().map(|tensor| tensor.fresh(&self.0)).collect()
    }

    /// Ends the transform: nodes that only it tracked forget what they no longer need.
    pub(crate) fn finish(self, walk: &Walk) {
        self.0.close();
        for step in &walk.steps {
            step.node.forget_if_done();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Opens a composite: its body recorded on identities of the node's inputs.
pub(crate) fn open(node: &Node, inputs: &[Tensor]) -> Recorded {
    let Evaluation::Body(body) = node.operation.evaluation() else {
        unreachable!("only composites have the derivative of their body")
    };
    without_evaluation(|| {
        let inputs = named_anew(inputs);
        let outputs = body.body(&inputs);
        Recorded::between(inputs, outputs)
    })
}

/// Identities of tensors: the same values under new ids.
pub(crate) fn named_anew(tensors: &[Tensor]) -> Vec<Tensor> {
    let identity = crate::primitives::leaf::Identity::operation();
    let tensors = tensors.iter();
    tensors.map(|tensor| identity.of(&[tensor])).collect()
}

/// The error when a derivative was asked for and every path to it passes an operation without one; `None` when there is
/// no path at all, which is an ordinary zero.
pub(crate) fn missing_derivative(input: &Tensor, outputs: &[Tensor], name: &str) -> Option<Error> {
    let (node, reason) = cut_by(input, outputs)?;
    let message = format!(
        "{name}: there is no derivative: every path from the input to the result passes `{}` at {}, and {reason}\n    \
         input   {} {}\n    help: differentiate by something else, or use a smooth function there",
        node.operation.name(),
        node.place,
        input.shape(),
        input.dtype(),
    );
    Some(Error::new(ErrorKind::Derivative, message))
}
