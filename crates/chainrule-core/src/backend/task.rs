//! What a backend is asked to compute: unevaluated nodes, oldest first, and the values they start from.

use super::Value;
use crate::declare::OperationRef;
use crate::graph::{Few, Node, SharedSpecs, Spec};
use crate::plan::Plan;
use std::panic::Location;
use std::sync::{Arc, OnceLock};

/// Where a step finds one of its inputs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Source {
    /// A value that is there already.
    Leaf(u32),
    /// An output of an earlier step.
    Step(u32, u32),
}

/// One node to compute.
pub struct TaskStep {
    node: Arc<Node>,
    inputs: Few<Source>,
    kept: bool,
}

impl TaskStep {
    pub(crate) fn new(node: Arc<Node>, inputs: Few<Source>) -> TaskStep {
        TaskStep {
            node,
            inputs,
            kept: false,
        }
    }

    pub(crate) fn node(&self) -> &Arc<Node> {
        &self.node
    }

    pub(crate) fn keep(&mut self) {
        self.kept = true;
    }

    /// The operation.
    pub fn operation(&self) -> &OperationRef {
        &self.node.operation
    }

    /// The specs of the outputs.
    pub fn specs(&self) -> &[Spec] {
        &self.node.specs
    }

    /// Where the inputs come from.
    pub fn inputs(&self) -> &[Source] {
        &self.inputs
    }

    /// Whether the values are asked for; those of other steps are gone when the task is done.
    pub fn is_kept(&self) -> bool {
        self.kept
    }

    /// Whether a derivative rule recorded the node.
    pub fn is_derived(&self) -> bool {
        self.node.derived
    }

    /// The path of the module that recorded the node; empty outside any.
    pub fn module_path(&self) -> String {
        self.node.place().module_path()
    }

    /// The user's line that recorded the node.
    pub fn place(&self) -> &'static Location<'static> {
        self.node.place
    }
}

/// A piece of graph to compute.
pub struct Task {
    steps: Vec<TaskStep>,
    leaves: Vec<Value>,
    /// The specs of the leaf's node, and which of its outputs it is.
    leaf_specs: Vec<(SharedSpecs, u32)>,
    /// The plan of a task that is run again and again.
    plan: OnceLock<Arc<Plan>>,
}

impl Task {
    pub(crate) fn new(
        steps: Vec<TaskStep>,
        leaves: Vec<Value>,
        leaf_specs: Vec<(SharedSpecs, u32)>,
    ) -> Task {
        Task {
            steps,
            leaves,
            leaf_specs,
            plan: OnceLock::new(),
        }
    }

    /// The plan that was made for this task ahead of its runs.
    pub(crate) fn plan(&self) -> Option<&Arc<Plan>> {
        self.plan.get()
    }

    /// Keeps a plan that holds for all values of the leaves.
    pub(crate) fn keep_plan(&self, plan: Arc<Plan>) {
        // A second plan would be the same.
        let _ = self.plan.set(plan);
    }

    /// The steps, each after the steps it reads.
    pub fn steps(&self) -> &[TaskStep] {
        &self.steps
    }

    /// The values the steps start from.
    pub fn leaves(&self) -> &[Value] {
        &self.leaves
    }

    /// Gives a leaf another value of the same spec.
    pub(crate) fn set_leaf(&mut self, leaf: u32, value: Value) {
        self.leaves[leaf as usize] = value;
    }

    /// The spec of what a source refers to.
    pub fn spec(&self, source: Source) -> &Spec {
        match source {
            Source::Leaf(leaf) => {
                let (specs, output) = &self.leaf_specs[leaf as usize];
                &specs[*output as usize]
            }
            Source::Step(step, output) => &self.steps[step as usize].specs()[output as usize],
        }
    }
}
