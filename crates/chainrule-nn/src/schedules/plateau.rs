//! A fall when nothing improves any more.

use super::Schedule;

/// Multiplies the rate by a factor when a metric has not improved for more than `patience` epochs. The one schedule that looks
/// at the run: [`observe`](Schedule::observe) tells it the metric after each epoch.
///
/// ```
/// use chainrule_nn::schedules::{Plateau, Schedule};
/// let mut schedule = Plateau::new(0.1, 2);
/// for loss in [1.0, 0.9, 0.9, 0.9, 0.9] {
///     schedule.observe(loss);
/// }
/// assert!((schedule.learning_rate(5, 0.5) - 0.05).abs() < 1e-12);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Plateau {
    factor: f64,
    patience: u64,
    cooldown: u64,
    threshold: f64,
    absolute: bool,
    larger_is_better: bool,
    least: f64,
    smallest_change: f64,
    state: PlateauState,
    reductions: u64,
}

#[derive(Clone, Debug, PartialEq)]
struct PlateauState {
    best: Option<f64>,
    bad: u64,
    cooling: u64,
}

impl Plateau {
    /// Falls by `factor` when the metric, of which smaller is better, has not got better by 1e-4 of itself for more than
    /// `patience` epochs.
    pub fn new(factor: f64, patience: u64) -> Plateau {
        Plateau {
            factor,
            patience,
            cooldown: 0,
            threshold: 1e-4,
            absolute: false,
            larger_is_better: false,
            least: 0.0,
            smallest_change: 1e-8,
            state: PlateauState {
                best: None,
                bad: 0,
                cooling: 0,
            },
            reductions: 0,
        }
    }

    /// Larger is better: for accuracies.
    pub fn larger_is_better(mut self) -> Plateau {
        self.larger_is_better = true;
        self
    }

    /// By which share of itself the metric must get better to count.
    pub fn threshold(mut self, share: f64) -> Plateau {
        (self.threshold, self.absolute) = (share, false);
        self
    }

    /// By how much the metric must get better to count.
    pub fn absolute_threshold(mut self, difference: f64) -> Plateau {
        (self.threshold, self.absolute) = (difference, true);
        self
    }

    /// How many epochs after a fall do not count as bad.
    pub fn cooldown(mut self, epochs: u64) -> Plateau {
        self.cooldown = epochs;
        self
    }

    /// The rate below which it does not fall.
    pub fn least(mut self, rate: f64) -> Plateau {
        self.least = rate;
        self
    }

    /// The change of the rate that is too small to be made, 1e-8 unless said otherwise.
    pub fn smallest_change(mut self, change: f64) -> Plateau {
        self.smallest_change = change;
        self
    }
}

impl Schedule for Plateau {
    /// What is not a number is no improvement.
    fn observe(&mut self, metric: f64) {
        let state = &mut self.state;
        // An infinite first metric is no better than what stood before it.
        let best = state.best.unwrap_or(match self.larger_is_better {
            true => f64::NEG_INFINITY,
            false => f64::INFINITY,
        });
        let improved = match (self.absolute, self.larger_is_better) {
            (true, true) => metric > best + self.threshold,
            (true, false) => metric < best - self.threshold,
            (false, true) => metric > best * (1.0 + self.threshold),
            (false, false) => metric < best * (1.0 - self.threshold),
        };
        if improved {
            state.best = Some(metric);
            state.bad = 0;
        } else {
            state.bad += 1;
        }
        if state.cooling > 0 {
            state.cooling -= 1;
            state.bad = 0;
        }
        if state.bad > self.patience {
            self.reductions += 1;
            state.cooling = self.cooldown;
            state.bad = 0;
        }
    }

    /// Best metric (not a number before the first), bad epochs, epochs of cooldown left and number of falls.
    fn state(&self) -> Vec<f64> {
        let state = &self.state;
        let counts = [state.bad, state.cooling, self.reductions].map(|count| count as f64);
        [&[state.best.unwrap_or(f64::NAN)], &counts[..]].concat()
    }

    fn restore(&mut self, state: &[f64]) {
        let &[best, bad, cooling, reductions] = state else {
            return;
        };
        self.state = PlateauState {
            best: (!best.is_nan()).then_some(best),
            bad: bad as u64,
            cooling: cooling as u64,
        };
        self.reductions = reductions as u64;
    }

    /// The rate after all metrics observed so far, whatever the step.
    fn learning_rate(&self, _step: u64, base: f64) -> f64 {
        let mut rate = base;
        for _ in 0..self.reductions {
            let next = (rate * self.factor).max(self.least);
            if rate - next <= self.smallest_change {
                break;
            }
            rate = next;
        }
        rate
    }
}
