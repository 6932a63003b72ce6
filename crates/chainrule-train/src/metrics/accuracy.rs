//! The share of examples answered rightly.

use super::batch::{Batch, binary};
use super::{Metric, share};
use chainrule_core::{Error, Tensor, untracked};

/// The share of examples whose largest output is at the right class. Outputs `[.., classes]`, labels `[..]`.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_train::metrics::{Accuracy, Metric};
/// let mut accuracy = Accuracy::new();
/// accuracy.update(&tensor![[0.1, 0.9], [0.8, 0.2]], &tensor![1, 1])?;
/// assert_eq!(accuracy.value(), 0.5);
/// # Ok::<(), chainrule_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Accuracy {
    right: u64,
    total: u64,
    ignored: Option<i64>,
}

impl Accuracy {
    /// Accuracy over no batches yet.
    pub fn new() -> Accuracy {
        Accuracy::default()
    }

    /// Leaves out examples with this label, such as the -100 of padding.
    pub fn ignoring(mut self, label: i64) -> Accuracy {
        self.ignored = Some(label);
        self
    }
}

/// The class with the largest output of each example, flattened; the first of equal ones.
pub(super) fn predicted(outputs: &Tensor) -> Vec<usize> {
    untracked(|| outputs.argmax(-1)).to_vec::<usize>()
}

impl Metric for Accuracy {
    fn name(&self) -> String {
        "accuracy".to_owned()
    }

    fn update(&mut self, outputs: &Tensor, labels: &Tensor) -> Result<(), Error> {
        let batch = Batch::read("accuracy", outputs, labels, self.ignored)?;
        if batch.examples.is_empty() {
            return Ok(());
        }
        let predicted = predicted(outputs);
        let right = |&&(position, class): &&(usize, usize)| predicted[position] == class;
        self.right += batch.examples.iter().filter(right).count() as u64;
        self.total += batch.examples.len() as u64;
        Ok(())
    }

    fn value(&self) -> f64 {
        share(self.right, self.total)
    }

    fn reset(&mut self) {
        (self.right, self.total) = (0, 0);
    }
}

/// The share of examples whose right class is among the `k` largest outputs. Outputs `[.., classes]`, labels `[..]`.
///
/// Of equal outputs the lower class comes first, so a constant output is right for the first `k` classes only.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_train::metrics::{Metric, TopKAccuracy};
/// let mut top = TopKAccuracy::new(2);
/// top.update(&tensor![[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]], &tensor![1, 2])?;
/// assert_eq!(top.value(), 0.5);
/// # Ok::<(), chainrule_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TopKAccuracy {
    k: usize,
    right: u64,
    total: u64,
}

impl TopKAccuracy {
    /// Accuracy among the `k` best guesses.
    pub fn new(k: usize) -> TopKAccuracy {
        TopKAccuracy {
            k,
            right: 0,
            total: 0,
        }
    }

    fn is_right(&self, row: &[f64], class: usize) -> bool {
        let own = row[class];
        let before = |&(other, &value): &(usize, &f64)| {
            value > own || (value == own && other < class) || value.is_nan()
        };
        !own.is_nan() && row.iter().enumerate().filter(before).count() < self.k
    }
}

impl Metric for TopKAccuracy {
    fn name(&self) -> String {
        format!("top-{} accuracy", self.k)
    }

    fn update(&mut self, outputs: &Tensor, labels: &Tensor) -> Result<(), Error> {
        let batch = Batch::read(&self.name(), outputs, labels, None)?;
        let values = outputs.to_vec::<f64>();
        for &(position, class) in &batch.examples {
            let row = &values[position * batch.classes..][..batch.classes];
            self.right += u64::from(self.is_right(row, class));
        }
        self.total += batch.examples.len() as u64;
        Ok(())
    }

    fn value(&self) -> f64 {
        share(self.right, self.total)
    }

    fn reset(&mut self) {
        (self.right, self.total) = (0, 0);
    }
}

/// The share of yes-or-no examples answered rightly: scores of the shape of the labels (or `[.., 1]`), labels 0 and 1.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_train::metrics::{BinaryAccuracy, Metric};
/// let mut accuracy = BinaryAccuracy::of_logits();
/// accuracy.update(&tensor![2.0, -1.0, 0.5], &tensor![1, 0, 0])?;
/// assert_eq!(accuracy.value(), 2.0 / 3.0);
/// # Ok::<(), chainrule_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct BinaryAccuracy {
    threshold: f64,
    right: u64,
    total: u64,
}

impl BinaryAccuracy {
    /// Scores above `threshold` mean yes.
    pub fn above(threshold: f64) -> BinaryAccuracy {
        BinaryAccuracy {
            threshold,
            right: 0,
            total: 0,
        }
    }

    /// For outputs before the sigmoid: positive means yes.
    pub fn of_logits() -> BinaryAccuracy {
        BinaryAccuracy::above(0.0)
    }

    /// For outputs after the sigmoid: above one half means yes.
    pub fn of_probabilities() -> BinaryAccuracy {
        BinaryAccuracy::above(0.5)
    }
}

impl Metric for BinaryAccuracy {
    fn name(&self) -> String {
        "accuracy".to_owned()
    }

    fn update(&mut self, outputs: &Tensor, labels: &Tensor) -> Result<(), Error> {
        let examples = binary("accuracy", outputs, labels)?;
        let right =
            |&&(score, yes): &&(f64, bool)| !score.is_nan() && (score > self.threshold) == yes;
        self.right += examples.iter().filter(right).count() as u64;
        self.total += examples.len() as u64;
        Ok(())
    }

    fn value(&self) -> f64 {
        share(self.right, self.total)
    }

    fn reset(&mut self) {
        (self.right, self.total) = (0, 0);
    }
}
