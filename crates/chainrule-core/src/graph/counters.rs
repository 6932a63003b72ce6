//! What is alive: for programs that watch their own memory.
//!
//! Nodes are counted when they are made (their ids) and when they are dropped. Each thread counts its own drops, so that
//! no two threads write to the same memory.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, Once};

static MADE: AtomicU64 = AtomicU64::new(0);
static DROPPED: Mutex<Dropped> = Mutex::new(Dropped {
    by_finished_threads: 0,
    by_threads: Vec::new(),
});

struct Dropped {
    by_finished_threads: u64,
    by_threads: Vec<Arc<AtomicU64>>,
}

fn dropped() -> MutexGuard<'static, Dropped> {
    DROPPED.lock().unwrap_or_else(|broken| broken.into_inner())
}

/// The drops that one thread has counted; only that thread writes.
struct OwnCount(Arc<AtomicU64>);

impl OwnCount {
    fn new() -> OwnCount {
        keep_freed_memory();
        let count = Arc::new(AtomicU64::new(0));
        dropped().by_threads.push(count.clone());
        OwnCount(count)
    }
}

impl Drop for OwnCount {
    fn drop(&mut self) {
        let mut dropped = dropped();
        dropped.by_finished_threads += self.0.load(Relaxed);
        dropped
            .by_threads
            .retain(|count| !Arc::ptr_eq(count, &self.0));
    }
}

/// Lets the allocator keep the memory of dropped graphs for the next ones.
///
/// The GNU allocator hands memory back to the system above a threshold, and takes it again page by page: a fifth of the
/// time of a step that makes some thousand nodes. The threshold is twice the largest block that was freed, so one large
/// block, never touched, is made and freed. Other allocators do not mind.
fn keep_freed_memory() {
    const LARGE: usize = 16 << 20;
    static ONCE: Once = Once::new();
    ONCE.call_once(|| drop(std::hint::black_box(Vec::<u8>::with_capacity(LARGE))));
}

thread_local! {
    static OWN: OwnCount = OwnCount::new();
}

/// The id of the next node. Ids start at 1 and only grow.
pub(super) fn next_id() -> u64 {
    MADE.fetch_add(1, Relaxed) + 1
}

/// Counts the drop of a node.
pub(super) fn count_drop() {
    let counted = OWN.try_with(|own| own.0.store(own.0.load(Relaxed) + 1, Relaxed));
    if counted.is_err() {
        dropped().by_finished_threads += 1;
    }
}

/// The number of graph nodes that exist now, over all threads.
pub fn live_nodes() -> usize {
    let dropped = dropped();
    let by_threads = dropped.by_threads.iter().map(|count| count.load(Relaxed));
    let gone = dropped.by_finished_threads + by_threads.sum::<u64>();
    MADE.load(Relaxed).saturating_sub(gone) as usize
}
