//! The loop.

use super::settings::{Length, Rhythm};
use super::step::Step;
use super::{Callback, Control, Outcome, Source, TrainError, Trainer, View};
use crate::checkpoint::Best;
use chainrule_core::Tree;
use chainrule_nn::Module;
use std::time::Instant;

/// What to do after a step.
#[derive(Clone, Copy)]
struct After {
    epoch_is_over: bool,
    run_is_over: bool,
}

impl<M: Module, B: Tree> Trainer<'_, M, B> {
    /// Trains on `data` until the run is over. Called again with more epochs or steps, it goes on.
    ///
    /// # Errors
    /// When a batch cannot be made, a parameter gets no gradient, the loss is not finite, or a checkpoint or event file
    /// cannot be written or read.
    ///
    /// # Panics
    /// When the loss function does, at its own line.
    pub fn fit(&mut self, data: impl Source<B>) -> Result<Outcome, TrainError> {
        self.check_settings()?;
        let total = self.total_steps(&data)?;
        let resumed = self.resume()?;
        self.report_beginning(total)?;
        if let Some(note) = resumed {
            self.note(&note);
        }
        self.clock.start(self.state.seconds);
        while self.state.step < total && self.state.stopped.is_none() {
            self.epoch(&data, total)?;
        }
        self.report_end(total)
    }

    /// Whether what was asked for goes together.
    fn check_settings(&mut self) -> Result<(), TrainError> {
        let average = self.average.as_ref();
        if let Some(reason) = average.and_then(|average| average.refusal(&self.model)) {
            return Err(TrainError::Settings(reason));
        }
        let searches = self.optimiser.as_lbfgs().is_some();
        let with = match (self.clip, &self.scaler) {
            (Some(_), _) => "clip gradients",
            (_, Some(_)) => "scale the loss",
            _ => return Ok(()),
        };
        match searches {
            true => Err(TrainError::Settings(format!(
                "{} evaluates the loss itself: a run cannot {with} for it",
                self.optimiser.name()
            ))),
            false => Ok(()),
        }
    }

    fn total_steps(&self, data: &impl Source<B>) -> Result<u64, TrainError> {
        let per_epoch = data.batches().div_ceil(self.accumulate) as u64;
        if per_epoch == 0 {
            return Err(TrainError::Settings(
                "there is nothing to learn from: the data has no batches\n    help: when the last batch is dropped, there \
                 must be at least as many examples as a batch has"
                    .to_owned(),
            ));
        }
        Ok(match self.length {
            Length::Epochs(epochs) => epochs * per_epoch,
            Length::Steps(steps) => steps,
        })
    }

    /// Goes through the rest of the present epoch.
    fn epoch(&mut self, data: &impl Source<B>, total: u64) -> Result<(), TrainError> {
        let per_epoch = data.batches();
        let mut batches = data.from(self.state.epoch, self.state.batch);
        while self.state.step < total && self.state.stopped.is_none() {
            let start = Instant::now();
            let group = batches.by_ref().take(self.accumulate);
            let group: Vec<B> = group.collect::<Result<_, _>>()?;
            if group.is_empty() {
                return Err(TrainError::Settings(format!(
                    "the data gave {} batches in epoch {} and had said that there are {per_epoch}",
                    self.state.batch, self.state.epoch
                )));
            }
            let kept = self.is_shown_after(group.len(), per_epoch, total);
            let step = self.update(&group, kept)?;
            self.clock.training += start.elapsed();
            self.clock.examples += step.examples;
            self.state.step += 1;
            self.state.batch += group.len();
            let epoch_is_over = self.state.batch >= per_epoch;
            if epoch_is_over {
                (self.state.epoch, self.state.batch) = (self.state.epoch + 1, 0);
            }
            let run_is_over = self.state.step == total;
            let after = After {
                epoch_is_over,
                run_is_over,
            };
            self.after_step(&step, after, total)?;
            if epoch_is_over {
                break;
            }
        }
        Ok(())
    }

    fn after_step(&mut self, step: &Step, after: After, total: u64) -> Result<(), TrainError> {
        self.report_step(step, total)?;
        if !step.loss.is_finite() {
            return Err(self.not_finite(step.loss));
        }
        self.ask(
            |callback, view| callback.batch_end(view),
            &[("loss".to_owned(), step.loss)],
        );
        if after.epoch_is_over {
            let means = self.state.means.values();
            self.record("epoch", &means)?;
            self.history.end_epoch(self.state.step);
            self.state.means.clear();
            self.ask(|callback, view| callback.epoch_end(view), &means);
        }
        let validates = self.validation.is_some() && self.validation_is_due(after);
        if validates {
            self.validate_now()?;
        }
        if after.epoch_is_over || validates {
            self.report_epoch(total);
        }
        self.save_if_due(after)
    }

    fn not_finite(&self, loss: f64) -> TrainError {
        let findings = self
            .flow
            .as_ref()
            .map_or(Vec::new(), |flow| flow.findings());
        TrainError::NotFinite {
            loss,
            step: self.state.step,
            findings: findings.iter().map(ToString::to_string).collect(),
        }
    }

    fn validation_is_due(&self, after: After) -> bool {
        let is_due = match self.rhythm {
            Rhythm::Epochs(every) => after.epoch_is_over && self.state.epoch.is_multiple_of(every),
            Rhythm::Steps(every) => self.state.step.is_multiple_of(every),
        };
        is_due || after.run_is_over || self.state.stopped.is_some()
    }

    /// Whether the next update, of so many batches, is one after which weights and gradients are written down.
    fn is_shown_after(&self, batches: usize, per_epoch: usize, total: u64) -> bool {
        let epoch_is_over = self.state.batch + batches >= per_epoch;
        let is_due = match self.rhythm {
            Rhythm::Epochs(every) => epoch_is_over && (self.state.epoch + 1).is_multiple_of(every),
            Rhythm::Steps(every) => (self.state.step + 1).is_multiple_of(every),
        };
        let run_is_over = self.state.step + 1 == total;
        self.writer.is_some() && self.validation.is_some() && (is_due || run_is_over)
    }

    /// Validates, and lets the result decide what it decides.
    fn validate_now(&mut self) -> Result<(), TrainError> {
        let Some(data) = self.validation.take() else {
            return Ok(());
        };
        let numbers = self.evaluate(&*data);
        self.validation = Some(data);
        let numbers = numbers?;
        self.record("validation", &numbers)?;
        self.record_weights()?;
        self.validated.clone_from(&numbers);
        self.note_best(&numbers)?;
        if let Some(rate) = &mut self.rate {
            let value = named(&numbers, &rate.watches)?;
            rate.observe(value);
        }
        if let Some(stop) = &mut self.early_stop {
            let value = named(&numbers, stop.name())?;
            if let Some(reason) = stop.takes(value) {
                self.state.stopped.get_or_insert(reason);
            }
        }
        self.ask(|callback, view| callback.validation_end(view), &numbers);
        Ok(())
    }

    fn note_best(&mut self, numbers: &[(String, f64)]) -> Result<(), TrainError> {
        let Some(checkpoints) = &self.checkpoints else {
            return Ok(());
        };
        let (name, goal) = checkpoints.judges_by();
        let value = named(numbers, name)?;
        let best = self
            .state
            .best
            .as_ref()
            .map_or(goal.worst(), |best| best.value);
        if goal.is_better(value, best, 0.0) {
            self.state.best = Some(Best {
                step: self.state.step,
                name: name.to_owned(),
                value,
                goal,
            });
        }
        Ok(())
    }

    /// Also when this step's validation was the best: only a checkpoint of that very step is the best one.
    fn save_if_due(&mut self, after: After) -> Result<(), TrainError> {
        let Some(checkpoints) = self.checkpoints.clone() else {
            return Ok(());
        };
        let step = self.state.step;
        let is_best = self
            .state
            .best
            .as_ref()
            .is_some_and(|best| best.step == step);
        let ends = after.run_is_over || self.state.stopped.is_some();
        if ends || is_best || checkpoints.is_due(step, after.epoch_is_over) {
            self.save(&checkpoints)?;
        }
        Ok(())
    }

    /// Asks every callback; the first that wants to ends the run.
    fn ask(
        &mut self,
        mut hook: impl FnMut(&mut dyn Callback<M>, &View<'_, M>) -> Control,
        numbers: &[(String, f64)],
    ) {
        let view = View {
            model: &self.model,
            step: self.state.step,
            epoch: match self.state.batch {
                0 => self.state.epoch,
                _ => self.state.epoch + 1,
            },
            numbers,
            history: &self.history,
        };
        for callback in &mut self.callbacks {
            if let Control::Stop(reason) = hook(&mut **callback, &view) {
                self.state.stopped.get_or_insert(reason);
            }
        }
    }
}

/// The number that an early stop or the choice of the best checkpoint goes by.
fn named(numbers: &[(String, f64)], name: &str) -> Result<f64, TrainError> {
    let found = numbers.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<&str> = numbers.iter().map(|(name, _)| name.as_str()).collect();
        TrainError::Settings(format!(
            "no validation gives `{name}`; there is {}",
            known.join(", ")
        ))
    })
}
