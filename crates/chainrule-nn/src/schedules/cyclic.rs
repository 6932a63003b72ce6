//! Rises and falls again and again.

use super::Schedule;

/// How the heights of the cycles change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CyclicMode {
    /// They stay.
    Triangular,
    /// Each cycle is half as high as the one before.
    Halving,
    /// They fall by this factor at every step.
    Exponential(f64),
}

/// Triangles between two rates (Smith 2017). The base rate is not used.
///
/// ```
/// use chainrule_nn::schedules::{Cyclic, Schedule};
/// let schedule = Cyclic::new(0.1, 0.5, 4);
/// assert_eq!(schedule.learning_rate(0, 0.0), 0.1);
/// assert_eq!(schedule.learning_rate(4, 0.0), 0.5);
/// assert_eq!(schedule.learning_rate(8, 0.0), 0.1);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Cyclic {
    least: f64,
    largest: f64,
    up: f64,
    down: f64,
    mode: CyclicMode,
    momenta: Option<(f64, f64)>,
}

impl Cyclic {
    /// Rises from `least` to `largest` in `up` steps and falls in as many.
    pub fn new(least: f64, largest: f64, up: u64) -> Cyclic {
        Cyclic {
            least,
            largest,
            up: up.max(1) as f64,
            down: up.max(1) as f64,
            mode: CyclicMode::Triangular,
            momenta: None,
        }
    }

    /// The number of steps of a fall.
    pub fn down(mut self, steps: u64) -> Cyclic {
        self.down = steps.max(1) as f64;
        self
    }

    /// How the heights change.
    pub fn mode(mut self, mode: CyclicMode) -> Cyclic {
        self.mode = mode;
        self
    }

    /// Moves the momentum against the rate, between these two.
    pub fn momenta(mut self, least: f64, largest: f64) -> Cyclic {
        self.momenta = Some((least, largest));
        self
    }

    /// 0 at the bottom of a cycle, 1 at its top, as high as this cycle is.
    fn height(&self, step: u64) -> f64 {
        let length = self.up + self.down;
        let step = step as f64;
        let cycle = (1.0 + step / length).floor();
        let within = 1.0 + step / length - cycle;
        let turn = self.up / length;
        let height = match within <= turn {
            true => within / turn,
            false => (within - 1.0) / (turn - 1.0),
        };
        height
            * match self.mode {
                CyclicMode::Triangular => 1.0,
                CyclicMode::Halving => 0.5_f64.powf(cycle - 1.0),
                CyclicMode::Exponential(factor) => factor.powf(step),
            }
    }
}

impl Schedule for Cyclic {
    fn learning_rate(&self, step: u64, _base: f64) -> f64 {
        self.least + (self.largest - self.least) * self.height(step)
    }

    fn momentum(&self, step: u64) -> Option<f64> {
        let (least, largest) = self.momenta?;
        Some(largest - (largest - least) * self.height(step))
    }
}
