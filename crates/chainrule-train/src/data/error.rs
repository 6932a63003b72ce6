//! What can be wrong with data: where it is, what was found, what was expected.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The file as a whole.
    File,
    /// A byte, counted from 0; in a compressed file, of the unpacked content.
    Byte(u64),
    /// A line, counted from 1.
    Line(u64),
    /// A line, counted from 1, and the name or number of a column in it.
    Column(u64, String),
    /// An entry of an archive, by its name there.
    Entry(String),
    /// A byte of an entry of an archive.
    EntryByte(String, u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File => Ok(()),
            Place::Byte(offset) => write!(f, ", byte {offset}"),
            Place::Line(line) => write!(f, ", line {line}"),
            Place::Column(line, column) => write!(f, ", line {line}, column {column}"),
            Place::Entry(name) => write!(f, ", entry `{name}`"),
            Place::EntryByte(name, offset) => write!(f, ", entry `{name}`, byte {offset}"),
        }
    }
}

/// A mistake in data or in how it is asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The operating system could not read a file.
    #[error("cannot read {}: {source}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Files that a data set consists of are missing; the message says which and where to get them.
    #[error("{0}")]
    NotThere(String),
    /// A file is not what its format says: cut off, a wrong magic number, a wrong count, an absurd size.
    #[error("{}{place}: {problem}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in it.
        place: Place,
        /// What was found there and what was expected.
        problem: String,
    },
    /// A file is in order but uses something that this reader does not know.
    #[error("{}{place}: not supported: {problem}", .path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// Where in it.
        place: Place,
        /// What it uses, and what to do instead.
        problem: String,
    },
    /// A class number outside the classes that there are.
    #[error(
        "{}{place}: label {label} is out of range: there are {classes} classes, numbered from 0",
        .path.display()
    )]
    Label {
        /// The file.
        path: PathBuf,
        /// Where in it.
        place: Place,
        /// The label found.
        label: i64,
        /// How many classes there are.
        classes: usize,
    },
    /// There are no examples where some are needed.
    #[error("{0} is empty: there is nothing to learn from")]
    Empty(String),
    /// An example that does not exist was asked for.
    #[error("example {index} does not exist: the data set has {len}, numbered from 0")]
    Index {
        /// The example.
        index: usize,
        /// How many there are.
        len: usize,
    },
    /// Making one example failed.
    #[error("example {index}: {source}")]
    Example {
        /// The example, numbered as in the data set that the loader was given.
        index: usize,
        /// What went wrong.
        source: Box<DataError>,
    },
    /// Code that makes examples or batches panicked.
    #[error("it panicked: {0}")]
    Panic(String),
    /// Making a batch failed in a way that no single example is to blame for.
    #[error("batch {batch} (examples {examples}): {source}")]
    Batch {
        /// The batch's number in the epoch, from 0.
        batch: usize,
        /// Its examples, shortened.
        examples: String,
        /// What went wrong.
        source: Box<DataError>,
    },
    /// Examples of different shapes, dtypes or structures cannot be put together.
    #[error("cannot put examples into one batch: {0}")]
    Mismatch(String),
    /// An argument makes no sense.
    #[error("{0}")]
    Argument(String),
}

impl DataError {
    /// A file that is not what its format says.
    pub(crate) fn damaged(path: &Path, place: Place, problem: impl Into<String>) -> DataError {
        DataError::Damaged {
            path: path.to_owned(),
            place,
            problem: problem.into(),
        }
    }

    /// What the operating system said about a file.
    pub(crate) fn io(path: &Path, source: io::Error) -> DataError {
        DataError::Io {
            path: path.to_owned(),
            source,
        }
    }

    /// This error, as that of one example.
    pub(crate) fn in_example(self, index: usize) -> DataError {
        match self {
            // The outermost data set's number is the one that the user can look up.
            DataError::Example { source, .. } => DataError::Example { index, source },
            other => DataError::Example {
                index,
                source: Box::new(other),
            },
        }
    }
}
