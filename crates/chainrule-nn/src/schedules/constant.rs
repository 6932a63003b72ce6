//! A constant rate, smaller at first.

use super::Schedule;

/// `base · factor` for the first `steps` steps, then the base rate.
///
/// ```
/// use chainrule_nn::schedules::{Constant, Schedule};
/// let schedule = Constant::new(0.5, 10);
/// assert_eq!((schedule.learning_rate(9, 0.2), schedule.learning_rate(10, 0.2)), (0.1, 0.2));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Constant {
    factor: f64,
    steps: u64,
}

impl Constant {
    /// The base rate times `factor` for `steps` steps; `Constant::new(1.0, 0)` is the base rate throughout.
    pub fn new(factor: f64, steps: u64) -> Constant {
        Constant { factor, steps }
    }
}

impl Schedule for Constant {
    fn learning_rate(&self, step: u64, base: f64) -> f64 {
        match step < self.steps {
            true => base * self.factor,
            false => base,
        }
    }
}
