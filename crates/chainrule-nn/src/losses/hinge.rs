//! Caffe's hinge loss.

use super::declared::{DeclaredLoss, LossPrediction, LossTarget};
use super::multinomial_logistic::class_labels;
use crate::{ArgumentError, Arguments};
use chainrule_core::graph::module_scope;
use chainrule_core::{DType, Tensor};

/// Σ max(0, 1 - s x)ᵖ / N over classes and a batch of N examples, where s is 1 for the label's class and -1 for the others:
/// Caffe's `HingeLoss` (one-against-all support vector machines), p = 1, or 2 with [`squared`](Hinge::squared).
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::losses::Hinge;
/// let loss = Hinge::new().forward(&tensor![[0.5, -2.0, 0.0]], &tensor![0]);
/// assert_eq!(loss.item::<f32>(), 1.5);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Hinge {
    squared: bool,
}

impl Hinge {
    /// The loss with p = 1 (Caffe's norm L1).
    pub fn new() -> Hinge {
        Hinge::default()
    }

    /// Squares what is missing (Caffe's norm L2).
    pub fn squared(mut self) -> Hinge {
        self.squared = true;
        self
    }

    /// The loss of scores `[N, classes]` against integer labels `[N]`: a number.
    ///
    /// # Panics
    /// When the shapes do not fit, or a label is not a class.
    #[track_caller]
    pub fn forward(&self, input: &Tensor, target: &Tensor) -> Tensor {
        let labels = class_labels("hinge", input, target);
        module_scope("hinge", || {
            let [batch, classes] = [input.shape()[0], input.shape()[1]];
            let one_hot = labels.one_hot(classes).cast(DType::Bool);
            let missing = one_hot.where_(1.0 - input, input + 1.0).clamp_min(0.0);
            let losses = if self.squared {
                missing.square()
            } else {
                missing
            };
            losses.sum(..) / batch as f64
        })
    }
}

impl DeclaredLoss for Hinge {
    const NAME: &'static str = "hinge";
    const TARGET: LossTarget = LossTarget::Labels;
    const PREDICTION: LossPrediction = LossPrediction::Scores;

    fn declared(arguments: &mut Arguments) -> Result<Hinge, ArgumentError> {
        Ok(match arguments.optional("squared", false)? {
            true => Hinge::new().squared(),
            false => Hinge::new(),
        })
    }

    fn loss(&self, predictions: &Tensor, targets: &Tensor) -> Tensor {
        self.forward(predictions, targets)
    }
}
