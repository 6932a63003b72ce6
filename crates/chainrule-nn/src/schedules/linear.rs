//! A straight line.

use super::Schedule;

/// The base rate times a factor that goes along a straight line from `start` to `end` in `steps` steps and stays there.
///
/// ```
/// use chainrule_nn::schedules::{LinearSchedule, Schedule};
/// let schedule = LinearSchedule::new(0.5, 1.0, 10);
/// assert_eq!(schedule.learning_rate(5, 0.2), 0.15000000000000002);
/// assert_eq!(schedule.learning_rate(50, 0.2), 0.2);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LinearSchedule {
    start: f64,
    end: f64,
    steps: u64,
}

impl LinearSchedule {
    /// From `start` times the base rate to `end` times it.
    pub fn new(start: f64, end: f64, steps: u64) -> LinearSchedule {
        LinearSchedule { start, end, steps }
    }
}

impl Schedule for LinearSchedule {
    fn learning_rate(&self, step: u64, base: f64) -> f64 {
        let share = match self.steps {
            0 => 1.0,
            steps => step.min(steps) as f64 / steps as f64,
        };
        base * (self.start + (self.end - self.start) * share)
    }
}
