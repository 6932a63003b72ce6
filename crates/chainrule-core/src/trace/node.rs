//! What a graph tells about its nodes.

use crate::declare::{Derivative, OperationRef};
use crate::graph::Spec;
use std::panic::Location;

/// Where a node of a graph takes an operand from: a node, and which of its outputs (nearly always the first).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Operand {
    /// The node.
    pub node: usize,
    /// Its output.
    pub output: usize,
}

/// What a node of a graph is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NodeKind {
    /// An input of the function.
    Input,
    /// A tensor that the function uses besides its inputs.
    Constant,
    /// The state that a random draw starts from.
    DrawState,
    /// The result of an operation.
    Operation,
}

/// The structure of a local derivative.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Structure {
    /// Diagonal: each output element depends on its own input element.
    Elementwise,
    /// The operation itself.
    Linear,
    /// The operation itself in each operand, the others held.
    Multilinear,
    /// Linear along a route that the values have chosen.
    Routed,
    /// Both products written out.
    Rule,
    /// That of the operations inside.
    Composite,
    /// None: there is no derivative, or nothing to depend on.
    None,
}

/// One node of a [`Graph`](super::Graph).
pub struct GraphNode {
    pub(super) id: usize,
    pub(super) name: String,
    pub(super) kind: NodeKind,
    pub(super) operation: OperationRef,
    pub(super) inputs: Vec<Operand>,
    pub(super) specs: Vec<Spec>,
    pub(super) place: &'static Location<'static>,
    pub(super) path: String,
}

impl GraphNode {
    /// The number of the node: its position in topological order.
    pub fn id(&self) -> usize {
        self.id
    }

    /// The name: that of the input's place in the argument, or one given by position.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the node is.
    pub fn kind(&self) -> NodeKind {
        self.kind
    }

    /// The operation's name, as the method is called: `mul`, `sin`, `matmul`.
    pub fn primitive(&self) -> &'static str {
        match self.kind {
            NodeKind::Input => "input",
            NodeKind::Constant => "constant",
            NodeKind::DrawState => "draw_state",
            NodeKind::Operation => self.operation.name(),
        }
    }

    /// What the operation computes, as a formula.
    pub fn formula(&self) -> String {
        self.operation.formula()
    }

    /// The operands.
    pub fn inputs(&self) -> &[Operand] {
        &self.inputs
    }

    /// Shape, dtype and device of the first output.
    pub fn spec(&self) -> &Spec {
        &self.specs[0]
    }

    /// Shape, dtype and device of all outputs.
    pub fn specs(&self) -> &[Spec] {
        &self.specs
    }

    /// The user's line that made the node.
    pub fn place(&self) -> &'static Location<'static> {
        self.place
    }

    /// The path of the module inside whose forward it was made; empty outside.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The structure of the local derivative.
    pub fn structure(&self) -> Structure {
        match self.operation.derivative() {
            Derivative::Elementwise(_) => Structure::Elementwise,
            Derivative::Linear(_) => Structure::Linear,
            Derivative::Multilinear(_) => Structure::Multilinear,
            Derivative::Routed(_) => Structure::Routed,
            Derivative::Rule(_) => Structure::Rule,
            Derivative::Body => Structure::Composite,
            Derivative::NotDifferentiable(_) | Derivative::Source => Structure::None,
        }
    }
}
