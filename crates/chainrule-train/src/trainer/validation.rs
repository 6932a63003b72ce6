//! Measuring a model on data that it does not learn from.

use super::step::examples_of;
use super::{Means, Source, TrainError, Trainer};
use chainrule_core::{Tree, evaluate, untracked};
use chainrule_nn::{Module, named};

impl<M: Module, B: Tree> Trainer<'_, M, B> {
    /// Loss and metrics over `data`, in evaluation mode and without tracking: `loss` first, then the metrics by name.
    ///
    /// # Errors
    /// When a batch cannot be made or a metric cannot measure it.
    pub fn evaluate(&mut self, data: &dyn Source<B>) -> Result<Vec<(String, f64)>, TrainError> {
        // A copy: the model's own modes stay as the user set them.
        let mut model = self.averaged();
        model.eval();
        for metric in &mut self.metrics {
            metric.reset();
        }
        let mut means = Means::default();
        for batch in data.from(0, 0) {
            let batch = batch?;
            let judged = untracked(|| named(&model, || (self.loss)(&model, &batch)));
            let mut wanted = vec![&judged.loss];
            if let Some((outputs, labels)) = &judged.measured {
                wanted.extend([outputs, labels]);
            }
            evaluate(&wanted);
            means.add("loss", judged.loss.item(), examples_of(&batch));
            if let Some((outputs, labels)) = &judged.measured {
                for metric in &mut self.metrics {
                    metric.update(outputs, labels)?;
                }
            } else if let Some(metric) = self.metrics.first() {
                return Err(TrainError::Settings(format!(
                    "`{}` cannot be measured: the loss function returns the loss alone\n    help: return `(loss, outputs, \
                     labels)`",
                    metric.name()
                )));
            }
        }
        let mut numbers = means.values();
        if numbers.is_empty() {
            return Err(TrainError::Settings(
                "there is nothing to validate on: the data has no batches".to_owned(),
            ));
        }
        let metrics = self.metrics.iter();
        numbers.extend(metrics.map(|metric| (metric.name(), metric.value())));
        Ok(numbers)
    }
}
