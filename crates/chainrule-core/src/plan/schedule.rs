//! The order of the steps, the programs of the groups, and when each value is read last.

use super::fuse::Groups;
use super::graph::{Class, Graph, Origin, Ref};
use super::recompute::{self, Members};
use crate::backend::Value;
use crate::declare::OperationRef;
use crate::graph::Spec;
use crate::shape::Shape;
use chainrule_kernels::program::{Program, Reduction, Register};
use smallvec::SmallVec;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// The number of a value during execution.
pub(crate) type Slot = u32;

/// What is run.
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    /// The spec of every slot.
    pub(crate) specs: Vec<Spec>,
    /// Slots filled from the task's leaves: (slot, leaf).
    pub(crate) leaves: Vec<(Slot, u32)>,
    /// Slots filled from data of composites' bodies.
    pub(crate) constants: Vec<(Slot, Value)>,
    /// The task's steps whose values are kept, and the slots that hold them.
    pub(crate) kept: Vec<(u32, SmallVec<[Slot; 1]>)>,
}

/// One step of a plan.
pub(crate) struct Step {
    pub(crate) action: Action,
    pub(crate) inputs: SmallVec<[Slot; 4]>,
    pub(crate) outputs: SmallVec<[Slot; 2]>,
    /// The inputs that nobody reads after this step.
    pub(crate) last_reads: SmallVec<[Slot; 4]>,
    /// The places among the inputs of those whose memory an output of a group may take over.
    pub(crate) dying: SmallVec<[u32; 4]>,
    /// The task's step it came from (of a group, its last).
    pub(crate) task_step: u32,
}

pub(crate) enum Action {
    /// Another look at the only input.
    View {
        operation: OperationRef,
        /// Whether so many steps read it that a copy in row-major order pays, where the look is not one already.
        in_rows: bool,
    },
    /// A kernel or reference implementation.
    Kernel(OperationRef),
    /// A fused pass.
    Group(Box<Group>),
}

/// A fused group of elementwise operations with trailing reductions.
pub(crate) struct Group {
    pub(crate) program: Program,
    pub(crate) shape: Shape,
    pub(crate) trailing: usize,
}

pub(crate) fn schedule(graph: Graph, groups: Groups) -> Plan {
    let slots = Slots::of(&graph);
    let Members { of_group, inside } = recompute::members(&graph, &groups);
    let mut units: Vec<Unit> = Vec::new();
    let mut unit_of_node = vec![u32::MAX; graph.nodes.len()];
    for (position, node) in graph.nodes.iter().enumerate() {
        match (groups.of_node[position], node.class()) {
            (Some(_), _) | (None, Class::Given) => {}
            (None, _) => {
                unit_of_node[position] = units.len() as u32;
                units.push(Unit::Single(position as u32));
            }
        }
    }
    for (group, nodes) in of_group.into_iter().enumerate() {
        if nodes.is_empty() {
            continue;
        }
        for &node in &nodes {
            // A value that several groups compute is read from memory by none.
            unit_of_node[node as usize] = units.len() as u32;
        }
        units.push(Unit::Group(group as u32, nodes));
    }
    let order = ordered(&graph, &units, &unit_of_node);
    let kept_nodes: Vec<Ref> = graph
        .kept
        .iter()
        .flat_map(|(_, outputs)| outputs.iter().copied())
        .collect();
    let mut steps: Vec<Step> = order
        .into_iter()
        .map(|unit| match &units[unit as usize] {
            Unit::Single(node) => single(&graph, *node, &slots),
            Unit::Group(group, nodes) => {
                let trailing = groups.trailing[*group as usize];
                grouped(&graph, nodes, trailing, &slots, &inside)
            }
        })
        .collect();
    mark_last_reads(&mut steps, &kept_nodes, &slots);
    mark_many_reads(&mut steps, slots.specs.len());
    let mut leaves = Vec::new();
    let mut constants = Vec::new();
    for (position, node) in graph.nodes.iter().enumerate() {
        match &node.origin {
            Origin::Leaf(leaf) => leaves.push((slots.first[position], *leaf)),
            Origin::Constant(value) => constants.push((slots.first[position], value.clone())),
            Origin::Operation(_) => {}
        }
    }
    let kept = graph.kept.iter().map(|(step, outputs)| {
        (
            *step,
            outputs.iter().map(|&output| slots.of_ref(output)).collect(),
        )
    });
    Plan {
        steps,
        kept: kept.collect(),
        specs: slots.specs,
        leaves,
        constants,
    }
}

/// What is ordered: one node, or a group with its nodes.
enum Unit {
    Single(u32),
    Group(u32, Vec<u32>),
}

impl Unit {
    fn nodes(&self) -> &[u32] {
        match self {
            Unit::Single(node) => std::slice::from_ref(node),
            Unit::Group(_, nodes) => nodes,
        }
    }
}

/// A slot for every output of every node.
struct Slots {
    first: Vec<Slot>,
    specs: Vec<Spec>,
}

impl Slots {
    fn of(graph: &Graph) -> Slots {
        let mut first = Vec::with_capacity(graph.nodes.len());
        let mut specs = Vec::new();
        for node in &graph.nodes {
            first.push(specs.len() as Slot);
            specs.extend(node.specs.iter().cloned());
        }
        Slots { first, specs }
    }

    fn of_ref(&self, reference: Ref) -> Slot {
        self.first[reference.node as usize] + reference.output
    }
}

/// Units in an order that respects their inputs and otherwise follows the user's program.
fn ordered(graph: &Graph, units: &[Unit], unit_of_node: &[u32]) -> Vec<u32> {
    let mut waiting = vec![0u32; units.len()];
    let mut readers: Vec<Vec<u32>> = vec![Vec::new(); units.len()];
    for (reader, unit) in units.iter().enumerate() {
        for &node in unit.nodes() {
            for input in &graph.nodes[node as usize].inputs {
                let producer = unit_of_node[input.node as usize];
                let computed_here = unit.nodes().binary_search(&input.node).is_ok();
                if producer != u32::MAX && !computed_here {
                    readers[producer as usize].push(reader as u32);
                    waiting[reader] += 1;
                }
            }
        }
    }
    // The newest node decides: a group is due when the user's program has reached its last operation.
    let due = |unit: u32| Reverse((units[unit as usize].nodes().last().copied(), unit));
    let mut ready: BinaryHeap<_> = (0..units.len() as u32)
        .filter(|&unit| waiting[unit as usize] == 0)
        .map(due)
        .collect();
    let mut order = Vec::with_capacity(units.len());
    while let Some(Reverse((_, unit))) = ready.pop() {
        order.push(unit);
        for &reader in &readers[unit as usize] {
            waiting[reader as usize] -= 1;
            if waiting[reader as usize] == 0 {
                ready.push(due(reader));
            }
        }
    }
    debug_assert_eq!(order.len(), units.len(), "units never wait for each other");
    order
}

fn single(graph: &Graph, position: u32, slots: &Slots) -> Step {
    let node = &graph.nodes[position as usize];
    let operation = node.operation().expect("given nodes are not steps").clone();
    let action = match node.class() {
        Class::View => Action::View {
            operation,
            in_rows: false,
        },
        _ => Action::Kernel(operation),
    };
    let first = slots.first[position as usize];
    Step {
        action,
        inputs: node
            .inputs
            .iter()
            .map(|&input| slots.of_ref(input))
            .collect(),
        outputs: (first..first + node.specs.len() as Slot).collect(),
        last_reads: SmallVec::new(),
        dying: SmallVec::new(),
        task_step: node.task_step,
    }
}

fn grouped(graph: &Graph, nodes: &[u32], trailing: usize, slots: &Slots, inside: &[bool]) -> Step {
    let mut builder = Program::builder();
    let mut registers: HashMap<Ref, Register> = HashMap::new();
    let mut inputs: SmallVec<[Slot; 4]> = SmallVec::new();
    let mut outputs: SmallVec<[Slot; 2]> = SmallVec::new();
    let mut shape = None;
    let mut reductions: Vec<u32> = Vec::new();
    for &position in nodes {
        let node = &graph.nodes[position as usize];
        let class = node.class();
        if !class.is_elementwise() {
            reductions.push(position);
            continue;
        }
        shape = Some(node.specs[0].shape().clone());
        let operands: SmallVec<[Register; 3]> = node
            .inputs
            .iter()
            .map(|&input| {
                *registers.entry(input).or_insert_with(|| {
                    inputs.push(slots.of_ref(input));
                    builder.input(graph.spec(input).dtype())
                })
            })
            .collect();
        let last = graph.spec(*node.inputs.last().expect("elementwise nodes have operands"));
        let result = match class {
            Class::Pointwise(leaf) => builder.apply(leaf, last.dtype(), &operands),
            _ => builder.cast(operands[0], node.specs[0].dtype()),
        };
        registers.insert(
            Ref {
                node: position,
                output: 0,
            },
            result,
        );
        if !inside[position as usize] {
            builder.output(result);
            outputs.push(slots.first[position as usize]);
        }
    }
    for position in reductions {
        let operand = graph.nodes[position as usize].inputs[0];
        builder.reduce(registers[&operand], Reduction::Sum);
        outputs.push(slots.first[position as usize]);
    }
    let last = *nodes.last().expect("a group has members");
    Step {
        action: Action::Group(Box::new(Group {
            program: builder.finish(),
            shape: shape.expect("a group has an elementwise member"),
            trailing,
        })),
        inputs,
        outputs,
        last_reads: SmallVec::new(),
        dying: SmallVec::new(),
        task_step: graph.nodes[last as usize].task_step,
    }
}

fn mark_last_reads(steps: &mut [Step], kept: &[Ref], slots: &Slots) {
    let mut read_later = vec![false; slots.specs.len()];
    for &reference in kept {
        read_later[slots.of_ref(reference) as usize] = true;
    }
    for step in steps.iter_mut().rev() {
        for &output in &step.outputs {
            // An output nobody reads is dropped at once.
            if !read_later[output as usize] {
                step.last_reads.push(output);
            }
        }
        for (place, &input) in step.inputs.iter().enumerate() {
            if std::mem::replace(&mut read_later[input as usize], true) {
                continue;
            }
            step.last_reads.push(input);
            if let Action::Group(group) = &step.action
                && *slots.specs[input as usize].shape() == group.shape
            {
                step.dying.push(place as u32);
            }
        }
    }
}

/// Steps that read one view, from which on it is copied once in row-major order, instead of being turned by each of them.
/// The case is a recurrent weight, transposed, which the products of all time steps read.
const MANY_READS: usize = 4;

fn mark_many_reads(steps: &mut [Step], slots: usize) {
    let mut reads = vec![0; slots];
    for step in steps.iter() {
        if !matches!(step.action, Action::View { .. }) {
            for &input in &step.inputs {
                reads[input as usize] += 1;
            }
        }
    }
    for step in steps {
        if let Action::View { in_rows, .. } = &mut step.action {
            *in_rows = reads[step.outputs[0] as usize] >= MANY_READS;
        }
    }
}
