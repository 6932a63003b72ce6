//! Programs of single numbers as a flat list of instructions over registers: no node, no buffer, no dispatch by shape.

use crate::backend::{Scalar, Source, Task, Value};
use crate::declare::Evaluation;
use chainrule_kernels::DType;
use chainrule_kernels::leaf::{Leaf, ScalarCall};

/// A task in which every value is one number, `f64` or truth value.
pub(super) struct ScalarProgram {
    registers: Vec<f64>,
    /// Registers filled from the inputs: (register, input).
    given: Vec<(u32, u32)>,
    instructions: Vec<Instruction>,
    results: Vec<(u32, bool)>,
}

struct Instruction {
    call: ScalarCall,
    operands: [u32; 3],
    result: u32,
}

impl ScalarProgram {
    /// The program of a task, if it is one of single numbers of `f64`.
    pub(super) fn of(
        task: &Task,
        given: &[(u32, u32)],
        results: &[Source],
    ) -> Option<ScalarProgram> {
        let is_number = |source: Source| {
            let spec = task.spec(source);
            spec.elements() == 1
                && spec.rank() == 0
                && matches!(spec.dtype(), DType::F64 | DType::Bool)
        };
        let leaves = task.leaves().len() as u32;
        let mut registers = Vec::with_capacity(leaves as usize + task.steps().len());
        for (leaf, value) in task.leaves().iter().enumerate() {
            let Value::Filled(number) = value else {
                return None;
            };
            if !is_number(Source::Leaf(leaf as u32)) {
                return None;
            }
            registers.push(number.to_f64());
        }
        // Where each step's value is: its own register, or that of the step it only renames.
        let mut places: Vec<u32> = Vec::with_capacity(task.steps().len());
        let mut instructions = Vec::new();
        for (position, step) in task.steps().iter().enumerate() {
            if step.specs().len() != 1 || !is_number(Source::Step(position as u32, 0)) {
                return None;
            }
            let place = |source: &Source| match *source {
                Source::Leaf(leaf) => leaf,
                Source::Step(step, _) => places[step as usize],
            };
            let operands: Vec<u32> = step.inputs().iter().map(place).collect();
            let leaf: Option<&'static Leaf> = match step.operation().evaluation() {
                Evaluation::Pointwise(leaf) if leaf.arity() == operands.len() => Some(leaf),
                Evaluation::View(_) if !operands.is_empty() => None,
                Evaluation::Cast if step.specs()[0].dtype() == DType::F64 => None,
                _ => return None,
            };
            let Some(leaf) = leaf else {
                places.push(operands[0]);
                continue;
            };
            let at = |index: usize| operands[index.min(operands.len() - 1)];
            let result = registers.len() as u32;
            registers.push(0.0);
            instructions.push(Instruction {
                call: leaf.scalar_call()?,
                operands: [at(0), at(1), at(2)],
                result,
            });
            places.push(result);
        }
        let results = results.iter().map(|&result| {
            let register = match result {
                Source::Leaf(leaf) => leaf,
                Source::Step(step, _) => places[step as usize],
            };
            (register, task.spec(result).dtype() == DType::Bool)
        });
        let results = results.collect();
        Some(ScalarProgram {
            registers,
            given: given.to_vec(),
            instructions,
            results,
        })
    }

    /// Computes the results for the values of the inputs.
    pub(super) fn run(&mut self, inputs: &[Value]) -> Vec<Value> {
        let registers = &mut self.registers[..];
        for &(register, input) in &self.given {
            registers[register as usize] = match &inputs[input as usize] {
                Value::Filled(number) => number.to_f64(),
                Value::Array(_) => unreachable!("single numbers are stored in the value"),
            };
        }
        for instruction in &self.instructions {
            let [a, b, c] = instruction
                .operands
                .map(|operand| registers[operand as usize]);
            registers[instruction.result as usize] = instruction.call.call(a, b, c);
        }
        let results = self.results.iter();
        results
            .map(|&(register, truth)| {
                let number = registers[register as usize];
                Value::Filled(match truth {
                    true => Scalar::Truth(number != 0.0),
                    false => Scalar::Float(number),
                })
            })
            .collect()
    }
}
