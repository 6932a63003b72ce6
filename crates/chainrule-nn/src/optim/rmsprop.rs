//! RMSprop.

use super::configured::learning_rate;
use super::{ConfiguredOptimiser, Descent, Rule, Step};
use crate::{ArgumentError, Arguments};
use chainrule_core::Tensor;
use chainrule_derive::Tree;

/// Gradients divided by their running root mean square (Tieleman, Hinton 2012):
/// `v ← α v + (1 - α) g²`, `w ← w - lr g / (√v + ε)`.
///
/// Centred (Graves 2013), `a ← α a + (1 - α) g` and `√(v - a²)` stands for `√v`. With momentum, `b ← momentum b + g / (√v + ε)`
/// and `w ← w - lr b`.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::RmsProp;
/// let mut w = Tensor::from(2.0);
/// RmsProp::new(0.1).update(&mut w, &Tensor::from(3.0))?;
/// assert!((w.item::<f64>() - 1.0).abs() < 1e-6);
/// # Ok::<(), chainrule_nn::MissingGradients>(())
/// ```
pub type RmsProp = Descent<RmsPropRule>;

/// The rule of [`RmsProp`].
#[derive(Clone, Debug)]
pub struct RmsPropRule {
    alpha: f64,
    epsilon: f64,
    momentum: f64,
    centred: bool,
}

/// The state of [`RmsPropRule`].
#[derive(Clone, Debug, Tree)]
pub struct RmsPropState {
    squares: Tensor,
    average: Option<Tensor>,
    velocity: Option<Tensor>,
}

impl RmsProp {
    /// α = 0.99, ε = 1e-8, neither centred nor with momentum.
    pub fn new(learning_rate: f64) -> RmsProp {
        let rule = RmsPropRule {
            alpha: 0.99,
            epsilon: 1e-8,
            momentum: 0.0,
            centred: false,
        };
        Descent::with_rule(rule, learning_rate)
    }

    /// The share of the running averages that is kept at each step.
    pub fn alpha(mut self, alpha: f64) -> RmsProp {
        self.rule.alpha = alpha;
        self
    }

    /// What is added to the root.
    pub fn epsilon(mut self, epsilon: f64) -> RmsProp {
        self.rule.epsilon = epsilon;
        self
    }

    /// The share of the last step that is kept.
    pub fn momentum(mut self, momentum: f64) -> RmsProp {
        self.rule.momentum = momentum;
        self
    }

    /// Divides by the deviation instead of the root mean square.
    pub fn centred(mut self) -> RmsProp {
        self.rule.centred = true;
        self
    }
}

impl Rule for RmsPropRule {
    type State = RmsPropState;

    fn name(&self) -> &'static str {
        "rmsprop"
    }

    fn start(&self, weight: &Tensor, _learning_rate: f64) -> RmsPropState {
        RmsPropState {
            squares: weight.zeros_like(),
            average: self.centred.then(|| weight.zeros_like()),
            velocity: (self.momentum > 0.0).then(|| weight.zeros_like()),
        }
    }

    fn update(&self, step: &Step, state: &mut RmsPropState) -> Tensor {
        let (kept, new) = (self.alpha, 1.0 - self.alpha);
        let gradient = step.gradient;
        state.squares = &state.squares * kept + gradient.square() * new;
        let variance = match &mut state.average {
            Some(average) => {
                *average = &*average * kept + gradient * new;
                &state.squares - average.square()
            }
            None => state.squares.clone(),
        };
        let direction = gradient / (variance.sqrt() + self.epsilon);
        let Some(velocity) = &mut state.velocity else {
            return step.weight - direction * step.learning_rate;
        };
        *velocity = &*velocity * self.momentum + direction;
        step.weight - &*velocity * step.learning_rate
    }

    fn set_momentum(&mut self, momentum: f64) -> bool {
        let had = self.momentum > 0.0;
        if had {
            self.momentum = momentum;
        }
        had
    }
}

impl ConfiguredOptimiser for RmsProp {
    const NAME: &'static str = "rmsprop";

    fn configured(arguments: &mut Arguments) -> Result<RmsProp, ArgumentError> {
        let mut rmsprop = RmsProp::new(learning_rate(arguments)?)
            .alpha(arguments.optional("alpha", 0.99)?)
            .epsilon(arguments.optional("epsilon", 1e-8)?)
            .momentum(arguments.optional("momentum", 0.0)?);
        if arguments.optional("centred", false)? {
            rmsprop = rmsprop.centred();
        }
        rmsprop.with_common(arguments)
    }
}
