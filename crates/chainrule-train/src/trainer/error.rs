//! Why a run could not go on.

use crate::data::DataError;
use crate::history::HistoryError;
use chainrule_core::Error;
use chainrule_nn::{MissingGradients, StateError, WeightsError};
use std::path::PathBuf;

/// A run that could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A batch could not be made.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The loss does not depend on a parameter.
    #[error(transparent)]
    Gradients(#[from] MissingGradients),
    /// A metric was given something that it cannot measure, or an event file could not be written.
    #[error(transparent)]
    Measure(#[from] Error),
    /// The loss is NaN or infinite.
    #[error("the loss is {loss} at step {step}{}", advice(.findings))]
    NotFinite {
        /// The loss.
        loss: f64,
        /// The step, counted from 1.
        step: u64,
        /// What the watch over the gradients had found before.
        findings: Vec<String>,
    },
    /// The settings cannot be followed.
    #[error("trainer: {0}")]
    Settings(String),
    /// The tensors of a checkpoint cannot be written or read.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The optimiser's state of a checkpoint is another optimiser's.
    #[error("the checkpoint {} was written by another optimiser or model: {error}", .folder.display())]
    Optimiser {
        /// The checkpoint.
        folder: PathBuf,
        /// What differs.
        error: StateError,
    },
    /// A file of a checkpoint cannot be written or read.
    #[error("{}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of a checkpoint is damaged or another version's.
    #[error("{}: {problem}", .path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The history of a checkpoint is damaged.
    #[error("{}: {error}", .path.display())]
    History {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: HistoryError,
    },
}

fn advice(findings: &[String]) -> String {
    if findings.is_empty() {
        return "\n    help: lower the learning rate, warm it up, or clip the gradients; `watch` says which layer went first"
            .to_owned();
    }
    format!("\n{}", findings.join("\n"))
}
