//! When nodes are due: the order of an evaluation where it is not that of recording.
//!
//! Forward mode records a whole function first and its tangents afterwards. Computed in that order, every value would be
//! held until its tangent has been; so each tangent is due together with the node it belongs to.

use std::cell::Cell;

thread_local! {
    static DUE: Cell<Option<u64>> = const { Cell::new(None) };
}

/// When nodes that are made now are due, if not when they are made.
#[inline]
pub(super) fn current() -> Option<u64> {
    DUE.get()
}

/// Runs `work`; nodes it makes are due at `due`, or as soon after it as their inputs allow. `None`: when they are made.
pub(crate) fn with_due<R>(due: Option<u64>, work: impl FnOnce() -> R) -> R {
    struct Restore(Option<u64>);
    impl Drop for Restore {
        fn drop(&mut self) {
            DUE.set(self.0);
        }
    }
    let _restore = Restore(DUE.replace(due));
    work()
}
