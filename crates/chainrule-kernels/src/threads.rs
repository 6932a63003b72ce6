//! Work divided over the machine's cores.

/// Calls `task(0)`, ..., `task(count - 1)`, over the cores where that pays, and returns when all have ended.
pub fn fork_join(count: usize, task: &(dyn Fn(usize) + Sync)) {
    for index in 0..count {
        task(index);
    }
}

/// The number of threads that [`fork_join`] uses.
pub fn thread_count() -> usize {
    1
}
