//! From a programmer's mistake to a panic at the user's line, or to a value when they asked for one.

use super::{Error, ErrorKind};
use crate::graph::Place;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, panic_any, resume_unwind};

thread_local! {
    static ATTEMPTS: Cell<usize> = const { Cell::new(0) };
}

/// Runs `work` and returns a mistake in it as an [`Error`] instead of panicking.
///
/// Any panic is caught; one that Chainrule raised is returned with its message and place, and nothing is printed.
///
/// ```
/// use chainrule_core::{attempt, Tensor};
/// let a = Tensor::from(vec![1.0, 2.0]);
/// let b = Tensor::from(vec![1.0, 2.0, 3.0]);
/// let error = attempt(|| &a + &b).unwrap_err();
/// assert!(error.message().starts_with("add: the shapes do not broadcast"));
/// ```
///
/// # Errors
/// The panic's message.
pub fn attempt<T>(work: impl FnOnce() -> T) -> Result<T, Error> {
    ATTEMPTS.set(ATTEMPTS.get() + 1);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    ATTEMPTS.set(ATTEMPTS.get() - 1);
    outcome.map_err(|payload| match payload.downcast::<Error>() {
        Ok(error) => *error,
        Err(payload) => {
            let message = payload
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| payload.downcast_ref::<String>().cloned())
                .unwrap_or_else(|| "a panic without a message".to_owned());
            Error::new(ErrorKind::Panic, message)
        }
    })
}

/// The value of `result`; panics with its error at the caller's line.
///
/// (In a closure for `unwrap_or_else`, [`raise`] would name the closure's line, not the user's.)
#[track_caller]
pub(crate) fn or_raise<T>(result: Result<T, Error>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => raise(error),
    }
}

/// Panics with `error` at the caller's line; inside [`attempt`] it travels there silently.
#[track_caller]
pub fn raise(error: Error) -> ! {
    let error = match error.place {
        Some(_) => error,
        // Inside a layer or an optimiser, the line that called it.
        None => error.at(Place::current(Location::caller()).location),
    };
    if ATTEMPTS.get() > 0 {
        // Unwinding without the panic hook: nothing is printed for a mistake that is handled.
        resume_unwind(Box::new(error));
    }
    if std::thread::panicking() {
        panic_any(error);
    }
    if error.place != Some(Location::caller()) {
        // The line that the panic names is ours; the user's is shown below the message.
        panic!("{error:?}");
    }
    panic!("{error}")
}
