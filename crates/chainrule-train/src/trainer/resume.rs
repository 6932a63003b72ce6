//! Writing down where a run is, and going on from there.

use super::report::group;
use super::{TrainError, Trainer};
use crate::checkpoint::{Checkpoint, Checkpoints, Content, RunState};
use chainrule_core::{Generator, Tree, default_generator, set_default_generator};
use chainrule_nn::{Module, Update};

impl<M: Module, B: Tree> Trainer<'_, M, B> {
    /// Takes over the newest checkpoint if that was asked for, and says so.
    pub(super) fn resume(&mut self) -> Result<Option<String>, TrainError> {
        let Some(checkpoints) = self.checkpoints.clone() else {
            return Ok(None);
        };
        let Some(checkpoint) = Checkpoint::newest_of(checkpoints.folder())? else {
            return Ok(None);
        };
        if self.state.step > 0 {
            return Ok(None);
        }
        if !checkpoints.resumes() {
            return Err(TrainError::Settings(format!(
                "{} has checkpoints of another run\n    help: go on from them with `resume(true)` (`--resume`), remove the \
                 folder, or name another",
                checkpoints.folder().display()
            )));
        }
        self.take(&checkpoint)?;
        Ok(Some(format!(
            "resumed at step {} from {}",
            self.state.step,
            checkpoint.folder().display()
        )))
    }

    fn take(&mut self, checkpoint: &Checkpoint) -> Result<(), TrainError> {
        self.model = checkpoint.model(&self.model)?;
        let restored = self
            .optimiser
            .restore(&self.model, &checkpoint.optimiser()?);
        restored.map_err(|error| TrainError::Optimiser {
            folder: checkpoint.folder().to_owned(),
            error,
        })?;
        if let (Some(average), Some(state)) = (&mut self.average, checkpoint.averages()?) {
            average.restore(&state);
        }
        if let (Some(flow), Some(kept)) = (&mut self.flow, checkpoint.flow()?) {
            *flow = kept;
        }
        if let (Some(scaler), Some(state)) = (&mut self.scaler, checkpoint.state().scaler) {
            scaler.restore(state);
        }
        self.history = checkpoint.history()?;
        self.validated = group(&self.history, "validation");
        let state = checkpoint.state().clone();
        set_default_generator(Generator::from_state(state.generator));
        if let (Some(stop), Some(counters)) = (&mut self.early_stop, &state.early_stop) {
            stop.restore(counters.clone());
        }
        if let Some(rate) = &mut self.rate {
            rate.restore(&state.schedule);
        }
        for (number, callback) in self.callbacks.iter_mut().enumerate() {
            let state = state.callbacks.get(number).map_or("", String::as_str);
            callback
                .restore(state)
                .map_err(|problem| TrainError::Checkpoint {
                    path: checkpoint.folder().to_owned(),
                    problem: format!("callback {number} cannot go on: {problem}"),
                })?;
        }
        self.state = state;
        Ok(())
    }

    /// Writes a checkpoint.
    pub(super) fn save(&mut self, checkpoints: &Checkpoints) -> Result<(), TrainError> {
        let callbacks = self.callbacks.iter().map(|callback| callback.state());
        let state = RunState {
            generator: default_generator().state(),
            seconds: self.clock.elapsed().as_secs_f64(),
            early_stop: self.early_stop.as_ref().map(|stop| stop.counters()),
            schedule: self.rate.as_ref().map_or(Vec::new(), |rate| rate.state()),
            callbacks: callbacks.collect(),
            scaler: self.scaler.as_ref().map(|scaler| scaler.state()),
            ..self.state.clone()
        };
        let content = Content {
            model: &self.model,
            optimiser: self.optimiser.state(),
            averaged: self.average.as_ref().map(|average| average.state()),
            history: &self.history,
            flow: self.flow.as_ref(),
        };
        checkpoints.write(state, &content)
    }
}
