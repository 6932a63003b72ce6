//! Planned execution on the processor's cores.

mod direct;
mod execute;

use super::{Backend, Computed, Task, select};
use crate::error::Error;
use crate::plan::{Plan, plan_for};
use std::sync::Arc;

/// Planned execution.
pub struct Cpu;

impl Backend for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn evaluate(&self, task: &Task) -> Result<Computed, Error> {
        if let Some(plan) = task.plan() {
            return execute::run(plan, task);
        }
        if let Some(computed) = direct::evaluate(task) {
            return Ok(computed);
        }
        execute::run(&planned(task), task)
    }

    fn prepare(&self, task: &Task) {
        task.keep_plan(planned(task));
    }
}

fn planned(task: &Task) -> Arc<Plan> {
    plan_for(task, &|operation, specs| {
        select::kernel_for(&**operation, specs).is_some()
    })
}
