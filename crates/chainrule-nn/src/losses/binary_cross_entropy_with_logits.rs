//! Independent probabilities, given by their logits.

use super::declared::{self, DeclaredLoss, LossPrediction, LossTarget};
use crate::{ArgumentError, Arguments};
use chainrule_core::graph::module_scope;
use chainrule_core::{Reduction, Tensor};

/// -(p t log σ(x) + (1 - t) log σ(-x)) without overflow, PyTorch's `BCEWithLogitsLoss`, Caffe's `SigmoidCrossEntropyLoss`;
/// p, the weight of positive targets, is 1 unless it is given.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::losses::BinaryCrossEntropyWithLogits;
/// let loss = BinaryCrossEntropyWithLogits::new().forward(&tensor![0.0], &tensor![1.0]);
/// assert!((loss.item::<f32>() - 2.0f32.ln()).abs() < 1e-6);
/// ```
#[derive(Clone, Debug, Default)]
pub struct BinaryCrossEntropyWithLogits {
    weights: Option<Tensor>,
    positive: Option<Tensor>,
    reduction: Reduction,
}

impl BinaryCrossEntropyWithLogits {
    /// The mean over all elements.
    pub fn new() -> BinaryCrossEntropyWithLogits {
        BinaryCrossEntropyWithLogits::default()
    }

    /// A weight for each loss, of a shape that broadcasts.
    pub fn weights(mut self, weights: &Tensor) -> BinaryCrossEntropyWithLogits {
        self.weights = Some(weights.clone());
        self
    }

    /// How much positive targets count, of a shape that broadcasts: the odds of the classes make rare ones count.
    pub fn positive_weights(mut self, weights: &Tensor) -> BinaryCrossEntropyWithLogits {
        self.positive = Some(weights.clone());
        self
    }

    reduction_option!();

    /// The loss: a number, or without reduction a tensor of the broadcast shape. The mean is over the number of elements,
    /// also with weights.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn forward(&self, input: &Tensor, target: &Tensor) -> Tensor {
        module_scope("binary_cross_entropy_with_logits", || {
            let each = Reduction::None;
            let losses = match &self.positive {
                Some(p) => input.weighted_binary_cross_entropy_with_logits(target, p, each),
                None => input.binary_cross_entropy_with_logits(target, each),
            };
            let losses = match &self.weights {
                Some(weights) => losses * weights,
                None => losses,
            };
            self.reduction.of(&losses)
        })
    }
}

impl DeclaredLoss for BinaryCrossEntropyWithLogits {
    const NAME: &'static str = "binary_cross_entropy_with_logits";
    const ALSO: &'static [&'static str] = &["bce_with_logits"];
    const TARGET: LossTarget = LossTarget::Numbers;
    const PREDICTION: LossPrediction = LossPrediction::LogOdds;

    fn declared(arguments: &mut Arguments) -> Result<BinaryCrossEntropyWithLogits, ArgumentError> {
        let mut loss =
            BinaryCrossEntropyWithLogits::new().reduction(declared::reduction(arguments)?);
        if let Some(weights) = declared::row(arguments, "weights")? {
            loss = loss.weights(&weights);
        }
        Ok(match declared::row(arguments, "positive_weights")? {
            Some(weights) => loss.positive_weights(&weights),
            None => loss,
        })
    }

    fn loss(&self, predictions: &Tensor, targets: &Tensor) -> Tensor {
        self.forward(predictions, targets)
    }
}
