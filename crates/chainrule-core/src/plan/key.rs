//! The structure of a task: what decides its plan, and nothing else. Never data.

use super::lower::fill_of;
use crate::backend::{Source, Task};
use crate::declare::{OperationRef, Specs};
use crate::graph::Spec;
use smallvec::SmallVec;
use std::hash::{Hash, Hasher};

/// A task's structure, kept to compare with later ones.
pub(crate) struct Key {
    leaves: Vec<(Spec, bool)>,
    steps: Vec<(OperationRef, SmallVec<[Source; 2]>, Specs, bool)>,
}

/// Whether a leaf is known to be all ones, the only data that planning looks at.
fn is_one(task: &Task, leaf: usize) -> bool {
    fill_of(&task.leaves()[leaf]) == Some(1.0)
}

fn leaf_spec(task: &Task, leaf: usize) -> &Spec {
    task.spec(Source::Leaf(leaf as u32))
}

impl Key {
    pub(crate) fn of(task: &Task) -> Key {
        let leaves = (0..task.leaves().len())
            .map(|leaf| (leaf_spec(task, leaf).clone(), is_one(task, leaf)));
        let steps = task.steps().iter().map(|step| {
            (
                step.operation().clone(),
                step.inputs().into(),
                step.specs().into(),
                step.is_kept(),
            )
        });
        Key {
            leaves: leaves.collect(),
            steps: steps.collect(),
        }
    }

    pub(crate) fn fits(&self, task: &Task) -> bool {
        self.leaves.len() == task.leaves().len()
            && self.steps.len() == task.steps().len()
            && self.steps.iter().zip(task.steps()).all(
                |((operation, inputs, specs, kept), step)| {
                    *kept == step.is_kept()
                        && inputs[..] == *step.inputs()
                        && operation.same(&**step.operation())
                        && specs[..] == *step.specs()
                },
            )
            && self.leaves.iter().enumerate().all(|(leaf, (spec, one))| {
                *one == is_one(task, leaf) && spec == leaf_spec(task, leaf)
            })
    }
}

/// A hash of a task's structure.
pub(crate) fn hash(task: &Task) -> u64 {
    let mut hasher = Mix(task.steps().len() as u64);
    for step in task.steps() {
        step.operation().hash(&mut hasher);
        for source in step.inputs() {
            match *source {
                Source::Leaf(leaf) => hasher.write_u64(u64::from(leaf) << 1),
                Source::Step(step, output) => {
                    hasher.write_u64(u64::from(step) << 9 | u64::from(output) << 1 | 1)
                }
            }
        }
        hasher.write_u64(u64::from(step.is_kept()));
    }
    if let Some(step) = task.steps().last() {
        step.specs()[0].hash(&mut hasher);
    }
    for leaf in 0..task.leaves().len() {
        leaf_spec(task, leaf).shape().hash(&mut hasher);
        hasher.write_u64(u64::from(is_one(task, leaf)));
    }
    hasher.finish()
}

/// A fast hasher for words; the keys are compared in full afterwards.
struct Mix(u64);

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }
}
