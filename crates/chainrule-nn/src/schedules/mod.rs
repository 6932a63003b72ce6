//! Learning rates over time, one schedule a file. All but [`Plateau`] are functions of the step alone, so that a run resumed at
//! any step goes on as it would have.
//!
//! Steps count from 0; whether one is a batch or an epoch is up to who asks.

mod chain;
mod configured;
mod constant;
mod cosine;
mod cyclic;
mod exponential;
mod linear;
mod multi_step;
mod one_cycle;
mod plateau;
mod polynomial;
mod step;
mod warm_restarts;
mod warm_up;

pub use chain::{Chained, Sequence};
pub use configured::{build_schedule, schedule_names};
pub use constant::Constant;
pub use cosine::Cosine;
pub use cyclic::{Cyclic, CyclicMode};
pub use exponential::Exponential;
pub use linear::LinearSchedule;
pub use multi_step::MultiStep;
pub use one_cycle::{Annealing, OneCycle};
pub use plateau::Plateau;
pub use polynomial::Polynomial;
pub use step::StepSchedule;
pub use warm_restarts::WarmRestarts;
pub use warm_up::WarmUp;

use crate::Optimiser;
use std::fmt::Debug;

/// A learning rate as a function of the step.
///
/// ```
/// use chainrule_nn::{Optimiser, Sgd};
/// use chainrule_nn::schedules::{Cosine, Schedule};
/// let schedule = Cosine::new(100);
/// let mut sgd = Sgd::new(0.1);
/// for step in 0..100 {
///     schedule.apply(step, 0.1, &mut sgd);
///     // ... a step of training
/// }
/// assert!(sgd.learning_rate() < 1e-4);
/// ```
pub trait Schedule: Debug {
    /// The learning rate at `step`, where `base` is the one that the run was given.
    fn learning_rate(&self, step: u64, base: f64) -> f64;

    /// The momentum at `step`, for the schedules that move it.
    fn momentum(&self, _step: u64) -> Option<f64> {
        None
    }

    /// Takes the metric of an epoch; only [`Plateau`], and what contains one, looks at it.
    fn observe(&mut self, _metric: f64) {}

    /// What a resumed run needs besides the step: nothing, but for [`Plateau`].
    fn state(&self) -> Vec<f64> {
        Vec::new()
    }

    /// Continues from what [`state`](Schedule::state) of an equal schedule gave; anything else is ignored.
    fn restore(&mut self, _state: &[f64]) {}

    /// Sets the learning rate of an optimiser, and its momentum where the schedule moves it and the optimiser has one.
    fn apply(&self, step: u64, base: f64, optimiser: &mut dyn Optimiser) {
        optimiser.set_learning_rate(self.learning_rate(step, base));
        if let Some(momentum) = self.momentum(step) {
            optimiser.set_momentum(momentum);
        }
    }
}

impl<S: Schedule + ?Sized> Schedule for Box<S> {
    fn learning_rate(&self, step: u64, base: f64) -> f64 {
        (**self).learning_rate(step, base)
    }

    fn momentum(&self, step: u64) -> Option<f64> {
        (**self).momentum(step)
    }

    fn observe(&mut self, metric: f64) {
        (**self).observe(metric);
    }

    fn state(&self) -> Vec<f64> {
        (**self).state()
    }

    fn restore(&mut self, state: &[f64]) {
        (**self).restore(state);
    }
}

/// From `start` to `end` along half a cosine, `share` being 0 to 1.
fn cosine_between(start: f64, end: f64, share: f64) -> f64 {
    end + (start - end) / 2.0 * (1.0 + (std::f64::consts::PI * share).cos())
}
