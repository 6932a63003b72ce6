//! Rprop.

use super::configured::learning_rate;
use super::{ConfiguredOptimiser, Descent, Rule, Step};
use crate::{ArgumentError, Arguments};
use chainrule_core::Tensor;
use chainrule_derive::Tree;

/// Resilient propagation (Riedmiller, Braun 1993): only the signs of the gradients count. Each weight has a step size, which
/// grows by η⁺ while the sign stays and shrinks by η⁻ when it changes; then the weight waits for one step. For full batches.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::Rprop;
/// let mut w = Tensor::from(2.0);
/// let mut rprop = Rprop::new(0.1);
/// rprop.update(&mut w, &Tensor::from(3.0))?;
/// rprop.update(&mut w, &Tensor::from(0.5))?;
/// assert!((w.item::<f64>() - (2.0 - 0.1 - 0.12)).abs() < 1e-12);
/// # Ok::<(), chainrule_nn::MissingGradients>(())
/// ```
pub type Rprop = Descent<RpropRule>;

/// The rule of [`Rprop`].
#[derive(Clone, Debug)]
pub struct RpropRule {
    factors: [f64; 2],
    bounds: [f64; 2],
}

/// The state of [`RpropRule`].
#[derive(Clone, Debug, Tree)]
pub struct RpropState {
    gradient: Tensor,
    size: Tensor,
}

impl Rprop {
    /// η⁻ = 0.5, η⁺ = 1.2, step sizes from 1e-6 to 50; the learning rate is the first step size.
    pub fn new(learning_rate: f64) -> Rprop {
        let rule = RpropRule {
            factors: [0.5, 1.2],
            bounds: [1e-6, 50.0],
        };
        Descent::with_rule(rule, learning_rate)
    }

    /// η⁻ and η⁺.
    pub fn factors(mut self, shrink: f64, grow: f64) -> Rprop {
        self.rule.factors = [shrink, grow];
        self
    }

    /// The smallest and the largest step size.
    pub fn step_sizes(mut self, smallest: f64, largest: f64) -> Rprop {
        self.rule.bounds = [smallest, largest];
        self
    }
}

impl Rule for RpropRule {
    type State = RpropState;

    fn name(&self) -> &'static str {
        "rprop"
    }

    fn start(&self, weight: &Tensor, learning_rate: f64) -> RpropState {
        RpropState {
            gradient: weight.zeros_like(),
            size: weight.zeros_like() + learning_rate,
        }
    }

    fn update(&self, step: &Step, state: &mut RpropState) -> Tensor {
        let ([shrink, grow], [smallest, largest]) = (self.factors, self.bounds);
        let agreement = step.gradient * &state.gradient;
        let turned = agreement.lt(0.0);
        let grown = agreement.gt(0.0).where_(&state.size * grow, &state.size);
        let size = turned.where_(&state.size * shrink, grown);
        state.size = size.clamp(smallest, largest);
        state.gradient = turned.where_(step.gradient.zeros_like(), step.gradient);
        step.weight - state.gradient.sign() * &state.size
    }
}

impl ConfiguredOptimiser for Rprop {
    const NAME: &'static str = "rprop";

    fn configured(arguments: &mut Arguments) -> Result<Rprop, ArgumentError> {
        let [shrink, grow] = arguments.optional("factors", [0.5, 1.2])?;
        let [smallest, largest] = arguments.optional("step_sizes", [1e-6, 50.0])?;
        Rprop::new(learning_rate(arguments)?)
            .factors(shrink, grow)
            .step_sizes(smallest, largest)
            .with_common(arguments)
    }
}
