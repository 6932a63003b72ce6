//! Gathering elementwise nodes into groups that run in one pass over memory.
//!
//! Every node gets a *stage*: the number of pass boundaries on the longest way to it. Elementwise nodes of one shape and
//! one stage form a group. A group reads only what earlier stages computed, so no two groups wait for each other.

use super::graph::{Class, Graph, Ref};
use crate::primitives::sum::Sum;
use crate::shape::Shape;
use std::collections::HashMap;

/// Nodes that a group over `shape` may have; more would not fit the first-level cache. A pass takes 256 elements at a time.
pub(super) fn largest(shape: &Shape) -> usize {
    160 * 256 / shape.elements().clamp(16, 256)
}

/// Which group each node belongs to, if any.
pub(crate) struct Groups {
    pub(crate) of_node: Vec<Option<u32>>,
    pub(crate) count: usize,
    /// How many trailing axes the reductions of each group run over.
    pub(crate) trailing: Vec<usize>,
}

pub(crate) fn groups(graph: &Graph) -> Groups {
    let classes: Vec<Class> = graph.nodes.iter().map(|node| node.class()).collect();
    let mut stages = earliest_stages(graph, &classes);
    move_to_readers(graph, &classes, &mut stages);
    let mut groups = gathered(graph, &classes, &stages);
    attach_reductions(graph, &mut groups);
    groups
}

fn shape(graph: &Graph, node: usize) -> &Shape {
    graph.nodes[node].specs[0].shape()
}

/// The stage after which a node's value can be read by other groups.
fn ready(classes: &[Class], stages: &[u32], input: Ref) -> u32 {
    let stage = stages[input.node as usize];
    match classes[input.node as usize] {
        Class::Given | Class::View => stage,
        _ => stage + 1,
    }
}

fn earliest_stages(graph: &Graph, classes: &[Class]) -> Vec<u32> {
    let mut stages = vec![0u32; graph.nodes.len()];
    for (position, node) in graph.nodes.iter().enumerate() {
        let elementwise = classes[position].is_elementwise();
        let stage_after = |input: &Ref| {
            let producer = input.node as usize;
            let joins = elementwise
                && classes[producer].is_elementwise()
                && shape(graph, producer) == shape(graph, position);
            if joins {
                stages[producer]
            } else {
                ready(classes, &stages, *input)
            }
        };
        stages[position] = node.inputs.iter().map(stage_after).max().unwrap_or(0);
    }
    stages
}

/// Moves elementwise nodes to the stage of their first reader, so that what is read in one pass is computed there
/// instead of being stored in an earlier one.
fn move_to_readers(graph: &Graph, classes: &[Class], stages: &mut [u32]) {
    const FIXED: u32 = 0;
    let mut first_reader = vec![u32::MAX; graph.nodes.len()];
    for reference in graph.kept.iter().flat_map(|(_, outputs)| outputs) {
        first_reader[reference.node as usize] = FIXED;
    }
    for position in (0..graph.nodes.len()).rev() {
        let reader = first_reader[position];
        if classes[position].is_elementwise() && reader != u32::MAX && reader > stages[position] {
            stages[position] = reader;
        }
        for input in &graph.nodes[position].inputs {
            let producer = input.node as usize;
            let joins = classes[position].is_elementwise()
                && classes[producer].is_elementwise()
                && shape(graph, producer) == shape(graph, position);
            let stage = if joins { stages[position] } else { FIXED };
            first_reader[producer] = first_reader[producer].min(stage);
        }
    }
}

/// Groups by stage and shape. One that grows too large is continued in another: members come in topological order, so
/// a later part only reads earlier ones.
fn gathered(graph: &Graph, classes: &[Class], stages: &[u32]) -> Groups {
    let mut of_node = vec![None; graph.nodes.len()];
    let mut open: HashMap<(u32, &Shape), u32> = HashMap::new();
    let mut sizes: Vec<usize> = Vec::new();
    for position in 0..graph.nodes.len() {
        if !classes[position].is_elementwise() {
            continue;
        }
        let key = (stages[position], shape(graph, position));
        let group = match open.get(&key) {
            Some(&group) if sizes[group as usize] < largest(key.1) => group,
            _ => {
                sizes.push(0);
                let group = sizes.len() as u32 - 1;
                open.insert(key, group);
                group
            }
        };
        sizes[group as usize] += 1;
        of_node[position] = Some(group);
    }
    Groups {
        of_node,
        count: sizes.len(),
        trailing: vec![0; sizes.len()],
    }
}

/// Lets a sum over the last axes run inside the group that computes its operand.
fn attach_reductions(graph: &Graph, groups: &mut Groups) {
    for (position, node) in graph.nodes.iter().enumerate() {
        let Some(sum) = node
            .operation()
            .and_then(|operation| operation.declaration().downcast_ref::<Sum>())
        else {
            continue;
        };
        let operand = node.inputs[0].node as usize;
        // A sum that was attached to a group is none of its elementwise members: a sum of it is a pass of its own.
        if !graph.nodes[operand].class().is_elementwise() {
            continue;
        }
        let Some(group) = groups.of_node[operand] else {
            continue;
        };
        let rank = shape(graph, operand).rank();
        let trailing = sum.axes.len();
        let at_end = sum.axes.iter().copied().eq(rank - trailing..rank);
        let fits =
            groups.trailing[group as usize] == 0 || groups.trailing[group as usize] == trailing;
        let floating = node.specs[0].dtype().is_floating() && !node.specs[0].dtype().is_half();
        if at_end && fits && floating {
            groups.trailing[group as usize] = trailing;
            groups.of_node[position] = Some(group);
        }
    }
}
