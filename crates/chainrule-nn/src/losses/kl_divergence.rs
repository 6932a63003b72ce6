//! Distributions against each other.

use super::declared::{self, DeclaredLoss, LossPrediction, LossTarget};
use crate::{ArgumentError, Arguments};
use chainrule_core::graph::module_scope;
use chainrule_core::{Reduction, Tensor};

/// t (log t - x), whose sum is the divergence of the distribution with log-probabilities x from the target's (Kullback,
/// Leibler 1951): PyTorch's `KLDivLoss`. The target is probabilities, or log-probabilities with
/// [`log_target`](KlDivergence::log_target).
///
/// The mean is over all elements and so not the divergence; [`batch_mean`](KlDivergence::batch_mean) is.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::losses::KlDivergence;
/// let (x, target) = (tensor![[0.25, 0.75]].log(), tensor![[0.5, 0.5]]);
/// let divergence = KlDivergence::new().batch_mean().forward(&x, &target).item::<f32>();
/// assert!((divergence - 0.5 * (4.0f32 / 3.0).ln()).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct KlDivergence {
    log_target: bool,
    batch_mean: bool,
    reduction: Reduction,
}

impl KlDivergence {
    /// The mean over all elements, against probabilities.
    pub fn new() -> KlDivergence {
        KlDivergence::default()
    }

    /// The target holds log-probabilities.
    pub fn log_target(mut self) -> KlDivergence {
        self.log_target = true;
        self
    }

    /// The sum over the extent of the first axis: the mean divergence of a batch.
    pub fn batch_mean(mut self) -> KlDivergence {
        self.batch_mean = true;
        self
    }

    reduction_option!();

    /// The loss: a number, or without reduction a tensor of the broadcast shape.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn forward(&self, input: &Tensor, target: &Tensor) -> Tensor {
        module_scope("kl_divergence", || {
            if !self.batch_mean {
                return input.kl_div(target, self.log_target, self.reduction);
            }
            let sum = input.kl_div(target, self.log_target, Reduction::Sum);
            sum / input.shape().first().copied().unwrap_or(1) as f64
        })
    }
}

impl DeclaredLoss for KlDivergence {
    const NAME: &'static str = "kl_divergence";
    const ALSO: &'static [&'static str] = &["kl"];
    const TARGET: LossTarget = LossTarget::Numbers;
    const PREDICTION: LossPrediction = LossPrediction::Logits;

    fn declared(arguments: &mut Arguments) -> Result<KlDivergence, ArgumentError> {
        let mut loss = KlDivergence::new().reduction(declared::reduction(arguments)?);
        if arguments.optional("log_target", false)? {
            loss = loss.log_target();
        }
        Ok(match arguments.optional("batch_mean", false)? {
            true => loss.batch_mean(),
            false => loss,
        })
    }

    fn loss(&self, predictions: &Tensor, targets: &Tensor) -> Tensor {
        self.forward(predictions, targets)
    }
}
