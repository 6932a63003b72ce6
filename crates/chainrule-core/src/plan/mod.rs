//! From recorded nodes to steps over slots: what an evaluation runs, worked out once for each structure.
//!
//! [`lower`] copies the task into an indexed graph, opening composites without a kernel and merging common
//! subexpressions; [`fuse`] gathers elementwise nodes into groups; [`recompute`] lets groups compute again what would
//! otherwise be stored for them; [`schedule`] orders the steps and notes when each value
//! is read last. [`cache`] keeps plans by the structure of their task, so a training loop plans once.

mod cache;
mod fuse;
mod graph;
mod key;
mod lower;
mod recompute;
mod schedule;
mod simplify;

pub(crate) use cache::plan_for;

pub(crate) use schedule::{Action, Group, Plan, Step};

use crate::backend::Task;
use crate::declare::OperationRef;
use crate::graph::Spec;

/// Whether the backend has a kernel for an operation on operands of these specs.
pub(crate) type HasKernel<'a> = &'a dyn Fn(&OperationRef, &[&Spec]) -> bool;

/// Plans a task.
fn build(task: &Task, has_kernel: HasKernel<'_>) -> Plan {
    let graph = lower::lower(task, has_kernel);
    let groups = fuse::groups(&graph);
    schedule::schedule(graph, groups)
}
