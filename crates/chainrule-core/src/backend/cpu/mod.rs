//! Planned execution on the processor's cores.

mod direct;
mod execute;

use super::{Backend, Computed, Task, select};
use crate::error::Error;
use crate::plan::plan_for;

/// Planned execution.
pub struct Cpu;

impl Backend for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn evaluate(&self, task: &Task) -> Result<Computed, Error> {
        if let Some(computed) = direct::evaluate(task) {
            return Ok(computed);
        }
        let plan = plan_for(task, &|operation, specs| {
            select::kernel_for(&**operation, specs).is_some()
        });
        execute::run(&plan, task)
    }
}
