//! What goes wrong, said to the user: the operation, both sides, where each was made, and what to do.

mod attempt;
mod mismatch;
mod nearest;

pub(crate) use attempt::or_raise;
pub use attempt::{attempt, raise};
pub(crate) use mismatch::origin;
pub use mismatch::{Mismatch, Operand};
pub use nearest::nearest;

use std::panic::Location;

/// What kind of mistake an [`Error`] reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Shapes, extents or axes do not fit the operation.
    Shape,
    /// A dtype does not fit the operation, or a value is read as the wrong type.
    DType,
    /// An index, a label or a range lies outside the tensor.
    Index,
    /// A value is asked of something that has none (a placeholder inside a transform).
    NoValue,
    /// A derivative is asked of something that has none.
    Derivative,
    /// More memory is needed than there is.
    Memory,
    /// An argument is wrong in another way.
    Argument,
    /// Reading or writing a file failed, or its content is damaged.
    File,
    /// A panic that did not come from Chainrule.
    Panic,
}

/// A mistake, told as a message for people.
///
/// Programmer's mistakes panic with this message; [`attempt`] returns it instead. The world's mistakes (files, user
/// data) are returned as `Result<_, Error>` from the start.
#[derive(Clone, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: String,
    place: Option<&'static Location<'static>>,
}

impl Error {
    /// An error with a finished message and no place.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error {
            kind,
            message: message.into(),
            place: None,
        }
    }

    /// The same error, known to come from `place` in the user's code.
    pub fn at(mut self, place: &'static Location<'static>) -> Error {
        self.place = Some(place);
        self
    }

    /// What kind of mistake it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The message, possibly of several lines.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The user's line that made the mistake, when it is known.
    pub fn place(&self) -> Option<&'static Location<'static>> {
        self.place
    }
}

impl std::fmt::Debug for Error {
    /// The message itself, so that `.unwrap()` shows it as written.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}", self.message)?;
        if let Some(place) = self.place {
            write!(out, "\n    at {place}")?;
        }
        Ok(())
    }
}
