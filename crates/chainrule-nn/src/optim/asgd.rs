//! Averaged stochastic gradient descent.

use super::configured::learning_rate;
use super::{ConfiguredOptimiser, Descent, Optimiser, Rule, Step};
use crate::{ArgumentError, Arguments};
use chainrule_core::Tensor;
use chainrule_core::tree::{Path, Tree};
use chainrule_derive::Tree as DeriveTree;

/// Averaged stochastic gradient descent (Polyak, Juditsky 1992): with `η = lr / (1 + λ lr (t - 1))^α`,
/// `w ← w (1 - λ η) - η g`; beside it the average of all `w` after step `t₀ + 1` is kept, which
/// [`averaged`](Asgd::averaged) gives.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::Asgd;
/// let mut w = Tensor::from(2.0);
/// let mut asgd = Asgd::new(0.1).start_of_average(0.0);
/// for _ in 0..3 {
///     asgd.update(&mut w, &Tensor::from(1.0))?;
/// }
/// assert!((w.item::<f64>() - 1.7).abs() < 1e-3);
/// assert!((asgd.averaged(&w).item::<f64>() - 1.75).abs() < 1e-3);
/// # Ok::<(), chainrule_nn::MissingGradients>(())
/// ```
pub type Asgd = Descent<AsgdRule>;

/// The rule of [`Asgd`].
#[derive(Clone, Debug)]
pub struct AsgdRule {
    lambda: f64,
    alpha: f64,
    start: f64,
}

/// The state of [`AsgdRule`].
#[derive(Clone, Debug, DeriveTree)]
pub struct AsgdState {
    average: Tensor,
}

impl Asgd {
    /// λ = 1e-4, α = 0.75, averages from step a million on.
    pub fn new(learning_rate: f64) -> Asgd {
        let rule = AsgdRule {
            lambda: 1e-4,
            alpha: 0.75,
            start: 1e6,
        };
        Descent::with_rule(rule, learning_rate)
    }

    /// λ: how fast weights and learning rate fall.
    pub fn lambda(mut self, lambda: f64) -> Asgd {
        self.rule.lambda = lambda;
        self
    }

    /// α: the power by which the learning rate falls.
    pub fn alpha(mut self, alpha: f64) -> Asgd {
        self.rule.alpha = alpha;
        self
    }

    /// t₀: the weights after step t₀ + 1 are averaged.
    pub fn start_of_average(mut self, step: f64) -> Asgd {
        self.rule.start = step;
        self
    }

    /// The model with the averages in place of the parameters; those that took part in no step stay as they are.
    pub fn averaged<T: Tree>(&self, model: &T) -> T {
        let state = self.state();
        model.map(&mut Path::new(), &mut |path, leaf| {
            let name = match path.to_string() {
                name if name.is_empty() => "average".to_owned(),
                name => format!("{name}.average"),
            };
            match state.get(&name) {
                Some(average) if leaf.is_tracked() => average.tracked(),
                Some(average) => average.clone(),
                None => leaf.clone(),
            }
        })
    }
}

impl Rule for AsgdRule {
    type State = AsgdState;

    fn name(&self) -> &'static str {
        "asgd"
    }

    fn start(&self, weight: &Tensor, _learning_rate: f64) -> AsgdState {
        AsgdState {
            average: weight.zeros_like(),
        }
    }

    fn update(&self, step: &Step, state: &mut AsgdState) -> Tensor {
        let before = (step.number - 1) as f64;
        let rate =
            step.learning_rate / (1.0 + self.lambda * step.learning_rate * before).powf(self.alpha);
        // In single precision, as PyTorch keeps it: the curves are then the same.
        let rate = f64::from(rate as f32);
        let weight = step.weight * (1.0 - self.lambda * rate) - step.gradient * rate;
        let averaged = before - self.start;
        state.average = match averaged > 1.0 {
            true => &state.average + (&weight - &state.average) / averaged,
            false => weight.clone(),
        };
        weight
    }

    fn keeps_aside(&self) -> bool {
        true
    }
}

impl ConfiguredOptimiser for Asgd {
    const NAME: &'static str = "asgd";

    fn configured(arguments: &mut Arguments) -> Result<Asgd, ArgumentError> {
        Asgd::new(learning_rate(arguments)?)
            .lambda(arguments.optional("lambda", 1e-4)?)
            .alpha(arguments.optional("alpha", 0.75)?)
            .start_of_average(arguments.optional("start_of_average", 1e6)?)
            .with_common(arguments)
    }
}
