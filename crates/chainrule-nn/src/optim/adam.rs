//! Adam and AdamW.

use super::configured::learning_rate;
use super::{ConfiguredOptimiser, Descent, Rule, Step};
use crate::{ArgumentError, Arguments};
use chainrule_core::Tensor;
use chainrule_derive::Tree;

/// Adaptive moment estimation (Kingma, Ba 2015):
/// `m ← β₁ m + (1 - β₁) g`, `v ← β₂ v + (1 - β₂) g²`, `w ← w - lr m̂ / (√v̂ + ε)`, with
/// `m̂ = m / (1 - β₁ᵗ)` and `v̂ = v / (1 - β₂ᵗ)`. Weight decay is added to the gradient.
///
/// ```
/// use chainrule_core::{value_and_grad, Tensor};
/// use chainrule_nn::Adam;
/// let mut w = Tensor::from(3.0);
/// let mut adam = Adam::new(0.1);
/// for _ in 0..300 {
///     let (_, gradient) = value_and_grad(|w: &Tensor| (w - 1.0).square())(&w);
///     adam.update(&mut w, &gradient)?;
/// }
/// assert!((w.item::<f64>() - 1.0).abs() < 1e-3);
/// # Ok::<(), chainrule_nn::MissingGradients>(())
/// ```
pub type Adam = Descent<AdamRule<false>>;

/// Adam with decoupled weight decay (Loshchilov, Hutter 2019): `w ← w - lr decay w` before Adam's step. The decay is 0.01
/// unless [`weight_decay`](Descent::weight_decay) says otherwise.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::AdamW;
/// let mut w = Tensor::from(2.0);
/// AdamW::new(0.1).weight_decay(0.5).update(&mut w, &Tensor::from(0.0))?;
/// assert!((w.item::<f64>() - 1.9).abs() < 1e-12);
/// # Ok::<(), chainrule_nn::MissingGradients>(())
/// ```
pub type AdamW = Descent<AdamRule<true>>;

/// The rule of [`Adam`] and, with decoupled weight decay, of [`AdamW`].
#[derive(Clone, Debug)]
pub struct AdamRule<const DECOUPLED: bool> {
    betas: [f64; 2],
    epsilon: f64,
    amsgrad: bool,
}

/// The state of [`AdamRule`].
#[derive(Clone, Debug, Tree)]
pub struct AdamState {
    first: Tensor,
    second: Tensor,
    /// The largest second moment so far, with AMSGrad.
    largest: Option<Tensor>,
}

impl Adam {
    /// β₁ = 0.9, β₂ = 0.999, ε = 1e-8.
    pub fn new(learning_rate: f64) -> Adam {
        Descent::with_rule(AdamRule::default(), learning_rate)
    }
}

impl AdamW {
    /// β₁ = 0.9, β₂ = 0.999, ε = 1e-8, decay 0.01.
    pub fn new(learning_rate: f64) -> AdamW {
        Descent::with_rule(AdamRule::default(), learning_rate).weight_decay(0.01)
    }
}

impl<const DECOUPLED: bool> Descent<AdamRule<DECOUPLED>> {
    /// The shares of the two moments that are kept at each step.
    pub fn betas(mut self, first: f64, second: f64) -> Self {
        self.rule.betas = [first, second];
        self
    }

    /// What is added to the root of the second moment.
    pub fn epsilon(mut self, epsilon: f64) -> Self {
        self.rule.epsilon = epsilon;
        self
    }

    /// Divides by the largest second moment so far (Reddi, Kale, Kumar 2018).
    pub fn amsgrad(mut self) -> Self {
        self.rule.amsgrad = true;
        self
    }
}

impl<const DECOUPLED: bool> Default for AdamRule<DECOUPLED> {
    fn default() -> Self {
        AdamRule {
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            amsgrad: false,
        }
    }
}

impl<const DECOUPLED: bool> Rule for AdamRule<DECOUPLED> {
    type State = AdamState;

    fn name(&self) -> &'static str {
        match DECOUPLED {
            true => "adamw",
            false => "adam",
        }
    }

    fn start(&self, weight: &Tensor, _learning_rate: f64) -> AdamState {
        AdamState {
            first: weight.zeros_like(),
            second: weight.zeros_like(),
            largest: self.amsgrad.then(|| weight.zeros_like()),
        }
    }

    fn update(&self, step: &Step, state: &mut AdamState) -> Tensor {
        let [first, second] = self.betas;
        let gradient = step.gradient;
        state.first = &state.first * first + gradient * (1.0 - first);
        state.second = &state.second * second + gradient.square() * (1.0 - second);
        let mut denominator = &state.second;
        if let Some(largest) = &mut state.largest {
            *largest = largest.maximum(&state.second);
            denominator = largest;
        }
        // The corrections of both moments, moved out of the elementwise formula.
        let rate = step.learning_rate / step.correction(first);
        let root = 1.0 / step.correction(second).sqrt();
        step.weight - &state.first * rate / (denominator.sqrt() * root + self.epsilon)
    }

    fn decays_weights(&self) -> bool {
        DECOUPLED
    }

    fn set_momentum(&mut self, momentum: f64) -> bool {
        self.betas[0] = momentum;
        true
    }
}

impl<const DECOUPLED: bool> Descent<AdamRule<DECOUPLED>> {
    /// Takes the arguments of a configuration.
    fn with_arguments(self, arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        let [first, second] = arguments.optional("betas", [0.9, 0.999])?;
        let mut adam = self
            .betas(first, second)
            .epsilon(arguments.optional("epsilon", 1e-8)?);
        if arguments.optional("amsgrad", false)? {
            adam = adam.amsgrad();
        }
        adam.with_common(arguments)
    }
}

impl ConfiguredOptimiser for Adam {
    const NAME: &'static str = "adam";

    fn configured(arguments: &mut Arguments) -> Result<Adam, ArgumentError> {
        Adam::new(learning_rate(arguments)?).with_arguments(arguments)
    }
}

impl ConfiguredOptimiser for AdamW {
    const NAME: &'static str = "adamw";

    fn configured(arguments: &mut Arguments) -> Result<AdamW, ArgumentError> {
        AdamW::new(learning_rate(arguments)?).with_arguments(arguments)
    }
}
