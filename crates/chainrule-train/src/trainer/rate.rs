//! The learning rate over a run.

use chainrule_nn::Optimiser;
use chainrule_nn::schedules::Schedule;

/// A schedule, and what it is asked by.
pub(super) struct Rate<'a> {
    schedule: Box<dyn Schedule + 'a>,
    by_epoch: bool,
    /// The number that a plateau watches.
    pub(super) watches: String,
}

impl<'a> Rate<'a> {
    pub(super) fn new(schedule: impl Schedule + 'a, by_epoch: bool) -> Rate<'a> {
        Rate {
            schedule: Box::new(schedule),
            by_epoch,
            watches: "loss".to_owned(),
        }
    }

    /// Sets the rate before an update.
    pub(super) fn apply(&self, step: u64, epoch: u64, base: f64, optimiser: &mut dyn Optimiser) {
        let time = if self.by_epoch { epoch } else { step };
        self.schedule.apply(time, base, optimiser);
    }

    pub(super) fn observe(&mut self, value: f64) {
        self.schedule.observe(value);
    }

    /// As text: JSON has no infinity, which a plateau begins with.
    pub(super) fn state(&self) -> Vec<String> {
        self.schedule.state().iter().map(f64::to_string).collect()
    }

    pub(super) fn restore(&mut self, state: &[String]) {
        let state: Option<Vec<f64>> = state.iter().map(|text| text.parse().ok()).collect();
        self.schedule.restore(&state.unwrap_or_default());
    }
}
