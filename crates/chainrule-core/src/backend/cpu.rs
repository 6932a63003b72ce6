//! Planned execution on the processor's cores.

use super::{Backend, Computed, Plain, Task};
use crate::error::Error;

/// Planned execution.
pub struct Cpu;

impl Backend for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn evaluate(&self, task: &Task) -> Result<Computed, Error> {
        Plain.evaluate(task)
    }
}
