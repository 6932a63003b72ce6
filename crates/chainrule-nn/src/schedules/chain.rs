//! Schedules one after another, and several at once.

use super::Schedule;

/// One schedule after another: each begins with its step 0 at its milestone.
///
/// ```
/// use chainrule_nn::schedules::{Constant, Exponential, Schedule, Sequence};
/// let schedule = Sequence::new(Constant::new(0.1, 5)).then(5, Exponential::new(0.5));
/// assert_eq!(schedule.learning_rate(4, 1.0), 0.1);
/// assert_eq!(schedule.learning_rate(7, 1.0), 0.25);
/// ```
#[derive(Debug)]
pub struct Sequence {
    first: Box<dyn Schedule>,
    later: Vec<(u64, Box<dyn Schedule>)>,
}

impl Sequence {
    /// Begins with `first`.
    pub fn new(first: impl Schedule + 'static) -> Sequence {
        Sequence {
            first: Box::new(first),
            later: Vec::new(),
        }
    }

    /// Goes on with `schedule` from the step `milestone` on; milestones are given in their order.
    pub fn then(mut self, milestone: u64, schedule: impl Schedule + 'static) -> Sequence {
        self.later.push((milestone, Box::new(schedule)));
        self
    }

    /// The schedule that holds at a step, and its own step.
    fn at(&self, step: u64) -> (&dyn Schedule, u64) {
        let reached = self.later.iter().rev().find(|(from, _)| *from <= step);
        match reached {
            Some((from, schedule)) => (&**schedule, step - from),
            None => (&*self.first, step),
        }
    }
}

impl Schedule for Sequence {
    fn learning_rate(&self, step: u64, base: f64) -> f64 {
        let (schedule, step) = self.at(step);
        schedule.learning_rate(step, base)
    }

    fn momentum(&self, step: u64) -> Option<f64> {
        let (schedule, step) = self.at(step);
        schedule.momentum(step)
    }

    fn observe(&mut self, metric: f64) {
        self.first.observe(metric);
        for (_, schedule) in &mut self.later {
            schedule.observe(metric);
        }
    }

    fn state(&self) -> Vec<f64> {
        let later = self.later.iter().map(|(_, schedule)| schedule);
        let all = std::iter::once(&self.first).chain(later);
        all.flat_map(|schedule| schedule.state()).collect()
    }

    fn restore(&mut self, state: &[f64]) {
        let later = self.later.iter_mut().map(|(_, schedule)| schedule);
        restore_parts(std::iter::once(&mut self.first).chain(later), state);
    }
}

/// Several schedules at once: each makes of the others' rate what it makes of a base rate.
///
/// ```
/// use chainrule_nn::schedules::{Chained, Constant, Exponential, Schedule};
/// let schedule = Chained::new(Constant::new(0.5, 2)).and(Exponential::new(0.1));
/// assert!((schedule.learning_rate(1, 1.0) - 0.05).abs() < 1e-12);
/// ```
#[derive(Debug)]
pub struct Chained {
    parts: Vec<Box<dyn Schedule>>,
}

impl Chained {
    /// Begins with `first`.
    pub fn new(first: impl Schedule + 'static) -> Chained {
        Chained {
            parts: vec![Box::new(first)],
        }
    }

    /// With `schedule` on top.
    pub fn and(mut self, schedule: impl Schedule + 'static) -> Chained {
        self.parts.push(Box::new(schedule));
        self
    }
}

impl Schedule for Chained {
    fn learning_rate(&self, step: u64, base: f64) -> f64 {
        let rates = self.parts.iter();
        rates.fold(base, |rate, part| part.learning_rate(step, rate))
    }

    fn momentum(&self, step: u64) -> Option<f64> {
        self.parts.iter().rev().find_map(|part| part.momentum(step))
    }

    fn observe(&mut self, metric: f64) {
        for part in &mut self.parts {
            part.observe(metric);
        }
    }

    fn state(&self) -> Vec<f64> {
        self.parts.iter().flat_map(|part| part.state()).collect()
    }

    fn restore(&mut self, state: &[f64]) {
        restore_parts(self.parts.iter_mut(), state);
    }
}

/// Gives each part its share of the state, as long as its own state is.
fn restore_parts<'a>(parts: impl Iterator<Item = &'a mut Box<dyn Schedule>>, mut state: &[f64]) {
    for part in parts {
        let Some((own, rest)) = state.split_at_checked(part.state().len()) else {
            return;
        };
        part.restore(own);
        state = rest;
    }
}
