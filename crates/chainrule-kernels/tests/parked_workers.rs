//! The pool after its workers went to sleep. A process of its own: no other test may be using the pool meanwhile.

use chainrule_kernels::threads::{fork_join, set_thread_count};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

#[test]
fn parked_workers_come_back() {
    set_thread_count(2);
    for _ in 0..10 {
        // Longer than a worker looks for work before it parks.
        std::thread::sleep(Duration::from_millis(10));
        // Two tasks that wait for each other end only on two threads.
        let arrived = AtomicUsize::new(0);
        fork_join(2, &|_| {
            arrived.fetch_add(1, SeqCst);
            while arrived.load(SeqCst) < 2 {
                std::thread::yield_now();
            }
        });
    }
}
