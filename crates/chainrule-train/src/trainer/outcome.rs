//! How a run ended, and how long it took.

use super::Trainer;
use crate::flow::Finding;
use chainrule_nn::Module;
use std::time::{Duration, Instant};

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Steps done.
    pub steps: u64,
    /// Epochs that are over.
    pub epochs: u64,
    /// Why it ended before its time, if it did.
    pub stopped: Option<String>,
    /// The last means of training, `loss` first, then the last validation, with `validation_` before the names.
    pub numbers: Vec<(String, f64)>,
    /// What the watch over the gradients found.
    pub findings: Vec<Finding>,
    /// How long it took, over all the times it was resumed.
    pub elapsed: Duration,
}

impl Outcome {
    /// The number of this name.
    pub fn number(&self, name: &str) -> Option<f64> {
        let mut numbers = self.numbers.iter();
        numbers
            .find(|(known, _)| known == name)
            .map(|(_, value)| *value)
    }
}

/// The time spent, and how much of it on training.
#[derive(Default)]
pub(super) struct Clock {
    since: Option<Instant>,
    before: Duration,
    pub(super) training: Duration,
    pub(super) examples: usize,
}

impl Clock {
    /// Begins to count, after `seconds` that were spent before.
    pub(super) fn start(&mut self, seconds: f64) {
        self.since = Some(Instant::now());
        self.before = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.before + self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Examples trained on in a second of training.
    pub(super) fn throughput(&self) -> f64 {
        match self.training.as_secs_f64() {
            0.0 => 0.0,
            seconds => self.examples as f64 / seconds,
        }
    }
}

impl<M: Module, B> Trainer<'_, M, B> {
    pub(super) fn outcome(&self) -> Outcome {
        let flow = self.flow.as_ref();
        Outcome {
            steps: self.state.step,
            epochs: self.state.epoch,
            stopped: self.state.stopped.clone(),
            numbers: self.numbers(),
            findings: flow.map_or(Vec::new(), |flow| flow.findings()),
            elapsed: self.clock.elapsed(),
        }
    }
}
