//! Walking the graph: which nodes lie between some tensors, in topological order, without recursion.

use super::node::{Edge, Kind, Node};
use super::{Few, IdMap};
use crate::declare::{Derivative, Linear};
use crate::tensor::Tensor;
use smallvec::SmallVec;
use std::collections::HashSet;
use std::sync::Arc;

/// One node of a walk, with its inputs: history may end while the walk goes on.
pub(crate) struct Step {
    pub(crate) node: Arc<Node>,
    pub(crate) inputs: Few<Tensor>,
}

impl Step {
    /// The outputs as tensors.
    pub(crate) fn outputs(&self) -> SmallVec<[Tensor; 1]> {
        self.output().all_outputs()
    }

    /// The first output, which is the only one of most operations.
    pub(crate) fn output(&self) -> Tensor {
        Tensor::from_edge(Edge {
            node: Arc::clone(&self.node),
            output: 0,
        })
    }
}

/// The nodes of a walk, oldest first, and the row of each, and of each input, in a table made for the walk.
pub(crate) struct Walk {
    pub(crate) steps: Vec<Step>,
    /// The row of the first step; the others follow.
    pub(crate) first: usize,
    rows: IdMap,
}

/// Marks nodes in a map of rows that were visited but belong to no row.
const NO_ROW: u32 = u32::MAX - 1;

impl Walk {
    /// The number of rows.
    pub(crate) fn len(&self) -> usize {
        self.first + self.steps.len()
    }

    /// The row of `tensor`'s node, if it takes part.
    pub(crate) fn row(&self, tensor: &Tensor) -> Option<usize> {
        let row = self.rows.get(tensor.id())?;
        (row != NO_ROW).then_some(row as usize)
    }

    /// Keeps the steps that depend on a row, or for which `seed` holds, and gives them rows.
    fn sift(
        mut steps: Vec<Step>,
        mut rows: IdMap,
        first: usize,
        edges: Edges,
        seed: impl Fn(&Step) -> bool,
    ) -> Walk {
        let mut next = first as u32;
        steps.retain(|step| {
            let has_row = |input: &Tensor| rows.get(input.id()).is_some_and(|row| row != NO_ROW);
            let takes_part = seed(step) || {
                let flows = flow(&step.node, edges);
                let mut inputs = step.inputs.iter().enumerate();
                inputs.any(|(position, input)| has_row(input) && flows.through(position))
            };
            if takes_part {
                rows.insert(step.node.id, next);
                next += 1;
            }
            takes_part
        });
        Walk { steps, first, rows }
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
pub(crate) fn between(inputs: &[Tensor], outputs: &[Tensor], edges: Edges) -> Walk {
    dependent(inputs, outputs, edges, |_| false)
}

/// The nodes by which `outputs` depend, along any edge, on `inputs` or on newer nodes for which `seed` holds (which are
/// among the steps), oldest first.
pub(crate) fn depending_or(
    inputs: &[Tensor],
    outputs: &[Tensor],
    seed: impl Fn(&Step) -> bool,
) -> Walk {
    dependent(inputs, outputs, Edges::All, seed)
}

fn dependent(
    inputs: &[Tensor],
    outputs: &[Tensor],
    edges: Edges,
    seed: impl Fn(&Step) -> bool,
) -> Walk {
    let mut rows = IdMap::new();
    for (row, input) in inputs.iter().enumerate() {
        rows.insert(input.id(), row as u32);
    }
    let oldest = inputs.iter().map(Tensor::id).min().unwrap_or(u64::MAX);
    let steps = reachable(outputs, &mut rows, |node| node.id > oldest);
    Walk::sift(steps, rows, inputs.len(), edges, seed)
}

/// All nodes that `outputs` stand on, oldest first, up to the `inputs`, which are left out; constants are among them.
pub(crate) fn recorded_below(inputs: &[Tensor], outputs: &[Tensor]) -> Vec<Step> {
    let mut ends = IdMap::new();
    for input in inputs {
        ends.insert(input.id(), NO_ROW);
    }
    reachable(outputs, &mut ends, |_| true)
}

/// The nodes by which `outputs` depend on tracked leaves, oldest first, leaves included.
pub(crate) fn above_leaves(outputs: &[Tensor]) -> Walk {
    let mut rows = IdMap::new();
    let steps = reachable(outputs, &mut rows, Node::is_tracked);
    Walk::sift(steps, rows, 0, Edges::Differentiable, |step| {
        step.node.kind == Kind::Leaf
    })
}

/// All nodes reachable from `outputs` through nodes that `enter` accepts and `seen` does not have, oldest first.
fn reachable(outputs: &[Tensor], seen: &mut IdMap, enter: impl Fn(&Node) -> bool) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::with_capacity(8);
    let mut visit = |node: &Arc<Node>, steps: &mut Vec<Step>| {
        if enter(node) && seen.add(node.id, NO_ROW) {
            steps.push(Step {
                node: Arc::clone(node),
                inputs: Few::None,
            });
        }
    };
    for output in outputs {
        visit(output.node(), &mut steps);
    }
    // The list is its own queue: the inputs of what was found are visited next.
    let mut next = 0;
    while next < steps.len() {
        let node = &steps[next].node;
        let inputs = node.inputs();
        if node.kind != Kind::Leaf {
            for input in inputs.iter() {
                visit(input.node(), &mut steps);
            }
        }
        steps[next].inputs = inputs;
        next += 1;
    }
    steps.sort_unstable_by_key(|step| step.node.id);
    steps
}

/// Through which of a node's inputs a walk goes on.
enum Flow<'a> {
    All,
    Nothing,
    Free(&'a dyn Linear),
}

impl Flow<'_> {
    fn through(&self, position: usize) -> bool {
        match self {
            Flow::All => true,
            Flow::Nothing => false,
            Flow::Free(linear) => !linear.is_fixed(position),
        }
    }
}

fn flow(node: &Node, edges: Edges) -> Flow<'_> {
    if edges == Edges::All {
        return Flow::All;
    }
    match node.operation.derivative() {
        Derivative::Linear(linear) => Flow::Free(linear),
        Derivative::NotDifferentiable(_) if edges == Edges::Differentiable => Flow::Nothing,
        Derivative::Source => Flow::Nothing,
        _ => Flow::All,
    }
}

/// The ids of the placeholders below `tensor`.
pub(crate) fn reached_placeholders(tensor: &Tensor) -> HashSet<u64> {
    placeholders_below(tensor).map(|node| node.id).collect()
}

/// The placeholders below `tensor`, oldest first.
pub(crate) fn placeholders_below(tensor: &Tensor) -> impl Iterator<Item = Arc<Node>> {
    let outputs = std::slice::from_ref(tensor);
    let steps = reachable(outputs, &mut IdMap::new(), Node::is_abstract);
    let nodes = steps.into_iter().map(|step| step.node);
    nodes.filter(|node| node.kind == Kind::Placeholder)
}

/// A node that cuts every derivative path from `input` to `outputs`, if paths exist but all pass such a node.
pub(crate) fn cut_by(input: &Tensor, outputs: &[Tensor]) -> Option<(Arc<Node>, &'static str)> {
    let walk = between(std::slice::from_ref(input), outputs, Edges::Apparent);
    // Only what leads on to an output: a comparison that a `where` chooses by cuts nothing.
    let mut leading = IdMap::new();
    for output in outputs {
        leading.insert(output.id(), 0);
    }
    for step in walk.steps.iter().rev() {
        if leading.contains(step.node.id) {
            let flow = flow(&step.node, Edges::Apparent);
            for (position, input) in step.inputs.iter().enumerate() {
                if flow.through(position) {
                    leading.insert(input.id(), 0);
                }
            }
        }
    }
    walk.steps
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
