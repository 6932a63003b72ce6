//! Easy examples count less.

use super::declared::{self, DeclaredLoss, LossPrediction, LossTarget};
use crate::{ArgumentError, Arguments};
use chainrule_core::graph::module_scope;
use chainrule_core::{Reduction, Tensor};

/// -αₜ (1 - pₜ)^γ log pₜ, where pₜ is the probability σ(x) of the target's side (Lin and others 2017): cross entropy in
/// which examples that are classified well count little. With focusing γ = 0 and no balance it is
/// [`BinaryCrossEntropyWithLogits`](super::BinaryCrossEntropyWithLogits).
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::losses::Focal;
/// let loss = Focal::new().balance(0.25).forward(&tensor![0.0], &tensor![1.0]).item::<f32>();
/// assert!((loss - 0.25 * 0.25 * 2.0f32.ln()).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Focal {
    focusing: f64,
    balance: Option<f64>,
    reduction: Reduction,
}

impl Default for Focal {
    fn default() -> Focal {
        Focal {
            focusing: 2.0,
            balance: None,
            reduction: Reduction::Mean,
        }
    }
}

impl Focal {
    /// The mean over all elements, with γ = 2 and both sides alike.
    pub fn new() -> Focal {
        Focal::default()
    }

    /// The exponent γ, not negative.
    pub fn focusing(mut self, gamma: f64) -> Focal {
        self.focusing = gamma;
        self
    }

    /// The weight α of positive targets; negative ones get 1 - α. The paper takes 0.25.
    pub fn balance(mut self, alpha: f64) -> Focal {
        self.balance = Some(alpha);
        self
    }

    reduction_option!();

    /// The loss of logits against targets in [0, 1] of a shape that broadcasts: a number, or without reduction a tensor.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn forward(&self, input: &Tensor, target: &Tensor) -> Tensor {
        module_scope("focal", || {
            let cross_entropy = input.binary_cross_entropy_with_logits(target, Reduction::None);
            let probability = input.sigmoid();
            let missed = &probability + target - &probability * target * 2.0;
            let mut losses = cross_entropy;
            if self.focusing != 0.0 {
                losses *= missed.pow(self.focusing);
            }
            if let Some(alpha) = self.balance {
                losses *= target * (2.0 * alpha - 1.0) + (1.0 - alpha);
            }
            self.reduction.of(&losses)
        })
    }
}

impl DeclaredLoss for Focal {
    const NAME: &'static str = "focal";
    const TARGET: LossTarget = LossTarget::Numbers;
    const PREDICTION: LossPrediction = LossPrediction::LogOdds;

    fn declared(arguments: &mut Arguments) -> Result<Focal, ArgumentError> {
        let focusing = arguments.optional("focusing", 2.0)?;
        if focusing < 0.0 {
            let message =
                format!("`focusing` is {focusing}; expected a number that is not negative");
            return Err(arguments.problem("focusing", message));
        }
        let loss = Focal::new()
            .focusing(focusing)
            .reduction(declared::reduction(arguments)?);
        Ok(match declared::share(arguments, "balance")? {
            Some(alpha) => loss.balance(alpha),
            None => loss,
        })
    }

    fn loss(&self, predictions: &Tensor, targets: &Tensor) -> Tensor {
        self.forward(predictions, targets)
    }
}
