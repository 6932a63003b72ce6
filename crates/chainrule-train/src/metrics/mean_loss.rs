//! The loss over an epoch.

use super::Metric;
use chainrule_core::{Error, ErrorKind, Tensor, untracked};

/// The mean loss over a batch of outputs and labels.
type LossFunction = dyn Fn(&Tensor, &Tensor) -> Tensor + Send;

/// A loss averaged over examples, not over batches: a last batch that is smaller weighs less.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_train::metrics::{MeanLoss, Metric};
/// let mut loss = MeanLoss::new(|outputs, labels| (outputs - labels).square().mean(..));
/// loss.update(&tensor![1.0, 2.0, 3.0], &tensor![1.0, 2.0, 0.0])?;
/// loss.update(&tensor![1.0], &tensor![0.0])?;
/// assert_eq!(loss.value(), 2.5);
/// # Ok::<(), chainrule_core::Error>(())
/// ```
pub struct MeanLoss {
    loss: Box<LossFunction>,
    sum: f64,
    examples: u64,
}

impl MeanLoss {
    /// The mean of `loss`, which gives the mean over a batch of outputs and labels as one number.
    pub fn new(loss: impl Fn(&Tensor, &Tensor) -> Tensor + Send + 'static) -> MeanLoss {
        MeanLoss {
            loss: Box::new(loss),
            sum: 0.0,
            examples: 0,
        }
    }

    /// Takes in a batch whose mean loss is already known.
    pub fn add(&mut self, mean: f64, examples: usize) {
        self.sum += mean * examples as f64;
        self.examples += examples as u64;
    }
}

impl Metric for MeanLoss {
    fn name(&self) -> String {
        "loss".to_owned()
    }

    /// The number of examples is the extent of the first axis of `labels`.
    fn update(&mut self, outputs: &Tensor, labels: &Tensor) -> Result<(), Error> {
        let loss = untracked(|| (self.loss)(outputs, labels));
        if loss.elements() != 1 {
            let message = format!(
                "loss: expected one number for the batch, got shape {} (from `{}` at {})\n    help: reduce it, for example \
                 with `.mean(..)`",
                loss.shape(),
                loss.operation_name(),
                loss.place()
            );
            return Err(Error::new(ErrorKind::Shape, message));
        }
        let examples = labels.shape().first().copied().unwrap_or(1);
        if examples > 0 {
            self.add(loss.item(), examples);
        }
        Ok(())
    }

    fn value(&self) -> f64 {
        self.sum / self.examples as f64
    }

    fn reset(&mut self) {
        (self.sum, self.examples) = (0.0, 0);
    }

    fn larger_is_better(&self) -> bool {
        false
    }
}
