//! Adagrad.

use super::configured::learning_rate;
use super::{ConfiguredOptimiser, Descent, Rule, Step};
use crate::{ArgumentError, Arguments};
use chainrule_core::Tensor;
use chainrule_derive::Tree;

/// Steps that shrink with all gradients so far (Duchi, Hazan, Singer 2011):
/// `s ← s + g²`, `w ← w - lr / (1 + (t - 1) decay) g / (√s + ε)`.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::Adagrad;
/// let mut w = Tensor::from(2.0);
/// Adagrad::new(0.1).update(&mut w, &Tensor::from(3.0))?;
/// assert!((w.item::<f64>() - 1.9).abs() < 1e-6);
/// # Ok::<(), chainrule_nn::MissingGradients>(())
/// ```
pub type Adagrad = Descent<AdagradRule>;

/// The rule of [`Adagrad`].
#[derive(Clone, Debug)]
pub struct AdagradRule {
    rate_decay: f64,
    initial: f64,
    epsilon: f64,
}

/// The state of [`AdagradRule`].
#[derive(Clone, Debug, Tree)]
pub struct AdagradState {
    sum: Tensor,
}

impl Adagrad {
    /// No decay of the rate, sums from 0, ε = 1e-10.
    pub fn new(learning_rate: f64) -> Adagrad {
        let rule = AdagradRule {
            rate_decay: 0.0,
            initial: 0.0,
            epsilon: 1e-10,
        };
        Descent::with_rule(rule, learning_rate)
    }

    /// How fast the learning rate falls with the number of steps.
    pub fn learning_rate_decay(mut self, decay: f64) -> Adagrad {
        self.rule.rate_decay = decay;
        self
    }

    /// What the sums of squared gradients begin with.
    pub fn initial_sum(mut self, initial: f64) -> Adagrad {
        self.rule.initial = initial;
        self
    }

    /// What is added to the root of the sum.
    pub fn epsilon(mut self, epsilon: f64) -> Adagrad {
        self.rule.epsilon = epsilon;
        self
    }
}

impl Rule for AdagradRule {
    type State = AdagradState;

    fn name(&self) -> &'static str {
        "adagrad"
    }

    fn start(&self, weight: &Tensor, _learning_rate: f64) -> AdagradState {
        AdagradState {
            sum: weight.zeros_like() + self.initial,
        }
    }

    fn update(&self, step: &Step, state: &mut AdagradState) -> Tensor {
        state.sum = &state.sum + step.gradient.square();
        let rate = step.learning_rate / (1.0 + (step.number - 1) as f64 * self.rate_decay);
        step.weight - step.gradient * rate / (state.sum.sqrt() + self.epsilon)
    }
}

impl ConfiguredOptimiser for Adagrad {
    const NAME: &'static str = "adagrad";

    fn configured(arguments: &mut Arguments) -> Result<Adagrad, ArgumentError> {
        Adagrad::new(learning_rate(arguments)?)
            .learning_rate_decay(arguments.optional("learning_rate_decay", 0.0)?)
            .initial_sum(arguments.optional("initial_sum", 0.0)?)
            .epsilon(arguments.optional("epsilon", 1e-10)?)
            .with_common(arguments)
    }
}
