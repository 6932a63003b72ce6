//! Which class is taken for which.

use super::Metric;
use super::accuracy::predicted;
use super::batch::Batch;
use super::precision::ClassScores;
use chainrule_core::{Error, Tensor};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How often examples of each class were taken for each class: rows are true classes, columns predicted ones.
///
/// It grows with the largest number of classes it has seen.
///
/// ```
/// use chainrule_train::metrics::ConfusionMatrix;
/// let mut confusion = ConfusionMatrix::new(2);
/// for (truth, predicted) in [(0, 0), (0, 1), (1, 1)] {
///     confusion.count(truth, predicted);
/// }
/// assert_eq!(confusion.at(0, 1), 1);
/// assert_eq!(confusion.accuracy(), 2.0 / 3.0);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfusionMatrix {
    classes: usize,
    /// Row-major, `classes` × `classes`.
    counts: Vec<u64>,
}

impl ConfusionMatrix {
    /// An empty table of `classes` classes.
    pub fn new(classes: usize) -> ConfusionMatrix {
        ConfusionMatrix {
            classes,
            counts: vec![0; classes * classes],
        }
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Counts one example.
    pub fn count(&mut self, truth: usize, predicted: usize) {
        self.grow(truth.max(predicted) + 1);
        self.counts[truth * self.classes + predicted] += 1;
    }

    /// How often an example of class `truth` was taken for `predicted`.
    ///
    /// # Panics
    /// When either is no class.
    pub fn at(&self, truth: usize, predicted: usize) -> u64 {
        let classes = self.classes;
        assert!(
            truth < classes && predicted < classes,
            "confusion matrix: ({truth}, {predicted}) lies outside its {classes} classes"
        );
        self.counts[truth * classes + predicted]
    }

    /// The number of examples.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The number of examples whose true class is `class`.
    pub fn support(&self, class: usize) -> u64 {
        (0..self.classes)
            .map(|predicted| self.at(class, predicted))
            .sum()
    }

    /// The number of examples taken for `class`.
    pub fn predicted(&self, class: usize) -> u64 {
        (0..self.classes).map(|truth| self.at(truth, class)).sum()
    }

    /// The share on the diagonal; NaN when empty.
    pub fn accuracy(&self) -> f64 {
        let right: u64 = (0..self.classes).map(|class| self.at(class, class)).sum();
        super::share(right, self.total())
    }

    /// Precision, recall and F1 of every class.
    pub fn scores(&self) -> Vec<ClassScores> {
        (0..self.classes)
            .map(|class| ClassScores::of(self, class))
            .collect()
    }

    /// Takes in a batch: outputs `[.., classes]`, labels `[..]`.
    ///
    /// # Errors
    /// When the shapes do not belong together or a label lies outside the classes.
    pub fn add(&mut self, outputs: &Tensor, labels: &Tensor) -> Result<(), Error> {
        self.add_for("confusion matrix", outputs, labels, None)
    }

    pub(super) fn add_for(
        &mut self,
        metric: &str,
        outputs: &Tensor,
        labels: &Tensor,
        ignored: Option<i64>,
    ) -> Result<(), Error> {
        let batch = Batch::read(metric, outputs, labels, ignored)?;
        self.grow(batch.classes);
        if batch.examples.is_empty() {
            return Ok(());
        }
        let predicted = predicted(outputs);
        for (position, class) in batch.examples {
            self.count(class, predicted[position]);
        }
        Ok(())
    }

    fn grow(&mut self, classes: usize) {
        if classes <= self.classes {
            return;
        }
        let mut larger = ConfusionMatrix::new(classes);
        for truth in 0..self.classes {
            for predicted in 0..self.classes {
                larger.counts[truth * classes + predicted] = self.at(truth, predicted);
            }
        }
        *self = larger;
    }
}

impl fmt::Display for ConfusionMatrix {
    /// A table with true classes down and predicted ones across.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let largest = self.counts.iter().max().copied().unwrap_or(0);
        let width = largest.max(self.classes as u64).to_string().len() + 1;
        let edge = width.max("true".len());
        write!(out, "{:>edge$} |", "true")?;
        for class in 0..self.classes {
            write!(out, "{class:>width$}")?;
        }
        writeln!(out, "  predicted")?;
        for truth in 0..self.classes {
            write!(out, "{truth:>edge$} |")?;
            for predicted in 0..self.classes {
                write!(out, "{:>width$}", self.at(truth, predicted))?;
            }
            writeln!(out)?;
        }
        Ok(())
    }
}

/// The confusion matrix as a metric; its value is the accuracy.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_train::metrics::{ConfusionMetric, Metric};
/// let mut metric = ConfusionMetric::new();
/// metric.update(&tensor![[0.1, 0.9], [0.8, 0.2]], &tensor![1, 1])?;
/// assert_eq!(metric.matrix().at(1, 0), 1);
/// # Ok::<(), chainrule_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ConfusionMetric {
    matrix: ConfusionMatrix,
    ignored: Option<i64>,
}

impl ConfusionMetric {
    /// An empty table that takes its classes from the first batch.
    pub fn new() -> ConfusionMetric {
        ConfusionMetric::default()
    }

    /// Leaves out examples with this label.
    pub fn ignoring(mut self, label: i64) -> ConfusionMetric {
        self.ignored = Some(label);
        self
    }

    /// The table.
    pub fn matrix(&self) -> &ConfusionMatrix {
        &self.matrix
    }
}

impl Metric for ConfusionMetric {
    fn name(&self) -> String {
        "accuracy".to_owned()
    }

    fn update(&mut self, outputs: &Tensor, labels: &Tensor) -> Result<(), Error> {
        self.matrix
            .add_for("confusion matrix", outputs, labels, self.ignored)
    }

    fn value(&self) -> f64 {
        self.matrix.accuracy()
    }

    fn reset(&mut self) {
        self.matrix = ConfusionMatrix::default();
    }

    fn confusion(&self) -> Option<&ConfusionMatrix> {
        Some(&self.matrix)
    }
}
