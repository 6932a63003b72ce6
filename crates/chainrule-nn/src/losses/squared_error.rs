//! Squared differences.

use super::declared::{self, DeclaredLoss, LossPrediction, LossTarget};
use crate::{ArgumentError, Arguments};
use chainrule_core::graph::module_scope;
use chainrule_core::{Reduction, Tensor};

/// The mean of (x - t)², PyTorch's `MSELoss`: the prediction and the target have one shape, or shapes that broadcast.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::losses::SquaredError;
/// let loss = SquaredError::new().forward(&tensor![1.0, 3.0], &tensor![1.0, 1.0]);
/// assert_eq!(loss.item::<f32>(), 2.0);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SquaredError {
    reduction: Reduction,
}

impl SquaredError {
    /// The mean over all elements.
    pub fn new() -> SquaredError {
        SquaredError::default()
    }

    reduction_option!();

    /// The loss: a number, or without reduction a tensor of the broadcast shape.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn forward(&self, input: &Tensor, target: &Tensor) -> Tensor {
        module_scope("squared_error", || input.mse_loss(target, self.reduction))
    }
}

impl DeclaredLoss for SquaredError {
    const NAME: &'static str = "squared_error";
    const ALSO: &'static [&'static str] = &["mse"];
    const TARGET: LossTarget = LossTarget::Numbers;
    const PREDICTION: LossPrediction = LossPrediction::Values;

    fn declared(arguments: &mut Arguments) -> Result<SquaredError, ArgumentError> {
        Ok(SquaredError::new().reduction(declared::reduction(arguments)?))
    }

    fn loss(&self, predictions: &Tensor, targets: &Tensor) -> Tensor {
        self.forward(predictions, targets)
    }
}
