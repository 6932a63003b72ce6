//! The main job: a network learns real handwritten digits.

mod data;
mod report;
mod train;

use std::io::ErrorKind;
use std::path::PathBuf;

/// What the command line asks for.
pub struct Settings {
    pub seed: u64,
    pub epochs: usize,
    pub weights: PathBuf,
    pub json: bool,
}

/// Why the job could not be done.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error("the included digits cannot be read: {0}")]
    Data(String),
    #[error(transparent)]
    Weights(#[from] chainrule::nn::WeightsError),
    #[error(transparent)]
    Gradients(#[from] chainrule::nn::MissingGradients),
    #[error("the output cannot be written: {0}")]
    Output(#[from] std::io::Error),
}

impl DemoError {
    /// Whether the reader of the output has gone.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, DemoError::Output(error) if error.kind() == ErrorKind::BrokenPipe)
    }
}

/// Trains, evaluates, saves, and prints.
pub fn run(settings: &Settings) -> Result<(), DemoError> {
    let digits = data::load()?;
    let run = train::train(&digits, settings)?;
    chainrule::nn::save(&run.network, &settings.weights)?;
    let evaluation = report::evaluate(&run.network, &digits.held_out);
    if settings.json {
        report::print_json(&run, &evaluation, settings)
    } else {
        report::print(&run, &evaluation, &digits.held_out, settings)
    }
}
