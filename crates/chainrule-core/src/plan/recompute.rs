//! Elementwise values that a later pass computes again instead of reading them from memory.
//!
//! A backward pass reads many intermediate results of the elementwise function it differentiates. Where the later group
//! reads their operands anyway, computing them there once more costs less than storing them here and loading them there, and
//! the memory between the two passes is free for others.

use super::fuse::{Groups, largest};
use super::graph::{Class, Graph};
use std::collections::HashSet;

/// Which nodes are computed in which groups.
pub(crate) struct Members {
    /// The nodes of every group in topological order. A node may be in two of them.
    pub(crate) of_group: Vec<Vec<u32>>,
    /// Which nodes are computed by every group that reads them, so that their values need not be stored.
    pub(crate) inside: Vec<bool>,
}

/// Who reads the value of an elementwise node.
#[derive(Clone, Copy, PartialEq)]
enum Readers {
    /// Its own group alone.
    Own,
    /// Its own group or nobody, and one other.
    Group(u32),
    /// Several others, or something that needs it in memory.
    Memory,
}

pub(crate) fn members(graph: &Graph, groups: &Groups) -> Members {
    let mut of_group: Vec<Vec<u32>> = vec![Vec::new(); groups.count];
    for (position, group) in groups.of_node.iter().enumerate() {
        if let Some(group) = group {
            of_group[*group as usize].push(position as u32);
        }
    }
    let readers = readers(graph, groups);
    let mut inside: Vec<bool> = readers.iter().map(|&who| who == Readers::Own).collect();
    let mut at_hand = at_hand(graph, groups);
    let lives_anyway = live_throughout(graph);
    for position in 0..graph.nodes.len() {
        let Readers::Group(reader) = readers[position] else {
            continue;
        };
        let node = &graph.nodes[position];
        let shape = node.specs[0].shape();
        let first = of_group[reader as usize][0] as usize;
        let same_shape = graph.nodes[first].specs[0].shape() == shape;
        let operands_at_hand = node.inputs.iter().all(|&input| {
            at_hand.contains(&(reader, input.node)) || lives_anyway[input.node as usize]
        });
        // Twice what a group may have by itself: what is computed again is short-lived.
        let room = of_group[reader as usize].len() < 2 * largest(shape);
        if same_shape && operands_at_hand && room {
            inside[position] = true;
            of_group[reader as usize].push(position as u32);
            at_hand.insert((reader, position as u32));
        }
    }
    for (group, nodes) in of_group.iter_mut().enumerate() {
        nodes.sort_unstable();
        drop_unread(graph, groups, group as u32, nodes, &inside);
    }
    Members { of_group, inside }
}

fn readers(graph: &Graph, groups: &Groups) -> Vec<Readers> {
    let elementwise = |position: usize| graph.nodes[position].class().is_elementwise();
    let mut readers: Vec<Readers> = (0..graph.nodes.len())
        .map(|position| match elementwise(position) {
            true => Readers::Own,
            false => Readers::Memory,
        })
        .collect();
    for reference in graph.kept.iter().flat_map(|(_, outputs)| outputs) {
        readers[reference.node as usize] = Readers::Memory;
    }
    for (position, node) in graph.nodes.iter().enumerate() {
        let group = groups.of_node[position];
        for input in &node.inputs {
            let known = &mut readers[input.node as usize];
            *known = match (*known, group) {
                (known, Some(_)) if group == groups.of_node[input.node as usize] => known,
                (Readers::Own, Some(other)) => Readers::Group(other),
                (Readers::Group(one), Some(other)) if one == other => Readers::Group(one),
                _ => Readers::Memory,
            };
        }
    }
    readers
}

/// Groups, and the nodes of which each reads a value.
fn at_hand(graph: &Graph, groups: &Groups) -> HashSet<(u32, u32)> {
    let mut at_hand = HashSet::new();
    for (position, node) in graph.nodes.iter().enumerate() {
        if let Some(group) = groups.of_node[position] {
            at_hand.extend(node.inputs.iter().map(|input| (group, input.node)));
        }
    }
    at_hand
}

/// Which values are in memory as long as the task runs: its leaves, and other looks at them.
fn live_throughout(graph: &Graph) -> Vec<bool> {
    let mut live = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        live.push(match node.class() {
            Class::Given => true,
            Class::View => live[node.inputs[0].node as usize],
            _ => false,
        });
    }
    live
}

/// Leaves out what a group would compute for nobody.
fn drop_unread(graph: &Graph, groups: &Groups, group: u32, nodes: &mut Vec<u32>, inside: &[bool]) {
    let mut read = HashSet::new();
    let mut needed: Vec<u32> = Vec::with_capacity(nodes.len());
    for &position in nodes.iter().rev() {
        let own = groups.of_node[position as usize] == Some(group);
        if own && !inside[position as usize] || read.contains(&position) {
            read.extend(
                graph.nodes[position as usize]
                    .inputs
                    .iter()
                    .map(|input| input.node),
            );
            needed.push(position);
        }
    }
    needed.reverse();
    *nodes = needed;
}
