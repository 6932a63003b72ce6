//! Planned execution on the processor's cores.

use super::{Backend, Plain, Task, Value};
use crate::error::Error;
use smallvec::SmallVec;

/// Planned execution.
pub struct Cpu;

impl Backend for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn evaluate(&self, task: &Task) -> Result<Vec<(u32, SmallVec<[Value; 1]>)>, Error> {
        Plain.evaluate(task)
    }
}
