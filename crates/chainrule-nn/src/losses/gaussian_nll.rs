//! Means with variances.

use chainrule_core::graph::module_scope;
use chainrule_core::{Reduction, Tensor};

/// (log v + (x - t)² / v) / 2, minus the log-likelihood of targets under normal distributions whose mean x and variance v a
/// network predicts (Nix, Weigend 1994): PyTorch's `GaussianNLLLoss`.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::losses::GaussianNll;
/// let loss = GaussianNll::new().forward(&tensor![1.0], &tensor![3.0], &tensor![1.0]);
/// assert_eq!(loss.item::<f32>(), 2.0);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct GaussianNll {
    full: bool,
    epsilon: f64,
    reduction: Reduction,
}

impl Default for GaussianNll {
    fn default() -> GaussianNll {
        GaussianNll {
            full: false,
            epsilon: 1e-6,
            reduction: Reduction::Mean,
        }
    }
}

impl GaussianNll {
    /// The mean over all elements.
    pub fn new() -> GaussianNll {
        GaussianNll::default()
    }

    /// Adds the constant log(2π) / 2.
    pub fn full(mut self) -> GaussianNll {
        self.full = true;
        self
    }

    /// The least variance, 1e-6 by default; the limit leaves the derivative by the variance as it is.
    pub fn epsilon(mut self, epsilon: f64) -> GaussianNll {
        self.epsilon = epsilon;
        self
    }

    reduction_option!();

    /// The loss: a number, or without reduction a tensor of the input's shape. The variance has the input's shape, or lacks
    /// the last axis, or has 1 in places of it.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn forward(&self, input: &Tensor, target: &Tensor, variance: &Tensor) -> Tensor {
        module_scope("gaussian_nll", || {
            let one_each = variance.shape()[..] != input.shape()[..]
                && input.rank() > 0
                && *variance.shape() == input.shape().without_axis(input.rank() - 1);
            let variance = if one_each {
                variance.unsqueeze(-1)
            } else {
                variance.clone()
            };
            input.gaussian_nll_loss(target, &variance, self.full, self.epsilon, self.reduction)
        })
    }
}
