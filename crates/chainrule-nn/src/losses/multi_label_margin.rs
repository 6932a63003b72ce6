//! Several classes above all others by a margin.

use super::declared::{self, DeclaredLoss, LossPrediction, LossTarget};
use crate::{ArgumentError, Arguments};
use chainrule_core::graph::module_scope;
use chainrule_core::{Reduction, Tensor};

/// `Σ max(0, 1 - x[j] + x[i]) / classes` over the labels j and the classes i that are no labels, PyTorch's
/// `MultiLabelMarginLoss`: scores `[batch, classes]` or `[classes]`, labels integers of their shape, each row ended by a
/// negative one.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::losses::MultiLabelMargin;
/// let labels = tensor![[1, -1, 0]];
/// let loss = MultiLabelMargin::new().forward(&tensor![[0.0, 2.0, 1.5]], &labels);
/// assert!((loss.item::<f32>() - 0.5 / 3.0).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MultiLabelMargin {
    reduction: Reduction,
}

impl MultiLabelMargin {
    /// The mean over all examples.
    pub fn new() -> MultiLabelMargin {
        MultiLabelMargin::default()
    }

    reduction_option!();

    /// The loss: a number, or without reduction a tensor `[batch]`.
    ///
    /// # Panics
    /// When the shapes differ, or a label is not a class.
    #[track_caller]
    pub fn forward(&self, input: &Tensor, target: &Tensor) -> Tensor {
        module_scope("multi_label_margin", || {
            input.multilabel_margin_loss(target, self.reduction)
        })
    }
}

impl DeclaredLoss for MultiLabelMargin {
    const NAME: &'static str = "multi_label_margin";
    const TARGET: LossTarget = LossTarget::LabelLists;
    const PREDICTION: LossPrediction = LossPrediction::Scores;

    fn declared(arguments: &mut Arguments) -> Result<MultiLabelMargin, ArgumentError> {
        Ok(MultiLabelMargin::new().reduction(declared::reduction(arguments)?))
    }

    fn loss(&self, predictions: &Tensor, targets: &Tensor) -> Tensor {
        self.forward(predictions, targets)
    }
}
