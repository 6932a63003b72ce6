//! A recorded function without its values: the list of operations, which can be recorded again on other inputs.

use super::walk::{Edges, between};
use super::{IdMap, Place, Spec, recorded_at};
use crate::declare::{OperationRef, Specs};
use crate::tensor::Tensor;
use smallvec::SmallVec;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};

/// Where an operation of a tape takes an operand from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Slot {
    /// An input of the function.
    Input(u32),
    /// A tensor that the function uses besides its inputs.
    Captured(u32),
    /// An output of an earlier step.
    Step(u32, u32),
}

/// One operation of a tape.
pub(crate) struct TapeStep {
    pub(crate) operation: OperationRef,
    pub(crate) inputs: SmallVec<[Slot; 2]>,
    pub(crate) place: Place,
    pub(crate) specs: SmallVec<[Spec; 1]>,
}

/// The operations by which some outputs depend on some inputs, oldest first.
pub(crate) struct Tape {
    pub(crate) captured: Vec<Tensor>,
    pub(crate) steps: Vec<TapeStep>,
    pub(crate) outputs: Vec<Slot>,
}

impl Tape {
    /// What was recorded between `inputs`, fresh inputs of a transform or placeholders, and `outputs`.
    pub(crate) fn between(inputs: &[Tensor], outputs: &[Tensor]) -> Tape {
        let walk = between(inputs, outputs, Edges::All);
        let mut table = Table {
            rows: IdMap::new(),
            inputs: inputs.len() as u32,
            captured: Vec::new(),
            captured_rows: HashMap::new(),
        };
        for (row, input) in inputs.iter().enumerate() {
            table.rows.insert(input.id(), row as u32);
        }
        let mut steps = Vec::with_capacity(walk.steps.len());
        for step in &walk.steps {
            let inputs = step.inputs.iter().map(|input| table.slot(input)).collect();
            table
                .rows
                .insert(step.node.id, table.inputs + steps.len() as u32);
            steps.push(TapeStep {
                operation: step.node.operation.clone(),
                inputs,
                place: step.node.place(),
                specs: step.node.specs[..].into(),
            });
        }
        let outputs = outputs.iter().map(|output| table.slot(output)).collect();
        Tape {
            captured: table.captured,
            steps,
            outputs,
        }
    }

    /// The tape alone: what it captured is given with each replay.
    pub(crate) fn without_captured(mut self) -> Tape {
        self.captured = Vec::new();
        self
    }

    /// The specs of the outputs, from those of the inputs and then of what is captured.
    pub(crate) fn output_specs(&self, operands: &[&Spec], inputs: usize) -> Specs {
        let of = |slot: &Slot| match *slot {
            Slot::Input(input) => operands[input as usize].clone(),
            Slot::Captured(tensor) => operands[inputs + tensor as usize].clone(),
            Slot::Step(step, output) => self.steps[step as usize].specs[output as usize].clone(),
        };
        self.outputs.iter().map(of).collect()
    }

    /// Whether both do the same, wherever they were recorded.
    pub(crate) fn same(&self, other: &Tape) -> bool {
        let same_step = |(step, other): (&TapeStep, &TapeStep)| {
            step.inputs == other.inputs
                && step.specs == other.specs
                && step.operation.same(&*other.operation)
        };
        self.outputs == other.outputs
            && self.steps.len() == other.steps.len()
            && self.steps.iter().zip(&other.steps).all(same_step)
    }

    /// Feeds what [`same`](Tape::same) compares to a hasher.
    pub(crate) fn hash(&self, mut hasher: &mut dyn Hasher) {
        for step in &self.steps {
            step.operation.hash(hasher);
            step.inputs.hash(&mut hasher);
        }
        self.outputs.hash(&mut hasher);
    }

    /// Records the operations again, on other inputs and other captured tensors: the outputs.
    pub(crate) fn replay(&self, inputs: &[Tensor], captured: &[Tensor]) -> Vec<Tensor> {
        let results = self.replay_steps(inputs, captured);
        let outputs = self.outputs.iter();
        outputs
            .map(|&slot| operand(slot, inputs, captured, &results).clone())
            .collect()
    }

    /// Records the operations again: the outputs of every step.
    pub(crate) fn replay_steps(
        &self,
        inputs: &[Tensor],
        captured: &[Tensor],
    ) -> Vec<SmallVec<[Tensor; 1]>> {
        let mut results: Vec<SmallVec<[Tensor; 1]>> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let recorded = {
                let operands: SmallVec<[&Tensor; 2]> = step
                    .inputs
                    .iter()
                    .map(|&slot| operand(slot, inputs, captured, &results))
                    .collect();
                recorded_at(step.place, || step.operation.all_of(&operands))
            };
            results.push(recorded);
        }
        results
    }
}

/// The tensor at a slot.
pub(crate) fn operand<'a>(
    slot: Slot,
    inputs: &'a [Tensor],
    captured: &'a [Tensor],
    results: &'a [SmallVec<[Tensor; 1]>],
) -> &'a Tensor {
    match slot {
        Slot::Input(input) => &inputs[input as usize],
        Slot::Captured(tensor) => &captured[tensor as usize],
        Slot::Step(step, output) => &results[step as usize][output as usize],
    }
}

/// Rows of what was met: inputs first, then steps.
struct Table {
    rows: IdMap,
    inputs: u32,
    captured: Vec<Tensor>,
    captured_rows: HashMap<(u64, u32), u32>,
}

impl Table {
    fn slot(&mut self, tensor: &Tensor) -> Slot {
        match self.rows.get(tensor.id()) {
            Some(row) if row < self.inputs => Slot::Input(row),
            Some(row) => Slot::Step(row - self.inputs, tensor.edge().output),
            None => Slot::Captured(self.capture(tensor)),
        }
    }

    fn capture(&mut self, tensor: &Tensor) -> u32 {
        let next = self.captured.len() as u32;
        let key = tensor.key();
        let row = *self.captured_rows.entry(key).or_insert(next);
        if row == next {
            self.captured.push(tensor.clone());
        }
        row
    }
}
