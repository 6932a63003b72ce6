//! How surprised a language model is.

use super::Metric;
use super::batch::Batch;
use chainrule_core::{Error, Tensor, untracked};

/// `exp` of the mean negative log-likelihood of the right classes: logits `[.., classes]`, labels `[..]`. A model that
/// guesses evenly among n classes has perplexity n.
///
/// ```
/// use chainrule_core::{tensor, Tensor};
/// use chainrule_train::metrics::{Metric, Perplexity};
/// let mut perplexity = Perplexity::new();
/// perplexity.update(&Tensor::zeros([2, 4]), &tensor![3, 1])?;
/// assert!((perplexity.value() - 4.0).abs() < 1e-6);
/// # Ok::<(), chainrule_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Perplexity {
    nats: f64,
    total: u64,
    ignored: Option<i64>,
}

impl Perplexity {
    /// Perplexity over no batches yet.
    pub fn new() -> Perplexity {
        Perplexity::default()
    }

    /// Leaves out examples with this label, such as the -100 of padding.
    pub fn ignoring(mut self, label: i64) -> Perplexity {
        self.ignored = Some(label);
        self
    }

    /// The mean negative log-likelihood itself, in nats.
    pub fn nats(&self) -> f64 {
        self.nats / self.total as f64
    }
}

impl Metric for Perplexity {
    fn name(&self) -> String {
        "perplexity".to_owned()
    }

    fn update(&mut self, outputs: &Tensor, labels: &Tensor) -> Result<(), Error> {
        let batch = Batch::read("perplexity", outputs, labels, self.ignored)?;
        if batch.examples.is_empty() {
            return Ok(());
        }
        let (positions, classes): (Vec<i64>, Vec<i64>) = batch
            .examples
            .iter()
            .map(|&(position, class)| (position as i64, class as i64))
            .unzip();
        let count = positions.len();
        let logarithms = untracked(|| {
            let rows = outputs.reshape([-1, batch.classes as isize]);
            let rows = rows.index_select(0, &Tensor::from_vec(positions, [count]));
            rows.log_softmax(-1)
                .gather(-1, &Tensor::from_vec(classes, [count, 1]))
        });
        self.nats -= logarithms.to_vec::<f64>().into_iter().sum::<f64>();
        self.total += count as u64;
        Ok(())
    }

    fn value(&self) -> f64 {
        self.nats().exp()
    }

    fn reset(&mut self) {
        (self.nats, self.total) = (0.0, 0);
    }

    fn larger_is_better(&self) -> bool {
        false
    }
}
