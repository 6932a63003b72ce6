//! Two classes, written 1 and -1.

use super::declared::{self, DeclaredLoss, LossPrediction, LossTarget};
use crate::{ArgumentError, Arguments};
use chainrule_core::graph::module_scope;
use chainrule_core::{Reduction, Tensor};

/// log(1 + exp(-t x)) for targets 1 and -1, PyTorch's `SoftMarginLoss`: logistic regression.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::losses::SoftMargin;
/// let loss = SoftMargin::new().forward(&tensor![0.0], &tensor![1.0]).item::<f32>();
/// assert!((loss - 2.0f32.ln()).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SoftMargin {
    reduction: Reduction,
}

impl SoftMargin {
    /// The mean over all elements.
    pub fn new() -> SoftMargin {
        SoftMargin::default()
    }

    reduction_option!();

    /// The loss: a number, or without reduction a tensor of the broadcast shape.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn forward(&self, input: &Tensor, target: &Tensor) -> Tensor {
        module_scope("soft_margin", || {
            input.soft_margin_loss(target, self.reduction)
        })
    }
}

impl DeclaredLoss for SoftMargin {
    const NAME: &'static str = "soft_margin";
    const TARGET: LossTarget = LossTarget::Signs;
    const PREDICTION: LossPrediction = LossPrediction::LogOdds;

    fn declared(arguments: &mut Arguments) -> Result<SoftMargin, ArgumentError> {
        Ok(SoftMargin::new().reduction(declared::reduction(arguments)?))
    }

    fn loss(&self, predictions: &Tensor, targets: &Tensor) -> Tensor {
        self.forward(predictions, targets)
    }
}
