//! Caffe's multinomial logistic loss.

use super::declared::{DeclaredLoss, LossPrediction, LossTarget};
use crate::{ArgumentError, Arguments};
use chainrule_core::error::raise;
use chainrule_core::graph::module_scope;
use chainrule_core::{DType, Error, ErrorKind, Tensor};

/// `-Σ log p[label] / N` over a batch of N examples: Caffe's `MultinomialLogisticLoss`, for probabilities that were computed
/// already. From logits, [`CrossEntropy`](super::CrossEntropy) is exact where a probability rounds to 0.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::losses::MultinomialLogistic;
/// let loss = MultinomialLogistic::new().forward(&tensor![[0.25, 0.75]], &tensor![0]);
/// assert!((loss.item::<f32>() - 4.0f32.ln()).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MultinomialLogistic;

/// Below this, Caffe takes no logarithm.
pub(super) const LEAST: f64 = 1e-20;

impl MultinomialLogistic {
    /// The loss; it has no options.
    pub fn new() -> MultinomialLogistic {
        MultinomialLogistic
    }

    /// The loss of probabilities `[N, classes]` against integer labels `[N]`: a number. Probabilities count as at least
    /// 1e-20.
    ///
    /// # Panics
    /// When the shapes do not fit, or a label is not a class.
    #[track_caller]
    pub fn forward(&self, input: &Tensor, target: &Tensor) -> Tensor {
        class_labels("multinomial_logistic", input, target);
        module_scope("multinomial_logistic", || {
            input.clamp_min(LEAST).log().nll_loss(target)
        })
    }
}

impl DeclaredLoss for MultinomialLogistic {
    const NAME: &'static str = "multinomial_logistic";
    const TARGET: LossTarget = LossTarget::Labels;
    const PREDICTION: LossPrediction = LossPrediction::Probabilities;

    fn declared(_arguments: &mut Arguments) -> Result<MultinomialLogistic, ArgumentError> {
        Ok(MultinomialLogistic::new())
    }

    fn loss(&self, predictions: &Tensor, targets: &Tensor) -> Tensor {
        self.forward(predictions, targets)
    }
}

/// Labels `[N]` as 64-bit integers, once they are classes of scores `[N, classes]`.
#[track_caller]
pub(super) fn class_labels(name: &str, scores: &Tensor, labels: &Tensor) -> Tensor {
    let fits = scores.rank() == 2
        && labels.shape()[..] == scores.shape()[..1]
        && !labels.dtype().is_floating();
    if !fits {
        let message = format!(
            "{name}: for scores [N, classes] the labels are integers [N], but the scores are {} and the labels {} {}",
            scores.shape(),
            labels.shape(),
            labels.dtype()
        );
        raise(Error::new(ErrorKind::Shape, message));
    }
    labels.require_classes(scores.shape()[1], name);
    labels.cast(DType::I64)
}
