//! RAdam.

use super::configured::learning_rate;
use super::{ConfiguredOptimiser, Descent, Rule, Step};
use crate::{ArgumentError, Arguments};
use chainrule_core::Tensor;
use chainrule_derive::Tree;

/// Rectified Adam (Liu et al. 2020): Adam whose step is damped while the second moment stands on few gradients, and that
/// descends by the first moment alone while it stands on too few.
///
/// With `ρ∞ = 2 / (1 - β₂) - 1` and `ρ = ρ∞ - 2 t β₂ᵗ / (1 - β₂ᵗ)`: if `ρ > 5`, `w ← w - lr m̂ r / (√v + ε)·√(1 - β₂ᵗ)` with
/// `r = √((ρ - 4)(ρ - 2) ρ∞ / ((ρ∞ - 4)(ρ∞ - 2) ρ))`, else `w ← w - lr m̂`.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::RAdam;
/// let mut w = Tensor::from(2.0);
/// RAdam::new(0.1).update(&mut w, &Tensor::from(3.0))?;
/// assert!((w.item::<f64>() - 1.7).abs() < 1e-12);
/// # Ok::<(), chainrule_nn::MissingGradients>(())
/// ```
pub type RAdam = Descent<RAdamRule>;

/// The rule of [`RAdam`].
#[derive(Clone, Debug)]
pub struct RAdamRule {
    betas: [f64; 2],
    epsilon: f64,
    decoupled: bool,
}

/// The state of [`RAdamRule`].
#[derive(Clone, Debug, Tree)]
pub struct RAdamState {
    first: Tensor,
    second: Tensor,
}

impl RAdam {
    /// β₁ = 0.9, β₂ = 0.999, ε = 1e-8.
    pub fn new(learning_rate: f64) -> RAdam {
        let rule = RAdamRule {
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            decoupled: false,
        };
        Descent::with_rule(rule, learning_rate)
    }

    /// The shares of the two moments that are kept at each step.
    pub fn betas(mut self, first: f64, second: f64) -> RAdam {
        self.rule.betas = [first, second];
        self
    }

    /// What is added to the root of the second moment.
    pub fn epsilon(mut self, epsilon: f64) -> RAdam {
        self.rule.epsilon = epsilon;
        self
    }

    /// Weight decay shrinks the weights directly, as in [`AdamW`](crate::AdamW).
    pub fn decoupled(mut self) -> RAdam {
        self.rule.decoupled = true;
        self
    }
}

impl Rule for RAdamRule {
    type State = RAdamState;

    fn name(&self) -> &'static str {
        "radam"
    }

    fn start(&self, weight: &Tensor, _learning_rate: f64) -> RAdamState {
        RAdamState {
            first: weight.zeros_like(),
            second: weight.zeros_like(),
        }
    }

    fn update(&self, step: &Step, state: &mut RAdamState) -> Tensor {
        let [first, second] = self.betas;
        let gradient = step.gradient;
        state.first = &state.first * first + gradient * (1.0 - first);
        state.second = &state.second * second + gradient.square() * (1.0 - second);
        let rate = step.learning_rate / step.correction(first);
        let correction = step.correction(second);
        let limit = 2.0 / (1.0 - second) - 1.0;
        let seen = limit - 2.0 * step.number as f64 * (1.0 - correction) / correction;
        if seen <= 5.0 {
            return step.weight - &state.first * rate;
        }
        let rectified =
            ((seen - 4.0) * (seen - 2.0) * limit / ((limit - 4.0) * (limit - 2.0) * seen)).sqrt();
        let rate = rate * rectified * correction.sqrt();
        step.weight - &state.first * rate / (state.second.sqrt() + self.epsilon)
    }

    fn decays_weights(&self) -> bool {
        self.decoupled
    }

    /// During the first steps the weights do not read the second moment.
    fn keeps_aside(&self) -> bool {
        true
    }

    fn set_momentum(&mut self, momentum: f64) -> bool {
        self.betas[0] = momentum;
        true
    }
}

impl ConfiguredOptimiser for RAdam {
    const NAME: &'static str = "radam";

    fn configured(arguments: &mut Arguments) -> Result<RAdam, ArgumentError> {
        let [first, second] = arguments.optional("betas", [0.9, 0.999])?;
        let mut radam = RAdam::new(learning_rate(arguments)?)
            .betas(first, second)
            .epsilon(arguments.optional("epsilon", 1e-8)?);
        if arguments.optional("decoupled", false)? {
            radam = radam.decoupled();
        }
        radam.with_common(arguments)
    }
}
