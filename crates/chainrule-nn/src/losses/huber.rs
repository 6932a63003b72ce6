//! Squares near, absolute differences far.

use super::declared::{self, DeclaredLoss, LossPrediction, LossTarget};
use crate::{ArgumentError, Arguments};
use chainrule_core::graph::module_scope;
use chainrule_core::{Reduction, Tensor};

/// (x - t)² / 2 where |x - t| ≤ delta, delta (|x - t| - delta / 2) beyond (Huber 1964), PyTorch's `HuberLoss`: outliers
/// pull with a bounded force.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::losses::Huber;
/// let loss = Huber::new().delta(2.0).forward(&tensor![1.0, 5.0], &tensor![0.0, 0.0]);
/// assert_eq!(loss.item::<f32>(), 4.25);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Huber {
    delta: f64,
    reduction: Reduction,
}

impl Default for Huber {
    fn default() -> Huber {
        Huber {
            delta: 1.0,
            reduction: Reduction::Mean,
        }
    }
}

impl Huber {
    /// The mean over all elements, with delta 1.
    pub fn new() -> Huber {
        Huber::default()
    }

    /// Where squares give way to absolute differences; positive.
    pub fn delta(mut self, delta: f64) -> Huber {
        self.delta = delta;
        self
    }

    reduction_option!();

    /// The loss: a number, or without reduction a tensor of the broadcast shape.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn forward(&self, input: &Tensor, target: &Tensor) -> Tensor {
        module_scope("huber", || {
            input.huber_loss(target, self.delta, self.reduction)
        })
    }
}

impl DeclaredLoss for Huber {
    const NAME: &'static str = "huber";
    const TARGET: LossTarget = LossTarget::Numbers;
    const PREDICTION: LossPrediction = LossPrediction::Values;

    fn declared(arguments: &mut Arguments) -> Result<Huber, ArgumentError> {
        Ok(Huber::new()
            .delta(declared::positive(arguments, "delta", 1.0)?)
            .reduction(declared::reduction(arguments)?))
    }

    fn loss(&self, predictions: &Tensor, targets: &Tensor) -> Tensor {
        self.forward(predictions, targets)
    }
}
