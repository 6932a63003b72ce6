//! State of a layer that is computed, not learnt.

use crate::scope::current_path;
use chainrule_core::error::raise;
use chainrule_core::tree::{Blocks, Part, Path, Tree};
use chainrule_core::{Error, ErrorKind, Tensor, evaluate};
use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// A tensor that a layer keeps and changes in its forward pass, such as running statistics.
///
/// It is no leaf: transforms do not differentiate by it, and the copy of a model that a transform makes shares it, so what
/// the forward pass writes there is in the model afterwards. `clone` makes a buffer of its own.
///
/// ```
/// use chainrule_core::{tensor, Tensor};
/// use chainrule_nn::Buffer;
/// let count = Buffer::new(Tensor::scalar(0.0));
/// count.set(count.get() + 1.0);
/// assert_eq!(count.get().item::<f64>(), 1.0);
/// ```
pub struct Buffer {
    cell: Arc<Mutex<Tensor>>,
}

impl Buffer {
    /// A buffer that starts with the value of `initial`.
    #[track_caller]
    pub fn new(initial: Tensor) -> Buffer {
        Buffer {
            cell: Arc::new(Mutex::new(initial.stop_history())),
        }
    }

    /// The present value.
    pub fn get(&self) -> Tensor {
        let value = self.lock().clone();
        // What is written is computed here at the latest, or a chain of writes would hold on to every batch.
        evaluate(&[&value]);
        value
    }

    /// Replaces the value, without its history.
    ///
    /// # Panics
    /// When shape or dtype differ, and under `vmap` when the value depends on the example: there would be one for each.
    #[track_caller]
    pub fn set(&self, value: Tensor) {
        if KEPT.get() {
            return;
        }
        if !value.has_value() {
            let message = format!(
                "buffer of layer `{}`: a value that differs for every example of a vmap cannot be stored (`{}` made at {})\n    \
                 help: switch the model to evaluation with `eval()`, or use `map_each`",
                current_path(),
                value.operation_name(),
                value.place(),
            );
            raise(Error::new(ErrorKind::NoValue, message));
        }
        let mut cell = self.lock();
        if value.shape() != cell.shape() || value.dtype() != cell.dtype() {
            let message = format!(
                "buffer of layer `{}`: a value of {} {} (from `{}` at {}) does not replace one of {} {}",
                current_path(),
                value.shape(),
                value.dtype(),
                value.operation_name(),
                value.place(),
                cell.shape(),
                cell.dtype()
            );
            drop(cell);
            raise(Error::new(ErrorKind::Shape, message));
        }
        *cell = value.stop_history();
    }

    /// Replaces the value by one of another shape or dtype, in a cell of its own: no copy of the model shares it.
    pub fn replace(&mut self, value: Tensor) {
        *self = Buffer::new(value);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Tensor> {
        self.cell.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

thread_local! {
    /// Whether writes are ignored.
    static KEPT: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`; what it writes to buffers is ignored. For looking at a model without changing it.
pub fn buffers_unchanged<R>(work: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            KEPT.set(self.0);
        }
    }
    let _restore = Restore(KEPT.replace(true));
    work()
}

impl Clone for Buffer {
    fn clone(&self) -> Buffer {
        Buffer::new(self.lock().clone())
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.get(), out)
    }
}

impl Tree for Buffer {
    fn visit<'a>(&'a self, _path: &mut Path, _visit: &mut dyn FnMut(&Path, &'a Tensor)) {}

    fn map(&self, _path: &mut Path, _replace: &mut dyn FnMut(&Path, &Tensor) -> Tensor) -> Buffer {
        Buffer {
            cell: Arc::clone(&self.cell),
        }
    }

    fn visit_parts<'a>(&'a self, path: &mut Path, visit: &mut dyn FnMut(&Path, Part<'a>)) {
        visit(path, Part::Cell(self));
    }

    fn visit_cells(&mut self, path: &mut Path, visit: &mut dyn FnMut(&Path, &mut dyn Any)) {
        visit(path, self);
    }
}

impl Blocks for Buffer {
    type Each<R: Blocks> = Buffer;

    fn each<R: Blocks>(&self, _make: &mut dyn FnMut(&Tensor) -> R) -> Buffer {
        self.map(&mut Path::new(), &mut |_, leaf| leaf.clone())
    }
}
