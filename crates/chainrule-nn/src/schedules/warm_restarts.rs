//! Half cosines one after another.

use super::{Schedule, cosine_between};

/// Falls along half a cosine and starts again, each round `factor` times as long as the one before (Loshchilov, Hutter 2017).
///
/// ```
/// use chainrule_nn::schedules::{Schedule, WarmRestarts};
/// let schedule = WarmRestarts::new(10).lengthening(2);
/// // The second round has 20 steps: from 10 to 30.
/// assert_eq!(schedule.learning_rate(10, 0.5), 0.5);
/// assert_eq!(schedule.learning_rate(20, 0.5), 0.25);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct WarmRestarts {
    first: u64,
    factor: u64,
    least: f64,
}

impl WarmRestarts {
    /// Rounds of `steps` steps, each falling to zero.
    pub fn new(steps: u64) -> WarmRestarts {
        WarmRestarts {
            first: steps.max(1),
            factor: 1,
            least: 0.0,
        }
    }

    /// Makes each round `factor` times as long as the one before.
    pub fn lengthening(mut self, factor: u64) -> WarmRestarts {
        self.factor = factor.max(1);
        self
    }

    /// The rate at the end of a round.
    pub fn least(mut self, rate: f64) -> WarmRestarts {
        self.least = rate;
        self
    }

    /// The step within its round, and the round's length.
    fn within(&self, step: u64) -> (u64, u64) {
        if self.factor == 1 {
            return (step % self.first, self.first);
        }
        let (mut step, mut length) = (step, self.first);
        while step >= length {
            step -= length;
            length = length.saturating_mul(self.factor);
        }
        (step, length)
    }
}

impl Schedule for WarmRestarts {
    fn learning_rate(&self, step: u64, base: f64) -> f64 {
        let (step, length) = self.within(step);
        cosine_between(base, self.least, step as f64 / length as f64)
    }
}
