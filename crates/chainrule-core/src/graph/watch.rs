//! Noticing that a recorded function has read a value: what was recorded may then hold on this path only.

use super::walk::{Edges, between};
use crate::tensor::Tensor;
use std::cell::{Cell, RefCell};
use std::panic::Location;

/// A value that was read while a function was being recorded.
#[derive(Clone, Copy)]
pub(crate) struct Reading {
    /// The operation that made it.
    pub(crate) operation: &'static str,
    /// Where it was made.
    pub(crate) made: &'static Location<'static>,
    /// Where it was read.
    pub(crate) read: &'static Location<'static>,
}

struct Watch {
    inputs: Vec<Tensor>,
    first: Option<Reading>,
}

thread_local! {
    static WATCHING: Cell<bool> = const { Cell::new(false) };
    static WATCHES: RefCell<Vec<Watch>> = const { RefCell::new(Vec::new()) };
}

/// Runs `work`; also tells which value that depends on `inputs` it read first.
pub(crate) fn watching<R>(inputs: &[Tensor], work: impl FnOnce() -> R) -> (R, Option<Reading>) {
    struct Close;
    impl Drop for Close {
        fn drop(&mut self) {
            WATCHES.with_borrow_mut(|watches| {
                watches.pop();
                WATCHING.set(!watches.is_empty());
            });
        }
    }
    WATCHES.with_borrow_mut(|watches| {
        watches.push(Watch {
            inputs: inputs.to_vec(),
            first: None,
        });
    });
    WATCHING.set(true);
    let _close = Close;
    let result = work();
    let first = WATCHES.with_borrow(|watches| watches.last().and_then(|watch| watch.first));
    (result, first)
}

/// Takes note that the value of `tensor` is read.
#[track_caller]
pub(crate) fn note_reading(tensor: &Tensor) {
    if !WATCHING.get() {
        return;
    }
    let read = Location::caller();
    WATCHES.with_borrow_mut(|watches| {
        for watch in watches.iter_mut().filter(|watch| watch.first.is_none()) {
            if depends(tensor, &watch.inputs) {
                watch.first = Some(Reading {
                    operation: tensor.operation_name(),
                    made: tensor.place(),
                    read,
                });
            }
        }
    });
}

fn depends(tensor: &Tensor, inputs: &[Tensor]) -> bool {
    let is_input = inputs.iter().any(|input| input.id() == tensor.id());
    is_input
        || !between(inputs, std::slice::from_ref(tensor), Edges::All)
            .steps
            .is_empty()
}
