//! Running a plan: slots of values, buffers that come and go with their last reader.

use crate::backend::convert::{filled_buffer, first_element, from_array, to_array};
use crate::backend::plain::{reference_value, round};
use crate::backend::select::{self, Input};
use crate::backend::{Computed, Stored, Task, Value};
use crate::declare::{Evaluation, OperationRef};
use crate::error::Error;
use crate::graph::Spec;
use crate::plan::{Action, Group, Plan, Step};
use crate::shape::{Layout, Strides};
use chainrule_kernels::Buffer;
use chainrule_kernels::program::Operand;
use smallvec::SmallVec;
use std::sync::Arc;

struct Execution<'a> {
    plan: &'a Plan,
    slots: Vec<Option<Value>>,
}

/// Runs all steps and returns the kept values.
pub(super) fn run(plan: &Plan, task: &Task) -> Result<Computed, Error> {
    let mut execution = Execution {
        plan,
        slots: vec![None; plan.specs.len()],
    };
    for &(slot, leaf) in &plan.leaves {
        execution.slots[slot as usize] = Some(task.leaves()[leaf as usize].clone());
    }
    for (slot, value) in &plan.constants {
        execution.slots[*slot as usize] = Some(value.clone());
    }
    for step in &plan.steps {
        execution
            .step(step)
            .map_err(|error| error.at(task.steps()[step.task_step as usize].place()))?;
    }
    plan.kept
        .iter()
        .map(|(position, outputs)| {
            let values: Result<SmallVec<[Value; 1]>, Error> = outputs
                .iter()
                .map(|&slot| execution.finished(slot))
                .collect();
            Ok((*position, values?))
        })
        .collect()
}

impl Execution<'_> {
    fn spec(&self, slot: u32) -> &Spec {
        &self.plan.specs[slot as usize]
    }

    fn value(&self, slot: u32) -> &Value {
        self.slots[slot as usize]
            .as_ref()
            .expect("a slot is filled before it is read")
    }

    /// A kept value in the form that nodes store: single numbers in the node itself.
    fn finished(&self, slot: u32) -> Result<Value, Error> {
        let value = self.value(slot);
        match value {
            Value::Array(stored) if self.spec(slot).rank() == 0 => {
                let mut number = Buffer::scratch(self.spec(slot).dtype().size())?;
                copy_element(stored, &mut number, self.spec(slot));
                Ok(Value::Filled(first_element(
                    &number,
                    self.spec(slot).dtype(),
                )))
            }
            _ => Ok(value.clone()),
        }
    }

    fn step(&mut self, step: &Step) -> Result<(), Error> {
        match &step.action {
            Action::View { operation, in_rows } => self.view(operation, *in_rows, step)?,
            Action::Kernel(operation) => self.kernel(operation, step)?,
            Action::Group(group) => self.group(group, step)?,
        }
        for &slot in &step.last_reads {
            self.slots[slot as usize] = None;
        }
        Ok(())
    }

    fn view(
        &mut self,
        operation: &OperationRef,
        wanted_in_rows: bool,
        step: &Step,
    ) -> Result<(), Error> {
        let Evaluation::View(viewing) = operation.evaluation() else {
            unreachable!("view steps hold viewing operations")
        };
        let (input, output) = (step.inputs[0], step.outputs[0]);
        let viewed = match self.value(input) {
            // Every element is the same, whatever the positions.
            Value::Filled(scalar) => Value::Filled(*scalar),
            Value::Array(stored) => match viewing.view(&stored.layout, self.spec(output)) {
                Some(layout) => Value::Array(Arc::new(Stored {
                    buffer: stored.buffer.clone(),
                    layout,
                })),
                None => {
                    let copy = contiguous_copy(stored, self.spec(input))?;
                    let layout = viewing
                        .view(&copy.layout, self.spec(output))
                        .expect("a contiguous input can be viewed by every viewing primitive");
                    Value::Array(Arc::new(Stored {
                        buffer: copy.buffer,
                        layout,
                    }))
                }
            },
        };
        self.slots[output as usize] = Some(match viewed {
            Value::Array(stored) if wanted_in_rows => {
                Value::Array(in_rows(stored, self.spec(output))?)
            }
            other => other,
        });
        Ok(())
    }

    fn kernel(&mut self, operation: &OperationRef, step: &Step) -> Result<(), Error> {
        let specs: Vec<Spec> = step
            .outputs
            .iter()
            .map(|&slot| self.spec(slot).clone())
            .collect();
        let plan = self.plan;
        let input_specs: SmallVec<[&Spec; 4]> = step
            .inputs
            .iter()
            .map(|&slot| &plan.specs[slot as usize])
            .collect();
        if let Some(kernel) = select::kernel_for(&**operation, &input_specs) {
            let stored: Result<Vec<Arc<Stored>>, Error> = step
                .inputs
                .iter()
                .map(|&slot| as_array(self.value(slot), self.spec(slot)))
                .collect();
            let stored = stored?;
            let inputs: Vec<Input<'_>> = stored
                .iter()
                .zip(&step.inputs)
                .map(|(stored, &slot)| Input {
                    buffer: &stored.buffer,
                    layout: stored.layout.clone(),
                    dtype: self.spec(slot).dtype(),
                })
                .collect();
            let outputs = kernel(&**operation, &inputs, &specs)?;
            for ((&slot, buffer), spec) in step.outputs.iter().zip(outputs).zip(&specs) {
                self.slots[slot as usize] = Some(Value::contiguous(buffer, spec.shape().clone()));
            }
            return Ok(());
        }
        let arrays: Result<Vec<_>, Error> = step
            .inputs
            .iter()
            .map(|&slot| to_array(self.value(slot), self.spec(slot)))
            .collect();
        let outputs = reference_value(operation, &arrays?, &input_specs, &specs)?;
        for ((&slot, array), spec) in step.outputs.iter().zip(outputs).zip(&specs) {
            self.slots[slot as usize] = Some(from_array(round(array, spec.dtype()), spec)?);
        }
        Ok(())
    }

    fn group(&mut self, group: &Group, step: &Step) -> Result<(), Error> {
        let mut inputs: SmallVec<[Holding; 8]> = SmallVec::with_capacity(step.inputs.len());
        for &slot in &step.inputs {
            let stored = as_array(self.value(slot), self.spec(slot))?;
            inputs.push(Holding::Shared(in_rows(stored, self.spec(slot))?));
        }
        let mut dying = step.dying.clone();
        let mut outputs: SmallVec<[Buffer; 4]> = SmallVec::with_capacity(step.outputs.len());
        for (index, &slot) in step.outputs.iter().enumerate() {
            let recycled = match group.program.is_reduction(index) {
                true => None,
                false => self.take_over(step, slot, &mut inputs, &mut dying, index),
            };
            let spec = self.spec(slot);
            outputs.push(match recycled {
                Some(buffer) => buffer,
                None => Buffer::for_elements(spec.dtype(), spec.elements())?,
            });
        }
        let zeros = Strides::from_elem(0, group.shape.rank());
        let operands: SmallVec<[Operand<'_>; 8]> = inputs
            .iter()
            .map(|holding| match holding {
                Holding::TakenBy(output) => Operand::InPlace(*output),
                Holding::Shared(stored) => {
                    let same_rank = stored.layout.shape.rank() == group.shape.rank();
                    let strides = if same_rank {
                        &stored.layout.strides
                    } else {
                        &zeros
                    };
                    Operand::strided(&stored.buffer, stored.layout.offset, strides)
                }
            })
            .collect();
        let mut targets: SmallVec<[&mut Buffer; 4]> = outputs.iter_mut().collect();
        group
            .program
            .run(&group.shape, group.trailing, &operands, &mut targets);
        drop((targets, operands));
        for (&slot, buffer) in step.outputs.iter().zip(outputs) {
            self.slots[slot as usize] =
                Some(Value::contiguous(buffer, self.spec(slot).shape().clone()));
        }
        Ok(())
    }

    /// The buffer of an input that dies in this step and that output `slot` can overwrite.
    fn take_over(
        &mut self,
        step: &Step,
        slot: u32,
        inputs: &mut [Holding],
        dying: &mut SmallVec<[u32; 4]>,
        output: usize,
    ) -> Option<Buffer> {
        let bytes = self.spec(slot).bytes();
        let size = self.spec(slot).dtype().size();
        let mut next = 0;
        while next < dying.len() {
            let position = dying[next] as usize;
            let candidate = step.inputs[position];
            if self.spec(candidate).dtype().size() != size {
                next += 1; // another output may take it
                continue;
            }
            dying.remove(next);
            let Holding::Shared(stored) = &inputs[position] else {
                unreachable!("an input is taken over once")
            };
            // Two holders are ours, the slot and `inputs`; more means that somebody else still looks at it.
            let ours = Arc::strong_count(stored) == 2 && Arc::strong_count(&stored.buffer) == 1;
            let whole = stored.layout.offset == 0
                && stored.layout.is_contiguous()
                && stored.buffer.len() == bytes;
            if !ours || !whole {
                continue;
            }
            self.slots[candidate as usize] = None;
            let taken = std::mem::replace(&mut inputs[position], Holding::TakenBy(output));
            let Holding::Shared(stored) = taken else {
                unreachable!("looked at above")
            };
            return Arc::into_inner(Arc::into_inner(stored)?.buffer);
        }
        None
    }
}

/// An input of a group while it runs.
enum Holding {
    /// Memory that the group only reads.
    Shared(Arc<Stored>),
    /// Memory that an output of the group has taken over.
    TakenBy(usize),
}

/// A value as elements in memory; a filled one becomes a single element seen from everywhere.
fn as_array(value: &Value, spec: &Spec) -> Result<Arc<Stored>, Error> {
    Ok(match value {
        Value::Array(stored) => stored.clone(),
        Value::Filled(scalar) => Arc::new(Stored {
            buffer: Arc::new(filled_buffer(*scalar, spec.dtype())?),
            layout: Layout {
                shape: spec.shape().clone(),
                strides: Strides::from_elem(0, spec.rank()),
                offset: 0,
            },
        }),
    })
}

/// Elements from which a value that lies across its rows is copied before steps that would gather it one element at a
/// time.
const WORTH_COPYING: usize = 4096;

/// The value itself, or a copy in row-major order where its rows are scattered in memory.
fn in_rows(stored: Arc<Stored>, spec: &Spec) -> Result<Arc<Stored>, Error> {
    let layout = &stored.layout;
    let scattered = layout
        .strides
        .last()
        .is_some_and(|&stride| stride.unsigned_abs() > 1)
        && layout.strides.iter().all(|&stride| stride != 0)
        && spec.elements() >= WORTH_COPYING;
    if !scattered {
        return Ok(stored);
    }
    Ok(Arc::new(contiguous_copy(&stored, spec)?))
}

fn contiguous_copy(stored: &Stored, spec: &Spec) -> Result<Stored, Error> {
    let buffer = select::copied(
        &Input {
            buffer: &stored.buffer,
            layout: stored.layout.clone(),
            dtype: spec.dtype(),
        },
        spec.dtype(),
    )?;
    Ok(Stored {
        buffer: Arc::new(buffer),
        layout: Layout::contiguous(spec.shape().clone()),
    })
}

fn copy_element(stored: &Stored, number: &mut Buffer, spec: &Spec) {
    let size = spec.dtype().size();
    let start = stored.layout.offset * size;
    number.bytes_mut()[..size].copy_from_slice(&stored.buffer.bytes()[start..start + size]);
}
