//! A gentle start before another schedule.

use super::Schedule;

/// Rises along a straight line to the base rate in `steps` steps (at step `i` to `base · (i + 1) / (steps + 1)`), then follows
/// another schedule, whose step 0 is the first one after the rise.
///
/// ```
/// use chainrule_nn::schedules::{Cosine, Schedule, WarmUp};
/// let schedule = WarmUp::new(4, Cosine::new(100));
/// let rates: Vec<f64> = (0..5).map(|step| schedule.learning_rate(step, 1.0)).collect();
/// assert_eq!(rates, [0.2, 0.4, 0.6, 0.8, 1.0]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct WarmUp<S> {
    steps: u64,
    then: S,
}

impl<S: Schedule> WarmUp<S> {
    /// Rises for `steps` steps, then follows `then`.
    pub fn new(steps: u64, then: S) -> WarmUp<S> {
        WarmUp { steps, then }
    }
}

impl<S: Schedule> Schedule for WarmUp<S> {
    fn learning_rate(&self, step: u64, base: f64) -> f64 {
        match step.checked_sub(self.steps) {
            Some(step) => self.then.learning_rate(step, base),
            None => base * (step + 1) as f64 / (self.steps + 1) as f64,
        }
    }

    fn momentum(&self, step: u64) -> Option<f64> {
        self.then.momentum(step.saturating_sub(self.steps))
    }

    fn observe(&mut self, metric: f64) {
        self.then.observe(metric);
    }

    fn state(&self) -> Vec<f64> {
        self.then.state()
    }

    fn restore(&mut self, state: &[f64]) {
        self.then.restore(state);
    }
}
