//! Caffe's information gain loss.

use super::declared::{DeclaredLoss, LossPrediction, LossTarget};
use super::multinomial_logistic::{LEAST, class_labels};
use crate::{ArgumentError, Arguments};
use chainrule_core::error::raise;
use chainrule_core::graph::module_scope;
use chainrule_core::{DType, Error, ErrorKind, Tensor};

/// `-Σ H[label, c] log p[c] / N` over classes and a batch of N examples: Caffe's `InfogainLoss`. The matrix H
/// `[classes, classes]` says what each class's probability is worth for each label; with the identity it is
/// [`MultinomialLogistic`](super::MultinomialLogistic).
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::losses::Infogain;
/// let loss = Infogain::new(&tensor![[1.0, 0.0], [0.0, 3.0]]).forward(&tensor![[0.5, 0.5]], &tensor![1]);
/// assert!((loss.item::<f32>() - 3.0 * 2.0f32.ln()).abs() < 1e-5);
/// ```
#[derive(Clone, Debug)]
pub struct Infogain {
    gains: Tensor,
}

impl Infogain {
    /// The loss with a matrix of gains, a row for each label.
    ///
    /// # Panics
    /// When the matrix is not square.
    #[track_caller]
    pub fn new(gains: &Tensor) -> Infogain {
        if gains.rank() != 2 || gains.shape()[0] != gains.shape()[1] {
            let message = format!(
                "infogain: the gains are a matrix [classes, classes], not {}",
                gains.shape()
            );
            raise(Error::new(ErrorKind::Shape, message));
        }
        Infogain {
            gains: gains.clone(),
        }
    }

    /// The loss of probabilities `[N, classes]` (after a softmax) against integer labels `[N]`: a number. Probabilities
    /// count as at least 1e-20.
    ///
    /// # Panics
    /// When the shapes do not fit, or a label is not a class.
    #[track_caller]
    pub fn forward(&self, input: &Tensor, target: &Tensor) -> Tensor {
        let labels = class_labels("infogain", input, target);
        let classes = input.shape()[1];
        if self.gains.shape()[0] != classes {
            let message = format!(
                "infogain: the gains are {}, for {classes} classes they must be [{classes}, {classes}]",
                self.gains.shape()
            );
            raise(Error::new(ErrorKind::Shape, message));
        }
        module_scope("infogain", || {
            let gains = self.gains.index_select(0, &labels);
            -(gains * input.clamp_min(LEAST).log()).sum(..) / input.shape()[0] as f64
        })
    }
}

impl DeclaredLoss for Infogain {
    const NAME: &'static str = "infogain";
    const TARGET: LossTarget = LossTarget::Labels;
    const PREDICTION: LossPrediction = LossPrediction::Probabilities;

    fn declared(arguments: &mut Arguments) -> Result<Infogain, ArgumentError> {
        let rows: Vec<Vec<f64>> = arguments.required("gains")?;
        let classes = rows.len();
        if classes == 0 || rows.iter().any(|row| row.len() != classes) {
            let message = "`gains` is not square; expected a row for each class, with a number for each class";
            return Err(arguments.problem("gains", message));
        }
        let gains = Tensor::from_vec(rows.concat(), [classes, classes]);
        Ok(Infogain::new(&gains.cast(DType::F32)))
    }

    fn loss(&self, predictions: &Tensor, targets: &Tensor) -> Tensor {
        self.forward(predictions, targets)
    }
}
