//! Distances of pairs that belong together or not.

use super::declared::{self, DeclaredLoss, LossPrediction, LossTarget};
use crate::{ArgumentError, Arguments};
use chainrule_core::graph::module_scope;
use chainrule_core::{Reduction, Tensor};

/// x where the target is 1, max(0, margin - x) where it is -1, PyTorch's `HingeEmbeddingLoss`: x is a distance.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::losses::HingeEmbedding;
/// let loss = HingeEmbedding::new().forward(&tensor![0.25, 0.25], &tensor![1.0, -1.0]);
/// assert_eq!(loss.item::<f32>(), 0.5);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct HingeEmbedding {
    margin: f64,
    reduction: Reduction,
}

impl Default for HingeEmbedding {
    fn default() -> HingeEmbedding {
        HingeEmbedding {
            margin: 1.0,
            reduction: Reduction::Mean,
        }
    }
}

impl HingeEmbedding {
    /// The mean over all elements, with margin 1.
    pub fn new() -> HingeEmbedding {
        HingeEmbedding::default()
    }

    /// The distance beyond which a pair that does not belong together costs nothing.
    pub fn margin(mut self, margin: f64) -> HingeEmbedding {
        self.margin = margin;
        self
    }

    reduction_option!();

    /// The loss: a number, or without reduction a tensor of the broadcast shape. A target other than 1 and -1 counts as
    /// both, as in PyTorch.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn forward(&self, input: &Tensor, target: &Tensor) -> Tensor {
        module_scope("hinge_embedding", || {
            input.hinge_embedding_loss(target, self.margin, self.reduction)
        })
    }
}

impl DeclaredLoss for HingeEmbedding {
    const NAME: &'static str = "hinge_embedding";
    const TARGET: LossTarget = LossTarget::Signs;
    const PREDICTION: LossPrediction = LossPrediction::Values;

    fn declared(arguments: &mut Arguments) -> Result<HingeEmbedding, ArgumentError> {
        Ok(HingeEmbedding::new()
            .margin(arguments.optional("margin", 1.0)?)
            .reduction(declared::reduction(arguments)?))
    }

    fn loss(&self, predictions: &Tensor, targets: &Tensor) -> Tensor {
        self.forward(predictions, targets)
    }
}
