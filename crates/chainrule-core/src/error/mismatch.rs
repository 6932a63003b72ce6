//! A shape rule's complaint, and the message it becomes.

use super::{Error, ErrorKind};
use crate::graph::Spec;
use std::fmt::Write;
use std::panic::Location;

/// Why a shape rule refuses its inputs: the reason in one sentence, what each operand is called, and a fix if one is
/// known to work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    pub(crate) kind: ErrorKind,
    pub(crate) reason: String,
    pub(crate) names: &'static [&'static str],
    pub(crate) help: Option<String>,
}

impl Mismatch {
    /// Extents, ranks or axes do not fit.
    pub fn shape(reason: impl Into<String>) -> Mismatch {
        Mismatch::new(ErrorKind::Shape, reason)
    }

    /// A dtype does not fit.
    pub fn dtype(reason: impl Into<String>) -> Mismatch {
        Mismatch::new(ErrorKind::DType, reason)
    }

    /// An index or range is outside.
    pub fn index(reason: impl Into<String>) -> Mismatch {
        Mismatch::new(ErrorKind::Index, reason)
    }

    /// An argument is wrong in another way.
    pub fn argument(reason: impl Into<String>) -> Mismatch {
        Mismatch::new(ErrorKind::Argument, reason)
    }

    fn new(kind: ErrorKind, reason: impl Into<String>) -> Mismatch {
        Mismatch {
            kind,
            reason: reason.into(),
            names: &[],
            help: None,
        }
    }

    /// Calls the operands by `names` in the message, first operand first.
    pub fn naming(mut self, names: &'static [&'static str]) -> Mismatch {
        self.names = names;
        self
    }

    /// Adds a hint, which must be known to work.
    pub fn help(mut self, help: impl Into<String>) -> Mismatch {
        self.help = Some(help.into());
        self
    }

    /// The message for an operation that was called with `operands`.
    pub fn into_error(self, operation: &str, operands: &[Operand<'_>]) -> Error {
        let mut message = format!("{operation}: {}", self.reason);
        let name_of = |index: usize| match (self.names.get(index), operands.len()) {
            (Some(name), _) => (*name).to_owned(),
            (None, 1) => "input".to_owned(),
            (None, 2) => ["left", "right"][index].to_owned(),
            (None, _) => format!("input {index}"),
        };
        let names: Vec<String> = (0..operands.len()).map(name_of).collect();
        let shapes: Vec<String> = operands
            .iter()
            .map(|o| o.spec.shape().to_string())
            .collect();
        let width = |texts: &[String]| texts.iter().map(String::len).max().unwrap_or(0);
        let (name_width, shape_width) = (width(&names), width(&shapes));
        for ((operand, name), shape) in operands.iter().zip(&names).zip(&shapes) {
            let dtype = operand.spec.dtype();
            let _ = write!(
                message,
                "\n    {name:name_width$}  {shape:shape_width$}  {dtype:4}  {}",
                operand.origin
            );
        }
        if let Some(help) = &self.help {
            let _ = write!(message, "\n    help: {help}");
        }
        Error::new(self.kind, message)
    }
}

/// One operand as an error message shows it.
pub struct Operand<'a> {
    /// Its shape and dtype.
    pub spec: &'a Spec,
    /// Which operation made it, and where.
    pub origin: String,
}

/// Text such as "from `reshape` at src/main.rs:38:18".
pub(crate) fn origin(operation: &str, place: &Location<'_>) -> String {
    format!("from `{operation}` at {place}")
}
