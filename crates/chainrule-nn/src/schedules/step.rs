//! A fall every so many steps.

use super::Schedule;

/// `base · factor^⌊step / every⌋`.
///
/// ```
/// use chainrule_nn::schedules::{Schedule, StepSchedule};
/// let schedule = StepSchedule::new(30, 0.1);
/// assert_eq!(schedule.learning_rate(29, 0.5), 0.5);
/// assert_eq!(schedule.learning_rate(30, 0.5), 0.05);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct StepSchedule {
    every: u64,
    factor: f64,
}

impl StepSchedule {
    /// Multiplies the rate by `factor` every `every` steps.
    pub fn new(every: u64, factor: f64) -> StepSchedule {
        StepSchedule {
            every: every.max(1),
            factor,
        }
    }
}

impl Schedule for StepSchedule {
    fn learning_rate(&self, step: u64, base: f64) -> f64 {
        base * self.factor.powf((step / self.every) as f64)
    }
}
