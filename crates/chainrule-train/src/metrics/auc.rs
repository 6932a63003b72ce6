//! The area under the receiver operating characteristic.

use super::Metric;
use super::batch::{Batch, binary};
use chainrule_core::{Error, Tensor};

/// The area under the ROC curve: the probability that a random example of the class gets a larger score than a random
/// other one, ties counting one half (Hanley, McNeil 1982; the Mann-Whitney statistic). NaN without examples of both
/// kinds, and when a score is NaN.
///
/// Scores of the shape of the labels `[..]` (or `[.., 1]`) with labels 0 and 1; or `[.., classes]`: with two classes the
/// second's output less the first's is the score, with more the plain mean of every class against the rest. Scores are
/// taken as they are: for scikit-learn's value over more than two classes give probabilities. Every score is kept until
/// [`reset`](Metric::reset): the value is exact, over all batches.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_train::metrics::{Metric, RocAuc};
/// let mut auc = RocAuc::new();
/// auc.update(&tensor![0.1, 0.4, 0.35, 0.8], &tensor![0, 0, 1, 1])?;
/// assert!((auc.value() - 0.75).abs() < 1e-12);
/// # Ok::<(), chainrule_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct RocAuc {
    /// For each class (one in the binary case), every example's score and whether it is of the class.
    classes: Vec<Vec<(f64, bool)>>,
}

impl RocAuc {
    /// The area over no batches yet.
    pub fn new() -> RocAuc {
        RocAuc::default()
    }

    /// The area of each class against the rest; one number in the binary case.
    pub fn per_class(&self) -> Vec<f64> {
        self.classes.iter().map(|examples| area(examples)).collect()
    }

    fn extend(&mut self, class: usize, examples: impl Iterator<Item = (f64, bool)>) {
        if self.classes.len() <= class {
            self.classes.resize_with(class + 1, Vec::new);
        }
        self.classes[class].extend(examples);
    }
}

/// The Mann-Whitney statistic by ranks: every score equal to others gets the middle of their ranks.
fn area(examples: &[(f64, bool)]) -> f64 {
    let positives = examples.iter().filter(|(_, positive)| *positive).count();
    let negatives = examples.len() - positives;
    if positives == 0 || negatives == 0 || examples.iter().any(|(score, _)| score.is_nan()) {
        return f64::NAN;
    }
    let mut sorted = examples.to_vec();
    sorted.sort_by(|(left, _), (right, _)| left.total_cmp(right));
    // Twice the ranks, so that the middle of a tie is a whole number and the sum is exact.
    let mut twice_ranks: u128 = 0;
    let mut start = 0;
    // `==` as the criterion: -0 and 0 are equal scores.
    for tie in sorted.chunk_by(|(left, _), (right, _)| left == right) {
        let twice_middle = (2 * start + tie.len() + 1) as u128;
        let of_class = tie.iter().filter(|(_, positive)| *positive).count() as u128;
        twice_ranks += twice_middle * of_class;
        start += tie.len();
    }
    let (positives, negatives) = (positives as u128, negatives as u128);
    let twice_wins = twice_ranks - positives * (positives + 1);
    twice_wins as f64 / (2 * positives * negatives) as f64
}

impl Metric for RocAuc {
    fn name(&self) -> String {
        "AUC".to_owned()
    }

    fn update(&mut self, outputs: &Tensor, labels: &Tensor) -> Result<(), Error> {
        let one_axis_more = outputs.rank() == labels.rank() + 1;
        if !one_axis_more || outputs.shape().last() == Some(&1) {
            let examples = binary("AUC", outputs, labels)?;
            self.extend(0, examples.into_iter());
            return Ok(());
        }
        let batch = Batch::read("AUC", outputs, labels, None)?;
        let values = outputs.to_vec::<f64>();
        let rows = || {
            let with_row = |&(position, label): &(usize, usize)| {
                (&values[position * batch.classes..][..batch.classes], label)
            };
            batch.examples.iter().map(with_row)
        };
        if batch.classes == 2 {
            self.extend(0, rows().map(|(row, label)| (row[1] - row[0], label == 1)));
            return Ok(());
        }
        for class in 0..batch.classes {
            self.extend(
                class,
                rows().map(|(row, label)| (row[class], label == class)),
            );
        }
        Ok(())
    }

    fn value(&self) -> f64 {
        let areas = self.per_class();
        areas.iter().sum::<f64>() / areas.len() as f64
    }

    fn reset(&mut self) {
        self.classes.clear();
    }
}
