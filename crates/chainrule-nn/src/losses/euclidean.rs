//! Caffe's Euclidean loss.

use super::SquaredError;
use super::declared::{DeclaredLoss, LossPrediction, LossTarget};
use crate::{ArgumentError, Arguments};
use chainrule_core::graph::module_scope;
use chainrule_core::{Reduction, Tensor};

/// Σ (x - t)² / (2 N) over a batch of N examples (the first axis): Caffe's `EuclideanLoss`. Unlike
/// [`SquaredError`] it sums over the features of an example.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::losses::Euclidean;
/// let (x, target) = (tensor![[1.0, 3.0], [0.0, 0.0]], tensor![[1.0, 1.0], [0.0, 2.0]]);
/// assert_eq!(Euclidean::new().forward(&x, &target).item::<f32>(), 2.0);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Euclidean;

impl Euclidean {
    /// The loss; it has no options.
    pub fn new() -> Euclidean {
        Euclidean
    }

    /// The loss of a batch `[N, ..]` against targets of its shape: a number.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn forward(&self, input: &Tensor, target: &Tensor) -> Tensor {
        module_scope("euclidean", || {
            let total = SquaredError::new().reduction(Reduction::Sum);
            let batch = input.shape().first().copied().unwrap_or(1);
            total.forward(input, target) / (2.0 * batch as f64)
        })
    }
}

impl DeclaredLoss for Euclidean {
    const NAME: &'static str = "euclidean";
    const TARGET: LossTarget = LossTarget::Numbers;
    const PREDICTION: LossPrediction = LossPrediction::Values;

    fn declared(_arguments: &mut Arguments) -> Result<Euclidean, ArgumentError> {
        Ok(Euclidean::new())
    }

    fn loss(&self, predictions: &Tensor, targets: &Tensor) -> Tensor {
        self.forward(predictions, targets)
    }
}
