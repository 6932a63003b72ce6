//! Absolute differences, rounded off at 0.

use super::declared::{self, DeclaredLoss, LossPrediction, LossTarget};
use crate::{ArgumentError, Arguments};
use chainrule_core::graph::module_scope;
use chainrule_core::{Reduction, Tensor};

/// (x - t)² / (2 beta) where |x - t| < beta, |x - t| - beta / 2 beyond (Girshick 2015), PyTorch's `SmoothL1Loss`:
/// [`Huber`](super::Huber) over beta.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::losses::SmoothL1;
/// let loss = SmoothL1::new().forward(&tensor![3.0, 0.5], &tensor![0.0, 0.0]);
/// assert_eq!(loss.item::<f32>(), 1.3125);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SmoothL1 {
    beta: f64,
    reduction: Reduction,
}

impl Default for SmoothL1 {
    fn default() -> SmoothL1 {
        SmoothL1 {
            beta: 1.0,
            reduction: Reduction::Mean,
        }
    }
}

impl SmoothL1 {
    /// The mean over all elements, with beta 1.
    pub fn new() -> SmoothL1 {
        SmoothL1::default()
    }

    /// Where squares give way to absolute differences; with 0 there are only the latter.
    pub fn beta(mut self, beta: f64) -> SmoothL1 {
        self.beta = beta;
        self
    }

    reduction_option!();

    /// The loss: a number, or without reduction a tensor of the broadcast shape.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn forward(&self, input: &Tensor, target: &Tensor) -> Tensor {
        module_scope("smooth_l1", || {
            input.smooth_l1_loss(target, self.beta, self.reduction)
        })
    }
}

impl DeclaredLoss for SmoothL1 {
    const NAME: &'static str = "smooth_l1";
    const TARGET: LossTarget = LossTarget::Numbers;
    const PREDICTION: LossPrediction = LossPrediction::Values;

    fn declared(arguments: &mut Arguments) -> Result<SmoothL1, ArgumentError> {
        Ok(SmoothL1::new()
            .beta(declared::positive(arguments, "beta", 1.0)?)
            .reduction(declared::reduction(arguments)?))
    }

    fn loss(&self, predictions: &Tensor, targets: &Tensor) -> Tensor {
        self.forward(predictions, targets)
    }
}
