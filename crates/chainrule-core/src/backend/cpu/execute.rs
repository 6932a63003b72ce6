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
            Action::View(operation) => self.view(operation, step)?,
            Action::Kernel(operation) => self.kernel(operation, step)?,
            Action::Group(group) => self.group(group, step)?,
        }
        for &slot in &step.last_reads {
            self.slots[slot as usize] = None;
        }
        Ok(())
    }

    fn view(&mut self, operation: &OperationRef, step: &Step) -> Result<(), Error> {
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
        self.slots[output as usize] = Some(viewed);
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
        let inputs: Result<SmallVec<[Arc<Stored>; 8]>, Error> = step
            .inputs
            .iter()
            .map(|&slot| {
                in_rows(
                    as_array(self.value(slot), self.spec(slot))?,
                    self.spec(slot),
                )
            })
            .collect();
        let mut inputs = inputs?;
        let mut in_place: SmallVec<[Option<usize>; 8]> = SmallVec::from_elem(None, inputs.len());
        let mut outputs: SmallVec<[Buffer; 4]> = SmallVec::new();
        for (index, &slot) in step.outputs.iter().enumerate() {
            let recycled = if group.program.is_reduction(index) {
                None
            } else {
                self.take_over(step, slot, &mut inputs, &mut in_place, index)
            };
            let spec = self.spec(slot);
            outputs.push(match recycled {
                Some(buffer) => buffer,
                None => Buffer::for_elements(spec.dtype(), spec.elements())?,
            });
        }
        let strides: SmallVec<[Strides; 8]> = inputs
            .iter()
            .map(|stored| stored.layout.strides.clone())
            .collect();
        let zeros = Strides::from_elem(0, group.shape.rank());
        let operands: SmallVec<[Operand<'_>; 8]> = inputs
            .iter()
            .zip(&strides)
            .zip(&in_place)
            .map(|((stored, strides), in_place)| match in_place {
                Some(output) => Operand::InPlace(*output),
                None if stored.layout.shape.rank() == group.shape.rank() => {
                    Operand::strided(&stored.buffer, stored.layout.offset, strides)
                }
                None => Operand::strided(&stored.buffer, stored.layout.offset, &zeros),
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
        inputs: &mut [Arc<Stored>],
        in_place: &mut [Option<usize>],
        output: usize,
    ) -> Option<Buffer> {
        let size = self.spec(slot).dtype().size();
        for (position, &candidate) in step.inputs.iter().enumerate() {
            let fits = in_place[position].is_none()
                && step.last_reads.contains(&candidate)
                && self.spec(candidate).dtype().size() == size
                && inputs[position].layout.offset == 0
                && inputs[position].layout.is_contiguous()
                && inputs[position].buffer.len() == self.spec(slot).bytes()
                && self.spec(candidate).shape() == self.spec(slot).shape();
            if !fits {
                continue;
            }
            // Two holders are ours, the slot and `inputs`; more means that somebody else still looks at it.
            if Arc::strong_count(&inputs[position]) != 2
                || Arc::strong_count(&inputs[position].buffer) != 1
            {
                continue;
            }
            self.slots[candidate as usize] = None;
            let layout = inputs[position].layout.clone();
            let empty = Arc::new(Stored {
                buffer: Arc::new(Buffer::scratch(0).ok()?),
                layout,
            });
            let stored = Arc::into_inner(std::mem::replace(&mut inputs[position], empty))?;
            in_place[position] = Some(output);
            return Arc::into_inner(stored.buffer);
        }
        None
    }
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

/// Elements from which a value that lies across its rows is copied before a fused pass, which would gather it one
/// element at a time.
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
