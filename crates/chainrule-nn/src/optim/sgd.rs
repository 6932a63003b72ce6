//! Stochastic gradient descent.

use super::configured::learning_rate;
use super::{ConfiguredOptimiser, Descent, Rule, Step};
use crate::{ArgumentError, Arguments};
use chainrule_core::Tensor;
use chainrule_derive::Tree;

/// Stochastic gradient descent (Robbins, Monro 1951), with momentum (Polyak 1964) or Nesterov's (Sutskever et al. 2013):
///
/// `v ← momentum v + (1 - dampening) g` (`v = g` at the first step, and without momentum), then
/// `w ← w - lr v`, or with Nesterov's momentum `w ← w - lr (g + momentum v)`.
///
/// ```
/// use chainrule_core::{value_and_grad, Tensor};
/// use chainrule_nn::Sgd;
/// let mut w = Tensor::from(3.0);
/// let mut sgd = Sgd::new(0.1);
/// for _ in 0..50 {
///     let (_, gradient) = value_and_grad(|w: &Tensor| (w - 1.0).square())(&w);
///     sgd.update(&mut w, &gradient)?;
/// }
/// assert!((w.item::<f64>() - 1.0).abs() < 1e-4);
/// # Ok::<(), chainrule_nn::MissingGradients>(())
/// ```
pub type Sgd = Descent<SgdRule>;

/// The rule of [`Sgd`].
#[derive(Clone, Debug, Default)]
pub struct SgdRule {
    momentum: f64,
    dampening: f64,
    nesterov: bool,
}

/// The state of [`SgdRule`].
#[derive(Clone, Debug, Tree)]
pub struct SgdState {
    velocity: Option<Tensor>,
}

impl Sgd {
    /// Descent without momentum.
    pub fn new(learning_rate: f64) -> Sgd {
        Descent::with_rule(SgdRule::default(), learning_rate)
    }

    /// The share of the last step that is kept.
    pub fn momentum(mut self, momentum: f64) -> Sgd {
        self.rule.momentum = momentum;
        self
    }

    /// The share of the gradient that does not enter the velocity.
    pub fn dampening(mut self, dampening: f64) -> Sgd {
        self.rule.dampening = dampening;
        self
    }

    /// Looks ahead along the velocity.
    pub fn nesterov(mut self) -> Sgd {
        self.rule.nesterov = true;
        self
    }
}

impl Rule for SgdRule {
    type State = SgdState;

    fn name(&self) -> &'static str {
        "sgd"
    }

    fn start(&self, weight: &Tensor, _learning_rate: f64) -> SgdState {
        SgdState {
            velocity: (self.momentum != 0.0).then(|| weight.zeros_like()),
        }
    }

    fn update(&self, step: &Step, state: &mut SgdState) -> Tensor {
        let gradient = step.gradient;
        let Some(velocity) = &mut state.velocity else {
            return step.weight - gradient * step.learning_rate;
        };
        *velocity = match step.number {
            1 => gradient.clone(),
            _ => &*velocity * self.momentum + gradient * (1.0 - self.dampening),
        };
        let direction = match self.nesterov {
            true => gradient + &*velocity * self.momentum,
            false => velocity.clone(),
        };
        step.weight - direction * step.learning_rate
    }

    fn set_momentum(&mut self, momentum: f64) -> bool {
        let had = self.momentum != 0.0;
        if had {
            self.momentum = momentum;
        }
        had
    }
}

impl ConfiguredOptimiser for Sgd {
    const NAME: &'static str = "sgd";

    fn configured(arguments: &mut Arguments) -> Result<Sgd, ArgumentError> {
        let mut sgd = Sgd::new(learning_rate(arguments)?)
            .momentum(arguments.optional("momentum", 0.0)?)
            .dampening(arguments.optional("dampening", 0.0)?);
        if arguments.optional("nesterov", false)? {
            sgd = sgd.nesterov();
        }
        sgd.with_common(arguments)
    }
}
