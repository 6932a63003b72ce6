//! Half a cosine down.

use super::{Schedule, cosine_between};

/// From the base rate to the least along half a cosine in `steps` steps (Loshchilov, Hutter 2017), and up again beyond them, as
/// PyTorch's does: `least + (base - least) (1 + cos(π step / steps)) / 2`.
///
/// ```
/// use chainrule_nn::schedules::{Cosine, Schedule};
/// let schedule = Cosine::new(100).least(0.01);
/// assert_eq!(schedule.learning_rate(0, 0.5), 0.5);
/// assert_eq!(schedule.learning_rate(100, 0.5), 0.01);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Cosine {
    steps: u64,
    least: f64,
}

impl Cosine {
    /// Falls to zero in `steps` steps.
    pub fn new(steps: u64) -> Cosine {
        Cosine {
            steps: steps.max(1),
            least: 0.0,
        }
    }

    /// The rate at the end.
    pub fn least(mut self, rate: f64) -> Cosine {
        self.least = rate;
        self
    }
}

impl Schedule for Cosine {
    fn learning_rate(&self, step: u64, base: f64) -> f64 {
        cosine_between(base, self.least, step as f64 / self.steps as f64)
    }
}
