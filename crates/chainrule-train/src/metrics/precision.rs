//! Precision, recall and F1, of one class and averaged.

use super::{ConfusionMatrix, Metric};
use chainrule_core::{Error, Tensor};

/// Precision, recall and F1 of one class. A quotient with nothing below the line counts as 0, as in scikit-learn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassScores {
    /// Of what was taken for the class, the share that is of it: TP / (TP + FP).
    pub precision: f64,
    /// Of what is of the class, the share that was found: TP / (TP + FN).
    pub recall: f64,
    /// The harmonic mean of both: 2 TP / (2 TP + FP + FN).
    pub f1: f64,
    /// The number of examples of the class.
    pub support: u64,
    /// The number of examples taken for the class.
    pub predicted: u64,
}

impl ClassScores {
    pub(super) fn of(matrix: &ConfusionMatrix, class: usize) -> ClassScores {
        let right = matrix.at(class, class);
        let (support, predicted) = (matrix.support(class), matrix.predicted(class));
        ClassScores {
            precision: quotient(right, predicted),
            recall: quotient(right, support),
            f1: quotient(2 * right, support + predicted),
            support,
            predicted,
        }
    }
}

fn quotient(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// How the values of the classes become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Average {
    /// The value of this class alone.
    Class(usize),
    /// The plain mean over the classes that occur, as labels or as predictions.
    Macro,
    /// Of the counts of all classes together: with one label an example, this is the accuracy.
    Micro,
    /// The mean weighted by the number of examples of each class.
    Weighted,
}

impl Average {
    fn label(self) -> String {
        match self {
            Average::Class(class) => format!("class {class}"),
            Average::Macro => "macro".to_owned(),
            Average::Micro => "micro".to_owned(),
            Average::Weighted => "weighted".to_owned(),
        }
    }

    fn over(self, matrix: &ConfusionMatrix, value: fn(&ClassScores) -> f64) -> f64 {
        if matrix.total() == 0 {
            return f64::NAN;
        }
        let scores = matrix.scores();
        match self {
            Average::Class(class) => scores.get(class).map_or(f64::NAN, value),
            Average::Micro => matrix.accuracy(),
            Average::Macro => {
                let occurring = scores
                    .iter()
                    .filter(|class| class.support + class.predicted > 0);
                let (sum, count) = occurring.fold((0.0, 0), |(sum, count), class| {
                    (sum + value(class), count + 1)
                });
                sum / f64::from(count)
            }
            Average::Weighted => {
                let weighted: f64 = scores
                    .iter()
                    .map(|class| class.support as f64 * value(class))
                    .sum();
                weighted / matrix.total() as f64
            }
        }
    }
}

macro_rules! averaged {
    ($($(#[$documentation:meta])* $name:ident, $text:literal, $field:ident;)*) => {$(
        $(#[$documentation])*
        #[derive(Clone, Debug)]
        pub struct $name {
            average: Average,
            matrix: ConfusionMatrix,
            ignored: Option<i64>,
        }

        impl $name {
            /// The score, averaged over classes in this way.
            pub fn new(average: Average) -> $name {
                $name { average, matrix: ConfusionMatrix::default(), ignored: None }
            }

            /// Leaves out examples with this label.
            pub fn ignoring(mut self, label: i64) -> $name {
                self.ignored = Some(label);
                self
            }
        }

        impl Metric for $name {
            fn name(&self) -> String {
                format!("{} ({})", $text, self.average.label())
            }

            fn update(&mut self, outputs: &Tensor, labels: &Tensor) -> Result<(), Error> {
                self.matrix.add_for($text, outputs, labels, self.ignored)
            }

            fn value(&self) -> f64 {
                self.average.over(&self.matrix, |class| class.$field)
            }

            fn reset(&mut self) {
                self.matrix = ConfusionMatrix::default();
            }

            fn confusion(&self) -> Option<&ConfusionMatrix> {
                Some(&self.matrix)
            }
        }
    )*};
}

averaged! {
    /// Precision over the batches: of what was taken for a class, the share that is of it. Outputs `[.., classes]`,
    /// labels `[..]`.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// use chainrule_train::metrics::{Average, Metric, Precision};
    /// let mut precision = Precision::new(Average::Class(1));
    /// precision.update(&tensor![[0.1, 0.9], [0.2, 0.8]], &tensor![1, 0])?;
    /// assert_eq!(precision.value(), 0.5);
    /// # Ok::<(), chainrule_core::Error>(())
    /// ```
    Precision, "precision", precision;

    /// Recall over the batches: of what is of a class, the share that was found. Outputs `[.., classes]`, labels `[..]`.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// use chainrule_train::metrics::{Average, Metric, Recall};
    /// let mut recall = Recall::new(Average::Class(1));
    /// recall.update(&tensor![[0.1, 0.9], [0.2, 0.8]], &tensor![1, 0])?;
    /// assert_eq!(recall.value(), 1.0);
    /// # Ok::<(), chainrule_core::Error>(())
    /// ```
    Recall, "recall", recall;

    /// F1 over the batches: the harmonic mean of precision and recall. Outputs `[.., classes]`, labels `[..]`.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// use chainrule_train::metrics::{Average, FScore, Metric};
    /// let mut f1 = FScore::new(Average::Class(1));
    /// f1.update(&tensor![[0.1, 0.9], [0.2, 0.8]], &tensor![1, 0])?;
    /// assert_eq!(f1.value(), 2.0 / 3.0);
    /// # Ok::<(), chainrule_core::Error>(())
    /// ```
    FScore, "F1", f1;
}
