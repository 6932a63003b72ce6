//! From recorded nodes to instructions over slots.

use super::Reduction;
use super::builder::{Builder, Definition, Node, Output, Register, Scalar};
use super::superinstruction;
use crate::element::DType;
use crate::half;
use crate::lane::Compute;
use crate::leaf::{Kernel, Leaf};
use crate::math::cast::conversion;
use crate::simd::{Level, level};

/// An index into the table of addresses: first the temporaries, then constants, inputs and outputs.
pub(super) type Slot = u16;

/// One kernel call: the slot it writes, the slots it reads.
pub(super) struct Instruction {
    pub(super) kernel: Kernel,
    pub(super) leaf: *const Leaf,
    pub(super) slots: [Slot; 4],
}

/// A value kept when a chunk is done: copied (or narrowed) to an output that no instruction could write directly.
pub(super) struct Store {
    pub(super) from: Slot,
    pub(super) output: usize,
}

/// A reduction: the slot that holds its operand.
pub(super) struct Reduce {
    pub(super) from: Slot,
    pub(super) output: usize,
    pub(super) reduction: Reduction,
}

/// A constant's value, as the bytes that fill its slot.
pub(super) struct Constant {
    pub(super) dtype: DType,
    pub(super) value: Scalar,
}

pub(super) struct Code {
    pub(super) level: Level,
    pub(super) inputs: Vec<DType>,
    pub(super) outputs: Vec<Output>,
    pub(super) constants: Vec<Constant>,
    pub(super) instructions: Vec<Instruction>,
    pub(super) stores: Vec<Store>,
    pub(super) reductions: Vec<Reduce>,
    pub(super) temporaries: usize,
    /// Bytes of the widest register's element.
    pub(super) width: usize,
    /// The last instruction that reads each input; `usize::MAX` if a store or a reduction does.
    pub(super) last_read: Vec<usize>,
    /// The instruction that writes each output directly; `usize::MAX` if a store does.
    pub(super) written: Vec<usize>,
}

// SAFETY: the leaves behind the pointers are `'static` and `Sync`.
unsafe impl Send for Code {}
// SAFETY: as above.
unsafe impl Sync for Code {}

/// An instruction before it has slots.
struct Step {
    kernel: Kernel,
    leaf: *const Leaf,
    result: Register,
    operands: [Register; 3],
    count: usize,
}

impl Code {
    pub(super) fn new(builder: &Builder) -> Code {
        Code::at(builder, level())
    }

    pub(super) fn at(builder: &Builder, level: Level) -> Code {
        let steps = steps(builder, level);
        Allocation::new(builder, &steps).assign(steps, level)
    }

    pub(super) fn constant_slot(&self, index: usize) -> usize {
        self.temporaries + index
    }

    pub(super) fn input_slot(&self, index: usize) -> usize {
        self.temporaries + self.constants.len() + index
    }

    pub(super) fn output_slot(&self, index: usize) -> usize {
        self.input_slot(self.inputs.len()) + index
    }

    pub(super) fn slot_count(&self) -> usize {
        self.output_slot(self.outputs.len())
    }
}

/// How often each register is read, outputs included, counting only what an output needs.
fn uses(builder: &Builder) -> Vec<u32> {
    let mut uses = vec![0; builder.nodes.len()];
    for output in &builder.outputs {
        uses[output.register.index()] += 1;
    }
    for (index, node) in builder.nodes.iter().enumerate().rev() {
        if uses[index] > 0 {
            for operand in node.operands() {
                uses[operand.index()] += 1;
            }
        }
    }
    uses
}

fn steps(builder: &Builder, level: Level) -> Vec<Step> {
    let nodes = &builder.nodes;
    let uses = uses(builder);
    let is_output = |register: Register| {
        builder
            .outputs
            .iter()
            .any(|output| output.register == register)
    };
    let mut joined = vec![false; nodes.len()];
    let mut pairs: Vec<Option<superinstruction::Pair>> = Vec::new();
    pairs.resize_with(nodes.len(), || None);
    // From the last node backwards, so that a node that vanished into its reader takes no operand with it.
    for (index, node) in nodes.iter().enumerate().rev() {
        if uses[index] == 0 || joined[index] {
            continue;
        }
        let pair = superinstruction::join(nodes, node, level, |inner| {
            uses[inner.index()] == 1 && !is_output(inner)
        });
        if let Some(pair) = pair {
            joined[pair.inner.index()] = true;
            pairs[index] = Some(pair);
        }
    }
    let mut steps = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        if uses[index] > 0 && !joined[index] {
            push_steps(
                &mut steps,
                nodes,
                node,
                Register(index as u32),
                pairs[index].take(),
                level,
            );
        }
    }
    steps
}

fn push_steps(
    steps: &mut Vec<Step>,
    nodes: &[Node],
    node: &Node,
    result: Register,
    pair: Option<superinstruction::Pair>,
    level: Level,
) {
    let step = match node.definition {
        Definition::Input(_) | Definition::Constant(_) => return,
        _ if pair.is_some() => {
            let pair = pair.expect("checked by the guard");
            Step {
                kernel: pair.kernel,
                leaf: std::ptr::null(),
                result,
                operands: pair.operands,
                count: 3,
            }
        }
        Definition::Apply {
            leaf,
            dtype,
            operands,
        } => Step {
            kernel: leaf
                .kernel(dtype, level)
                .expect("`apply` checked the dtype"),
            leaf,
            result,
            operands,
            count: leaf.arity(),
        },
        Definition::Cast(from) => Step {
            kernel: conversion(
                Compute::of(nodes[from.index()].dtype),
                Compute::of(node.dtype),
                level,
            ),
            leaf: std::ptr::null(),
            result,
            operands: [from; 3],
            count: 1,
        },
    };
    steps.push(step);
    if let Some(kernel) = half::rounding(node.dtype, level) {
        steps.push(Step {
            kernel,
            leaf: std::ptr::null(),
            result,
            operands: [result; 3],
            count: 1,
        });
    }
}

/// Where each register lives.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Nowhere,
    Temporary(usize),
    Constant(usize),
    Input(usize),
    Output(usize),
}

struct Allocation<'a> {
    builder: &'a Builder,
    place: Vec<Place>,
    /// The last step that reads each register; `usize::MAX` for what stores and reductions read.
    last: Vec<usize>,
    constants: Vec<Constant>,
    free: Vec<usize>,
    temporaries: usize,
}

impl<'a> Allocation<'a> {
    fn new(builder: &'a Builder, steps: &[Step]) -> Allocation<'a> {
        let count = builder.nodes.len();
        let mut allocation = Allocation {
            builder,
            place: vec![Place::Nowhere; count],
            last: vec![0; count],
            constants: Vec::new(),
            free: Vec::new(),
            temporaries: 0,
        };
        for (index, step) in steps.iter().enumerate() {
            for operand in &step.operands[..step.count] {
                allocation.last[operand.index()] = index;
            }
        }
        allocation.place_outputs();
        for (index, node) in builder.nodes.iter().enumerate() {
            match node.definition {
                Definition::Input(input) => allocation.place[index] = Place::Input(input),
                Definition::Constant(value) => {
                    allocation.place[index] = Place::Constant(allocation.constants.len());
                    allocation.constants.push(Constant {
                        dtype: node.dtype,
                        value,
                    });
                }
                _ => {}
            }
        }
        allocation
    }

    /// A computed register goes straight to the first output it is, if memory holds what registers hold.
    fn place_outputs(&mut self) {
        for (index, output) in self.builder.outputs.iter().enumerate() {
            let register = output.register.index();
            let computed = !matches!(
                self.builder.nodes[register].definition,
                Definition::Input(_) | Definition::Constant(_)
            );
            let direct = computed
                && output.reduction.is_none()
                && !output.dtype.is_half()
                && self.place[register] == Place::Nowhere;
            if direct {
                self.place[register] = Place::Output(index);
            } else {
                self.last[register] = usize::MAX;
            }
        }
    }

    fn assign(mut self, steps: Vec<Step>, level: Level) -> Code {
        let builder = self.builder;
        let mut written = vec![usize::MAX; builder.outputs.len()];
        let mut placed: Vec<(Step, [Place; 4])> = Vec::with_capacity(steps.len());
        for (index, step) in steps.into_iter().enumerate() {
            let mut places = [Place::Nowhere; 4];
            for (place, operand) in places[1..].iter_mut().zip(step.operands) {
                *place = self.place[operand.index()];
            }
            // A result of another width must not overwrite an operand that is still being read.
            let result = &builder.nodes[step.result.index()];
            let same_width = step.operands[..step.count].iter().all(|operand| {
                Compute::of(builder.nodes[operand.index()].dtype).size()
                    == Compute::of(result.dtype).size()
            });
            if same_width {
                self.release(&step, index);
            }
            places[0] = self.place_result(step.result);
            if !same_width {
                self.release(&step, index);
            }
            if let Place::Output(output) = places[0] {
                written[output] = index;
            }
            placed.push((step, places));
        }
        self.encode(placed, written, level)
    }

    /// Frees the temporaries that `step` reads for the last time.
    fn release(&mut self, step: &Step, index: usize) {
        for (position, operand) in step.operands[..step.count].iter().enumerate() {
            let seen = step.operands[..position].contains(operand);
            let dies = self.last[operand.index()] == index && *operand != step.result;
            if let (Place::Temporary(slot), true, false) = (self.place[operand.index()], dies, seen)
            {
                self.free.push(slot);
            }
        }
    }

    fn place_result(&mut self, result: Register) -> Place {
        if self.place[result.index()] == Place::Nowhere {
            let slot = self.free.pop().unwrap_or_else(|| {
                self.temporaries += 1;
                self.temporaries - 1
            });
            self.place[result.index()] = Place::Temporary(slot);
        }
        self.place[result.index()]
    }

    fn encode(self, placed: Vec<(Step, [Place; 4])>, written: Vec<usize>, level: Level) -> Code {
        let builder = self.builder;
        let mut code = Code {
            level,
            inputs: builder.inputs.clone(),
            outputs: builder.outputs.clone(),
            constants: self.constants,
            instructions: Vec::with_capacity(placed.len()),
            stores: Vec::new(),
            reductions: Vec::new(),
            temporaries: self.temporaries,
            width: builder
                .nodes
                .iter()
                .map(|node| Compute::of(node.dtype).size())
                .max()
                .unwrap_or(1),
            last_read: vec![0; builder.inputs.len()],
            written,
        };
        for (index, node) in builder.nodes.iter().enumerate() {
            if let Definition::Input(input) = node.definition {
                code.last_read[input] = self.last[index];
            }
        }
        let slot = |code: &Code, place: Place| -> Slot {
            let index = match place {
                Place::Nowhere => 0,
                Place::Temporary(index) => index,
                Place::Constant(index) => code.constant_slot(index),
                Place::Input(index) => code.input_slot(index),
                Place::Output(index) => code.output_slot(index),
            };
            Slot::try_from(index).expect("a program has fewer than 65536 slots")
        };
        for (step, places) in placed {
            let slots = places.map(|place| slot(&code, place));
            code.instructions.push(Instruction {
                kernel: step.kernel,
                leaf: step.leaf,
                slots,
            });
        }
        for (index, output) in builder.outputs.iter().enumerate() {
            let place = self.place[output.register.index()];
            let from = slot(&code, place);
            match output.reduction {
                Some(reduction) => code.reductions.push(Reduce {
                    from,
                    output: index,
                    reduction,
                }),
                None if place != Place::Output(index) => code.stores.push(Store {
                    from,
                    output: index,
                }),
                None => {}
            }
        }
        code
    }
}
