//! Classes against log-probabilities.

use super::declared::{self, DeclaredLoss, LossPrediction, LossTarget};
use crate::{ArgumentError, Arguments};
use chainrule_core::graph::module_scope;
use chainrule_core::{CrossEntropyOptions, Reduction, Tensor};

/// -x at the label, for log-probabilities `[batch, classes, ..]` or `[classes]`: PyTorch's `NLLLoss`. After
/// `log_softmax(1)` it is [`CrossEntropy`](super::CrossEntropy).
///
/// Labels are integers `[batch, ..]` or a single one. With weights the mean is Σ wᵢ lᵢ / Σ wᵢ over the examples that count.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::losses::NegativeLogLikelihood;
/// let loss = NegativeLogLikelihood::new().forward(&tensor![[-1.0, -2.0]], &tensor![1]);
/// assert_eq!(loss.item::<f32>(), 2.0);
/// ```
#[derive(Clone, Debug, Default)]
pub struct NegativeLogLikelihood {
    options: CrossEntropyOptions,
}

impl NegativeLogLikelihood {
    /// The mean over all examples, every class alike.
    pub fn new() -> NegativeLogLikelihood {
        NegativeLogLikelihood::default()
    }

    /// What becomes of the losses of single examples: their mean by default.
    pub fn reduction(self, reduction: Reduction) -> NegativeLogLikelihood {
        NegativeLogLikelihood {
            options: self.options.reduction(reduction),
        }
    }

    /// A weight for each class, `[classes]`.
    pub fn weights(self, weights: &Tensor) -> NegativeLogLikelihood {
        NegativeLogLikelihood {
            options: self.options.weights(weights),
        }
    }

    /// A label whose examples do not count, also one that is no class (padding).
    pub fn ignore(self, label: i64) -> NegativeLogLikelihood {
        NegativeLogLikelihood {
            options: self.options.ignore(label),
        }
    }

    /// The loss: a number, or without reduction a tensor `[batch, ..]`.
    ///
    /// # Panics
    /// When the shapes do not fit, or a label is not a class: the message names the label, its place and the number of
    /// classes.
    #[track_caller]
    pub fn forward(&self, input: &Tensor, target: &Tensor) -> Tensor {
        module_scope("negative_log_likelihood", || {
            input.nll_loss_with(target, &self.options)
        })
    }
}

impl DeclaredLoss for NegativeLogLikelihood {
    const NAME: &'static str = "negative_log_likelihood";
    const ALSO: &'static [&'static str] = &["nll"];
    const TARGET: LossTarget = LossTarget::Labels;
    const PREDICTION: LossPrediction = LossPrediction::Logits;

    fn declared(arguments: &mut Arguments) -> Result<NegativeLogLikelihood, ArgumentError> {
        let mut loss = NegativeLogLikelihood::new().reduction(declared::reduction(arguments)?);
        if let Some(weights) = declared::row(arguments, "weights")? {
            loss = loss.weights(&weights);
        }
        Ok(match arguments.given("ignore")? {
            Some(label) => loss.ignore(label),
            None => loss,
        })
    }

    fn loss(&self, predictions: &Tensor, targets: &Tensor) -> Tensor {
        self.forward(predictions, targets)
    }
}
