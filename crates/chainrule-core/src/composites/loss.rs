//! Losses of regression, of independent probabilities and of counts. `self` is the prediction; the [`Reduction`] says what
//! becomes of the losses of single elements.

use super::cross_entropy::Reduction;
use crate::tensor::Tensor;

impl Tensor {
    /// The squared differences.
    ///
    /// ```
    /// use chainrule_core::{Reduction, tensor};
    /// let loss = tensor![1.0, 3.0].mse_loss(&tensor![1.0, 1.0], Reduction::Mean);
    /// assert_eq!(loss.item::<f32>(), 2.0);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn mse_loss(&self, target: &Tensor, reduction: Reduction) -> Tensor {
        reduction.of(&(self - target).square())
    }

    /// The absolute differences.
    ///
    /// ```
    /// use chainrule_core::{Reduction, tensor};
    /// let loss = tensor![1.0, 3.0].l1_loss(&tensor![1.0, 1.0], Reduction::Sum);
    /// assert_eq!(loss.item::<f32>(), 2.0);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn l1_loss(&self, target: &Tensor, reduction: Reduction) -> Tensor {
        reduction.of(&(self - target).abs())
    }

    /// Squared differences over 2 `beta` where they are smaller than `beta`, |difference| - `beta`/2 beyond
    /// (Girshick 2015); with `beta` 0 the absolute differences.
    ///
    /// ```
    /// use chainrule_core::{Reduction, tensor};
    /// let losses = tensor![3.0, 0.5].smooth_l1_loss(&tensor![0.0, 0.0], 1.0, Reduction::None);
    /// assert_eq!(losses.to_vec::<f32>(), [2.5, 0.125]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn smooth_l1_loss(&self, target: &Tensor, beta: f64, reduction: Reduction) -> Tensor {
        if beta == 0.0 {
            return self.l1_loss(target, reduction);
        }
        let difference = self - target;
        let size = difference.abs();
        let near = difference.square() * (0.5 / beta);
        reduction.of(&size.lt(beta).where_(near, &size - 0.5 * beta))
    }

    /// Huber's loss: half the squared difference up to `delta`, `delta` (|difference| - `delta`/2) beyond (Huber 1964).
    ///
    /// ```
    /// use chainrule_core::{Reduction, tensor};
    /// let loss = tensor![3.0].huber_loss(&tensor![0.0], 1.0, Reduction::Mean);
    /// assert_eq!(loss.item::<f32>(), 2.5);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn huber_loss(&self, target: &Tensor, delta: f64, reduction: Reduction) -> Tensor {
        let difference = self - target;
        let size = difference.abs();
        let near = difference.square() * 0.5;
        reduction.of(&size.le(delta).where_(near, (&size - 0.5 * delta) * delta))
    }

    /// Minus the log-likelihood of targets in [0, 1] under independent probabilities; logarithms are limited to -100 from
    /// below.
    ///
    /// ```
    /// use chainrule_core::{Reduction, tensor};
    /// let loss = tensor![0.5].binary_cross_entropy(&tensor![1.0], Reduction::Mean).item::<f32>();
    /// assert!((loss - 2.0f32.ln()).abs() < 1e-6);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn binary_cross_entropy(&self, target: &Tensor, reduction: Reduction) -> Tensor {
        let hit = limited_log(self);
        let miss = limited_log(&(1.0 - self));
        reduction.of(&-(target * hit + (1.0 - target) * miss))
    }

    /// [`binary_cross_entropy`](Tensor::binary_cross_entropy) of sigmoid(self), without overflow:
    /// max(x, 0) - x t + log(1 + exp(-|x|)).
    ///
    /// ```
    /// use chainrule_core::{Reduction, tensor};
    /// let loss = tensor![0.0].binary_cross_entropy_with_logits(&tensor![1.0], Reduction::Mean);
    /// assert!((loss.item::<f32>() - 2.0f32.ln()).abs() < 1e-6);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn binary_cross_entropy_with_logits(
        &self,
        target: &Tensor,
        reduction: Reduction,
    ) -> Tensor {
        reduction.of(&(self.softplus() - self * target))
    }

    /// [`binary_cross_entropy_with_logits`](Tensor::binary_cross_entropy_with_logits) where positive targets count
    /// `positive` times, a tensor that broadcasts: (1 - t) x + (1 + (positive - 1) t) log(1 + exp(-x)).
    ///
    /// ```
    /// use chainrule_core::{Reduction, tensor};
    /// let (x, t, twice) = (tensor![0.0], tensor![1.0], tensor![2.0]);
    /// let loss = x.weighted_binary_cross_entropy_with_logits(&t, &twice, Reduction::Mean);
    /// assert!((loss.item::<f32>() - 2.0 * 2.0f32.ln()).abs() < 1e-6);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn weighted_binary_cross_entropy_with_logits(
        &self,
        target: &Tensor,
        positive: &Tensor,
        reduction: Reduction,
    ) -> Tensor {
        let count = (positive - 1.0) * target + 1.0;
        reduction.of(&((1.0 - target) * self + count * (-self).softplus()))
    }

    /// The terms t (log t - x) of the divergence of the distribution whose log-probabilities are `self` from the target
    /// (Kullback, Leibler 1951); their sum is the divergence. The target is probabilities (0 log 0 is 0), or with
    /// `log_target` log-probabilities.
    ///
    /// ```
    /// use chainrule_core::{Reduction, tensor};
    /// let half = tensor![0.5, 0.5];
    /// assert_eq!(half.log().kl_div(&half, false, Reduction::Sum).item::<f32>(), 0.0);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn kl_div(&self, target: &Tensor, log_target: bool, reduction: Reduction) -> Tensor {
        reduction.of(&if log_target {
            target.exp() * (target - self)
        } else {
            target.xlogy(target) - target * self
        })
    }

    /// Minus the log-likelihood of counts under Poisson distributions: exp(x) - t x for logarithms of rates, or with
    /// `log_input` false x - t log(x + `epsilon`) for rates. `full` adds Stirling's approximation of log t! where t > 1.
    ///
    /// ```
    /// use chainrule_core::{Reduction, tensor};
    /// let loss = tensor![0.0].poisson_nll_loss(&tensor![3.0], true, false, 1e-8, Reduction::Mean);
    /// assert_eq!(loss.item::<f32>(), 1.0);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn poisson_nll_loss(
        &self,
        target: &Tensor,
        log_input: bool,
        full: bool,
        epsilon: f64,
        reduction: Reduction,
    ) -> Tensor {
        let mut losses = if log_input {
            self.exp() - target * self
        } else {
            self - target * (self + epsilon).log()
        };
        if full {
            let counts = target.gt(1.0);
            let many = counts.where_(target, target.ones_like());
            let circle = &many * (2.0 * std::f64::consts::PI);
            let stirling = &many * many.log() - &many + circle.log() * 0.5;
            losses += counts.where_(&stirling, stirling.zeros_like());
        }
        reduction.of(&losses)
    }

    /// Minus the log-likelihood of targets under normal distributions with mean `self` and the given variances:
    /// (log v + (x - t)² / v) / 2, where v is at least `epsilon` (which leaves its derivative as it is, as PyTorch does).
    /// `full` adds log(2π) / 2.
    ///
    /// ```
    /// use chainrule_core::{Reduction, tensor};
    /// let (mean, target, variance) = (tensor![1.0], tensor![3.0], tensor![1.0]);
    /// let loss = mean.gaussian_nll_loss(&target, &variance, false, 1e-6, Reduction::Mean);
    /// assert_eq!(loss.item::<f32>(), 2.0);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn gaussian_nll_loss(
        &self,
        target: &Tensor,
        variance: &Tensor,
        full: bool,
        epsilon: f64,
        reduction: Reduction,
    ) -> Tensor {
        let raised = (variance.maximum(epsilon) - variance).stop_gradient();
        let variance = variance + raised;
        let losses = (variance.log() + (self - target).square() / &variance) * 0.5;
        reduction.of(&if full {
            losses + 0.5 * (2.0 * std::f64::consts::PI).ln()
        } else {
            losses
        })
    }
}

/// The logarithm, but at least -100, with derivative 0 where it is limited.
fn limited_log(x: &Tensor) -> Tensor {
    let some = x.gt((-100.0f64).exp());
    some.where_(some.where_(x, 1.0).log(), -100.0)
}
