//! Several classes, each a decision of its own.

use super::declared::{self, DeclaredLoss, LossPrediction, LossTarget};
use crate::{ArgumentError, Arguments};
use chainrule_core::graph::module_scope;
use chainrule_core::{Reduction, Tensor};

/// The mean over classes (the last axis) of -(t log σ(x) + (1 - t) log σ(-x)), PyTorch's `MultiLabelSoftMarginLoss`: scores
/// `[.., classes]`, targets in [0, 1] of their shape.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::losses::MultiLabelSoftMargin;
/// let loss = MultiLabelSoftMargin::new().forward(&tensor![[0.0, 0.0]], &tensor![[1.0, 0.0]]);
/// assert!((loss.item::<f32>() - 2.0f32.ln()).abs() < 1e-6);
/// ```
#[derive(Clone, Debug, Default)]
pub struct MultiLabelSoftMargin {
    weights: Option<Tensor>,
    reduction: Reduction,
}

impl MultiLabelSoftMargin {
    /// The mean over all examples.
    pub fn new() -> MultiLabelSoftMargin {
        MultiLabelSoftMargin::default()
    }

    /// A weight for each class, `[classes]`.
    pub fn weights(mut self, weights: &Tensor) -> MultiLabelSoftMargin {
        self.weights = Some(weights.clone());
        self
    }

    reduction_option!();

    /// The loss: a number, or without reduction a tensor without the last axis.
    ///
    /// # Panics
    /// When the shapes do not broadcast or there is no axis.
    #[track_caller]
    pub fn forward(&self, input: &Tensor, target: &Tensor) -> Tensor {
        module_scope("multi_label_soft_margin", || {
            input.multilabel_soft_margin_loss(target, self.weights.as_ref(), self.reduction)
        })
    }
}

impl DeclaredLoss for MultiLabelSoftMargin {
    const NAME: &'static str = "multi_label_soft_margin";
    const TARGET: LossTarget = LossTarget::Numbers;
    const PREDICTION: LossPrediction = LossPrediction::LogOdds;

    fn declared(arguments: &mut Arguments) -> Result<MultiLabelSoftMargin, ArgumentError> {
        let loss = MultiLabelSoftMargin::new().reduction(declared::reduction(arguments)?);
        Ok(match declared::row(arguments, "weights")? {
            Some(weights) => loss.weights(&weights),
            None => loss,
        })
    }

    fn loss(&self, predictions: &Tensor, targets: &Tensor) -> Tensor {
        self.forward(predictions, targets)
    }
}
