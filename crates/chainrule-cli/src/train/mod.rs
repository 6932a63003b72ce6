//! `chainrule train`, `evaluate` and `predict`: networks that a configuration describes.

mod architectures;
mod config;
mod data;
mod examples;
mod learning;
mod model;
mod objective;
mod options;
mod plan;
mod predict;
mod run;
mod sampling;
mod settings;
mod shown;

pub use options::{EvaluateOptions, PredictOptions, TrainOptions};

use chainrule::data::DataError;
use chainrule_train::trainer::TrainError;
use config::Problem;
use std::path::PathBuf;

/// Why a command of training failed.
#[derive(Debug, thiserror::Error)]
pub enum TrainProblem {
    /// The configuration has a mistake.
    #[error(transparent)]
    Config(#[from] Problem),
    /// The data cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The run could not go on.
    #[error(transparent)]
    Run(#[from] TrainError),
    /// The network or the loss refused its input.
    #[error(transparent)]
    Engine(#[from] chainrule::Error),
    /// A file cannot be read or written.
    #[error("{}: {source}", .path.display())]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    /// What was asked for is not there.
    #[error("{0}")]
    Request(String),
    /// Output could not be written.
    #[error(transparent)]
    Output(#[from] std::io::Error),
}

impl TrainProblem {
    /// Whether whoever read our output has seen enough.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, TrainProblem::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe)
    }
}

/// `chainrule train`.
pub fn train(options: &TrainOptions) -> Result<(), TrainProblem> {
    if options.list {
        return examples::list();
    }
    match &options.example {
        Some(name) => examples::run(name, options),
        None => run::train(options),
    }
}

/// `chainrule evaluate`.
pub fn evaluate(options: &EvaluateOptions) -> Result<(), TrainProblem> {
    run::evaluate(options)
}

/// `chainrule predict`.
pub fn predict(options: &PredictOptions) -> Result<(), TrainProblem> {
    predict::predict(options)
}
