//! Independent probabilities.

use super::declared::{self, DeclaredLoss, LossPrediction, LossTarget};
use crate::{ArgumentError, Arguments};
use chainrule_core::graph::module_scope;
use chainrule_core::{Reduction, Tensor};

/// -(t log x + (1 - t) log(1 - x)) for probabilities x in [0, 1], PyTorch's `BCELoss`. Logarithms are limited to -100 from
/// below. Where the probability is a sigmoid, [`BinaryCrossEntropyWithLogits`](super::BinaryCrossEntropyWithLogits) is exact
/// where this one is limited.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::losses::BinaryCrossEntropy;
/// let loss = BinaryCrossEntropy::new().forward(&tensor![0.5], &tensor![1.0]);
/// assert!((loss.item::<f32>() - 2.0f32.ln()).abs() < 1e-6);
/// ```
#[derive(Clone, Debug, Default)]
pub struct BinaryCrossEntropy {
    weights: Option<Tensor>,
    reduction: Reduction,
}

impl BinaryCrossEntropy {
    /// The mean over all elements.
    pub fn new() -> BinaryCrossEntropy {
        BinaryCrossEntropy::default()
    }

    /// A weight for each loss, of a shape that broadcasts.
    pub fn weights(mut self, weights: &Tensor) -> BinaryCrossEntropy {
        self.weights = Some(weights.clone());
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
        module_scope("binary_cross_entropy", || {
            let losses = input.binary_cross_entropy(target, Reduction::None);
            let losses = match &self.weights {
                Some(weights) => losses * weights,
                None => losses,
            };
            self.reduction.of(&losses)
        })
    }
}

impl DeclaredLoss for BinaryCrossEntropy {
    const NAME: &'static str = "binary_cross_entropy";
    const ALSO: &'static [&'static str] = &["bce"];
    const TARGET: LossTarget = LossTarget::Numbers;
    const PREDICTION: LossPrediction = LossPrediction::Probabilities;

    fn declared(arguments: &mut Arguments) -> Result<BinaryCrossEntropy, ArgumentError> {
        let loss = BinaryCrossEntropy::new().reduction(declared::reduction(arguments)?);
        Ok(match declared::row(arguments, "weights")? {
            Some(weights) => loss.weights(&weights),
            None => loss,
        })
    }

    fn loss(&self, predictions: &Tensor, targets: &Tensor) -> Tensor {
        self.forward(predictions, targets)
    }
}
