//! Graphs of single numbers, computed node by node: planning would cost more than it saves.

use crate::backend::{Computed, Scalar, Source, Task, Value};
use crate::declare::Evaluation;
use chainrule_kernels::DType;
use chainrule_kernels::leaf::Leaf;
use smallvec::{SmallVec, smallvec};

/// How a step of single numbers is computed.
enum Step {
    Leaf(&'static Leaf),
    Same,
}

/// The values of a task in which everything is a 0-dimensional `f32` or `f64`, all of one of the two; `None` for others.
pub(super) fn evaluate(task: &Task) -> Option<Computed> {
    match task.steps().first()?.specs()[0].dtype() {
        DType::F32 => run(task, DType::F32, |leaf, x| {
            f64::from(leaf.call_f32(&x.map(|x| x as f32)[..leaf.arity()]))
        }),
        DType::F64 => run(task, DType::F64, |leaf, x| {
            leaf.call_f64(&x[..leaf.arity()])
        }),
        _ => None,
    }
}

fn run(
    task: &Task,
    dtype: DType,
    call: impl Fn(&'static Leaf, [f64; 3]) -> f64,
) -> Option<Computed> {
    let leaves: Option<SmallVec<[f64; 16]>> = task
        .leaves()
        .iter()
        .enumerate()
        .map(|(position, value)| {
            let spec = task.spec(Source::Leaf(position as u32));
            match value {
                Value::Filled(scalar) if spec.rank() == 0 && spec.dtype() == dtype => {
                    Some(scalar.to_f64())
                }
                _ => None,
            }
        })
        .collect();
    let leaves = leaves?;
    let mut values: Vec<f64> = Vec::with_capacity(task.steps().len());
    let mut kept = Computed::new();
    for (position, step) in task.steps().iter().enumerate() {
        let spec = &step.specs()[0];
        if spec.rank() != 0 || spec.dtype() != dtype {
            return None;
        }
        let mut operands = [0.0; 3];
        for (operand, source) in operands.iter_mut().zip(step.inputs()) {
            *operand = match *source {
                Source::Leaf(leaf) => leaves[leaf as usize],
                Source::Step(step, _) => values[step as usize],
            };
        }
        let value = match kind(step)? {
            Step::Leaf(leaf) => call(leaf, operands),
            Step::Same => operands[0],
        };
        values.push(value);
        if step.is_kept() {
            kept.push((
                position as u32,
                smallvec![Value::Filled(Scalar::Float(value))],
            ));
        }
    }
    Some(kept)
}

fn kind(step: &crate::backend::TaskStep) -> Option<Step> {
    match step.operation().evaluation() {
        Evaluation::Pointwise(leaf)
            if leaf.arity() == step.inputs().len() && step.inputs().len() < 3 =>
        {
            Some(Step::Leaf(leaf))
        }
        Evaluation::View(_) if step.inputs().len() == 1 => Some(Step::Same),
        _ => None,
    }
}
