//! Work divided over the machine's cores: an own pool that spins before it parks.
//!
//! Waking a parked thread costs hundreds of microseconds on virtual machines, about as much as a small network's whole
//! step, so a worker that ran out of work looks for more during `SPIN` before it goes to sleep. The caller never waits
//! for a worker that has not started: it works through the tasks itself, and workers join when they can.

use std::any::Any;
use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{
    AtomicBool, AtomicU64, AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst},
    fence,
};
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// How long a worker without work looks for some before it parks.
const SPIN: Duration = Duration::from_millis(1);

/// The most threads a pool can have.
const MOST_THREADS: usize = 1024;

/// The state word: workers inside the job in the low bits, then whether the job takes workers, then the job's number.
const OPEN: u64 = 1 << 16;
const INSIDE: u64 = OPEN - 1;
const JOB: u64 = OPEN << 1;

/// What the workers of the open job run. Written by the one caller that holds `Pool::busy`, while no worker is inside.
struct Job {
    task: *const (dyn Fn(usize) + Sync),
    count: usize,
}

struct Pool {
    /// Whether a caller is using the pool.
    busy: AtomicBool,
    state: AtomicU64,
    job: UnsafeCell<Job>,
    /// The next task nobody has claimed.
    next: AtomicUsize,
    /// Threads in use, the caller's included; 0 until the first question.
    threads: AtomicUsize,
    /// Workers started so far; changed only while `busy` is held.
    started: AtomicUsize,
    sleepers: AtomicUsize,
    sleep: Mutex<()>,
    wake: Condvar,
    /// The payload of the first task that panicked.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

// SAFETY: `job` is written only by the holder of `busy` while the state word says that nobody is inside and the job is
// closed, and read only by threads that entered through the state word; everything else is atomic or locked.
unsafe impl Sync for Pool {}

static POOL: Pool = Pool {
    busy: AtomicBool::new(false),
    state: AtomicU64::new(0),
    job: UnsafeCell::new(Job {
        task: &|_| {},
        count: 0,
    }),
    next: AtomicUsize::new(0),
    threads: AtomicUsize::new(0),
    started: AtomicUsize::new(0),
    sleepers: AtomicUsize::new(0),
    sleep: Mutex::new(()),
    wake: Condvar::new(),
    panic: Mutex::new(None),
};

/// The number of threads that [`fork_join`] uses, the caller's included.
///
/// At first the environment variable `CHAINRULE_THREADS` where it holds a positive number, otherwise the number of cores.
pub fn thread_count() -> usize {
    match POOL.threads.load(Relaxed) {
        0 => first_thread_count(),
        threads => threads,
    }
}

#[cold]
fn first_thread_count() -> usize {
    let asked = std::env::var("CHAINRULE_THREADS")
        .ok()
        .and_then(|text| text.trim().parse::<usize>().ok())
        .filter(|&threads| threads > 0);
    let threads = asked.unwrap_or_else(core_count).min(MOST_THREADS);
    // A concurrent `set_thread_count` wins.
    match POOL.threads.compare_exchange(0, threads, Relaxed, Relaxed) {
        Ok(_) => threads,
        Err(set) => set,
    }
}

fn core_count() -> usize {
    // Asking the system reads files.
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, |cores| cores.get()))
}

/// Sets the number of threads that [`fork_join`] uses from now on, the caller's included; 0 counts as 1.
pub fn set_thread_count(threads: usize) {
    POOL.threads.store(threads.clamp(1, MOST_THREADS), Relaxed);
}

/// Calls `task(0)`, ..., `task(count - 1)`, each once, over the pool's threads, and returns when all have ended.
///
/// Tasks are claimed in ascending order. A call that finds the pool in use (by another thread, or because it is made
/// from inside a task) runs all its tasks on its own thread.
///
/// # Panics
/// When a task panics: the first payload is passed on after the running tasks have ended; tasks not yet begun are left
/// out. The pool stays usable.
pub fn fork_join(count: usize, task: &(dyn Fn(usize) + Sync)) {
    if count <= 1 || thread_count() == 1 || POOL.busy.swap(true, Acquire) {
        for index in 0..count {
            task(index);
        }
        return;
    }
    let outcome = POOL.run(count, task);
    POOL.busy.store(false, Release);
    if let Some(payload) = outcome {
        resume_unwind(payload);
    }
}

impl Pool {
    /// Runs a job; the caller holds `busy`. Returns the payload of a task that panicked.
    fn run(
        &'static self,
        count: usize,
        task: &(dyn Fn(usize) + Sync),
    ) -> Option<Box<dyn Any + Send>> {
        self.start_workers();
        // SAFETY: only the lifetime changes. Workers reach the pointer through an open job alone, and this function
        // closes the job and waits until nobody is inside before it returns, also when a task panics.
        let task: *const (dyn Fn(usize) + Sync) = unsafe {
            std::mem::transmute::<&(dyn Fn(usize) + Sync), &'static (dyn Fn(usize) + Sync)>(task)
        };
        // SAFETY: the job is closed and nobody is inside (the last `run` saw to it), and we hold `busy`.
        unsafe { *self.job.get() = Job { task, count } };
        self.next.store(0, Relaxed);
        self.state.fetch_add(JOB | OPEN, SeqCst);
        fence(SeqCst);
        if self.sleepers.load(SeqCst) > 0 {
            drop(self.sleep.lock().unwrap_or_else(PoisonError::into_inner));
            self.wake.notify_all();
        }
        self.work();
        let mut state = self.state.fetch_and(!OPEN, AcqRel);
        let mut rounds = 0u32;
        while state & INSIDE != 0 {
            rounds += 1;
            if rounds.is_multiple_of(4096) {
                std::thread::yield_now();
            } else {
                std::hint::spin_loop();
            }
            state = self.state.load(Acquire);
        }
        // A task that panicked moved `next` far past the end.
        if self.next.load(Relaxed) < PANICKED {
            return None;
        }
        self.panic
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Claims tasks of the open job until none is left.
    fn work(&self) {
        // SAFETY: the calling thread either opened the job or is counted inside it, so nobody writes the job, and the
        // task it points to lives until everybody has left.
        let (task, count) = unsafe {
            let job = &*self.job.get();
            (&*job.task, job.count)
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            loop {
                let index = self.next.fetch_add(1, Relaxed);
                if index >= count {
                    break;
                }
                task(index);
            }
        }));
        if let Err(payload) = outcome {
            self.panic
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert(payload);
            self.next.store(PANICKED, Relaxed);
        }
    }

    /// Sees that there are as many workers as `thread_count` asks for; where the system refuses, fewer do.
    fn start_workers(&'static self) {
        let wanted = thread_count() - 1;
        let started = self.started.load(Relaxed);
        if started >= wanted {
            return;
        }
        for index in started..wanted {
            let spawned = std::thread::Builder::new()
                .name(format!("chainrule-{}", index + 1))
                .spawn(move || self.serve(index));
            if spawned.is_err() {
                return;
            }
            self.started.store(index + 1, Relaxed);
        }
    }

    /// The life of worker `index`.
    fn serve(&self, index: usize) {
        let mut last = 0;
        loop {
            let job = self.enter(index, last);
            self.work();
            self.state.fetch_sub(1, Release);
            last = job;
        }
    }

    /// Waits for an open job other than `last`, enters it and returns its number.
    fn enter(&self, index: usize, last: u64) -> u64 {
        let crowded = thread_count() > core_count();
        let mut since = Instant::now();
        let mut rounds = 0u32;
        loop {
            if let Some(job) = self.try_enter(index, last) {
                return job;
            }
            rounds += 1;
            if rounds.is_multiple_of(64) {
                if crowded {
                    std::thread::yield_now();
                }
                if since.elapsed() > SPIN {
                    self.sleep_until_job(index, last);
                    since = Instant::now();
                }
            }
            std::hint::spin_loop();
        }
    }

    /// The number of the job that the state word shows, where worker `index` may enter it.
    fn offered(&self, index: usize, last: u64, state: u64) -> Option<u64> {
        let job = state / JOB;
        (state & OPEN != 0 && job != last && index + 1 < thread_count()).then_some(job)
    }

    fn try_enter(&self, index: usize, last: u64) -> Option<u64> {
        let state = self.state.load(Relaxed);
        let job = self.offered(index, last, state)?;
        self.state
            .compare_exchange(state, state + 1, Acquire, Relaxed)
            .ok()
            .map(|_| job)
    }

    fn sleep_until_job(&self, index: usize, last: u64) {
        let mut guard = self.sleep.lock().unwrap_or_else(PoisonError::into_inner);
        self.sleepers.fetch_add(1, SeqCst);
        fence(SeqCst);
        // A job opened before we counted as a sleeper is seen here; one opened later sees us and notifies.
        while self.offered(index, last, self.state.load(SeqCst)).is_none() {
            guard = self
                .wake
                .wait(guard)
                .unwrap_or_else(PoisonError::into_inner);
            if self.state.load(SeqCst) & OPEN == 0 {
                // The job that woke us is over; more are likely to follow, so spin again.
                break;
            }
        }
        self.sleepers.fetch_sub(1, SeqCst);
    }
}

/// Where a panic moves the task counter: beyond every count, far from wrapping.
const PANICKED: usize = usize::MAX / 2;

/// Into how many tasks to divide `total` units of work of which at least `grain` should be in a task: 1 where dividing
/// does not pay, otherwise a small multiple of the number of threads, so that they end together.
pub(crate) fn task_count(total: usize, grain: usize) -> usize {
    let threads = thread_count();
    if threads == 1 {
        return 1;
    }
    (total / grain.max(1)).clamp(1, threads * 4)
}

/// Units `start..end` that task `index` of `tasks` has of `total`, in multiples of `unit` but for the last.
pub(crate) fn share(
    total: usize,
    tasks: usize,
    index: usize,
    unit: usize,
) -> std::ops::Range<usize> {
    let units = total.div_ceil(unit);
    let bound = |index: usize| (units * index / tasks * unit).min(total);
    bound(index)..bound(index + 1)
}

/// A slice that several tasks write to, each its own elements.
pub(crate) struct Shared<T> {
    start: *mut T,
    length: usize,
}

// SAFETY: handing elements out is `unsafe` and asks the caller for disjoint ranges.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    pub(crate) fn new(slice: &mut [T]) -> Shared<T> {
        Shared {
            start: slice.as_mut_ptr(),
            length: slice.len(),
        }
    }

    /// The elements of `range`.
    ///
    /// # Safety
    /// The slice this was made from must be alive, and no two live ranges may overlap.
    #[allow(clippy::mut_from_ref)]
    pub(crate) unsafe fn range(&self, range: std::ops::Range<usize>) -> &mut [T] {
        assert!(
            range.start <= range.end && range.end <= self.length,
            "range {range:?} of a slice of {}",
            self.length
        );
        // SAFETY: within the slice (checked); alive and disjoint by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.len()) }
    }

    /// Where the slice starts.
    pub(crate) fn pointer(&self) -> *mut T {
        self.start
    }
}

/// Divides `out` into rows of `width` elements and calls `work(first row, rows)` on groups of whole rows, over the
/// threads where there are at least `grain` elements for each.
///
/// A last row shorter than `width` goes with the last group.
pub(crate) fn divide_rows<T: Send>(
    out: &mut [T],
    width: usize,
    grain: usize,
    work: &(dyn Fn(usize, &mut [T]) + Sync),
) {
    if out.is_empty() {
        return;
    }
    let width = width.max(1);
    let total = out.len();
    let tasks = task_count(total, grain).min(total.div_ceil(width));
    if tasks == 1 {
        return work(0, out);
    }
    let shared = Shared::new(out);
    fork_join(tasks, &|task| {
        let range = share(total, tasks, task, width);
        // SAFETY: `share` gives each task its own range, and `out` is borrowed until the join.
        let rows = unsafe { shared.range(range.clone()) };
        if !rows.is_empty() {
            work(range.start / width, rows);
        }
    });
}

/// Divides `rows` independent rows over the threads: `work(rows)` on ranges that hold at least `grain` of them.
pub(crate) fn divide_range(
    rows: usize,
    grain: usize,
    work: &(dyn Fn(std::ops::Range<usize>) + Sync),
) {
    let tasks = task_count(rows, grain);
    fork_join(tasks, &|task| {
        let range = share(rows, tasks, task, 1);
        if !range.is_empty() {
            work(range);
        }
    });
}

/// Runs `body` with another number of threads; tests that do so take turns.
#[cfg(test)]
pub(crate) fn with_threads<R>(threads: usize, body: impl FnOnce() -> R) -> R {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let before = thread_count();
    set_thread_count(threads);
    let result = body();
    set_thread_count(before);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(tasks: usize) -> Vec<AtomicUsize> {
        (0..tasks).map(|_| AtomicUsize::new(0)).collect()
    }

    #[test]
    fn every_task_runs_once() {
        for threads in [1, 2, 3, 5] {
            with_threads(threads, || {
                for tasks in [0, 1, 2, 3, 64, 1000] {
                    let seen = counts(tasks);
                    fork_join(tasks, &|index| {
                        seen[index].fetch_add(1, Relaxed);
                    });
                    assert!(seen.iter().all(|count| count.load(Relaxed) == 1));
                }
            });
        }
    }

    #[test]
    fn nested_calls_run_inline() {
        with_threads(3, || {
            let total = AtomicUsize::new(0);
            fork_join(8, &|_| {
                let here = std::thread::current().id();
                fork_join(8, &|_| {
                    assert_eq!(std::thread::current().id(), here);
                    total.fetch_add(1, Relaxed);
                });
            });
            assert_eq!(total.load(Relaxed), 64);
        });
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_pool_survives() {
        with_threads(3, || {
            for round in 0..50 {
                let outcome = catch_unwind(|| {
                    fork_join(16, &|index| {
                        assert!(index != round % 16, "task {index} failed");
                    });
                });
                let payload = outcome.expect_err("the panic is passed on");
                let text = payload.downcast_ref::<String>().expect("a message");
                assert_eq!(*text, format!("task {} failed", round % 16));
                let done = AtomicUsize::new(0);
                fork_join(16, &|_| {
                    done.fetch_add(1, Relaxed);
                });
                assert_eq!(done.load(Relaxed), 16);
            }
        });
    }

    #[test]
    fn many_callers_at_once() {
        with_threads(4, || {
            std::thread::scope(|scope| {
                for caller in 0..8 {
                    scope.spawn(move || {
                        for round in 0..2000 {
                            let tasks = 1 + (caller + round) % 7;
                            let sum = AtomicUsize::new(0);
                            fork_join(tasks, &|index| {
                                sum.fetch_add(index + 1, Relaxed);
                            });
                            assert_eq!(sum.load(Relaxed), tasks * (tasks + 1) / 2);
                        }
                    });
                }
            });
        });
    }

    #[test]
    fn shares_cover_everything_once() {
        for (total, tasks, unit) in [(10, 3, 1), (10, 3, 4), (1, 1, 8), (100, 7, 16), (0, 2, 4)] {
            let mut next = 0;
            for index in 0..tasks {
                let range = share(total, tasks, index, unit);
                assert_eq!(range.start, next);
                assert!(range.end == total || range.end.is_multiple_of(unit));
                next = range.end;
            }
            assert_eq!(next, total);
        }
    }

    #[test]
    fn rows_are_divided_whole() {
        with_threads(3, || {
            let mut out = vec![0usize; 7 * 5 + 3];
            divide_rows(&mut out, 5, 1, &|first, rows| {
                for (offset, value) in rows.iter_mut().enumerate() {
                    *value = first * 5 + offset;
                }
            });
            assert!(out.iter().enumerate().all(|(index, &value)| index == value));
        });
    }
}
