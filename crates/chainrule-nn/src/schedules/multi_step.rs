//! Falls at given steps.

use super::Schedule;

/// `base · factor^n`, where `n` milestones have been reached; one that is named twice counts twice.
///
/// ```
/// use chainrule_nn::schedules::{MultiStep, Schedule};
/// let schedule = MultiStep::new([30, 80], 0.1);
/// assert_eq!(schedule.learning_rate(79, 0.5), 0.05);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct MultiStep {
    milestones: Vec<u64>,
    factor: f64,
}

impl MultiStep {
    /// Multiplies the rate by `factor` at each of the milestones.
    pub fn new(milestones: impl IntoIterator<Item = u64>, factor: f64) -> MultiStep {
        MultiStep {
            milestones: milestones.into_iter().collect(),
            factor,
        }
    }
}

impl Schedule for MultiStep {
    fn learning_rate(&self, step: u64, base: f64) -> f64 {
        let reached = self.milestones.iter().filter(|&&at| at <= step).count();
        base * self.factor.powf(reached as f64)
    }
}
