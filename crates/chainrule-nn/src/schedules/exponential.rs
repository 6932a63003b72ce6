//! A steady fall.

use super::Schedule;

/// `base · factor^step`.
///
/// ```
/// use chainrule_nn::schedules::{Exponential, Schedule};
/// assert_eq!(Exponential::new(0.5).learning_rate(2, 1.0), 0.25);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Exponential {
    factor: f64,
}

impl Exponential {
    /// Multiplies the rate by `factor` at every step.
    pub fn new(factor: f64) -> Exponential {
        Exponential { factor }
    }
}

impl Schedule for Exponential {
    fn learning_rate(&self, step: u64, base: f64) -> f64 {
        base * self.factor.powf(step as f64)
    }
}
