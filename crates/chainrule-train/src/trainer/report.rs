//! Saying and writing down what a step, an epoch and a validation showed.

use super::outcome::Outcome;
use super::settings::Length;
use super::step::Step;
use super::{TrainError, Trainer};
use crate::events::EventWriter;
use crate::progress::Progress;
use chainrule_core::Tree;
use chainrule_core::tree::named_leaves;
use chainrule_nn::Module;

impl<M: Module, B: Tree> Trainer<'_, M, B> {
    pub(super) fn report_beginning(&mut self, total: u64) -> Result<(), TrainError> {
        if let (Some(folder), None) = (&self.events, &self.writer) {
            self.writer = Some(match self.state.step {
                0 => EventWriter::create(folder)?,
                step => EventWriter::resume(folder, step + 1)?,
            });
        }
        if let Some(reporter) = &mut self.reporter {
            let described = format!(
                "{} parameters, {}",
                self.model.parameter_count(),
                self.optimiser.name()
            );
            reporter.begin(self.summary.as_ref().unwrap_or(&described), total);
        }
        Ok(())
    }

    pub(super) fn report_step(&mut self, step: &Step, total: u64) -> Result<(), TrainError> {
        let number = self.state.step;
        self.history.push("train/loss", number, step.loss);
        let rate = self.optimiser.learning_rate();
        let changed = self
            .history
            .last("learning rate")
            .is_none_or(|(_, last)| last != rate);
        if changed {
            self.history.push("learning rate", number, rate);
        }
        if let Some(writer) = &mut self.writer {
            writer.scalar("train/loss", number, step.loss)?;
            if changed {
                writer.scalar("learning rate", number, rate)?;
            }
        }
        let progress = self.progress(total, self.state.means.values());
        if let Some(reporter) = &mut self.reporter {
            for finding in &step.findings {
                reporter.finding(finding);
            }
            reporter.step(&progress);
        }
        Ok(())
    }

    /// Adds numbers to the history and the event file, under names that begin with `group`.
    pub(super) fn record(
        &mut self,
        group: &str,
        numbers: &[(String, f64)],
    ) -> Result<(), TrainError> {
        for (name, value) in numbers {
            let name = format!("{group}/{name}");
            self.history.push(&name, self.state.step, *value);
            if let Some(writer) = &mut self.writer {
                writer.scalar(&name, self.state.step, *value)?;
            }
        }
        Ok(())
    }

    /// The weights, and the gradients of the last step, for the event file.
    pub(super) fn record_weights(&mut self) -> Result<(), TrainError> {
        let Some(writer) = &mut self.writer else {
            return Ok(());
        };
        for (name, tensor) in self.model.named_parameters() {
            if tensor.dtype().is_floating() {
                writer.histogram(&format!("weights/{name}"), self.state.step, tensor)?;
            }
        }
        if let Some(gradients) = self.gradients.take() {
            for (name, tensor) in named_leaves(&gradients) {
                if tensor.dtype().is_floating() && !tensor.is_absent() {
                    writer.histogram(&format!("gradients/{name}"), self.state.step, tensor)?;
                }
            }
        }
        Ok(writer.flush()?)
    }

    pub(super) fn report_epoch(&mut self, total: u64) {
        let progress = self.progress(total, self.numbers());
        if let Some(reporter) = &mut self.reporter {
            reporter.epoch(&progress);
        }
    }

    pub(super) fn note(&mut self, text: &str) {
        if let Some(reporter) = &mut self.reporter {
            reporter.note(text);
        }
    }

    pub(super) fn report_end(&mut self, total: u64) -> Result<Outcome, TrainError> {
        if let Some(writer) = &mut self.writer {
            writer.flush()?;
        }
        let outcome = self.outcome();
        let progress = self.progress(total, outcome.numbers.clone());
        if let Some(reporter) = &mut self.reporter {
            reporter.end(&progress);
        }
        Ok(outcome)
    }

    fn progress(&self, total: u64, numbers: Vec<(String, f64)>) -> Progress {
        let (epoch, epochs) = match self.length {
            // At the end of an epoch it is the one that ends.
            Length::Epochs(epochs) if self.state.batch == 0 => (self.state.epoch, epochs),
            Length::Epochs(epochs) => (self.state.epoch + 1, epochs),
            Length::Steps(_) => (0, 0),
        };
        Progress {
            epoch,
            epochs,
            step: self.state.step,
            steps: total,
            numbers,
            throughput: self.clock.throughput(),
            elapsed: self.clock.elapsed(),
        }
    }
}

impl<M: Module, B> Trainer<'_, M, B> {
    /// The means of the present epoch, or of the last one when the next has not begun, and the last validation.
    pub(super) fn numbers(&self) -> Vec<(String, f64)> {
        let mut numbers = self.state.means.values();
        if numbers.is_empty() {
            numbers = group(&self.history, "epoch");
        }
        let validated = self.validated.iter();
        numbers.extend(validated.map(|(name, value)| (format!("validation_{name}"), *value)));
        numbers
    }
}

/// The last numbers of the series that begin with `group`, the loss first.
pub(super) fn group(history: &crate::history::History, group: &str) -> Vec<(String, f64)> {
    let mut numbers: Vec<(String, f64)> = history
        .names()
        .filter_map(|series| {
            let name = series.strip_prefix(group)?.strip_prefix('/')?;
            Some((name.to_owned(), history.last(series)?.1))
        })
        .collect();
    numbers.sort_by_key(|(name, _)| name != "loss");
    numbers
}
