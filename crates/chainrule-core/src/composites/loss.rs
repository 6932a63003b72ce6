//! Losses of regression and of independent probabilities, each the mean over all elements.

use crate::tensor::Tensor;

impl Tensor {
    /// The mean of the squared differences.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![1.0, 3.0].mse_loss(&tensor![1.0, 1.0]).item::<f32>(), 2.0);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn mse_loss(&self, target: &Tensor) -> Tensor {
        (self - target).square().mean(..)
    }

    /// The mean of the absolute differences.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![1.0, 3.0].l1_loss(&tensor![1.0, 1.0]).item::<f32>(), 1.0);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn l1_loss(&self, target: &Tensor) -> Tensor {
        (self - target).abs().mean(..)
    }

    /// The mean of Huber's loss: half the squared difference up to `delta`, `delta` (|difference| - `delta`/2) beyond
    /// (Huber 1964).
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![3.0].huber_loss(&tensor![0.0], 1.0).item::<f32>(), 2.5);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn huber_loss(&self, target: &Tensor, delta: f64) -> Tensor {
        let difference = self - target;
        let size = difference.abs();
        let near = difference.square() * 0.5;
        size.le(delta)
            .where_(near, (&size - 0.5 * delta) * delta)
            .mean(..)
    }

    /// The mean of minus the log-likelihood of targets in [0, 1] under independent probabilities; logarithms are limited to
    /// -100 from below.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let loss = tensor![0.5].binary_cross_entropy(&tensor![1.0]).item::<f32>();
    /// assert!((loss - 2.0f32.ln()).abs() < 1e-6);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn binary_cross_entropy(&self, target: &Tensor) -> Tensor {
        let hit = limited_log(self);
        let miss = limited_log(&(1.0 - self));
        (-(target * hit + (1.0 - target) * miss)).mean(..)
    }

    /// [`binary_cross_entropy`](Tensor::binary_cross_entropy) of sigmoid(self), without overflow:
    /// max(x, 0) - x t + log(1 + exp(-|x|)).
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let loss = tensor![0.0].binary_cross_entropy_with_logits(&tensor![1.0]).item::<f32>();
    /// assert!((loss - 2.0f32.ln()).abs() < 1e-6);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn binary_cross_entropy_with_logits(&self, target: &Tensor) -> Tensor {
        (self.softplus() - self * target).mean(..)
    }
}

/// The logarithm, but at least -100, with derivative 0 where it is limited.
fn limited_log(x: &Tensor) -> Tensor {
    let some = x.gt((-100.0f64).exp());
    some.where_(some.where_(x, 1.0).log(), -100.0)
}
