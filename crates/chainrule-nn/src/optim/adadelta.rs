//! Adadelta.

use super::configured::learning_rate;
use super::{ConfiguredOptimiser, Descent, Rule, Step};
use crate::{ArgumentError, Arguments};
use chainrule_core::Tensor;
use chainrule_derive::Tree;

/// Steps in the weights' own unit (Zeiler 2012): `v ← ρ v + (1 - ρ) g²`, `Δ = g √(u + ε) / √(v + ε)`,
/// `u ← ρ u + (1 - ρ) Δ²`, `w ← w - lr Δ`.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::Adadelta;
/// let mut w = Tensor::from(2.0);
/// Adadelta::new(1.0).update(&mut w, &Tensor::from(3.0))?;
/// assert!(w.item::<f64>() < 2.0);
/// # Ok::<(), chainrule_nn::MissingGradients>(())
/// ```
pub type Adadelta = Descent<AdadeltaRule>;

/// The rule of [`Adadelta`].
#[derive(Clone, Debug)]
pub struct AdadeltaRule {
    rho: f64,
    epsilon: f64,
}

/// The state of [`AdadeltaRule`].
#[derive(Clone, Debug, Tree)]
pub struct AdadeltaState {
    squares: Tensor,
    steps_squares: Tensor,
}

impl Adadelta {
    /// ρ = 0.9, ε = 1e-6; the paper's learning rate is 1.
    pub fn new(learning_rate: f64) -> Adadelta {
        let rule = AdadeltaRule {
            rho: 0.9,
            epsilon: 1e-6,
        };
        Descent::with_rule(rule, learning_rate)
    }

    /// The share of the running averages that is kept at each step.
    pub fn rho(mut self, rho: f64) -> Adadelta {
        self.rule.rho = rho;
        self
    }

    /// What is added to the running averages.
    pub fn epsilon(mut self, epsilon: f64) -> Adadelta {
        self.rule.epsilon = epsilon;
        self
    }
}

impl Rule for AdadeltaRule {
    type State = AdadeltaState;

    fn name(&self) -> &'static str {
        "adadelta"
    }

    fn start(&self, weight: &Tensor, _learning_rate: f64) -> AdadeltaState {
        AdadeltaState {
            squares: weight.zeros_like(),
            steps_squares: weight.zeros_like(),
        }
    }

    fn update(&self, step: &Step, state: &mut AdadeltaState) -> Tensor {
        let (kept, new) = (self.rho, 1.0 - self.rho);
        let gradient = step.gradient;
        state.squares = &state.squares * kept + gradient.square() * new;
        let numerator = (&state.steps_squares + self.epsilon).sqrt();
        let change = numerator / (&state.squares + self.epsilon).sqrt() * gradient;
        state.steps_squares = &state.steps_squares * kept + change.square() * new;
        step.weight - change * step.learning_rate
    }

    /// The weights read the average of the squared steps one step late.
    fn keeps_aside(&self) -> bool {
        true
    }
}

impl ConfiguredOptimiser for Adadelta {
    const NAME: &'static str = "adadelta";

    fn configured(arguments: &mut Arguments) -> Result<Adadelta, ArgumentError> {
        Adadelta::new(learning_rate(arguments)?)
            .rho(arguments.optional("rho", 0.9)?)
            .epsilon(arguments.optional("epsilon", 1e-6)?)
            .with_common(arguments)
    }
}
