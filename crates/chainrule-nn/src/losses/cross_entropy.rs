//! Classes against logits.

use super::declared::{self, DeclaredLoss, LossPrediction, LossTarget};
use crate::{ArgumentError, Arguments};
use chainrule_core::graph::module_scope;
use chainrule_core::{CrossEntropyOptions, Reduction, Tensor};

/// -log softmax(x) at the label, or -Σ tᶜ log softmax(x)ᶜ for a target of probabilities: PyTorch's `CrossEntropyLoss`,
/// Caffe's `SoftmaxWithLoss`.
///
/// Logits are `[batch, classes, ..]` or `[classes]`. Labels are integers `[batch, ..]` or a single one; probabilities have
/// the logits' shape. The mean of labelled examples is weighted: Σ wᵢ lᵢ / Σ wᵢ over those that count; the mean against
/// probabilities is over the number of examples.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::losses::CrossEntropy;
/// let logits = tensor![[2.0, 0.0], [0.0, 0.0]];
/// let loss = CrossEntropy::new().forward(&logits, &tensor![0, 1]);
/// let smoothed = CrossEntropy::new().label_smoothing(0.1).forward(&logits, &tensor![0, 1]);
/// assert!(smoothed.item::<f32>() > loss.item::<f32>());
/// ```
#[derive(Clone, Debug, Default)]
pub struct CrossEntropy {
    options: CrossEntropyOptions,
}

impl CrossEntropy {
    /// The mean over all examples, every class alike.
    pub fn new() -> CrossEntropy {
        CrossEntropy::default()
    }

    /// What becomes of the losses of single examples: their mean by default.
    pub fn reduction(self, reduction: Reduction) -> CrossEntropy {
        CrossEntropy {
            options: self.options.reduction(reduction),
        }
    }

    /// The share of each target that is spread evenly over all classes, 0 to 1 (Szegedy and others 2016).
    pub fn label_smoothing(self, share: f64) -> CrossEntropy {
        CrossEntropy {
            options: self.options.label_smoothing(share),
        }
    }

    /// A weight for each class, `[classes]`.
    pub fn weights(self, weights: &Tensor) -> CrossEntropy {
        CrossEntropy {
            options: self.options.weights(weights),
        }
    }

    /// A label whose examples do not count, also one that is no class (padding). Only labels can be ignored.
    pub fn ignore(self, label: i64) -> CrossEntropy {
        CrossEntropy {
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
        module_scope("cross_entropy", || {
            input.cross_entropy_with(target, &self.options)
        })
    }
}

impl DeclaredLoss for CrossEntropy {
    const NAME: &'static str = "cross_entropy";
    const TARGET: LossTarget = LossTarget::Labels;
    const PREDICTION: LossPrediction = LossPrediction::Logits;

    fn declared(arguments: &mut Arguments) -> Result<CrossEntropy, ArgumentError> {
        let mut loss = CrossEntropy::new().reduction(declared::reduction(arguments)?);
        if let Some(share) = declared::share(arguments, "label_smoothing")? {
            loss = loss.label_smoothing(share);
        }
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
