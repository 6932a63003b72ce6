//! Adamax.

use super::configured::learning_rate;
use super::{ConfiguredOptimiser, Descent, Rule, Step};
use crate::{ArgumentError, Arguments};
use chainrule_core::Tensor;
use chainrule_derive::Tree;

/// Adam with the largest gradient instead of the second moment (Kingma, Ba 2015, section 7.1):
/// `m ← β₁ m + (1 - β₁) g`, `u ← max(β₂ u, |g| + ε)`, `w ← w - lr m / ((1 - β₁ᵗ) u)`.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::Adamax;
/// let mut w = Tensor::from(2.0);
/// Adamax::new(0.1).update(&mut w, &Tensor::from(3.0))?;
/// assert!((w.item::<f64>() - 1.9).abs() < 1e-6);
/// # Ok::<(), chainrule_nn::MissingGradients>(())
/// ```
pub type Adamax = Descent<AdamaxRule>;

/// The rule of [`Adamax`].
#[derive(Clone, Debug)]
pub struct AdamaxRule {
    betas: [f64; 2],
    epsilon: f64,
}

/// The state of [`AdamaxRule`].
#[derive(Clone, Debug, Tree)]
pub struct AdamaxState {
    first: Tensor,
    largest: Tensor,
}

impl Adamax {
    /// β₁ = 0.9, β₂ = 0.999, ε = 1e-8.
    pub fn new(learning_rate: f64) -> Adamax {
        let rule = AdamaxRule {
            betas: [0.9, 0.999],
            epsilon: 1e-8,
        };
        Descent::with_rule(rule, learning_rate)
    }

    /// The share of the first moment that is kept, and by how much the largest gradient is forgotten, at each step.
    pub fn betas(mut self, first: f64, second: f64) -> Adamax {
        self.rule.betas = [first, second];
        self
    }

    /// What is added to the size of the gradient.
    pub fn epsilon(mut self, epsilon: f64) -> Adamax {
        self.rule.epsilon = epsilon;
        self
    }
}

impl Rule for AdamaxRule {
    type State = AdamaxState;

    fn name(&self) -> &'static str {
        "adamax"
    }

    fn start(&self, weight: &Tensor, _learning_rate: f64) -> AdamaxState {
        AdamaxState {
            first: weight.zeros_like(),
            largest: weight.zeros_like(),
        }
    }

    fn update(&self, step: &Step, state: &mut AdamaxState) -> Tensor {
        let [first, second] = self.betas;
        state.first = &state.first * first + step.gradient * (1.0 - first);
        state.largest = (&state.largest * second).maximum(step.gradient.abs() + self.epsilon);
        let rate = step.learning_rate / step.correction(first);
        step.weight - &state.first * rate / &state.largest
    }

    fn set_momentum(&mut self, momentum: f64) -> bool {
        self.betas[0] = momentum;
        true
    }
}

impl ConfiguredOptimiser for Adamax {
    const NAME: &'static str = "adamax";

    fn configured(arguments: &mut Arguments) -> Result<Adamax, ArgumentError> {
        let [first, second] = arguments.optional("betas", [0.9, 0.999])?;
        Adamax::new(learning_rate(arguments)?)
            .betas(first, second)
            .epsilon(arguments.optional("epsilon", 1e-8)?)
            .with_common(arguments)
    }
}
