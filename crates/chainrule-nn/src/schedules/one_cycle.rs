//! One rise and one fall.

use super::{Schedule, cosine_between};

/// How a rate goes from one value to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Annealing {
    /// Along half a cosine.
    Cosine,
    /// Along a straight line.
    Linear,
}

impl Annealing {
    fn between(self, start: f64, end: f64, share: f64) -> f64 {
        match self {
            Annealing::Cosine => cosine_between(start, end, share),
            Annealing::Linear => start + (end - start) * share,
        }
    }
}

/// One rise to the largest rate and one fall far below the first (Smith, Topin 2018), while the momentum falls and rises. The
/// base rate is not used: the first rate is `largest / 25`, the last `largest / 250,000`, unless said otherwise.
///
/// ```
/// use chainrule_nn::schedules::{OneCycle, Schedule};
/// let schedule = OneCycle::new(0.5, 101);
/// assert!((schedule.learning_rate(0, 0.0) - 0.02).abs() < 1e-12);
/// assert_eq!(schedule.momentum(0), Some(0.95));
/// assert!((schedule.learning_rate(29, 0.0) - 0.5).abs() < 1e-3);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct OneCycle {
    largest: f64,
    steps: u64,
    rising: f64,
    annealing: Annealing,
    momenta: Option<(f64, f64)>,
    first_divisor: f64,
    last_divisor: f64,
    three_phases: bool,
}

impl OneCycle {
    /// A cycle of `steps` steps with a rise in the first three tenths, along cosines, the momentum between 0.85 and 0.95.
    pub fn new(largest: f64, steps: u64) -> OneCycle {
        OneCycle {
            largest,
            steps,
            rising: 0.3,
            annealing: Annealing::Cosine,
            momenta: Some((0.85, 0.95)),
            first_divisor: 25.0,
            last_divisor: 1e4,
            three_phases: false,
        }
    }

    /// The share of the cycle that rises.
    pub fn rising(mut self, share: f64) -> OneCycle {
        self.rising = share;
        self
    }

    /// How it rises and falls.
    pub fn annealing(mut self, annealing: Annealing) -> OneCycle {
        self.annealing = annealing;
        self
    }

    /// The least and the largest momentum.
    pub fn momenta(mut self, least: f64, largest: f64) -> OneCycle {
        self.momenta = Some((least, largest));
        self
    }

    /// Leaves the momentum alone.
    pub fn without_momentum(mut self) -> OneCycle {
        self.momenta = None;
        self
    }

    /// The first rate is the largest divided by `first`, the last is the first divided by `last`.
    pub fn divisors(mut self, first: f64, last: f64) -> OneCycle {
        (self.first_divisor, self.last_divisor) = (first, last);
        self
    }

    /// Falls as it rose, and then to the last rate in a phase of its own.
    pub fn three_phases(mut self) -> OneCycle {
        self.three_phases = true;
        self
    }

    /// The last step of each phase, with what the rate and the momentum are there. The first pair is the beginning.
    fn corners(&self) -> Vec<(f64, f64, f64)> {
        let first = self.largest / self.first_divisor;
        let last = first / self.last_divisor;
        let (least, most) = self.momenta.unwrap_or((0.0, 0.0));
        let top = self.rising * self.steps as f64;
        let end = self.steps as f64 - 1.0;
        let mut corners = vec![(0.0, first, most), (top - 1.0, self.largest, least)];
        if self.three_phases {
            corners.push((2.0 * top - 2.0, first, most));
        }
        corners.push((end, last, most));
        corners
    }

    /// The value at a step of what has `value` at the corners.
    fn at(&self, step: u64, value: fn(&(f64, f64, f64)) -> f64) -> f64 {
        let corners = self.corners();
        let step = (step as f64).min(self.steps as f64 - 1.0);
        let mut phases = corners.windows(2);
        let last = &corners[corners.len() - 2..];
        let phase = phases.find(|phase| step <= phase[1].0).unwrap_or(last);
        let length = phase[1].0 - phase[0].0;
        let share = match length > 0.0 {
            true => (step - phase[0].0) / length,
            false => 1.0,
        };
        self.annealing
            .between(value(&phase[0]), value(&phase[1]), share)
    }
}

impl Schedule for OneCycle {
    /// Steps beyond the cycle stay at its end.
    fn learning_rate(&self, step: u64, _base: f64) -> f64 {
        self.at(step, |corner| corner.1)
    }

    fn momentum(&self, step: u64) -> Option<f64> {
        self.momenta.map(|_| self.at(step, |corner| corner.2))
    }
}
