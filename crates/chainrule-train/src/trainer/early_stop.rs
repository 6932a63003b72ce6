//! Ending a run that no longer improves.

use crate::history::number;
use serde::{Deserialize, Serialize};

/// Whether smaller or larger numbers are better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Goal {
    /// As with a loss.
    Smaller,
    /// As with an accuracy.
    Larger,
}

impl Goal {
    /// Whether `value` is better than `best` by more than `margin`. A NaN is never better.
    pub fn is_better(self, value: f64, best: f64, margin: f64) -> bool {
        match self {
            Goal::Smaller => value < best - margin,
            Goal::Larger => value > best + margin,
        }
    }

    /// Worse than every number.
    pub fn worst(self) -> f64 {
        match self {
            Goal::Smaller => f64::INFINITY,
            Goal::Larger => f64::NEG_INFINITY,
        }
    }
}

/// Ends a run when a number of its validations has not improved for some time.
///
/// ```
/// use chainrule_train::trainer::EarlyStop;
/// let mut stop = EarlyStop::new("loss").patience(2);
/// let series = [1.0, 0.5, 0.6, 0.55];
/// let ended: Vec<bool> = series.into_iter().map(|loss| stop.takes(loss).is_some()).collect();
/// assert_eq!(ended, [false, false, false, true]);
/// ```
#[derive(Clone, Debug)]
pub struct EarlyStop {
    name: String,
    goal: Goal,
    patience: u64,
    margin: f64,
    counters: Counters,
}

/// What is carried from validation to validation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Counters {
    #[serde(with = "number")]
    best: f64,
    without_improvement: u64,
}

impl EarlyStop {
    /// Watches the number of validations that is called `name`, of which smaller ones are better; patience is 3.
    pub fn new(name: impl Into<String>) -> EarlyStop {
        EarlyStop {
            name: name.into(),
            goal: Goal::Smaller,
            patience: 3,
            margin: 0.0,
            counters: Counters {
                best: Goal::Smaller.worst(),
                without_improvement: 0,
            },
        }
    }

    /// Larger numbers are better.
    pub fn larger_is_better(mut self) -> EarlyStop {
        self.goal = Goal::Larger;
        self.counters.best = self.goal.worst();
        self
    }

    /// After how many validations without improvement the run ends, at least 1.
    pub fn patience(mut self, validations: u64) -> EarlyStop {
        self.patience = validations.max(1);
        self
    }

    /// By how much a number must be better to count as an improvement.
    pub fn margin(mut self, margin: f64) -> EarlyStop {
        self.margin = margin;
        self
    }

    /// The number that is watched.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Takes in the next validation; why the run ends, if it does.
    pub fn takes(&mut self, value: f64) -> Option<String> {
        let counters = &mut self.counters;
        if self.goal.is_better(value, counters.best, self.margin) {
            counters.best = value;
            counters.without_improvement = 0;
            return None;
        }
        counters.without_improvement += 1;
        (counters.without_improvement >= self.patience).then(|| {
            format!(
                "{} has not been better than {} for {} validations",
                self.name, counters.best, self.patience
            )
        })
    }

    pub(super) fn counters(&self) -> Counters {
        self.counters.clone()
    }

    pub(super) fn restore(&mut self, counters: Counters) {
        self.counters = counters;
    }
}
