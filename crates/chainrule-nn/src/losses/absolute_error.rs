//! Absolute differences.

use super::declared::{self, DeclaredLoss, LossPrediction, LossTarget};
use crate::{ArgumentError, Arguments};
use chainrule_core::graph::module_scope;
use chainrule_core::{Reduction, Tensor};

/// The mean of |x - t|, PyTorch's `L1Loss`: the prediction and the target have one shape, or shapes that broadcast.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::losses::AbsoluteError;
/// let loss = AbsoluteError::new().forward(&tensor![1.0, 3.0], &tensor![1.0, 1.0]);
/// assert_eq!(loss.item::<f32>(), 1.0);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct AbsoluteError {
    reduction: Reduction,
}

impl AbsoluteError {
    /// The mean over all elements.
    pub fn new() -> AbsoluteError {
        AbsoluteError::default()
    }

    reduction_option!();

    /// The loss: a number, or without reduction a tensor of the broadcast shape.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn forward(&self, input: &Tensor, target: &Tensor) -> Tensor {
        module_scope("absolute_error", || input.l1_loss(target, self.reduction))
    }
}

impl DeclaredLoss for AbsoluteError {
    const NAME: &'static str = "absolute_error";
    const ALSO: &'static [&'static str] = &["l1"];
    const TARGET: LossTarget = LossTarget::Numbers;
    const PREDICTION: LossPrediction = LossPrediction::Values;

    fn declared(arguments: &mut Arguments) -> Result<AbsoluteError, ArgumentError> {
        Ok(AbsoluteError::new().reduction(declared::reduction(arguments)?))
    }

    fn loss(&self, predictions: &Tensor, targets: &Tensor) -> Tensor {
        self.forward(predictions, targets)
    }
}
