//! A fall to zero by a power.

use super::Schedule;

/// `base · (1 - step / steps)^power`, zero from `steps` on.
///
/// ```
/// use chainrule_nn::schedules::{Polynomial, Schedule};
/// assert_eq!(Polynomial::new(10, 2.0).learning_rate(5, 1.0), 0.25);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Polynomial {
    steps: u64,
    power: f64,
}

impl Polynomial {
    /// Falls to zero in `steps` steps.
    pub fn new(steps: u64, power: f64) -> Polynomial {
        Polynomial {
            steps: steps.max(1),
            power,
        }
    }
}

impl Schedule for Polynomial {
    fn learning_rate(&self, step: u64, base: f64) -> f64 {
        let left = self.steps.saturating_sub(step) as f64 / self.steps as f64;
        base * left.powf(self.power)
    }
}
