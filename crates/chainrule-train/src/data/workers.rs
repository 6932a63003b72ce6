//! Threads that make the batches of an epoch ahead of their use, delivered in order.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// What makes the job with this number. It does not panic.
pub(crate) type Work<T> = Arc<dyn Fn(usize) -> T + Send + Sync>;

/// What the threads and the consumer share.
struct State<T> {
    /// The next job that nobody has begun.
    next: usize,
    /// The job that the consumer takes next.
    wanted: usize,
    /// Jobs that are done and not taken.
    done: BTreeMap<usize, T>,
    stopped: bool,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    /// A job was finished.
    finished: Condvar,
    /// A job was taken, or everything stops.
    room: Condvar,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // No code of the user runs while the lock is held, so the state is whole whatever happened.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A bounded queue of jobs `first..count`, worked on by threads. Dropping it stops them.
pub(crate) struct Workers<T> {
    shared: Arc<Shared<T>>,
    threads: Vec<JoinHandle<()>>,
    count: usize,
}

impl<T: Send + 'static> Workers<T> {
    /// Starts `threads` threads that are never more than `ahead` jobs before the consumer.
    pub(crate) fn start(
        work: Work<T>,
        first: usize,
        count: usize,
        threads: usize,
        ahead: usize,
    ) -> Workers<T> {
        let state = State {
            next: first,
            wanted: first,
            done: BTreeMap::new(),
            stopped: false,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            finished: Condvar::new(),
            room: Condvar::new(),
        });
        let run = |number: usize| {
            let (shared, work) = (Arc::clone(&shared), Arc::clone(&work));
            std::thread::Builder::new()
                .name(format!("chainrule-data-{number}"))
                .spawn(move || serve(&shared, &work, count, ahead))
        };
        // Without any thread the consumer makes the batches itself.
        let threads = (0..threads.min(count - first)).map_while(|number| run(number).ok());
        let threads = threads.collect();
        Workers {
            shared,
            threads,
            count,
        }
    }

    /// The result of the next job, in order; `None` when no thread could be started.
    pub(crate) fn take(&mut self) -> Option<T> {
        if self.threads.is_empty() {
            return None;
        }
        let mut state = self.shared.lock();
        debug_assert!(state.wanted < self.count);
        loop {
            let wanted = state.wanted;
            if let Some(result) = state.done.remove(&wanted) {
                state.wanted += 1;
                drop(state);
                self.shared.room.notify_all();
                return Some(result);
            }
            let waiting = self.shared.finished.wait(state);
            state = waiting.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<T> Drop for Workers<T> {
    fn drop(&mut self) {
        self.shared.lock().stopped = true;
        self.shared.room.notify_all();
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing more to say here.
            let _ = thread.join();
        }
    }
}

/// A thread: takes the next job as long as there is one and room for its result.
fn serve<T>(shared: &Shared<T>, work: &Work<T>, count: usize, ahead: usize) {
    loop {
        let mut state = shared.lock();
        while !state.stopped && state.next < count && state.next >= state.wanted + ahead {
            state = shared
                .room
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.stopped || state.next >= count {
            return;
        }
        let job = state.next;
        state.next += 1;
        drop(state);
        let result = work(job);
        shared.lock().done.insert(job, result);
        shared.finished.notify_all();
    }
}
