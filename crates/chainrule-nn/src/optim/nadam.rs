//! NAdam.

use super::configured::learning_rate;
use super::{ConfiguredOptimiser, Descent, Rule, Step};
use crate::{ArgumentError, Arguments};
use chainrule_core::Tensor;
use chainrule_derive::Tree;

/// Adam with Nesterov's momentum (Dozat 2016), with PyTorch's warm-up of the momentum: `μ_t = β₁ (1 - 0.96^(t ψ) / 2)`,
/// `m ← β₁ m + (1 - β₁) g`, `v ← β₂ v + (1 - β₂) g²`, and
/// `w ← w - lr (m μ_{t+1} / (1 - Π_{i ≤ t+1} μ_i) + g (1 - μ_t) / (1 - Π_{i ≤ t} μ_i)) / (√v̂ + ε)`.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::NAdam;
/// let mut w = Tensor::from(2.0);
/// NAdam::new(0.1).update(&mut w, &Tensor::from(3.0))?;
/// assert!(w.item::<f64>() < 1.9);
/// # Ok::<(), chainrule_nn::MissingGradients>(())
/// ```
pub type NAdam = Descent<NAdamRule>;

/// The rule of [`NAdam`].
#[derive(Clone, Debug)]
pub struct NAdamRule {
    betas: [f64; 2],
    epsilon: f64,
    momentum_decay: f64,
    decoupled: bool,
}

/// The state of [`NAdamRule`].
#[derive(Clone, Debug, Tree)]
pub struct NAdamState {
    first: Tensor,
    second: Tensor,
    /// The product of all momenta so far, a single number.
    product: Tensor,
}

impl NAdam {
    /// β₁ = 0.9, β₂ = 0.999, ε = 1e-8, ψ = 0.004.
    pub fn new(learning_rate: f64) -> NAdam {
        let rule = NAdamRule {
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            momentum_decay: 0.004,
            decoupled: false,
        };
        Descent::with_rule(rule, learning_rate)
    }

    /// The shares of the two moments that are kept at each step.
    pub fn betas(mut self, first: f64, second: f64) -> NAdam {
        self.rule.betas = [first, second];
        self
    }

    /// What is added to the root of the second moment.
    pub fn epsilon(mut self, epsilon: f64) -> NAdam {
        self.rule.epsilon = epsilon;
        self
    }

    /// ψ: how fast the momentum rises from β₁ / 2 to β₁.
    pub fn momentum_decay(mut self, decay: f64) -> NAdam {
        self.rule.momentum_decay = decay;
        self
    }

    /// Weight decay shrinks the weights directly, as in [`AdamW`](crate::AdamW).
    pub fn decoupled(mut self) -> NAdam {
        self.rule.decoupled = true;
        self
    }
}

impl NAdamRule {
    fn momentum_at(&self, step: u64) -> f64 {
        self.betas[0] * (1.0 - 0.5 * 0.96_f64.powf(step as f64 * self.momentum_decay))
    }
}

impl Rule for NAdamRule {
    type State = NAdamState;

    fn name(&self) -> &'static str {
        "nadam"
    }

    fn start(&self, weight: &Tensor, _learning_rate: f64) -> NAdamState {
        NAdamState {
            first: weight.zeros_like(),
            second: weight.zeros_like(),
            product: Tensor::from(1.0_f32),
        }
    }

    fn update(&self, step: &Step, state: &mut NAdamState) -> Tensor {
        let [first, second] = self.betas;
        let gradient = step.gradient;
        let momentum = self.momentum_at(step.number);
        let next = self.momentum_at(step.number + 1);
        // In single precision, as PyTorch keeps it: the curves are then the same.
        let product = state.product.item::<f32>() * momentum as f32;
        state.product = Tensor::from(product);
        let product = f64::from(product);
        state.first = &state.first * first + gradient * (1.0 - first);
        state.second = &state.second * second + gradient.square() * (1.0 - second);
        let of_gradient = step.learning_rate * (1.0 - momentum) / (1.0 - product);
        let of_moment = step.learning_rate * next / (1.0 - product * next);
        let root = 1.0 / step.correction(second).sqrt();
        let direction = gradient * of_gradient + &state.first * of_moment;
        step.weight - direction / (state.second.sqrt() * root + self.epsilon)
    }

    fn decays_weights(&self) -> bool {
        self.decoupled
    }

    fn set_momentum(&mut self, momentum: f64) -> bool {
        self.betas[0] = momentum;
        true
    }
}

impl ConfiguredOptimiser for NAdam {
    const NAME: &'static str = "nadam";

    fn configured(arguments: &mut Arguments) -> Result<NAdam, ArgumentError> {
        let [first, second] = arguments.optional("betas", [0.9, 0.999])?;
        let mut nadam = NAdam::new(learning_rate(arguments)?)
            .betas(first, second)
            .epsilon(arguments.optional("epsilon", 1e-8)?)
            .momentum_decay(arguments.optional("momentum_decay", 0.004)?);
        if arguments.optional("decoupled", false)? {
            nadam = nadam.decoupled();
        }
        nadam.with_common(arguments)
    }
}
