//! The readable file of a checkpoint.

use crate::history::number;
use crate::trainer::{Counters, Goal, Means};
use serde::{Deserialize, Serialize};

/// The version of the format that is written; others are refused.
pub(super) const FORMAT: u32 = 1;

/// Where a run is: all that it carries from step to step besides tensors and its history. `state.json` holds it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunState {
    pub(crate) format: u32,
    /// Steps done.
    pub step: u64,
    /// Epochs that are over.
    pub epoch: u64,
    /// How many batches of the present epoch are done.
    pub batch: usize,
    /// Seconds spent so far.
    pub seconds: f64,
    /// Why the run ended, if it ended before its time.
    pub stopped: Option<String>,
    /// The best validation so far.
    pub best: Option<Best>,
    /// The file of the weights and buffers.
    pub weights: String,
    /// The file of the optimiser's state.
    pub optimiser: String,
    /// The file of the averaged weights.
    pub averaged: Option<String>,
    /// The file of the watch over the gradients.
    pub flow: Option<String>,
    /// The file of the history.
    pub history: String,
    /// Key and counter of the default generator, from which dropout draws.
    pub generator: (u64, u64),
    pub(crate) means: Means,
    pub(crate) early_stop: Option<Counters>,
    pub(crate) schedule: Vec<String>,
    pub(crate) callbacks: Vec<String>,
    /// The scale of the loss and the good steps since it changed.
    #[serde(default)]
    pub(crate) scaler: Option<(f64, u64)>,
}

/// The best validation of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// The step.
    pub step: u64,
    /// The number that was compared.
    pub name: String,
    /// Its value.
    #[serde(with = "number")]
    pub value: f64,
    /// Whether smaller or larger values are better.
    pub goal: Goal,
}

impl RunState {
    /// The state of a run that has not begun.
    pub(crate) fn beginning() -> RunState {
        RunState {
            format: FORMAT,
            step: 0,
            epoch: 0,
            batch: 0,
            seconds: 0.0,
            stopped: None,
            best: None,
            weights: "weights.safetensors".to_owned(),
            optimiser: "optimiser.safetensors".to_owned(),
            averaged: None,
            flow: None,
            history: "history.jsonl".to_owned(),
            generator: (0, 0),
            means: Means::default(),
            early_stop: None,
            schedule: Vec::new(),
            callbacks: Vec::new(),
            scaler: None,
        }
    }
}
