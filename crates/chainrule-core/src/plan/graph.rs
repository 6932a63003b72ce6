//! The indexed graph that planning works on.

use crate::backend::Value;
use crate::declare::{Evaluation, OperationRef};
use crate::graph::Spec;
use chainrule_kernels::leaf::Leaf;
use smallvec::SmallVec;

/// One output of one node.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Ref {
    pub(crate) node: u32,
    pub(crate) output: u32,
}

/// Where a node's value comes from.
pub(crate) enum Origin {
    /// A leaf of the task.
    Leaf(u32),
    /// Data that a composite's body brought along.
    Constant(Value),
    /// A computation.
    Operation(OperationRef),
}

pub(crate) struct Node {
    pub(crate) origin: Origin,
    pub(crate) inputs: SmallVec<[Ref; 2]>,
    pub(crate) specs: SmallVec<[Spec; 1]>,
    /// The step of the task it came from, for error messages.
    pub(crate) task_step: u32,
}

/// How a node is computed, as far as planning cares.
#[derive(Clone, Copy)]
pub(crate) enum Class {
    /// There already.
    Given,
    /// Element by element, by a scalar function.
    Pointwise(&'static Leaf),
    /// Element by element, conversion of dtype.
    Cast,
    /// Another look at the input's buffer.
    View,
    /// By a kernel or a reference implementation.
    Kernel,
}

impl Class {
    pub(crate) fn is_elementwise(self) -> bool {
        matches!(self, Class::Pointwise(_) | Class::Cast)
    }
}

impl Node {
    pub(crate) fn class(&self) -> Class {
        let Origin::Operation(operation) = &self.origin else {
            return Class::Given;
        };
        match operation.evaluation() {
            Evaluation::Pointwise(leaf) => Class::Pointwise(leaf),
            Evaluation::Cast => Class::Cast,
            Evaluation::View(_) => Class::View,
            Evaluation::Reference(_) | Evaluation::Body(_) => Class::Kernel,
        }
    }

    pub(crate) fn operation(&self) -> Option<&OperationRef> {
        match &self.origin {
            Origin::Operation(operation) => Some(operation),
            _ => None,
        }
    }
}

/// Nodes in topological order, and which values outlive the task.
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
    /// The task's steps whose values are kept, and what computes each of their outputs.
    pub(crate) kept: Vec<(u32, SmallVec<[Ref; 1]>)>,
}

impl Graph {
    pub(crate) fn spec(&self, reference: Ref) -> &Spec {
        &self.nodes[reference.node as usize].specs[reference.output as usize]
    }
}
