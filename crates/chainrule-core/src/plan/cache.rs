//! Plans by the structure of their task, in a bounded cache.

use super::key::{Key, hash};
use super::{HasKernel, Plan, build};
use crate::backend::Task;
use std::sync::{Arc, LazyLock, Mutex};

/// Plans that are kept; the one used longest ago goes first.
const CAPACITY: usize = 128;
/// Tasks of more steps than this are planned anew each time: their keys would take too much memory.
const LARGEST: usize = 20_000;

struct Entry {
    hash: u64,
    key: Key,
    plan: Arc<Plan>,
}

/// Least recently used first.
static PLANS: LazyLock<Mutex<Vec<Entry>>> = LazyLock::new(Mutex::default);

/// The plan of a task, remembered or made.
pub(crate) fn plan_for(task: &Task, has_kernel: HasKernel<'_>) -> Arc<Plan> {
    if task.steps().len() > LARGEST {
        return Arc::new(build(task, has_kernel));
    }
    let hash = hash(task);
    let lock = || PLANS.lock().unwrap_or_else(|broken| broken.into_inner());
    {
        let mut plans = lock();
        let found = plans
            .iter()
            .rposition(|entry| entry.hash == hash && entry.key.fits(task));
        if let Some(position) = found {
            let plan = plans[position].plan.clone();
            if position + 1 != plans.len() {
                let entry = plans.remove(position);
                plans.push(entry);
            }
            return plan;
        }
    }
    let plan = Arc::new(build(task, has_kernel));
    let entry = Entry {
        hash,
        key: Key::of(task),
        plan: plan.clone(),
    };
    let evicted = {
        let mut plans = lock();
        let evicted = (plans.len() >= CAPACITY).then(|| plans.remove(0));
        plans.push(entry);
        evicted
    };
    drop(evicted);
    plan
}
