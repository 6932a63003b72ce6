//! Walking the graph: which nodes lie between some tensors, in topological order, without recursion.

use super::IdMap;
use super::node::{Edge, Kind, Node};
use crate::declare::Derivative;
use crate::tensor::Tensor;
use smallvec::SmallVec;
use std::collections::HashSet;
use std::sync::Arc;

/// One node of a walk, with its inputs: history may end while the walk goes on.
pub(crate) struct Step {
    pub(crate) node: Arc<Node>,
    pub(crate) inputs: SmallVec<[Tensor; 2]>,
}

impl Step {
    /// The outputs as tensors.
    pub(crate) fn outputs(&self) -> SmallVec<[Tensor; 1]> {
        (0..self.node.specs.len() as u32)
            .map(|output| {
                Tensor::from_edge(Edge {
                    node: Arc::clone(&self.node),
                    output,
                })
            })
            .collect()
    }
}

/// Which edges a walk follows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edges {
    /// Those along which derivatives flow.
    Differentiable,
    /// Also those into operations without a derivative; not those of attributes in tensor form (indices, conditions).
    Apparent,
    /// All, for replaying.
    All,
}

/// The nodes by which `outputs` depend on `inputs`, oldest first, the inputs' own nodes left out.
///
/// Ids only grow along edges, so nothing older than the oldest input is visited.
pub(crate) fn between(inputs: &[Tensor], outputs: &[Tensor], edges: Edges) -> Vec<Step> {
    dependent(inputs, outputs, edges, |_| false)
}

/// The nodes by which `outputs` depend, along any edge, on `inputs` or on newer nodes for which `seed` holds (which are
/// among the steps), oldest first.
pub(crate) fn depending_or(
    inputs: &[Tensor],
    outputs: &[Tensor],
    seed: impl Fn(&Step) -> bool,
) -> Vec<Step> {
    dependent(inputs, outputs, Edges::All, seed)
}

fn dependent(
    inputs: &[Tensor],
    outputs: &[Tensor],
    edges: Edges,
    seed: impl Fn(&Step) -> bool,
) -> Vec<Step> {
    let Some(oldest) = inputs.iter().map(Tensor::id).min() else {
        return Vec::new();
    };
    let mut active = IdMap::new();
    for input in inputs {
        active.insert(input.id(), 0);
    }
    let mut steps = reachable(outputs, |node| {
        node.id > oldest && !active.contains(node.id)
    });
    steps.retain(|step| {
        let depends = step.inputs.iter().enumerate().any(|(position, input)| {
            active.contains(input.id()) && follows(&step.node, position, edges)
        });
        (depends || seed(step)) && active.insert(step.node.id, 0)
    });
    steps
}

/// All nodes that `outputs` stand on, oldest first, up to the `inputs`, which are left out; constants are among them.
pub(crate) fn recorded_below(inputs: &[Tensor], outputs: &[Tensor]) -> Vec<Step> {
    let mut ends = IdMap::new();
    for input in inputs {
        ends.insert(input.id(), 0);
    }
    reachable(outputs, |node| !ends.contains(node.id))
}

/// The nodes by which `outputs` depend on tracked leaves, oldest first, leaves included (they have no inputs here).
pub(crate) fn above_leaves(outputs: &[Tensor]) -> Vec<Step> {
    let mut steps = reachable(outputs, |node| node.is_tracked());
    let mut active = IdMap::new();
    for step in &mut steps {
        if step.node.kind == Kind::Leaf {
            step.inputs.clear();
            active.insert(step.node.id, 0);
        }
    }
    steps.retain(|step| {
        let leaf = step.node.kind == Kind::Leaf;
        let depends = step.inputs.iter().enumerate().any(|(position, input)| {
            active.contains(input.id()) && follows(&step.node, position, Edges::Differentiable)
        });
        leaf || (depends && active.insert(step.node.id, 0))
    });
    steps
}

/// All nodes reachable from `outputs` through nodes that `enter` accepts, oldest first.
fn reachable(outputs: &[Tensor], enter: impl Fn(&Node) -> bool) -> Vec<Step> {
    let mut seen = IdMap::new();
    let mut stack: Vec<Arc<Node>> = Vec::new();
    let mut steps = Vec::new();
    for output in outputs {
        if enter(output.node()) && seen.insert(output.id(), 0) {
            stack.push(Arc::clone(output.node()));
        }
    }
    while let Some(node) = stack.pop() {
        let inputs = node.inputs();
        if node.kind != Kind::Leaf {
            for input in &inputs {
                if enter(input.node()) && seen.insert(input.id(), 0) {
                    stack.push(Arc::clone(input.node()));
                }
            }
        }
        steps.push(Step { node, inputs });
    }
    steps.sort_unstable_by_key(|step| step.node.id);
    steps
}

fn follows(node: &Node, position: usize, edges: Edges) -> bool {
    if edges == Edges::All {
        return true;
    }
    match node.operation.derivative() {
        Derivative::Linear(linear) => !linear.is_fixed(position),
        Derivative::NotDifferentiable(_) => edges == Edges::Apparent,
        Derivative::Source => false,
        _ => true,
    }
}

/// The ids of the placeholders below `tensor`.
pub(crate) fn reached_placeholders(tensor: &Tensor) -> HashSet<u64> {
    let steps = reachable(std::slice::from_ref(tensor), Node::is_abstract);
    steps
        .iter()
        .filter(|step| step.node.kind == Kind::Placeholder)
        .map(|step| step.node.id)
        .collect()
}

/// A node that cuts every derivative path from `input` to `outputs`, if paths exist but all pass such a node.
pub(crate) fn cut_by(input: &Tensor, outputs: &[Tensor]) -> Option<(Arc<Node>, &'static str)> {
    let steps = between(std::slice::from_ref(input), outputs, Edges::Apparent);
    // Only what leads on to an output: a comparison that a `where` chooses by cuts nothing.
    let mut leading = IdMap::new();
    for output in outputs {
        leading.insert(output.id(), 0);
    }
    for step in steps.iter().rev() {
        if leading.contains(step.node.id) {
            for (position, input) in step.inputs.iter().enumerate() {
                if follows(&step.node, position, Edges::Apparent) {
                    leading.insert(input.id(), 0);
                }
            }
        }
    }
    steps
        .iter()
        .filter(|step| leading.contains(step.node.id))
        .find_map(|step| match step.node.operation.derivative() {
            Derivative::NotDifferentiable(reason)
                if step.inputs.iter().any(|x| x.dtype().is_floating()) =>
            {
                Some((Arc::clone(&step.node), reason))
            }
            _ => None,
        })
}
