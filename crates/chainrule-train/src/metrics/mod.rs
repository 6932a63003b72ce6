//! Metrics: what is measured over the batches of an epoch.
//!
//! A metric gathers batches ([`update`](Metric::update)) and answers at any time ([`value`](Metric::value)). The
//! definitions are those of scikit-learn where it has them.

mod accuracy;
mod auc;
mod batch;
mod confusion;
mod mean_loss;
mod perplexity;
mod precision;

pub use accuracy::{Accuracy, BinaryAccuracy, TopKAccuracy};
pub use auc::RocAuc;
pub use confusion::{ConfusionMatrix, ConfusionMetric};
pub use mean_loss::MeanLoss;
pub use perplexity::Perplexity;
pub use precision::{Average, ClassScores, FScore, Precision, Recall};

use chainrule_core::{Error, Tensor};

/// Something measured over many batches. It can be used as `Box<dyn Metric>`.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_train::metrics::{Accuracy, Metric, Perplexity};
/// let logits = tensor![[2.0, 0.0], [0.0, 3.0], [1.0, 0.0]];
/// let labels = tensor![0, 1, 1];
/// let mut metrics: Vec<Box<dyn Metric>> = vec![Box::new(Accuracy::new()), Box::new(Perplexity::new())];
/// for metric in &mut metrics {
///     metric.update(&logits, &labels)?;
/// }
/// assert_eq!(metrics[0].value(), 2.0 / 3.0);
/// # Ok::<(), chainrule_core::Error>(())
/// ```
pub trait Metric: Send {
    /// What the value is called in tables and plots, such as `accuracy`.
    fn name(&self) -> String;

    /// Takes in one batch: what the network said and what was right.
    ///
    /// # Errors
    /// When the shapes do not belong together or a label lies outside the classes; the batch then counts for nothing.
    fn update(&mut self, outputs: &Tensor, labels: &Tensor) -> Result<(), Error>;

    /// The value over all batches since the last [`reset`](Metric::reset); NaN while it is undefined, as before the
    /// first example.
    fn value(&self) -> f64;

    /// Forgets all batches.
    fn reset(&mut self);

    /// Whether a larger value is a better one.
    fn larger_is_better(&self) -> bool {
        true
    }

    /// The table behind the value, where there is one: a report draws it.
    fn confusion(&self) -> Option<&ConfusionMatrix> {
        None
    }
}

/// `part / whole`, NaN when there is no whole.
fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
