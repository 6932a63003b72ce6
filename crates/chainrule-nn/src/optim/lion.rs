//! Lion.

use super::configured::learning_rate;
use super::{ConfiguredOptimiser, Descent, Rule, Step};
use crate::{ArgumentError, Arguments};
use chainrule_core::Tensor;
use chainrule_derive::Tree;

/// Evolved sign momentum (Chen et al. 2023): `w ← w - lr (sign(β₁ m + (1 - β₁) g) + decay w)`, then
/// `m ← β₂ m + (1 - β₂) g`. Its learning rates are three to ten times smaller than Adam's, its decays as much larger.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::Lion;
/// let mut w = Tensor::from(2.0);
/// Lion::new(0.1).update(&mut w, &Tensor::from(-3.0))?;
/// assert_eq!(w.item::<f64>(), 2.1);
/// # Ok::<(), chainrule_nn::MissingGradients>(())
/// ```
pub type Lion = Descent<LionRule>;

/// The rule of [`Lion`].
#[derive(Clone, Debug)]
pub struct LionRule {
    betas: [f64; 2],
}

/// The state of [`LionRule`].
#[derive(Clone, Debug, Tree)]
pub struct LionState {
    momentum: Tensor,
}

impl Lion {
    /// β₁ = 0.9, β₂ = 0.99, no decay.
    pub fn new(learning_rate: f64) -> Lion {
        Descent::with_rule(LionRule { betas: [0.9, 0.99] }, learning_rate)
    }

    /// The shares of the momentum: in the step, and in what is kept of it.
    pub fn betas(mut self, first: f64, second: f64) -> Lion {
        self.rule.betas = [first, second];
        self
    }
}

impl Rule for LionRule {
    type State = LionState;

    fn name(&self) -> &'static str {
        "lion"
    }

    fn start(&self, weight: &Tensor, _learning_rate: f64) -> LionState {
        LionState {
            momentum: weight.zeros_like(),
        }
    }

    fn update(&self, step: &Step, state: &mut LionState) -> Tensor {
        let [first, second] = self.betas;
        let direction = (&state.momentum * first + step.gradient * (1.0 - first)).sign();
        state.momentum = &state.momentum * second + step.gradient * (1.0 - second);
        step.weight - direction * step.learning_rate
    }

    fn decays_weights(&self) -> bool {
        true
    }

    /// The weights read the momentum one step late.
    fn keeps_aside(&self) -> bool {
        true
    }

    fn set_momentum(&mut self, momentum: f64) -> bool {
        self.betas[0] = momentum;
        true
    }
}

impl ConfiguredOptimiser for Lion {
    const NAME: &'static str = "lion";

    fn configured(arguments: &mut Arguments) -> Result<Lion, ArgumentError> {
        let [first, second] = arguments.optional("betas", [0.9, 0.99])?;
        Lion::new(learning_rate(arguments)?)
            .betas(first, second)
            .with_common(arguments)
    }
}
