//! When a node remembers what it was computed from, and when that ends.
//!
//! A node is *tracked* when it stands on a leaf somebody may differentiate by: a parameter, a `tracked()` tensor, or the
//! argument of a transform that is still running. An evaluated node that is not tracked forgets its inputs.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

/// The reach of one tracked leaf or one running transform. Nodes hold the outermost open scope they depend on.
///
/// The flag is shared, not thread-local: the function under a transform may record on several threads.
pub(crate) struct Scope {
    order: u64,
    open: AtomicBool,
}

static NEXT: AtomicU64 = AtomicU64::new(1);

/// The scope of parameters and `tracked()` tensors, which never ends.
static LASTING: LazyLock<Arc<Scope>> = LazyLock::new(|| {
    Arc::new(Scope {
        order: 0,
        open: AtomicBool::new(true),
    })
});

impl Scope {
    pub(crate) fn lasting() -> Arc<Scope> {
        LASTING.clone()
    }

    pub(crate) fn opened() -> Arc<Scope> {
        Arc::new(Scope {
            order: NEXT.fetch_add(1, Ordering::Relaxed),
            open: AtomicBool::new(true),
        })
    }

    pub(crate) fn close(&self) {
        self.open.store(false, Ordering::Release);
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// The scope that ends last of two: the one opened first, if it is still open.
    pub(crate) fn outermost<'a>(
        first: Option<&'a Arc<Scope>>,
        second: Option<&'a Arc<Scope>>,
    ) -> Option<&'a Arc<Scope>> {
        let first = first.filter(|scope| scope.is_open());
        let second = second.filter(|scope| scope.is_open());
        match (first, second) {
            (Some(a), Some(b)) => Some(if a.order <= b.order { a } else { b }),
            (a, b) => a.or(b),
        }
    }
}

thread_local! {
    static UNTRACKED: Cell<bool> = const { Cell::new(false) };
}

/// Whether nodes made now on this thread take part in tracking.
pub(crate) fn tracking_enabled() -> bool {
    !UNTRACKED.get()
}

/// Runs `work` without tracking: parameters count as constants, and nothing is kept for a backward pass.
///
/// Use it for inference: the memory of a deep network's forward pass is then that of its largest layer.
///
/// ```
/// use chainrule_core::{untracked, Tensor};
/// let w = Tensor::from(2.0).tracked();
/// let y = untracked(|| &w * 3.0);
/// assert!(!y.is_tracked());
/// ```
pub fn untracked<R>(work: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            UNTRACKED.set(self.0);
        }
    }
    let _restore = Restore(UNTRACKED.replace(true));
    work()
}
