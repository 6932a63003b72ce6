//! Mixed precision: the network computes in 16 bits, the weights that are learnt stay in 32.

use crate::Module;
use crate::clip::changed;
use chainrule_core::tree::{Tree, leaves, mapped};
use chainrule_core::{DType, Tensor, evaluate, untracked, value_and_grad};

/// The model's floating-point parameters in another dtype, as a part of the graph: what is differentiated through the copy
/// gives gradients of the originals, in their dtype. Buffers stay the model's own.
///
/// ```
/// use chainrule_core::{tensor, value_and_grad, DType};
/// use chainrule_nn::precision::cast_parameters;
/// use chainrule_nn::{Linear, Layer};
/// let layer = Linear::new(2, 1);
/// let x = tensor![[1.0, 2.0]].cast(DType::BF16);
/// let loss = |layer: &Linear| {
///     let y = cast_parameters(layer, DType::BF16).forward(&x);
///     assert_eq!(y.dtype(), DType::BF16);
///     y.cast(DType::F32).square().sum(..)
/// };
/// let (_, gradients) = value_and_grad(loss)(&layer);
/// assert_eq!(gradients.weight.dtype(), DType::F32);
/// ```
pub fn cast_parameters<T: Tree>(model: &T, dtype: DType) -> T {
    mapped(model, |leaf| match leaf.dtype().is_floating() {
        true => leaf.cast(dtype),
        false => leaf.clone(),
    })
}

/// Loss and gradients of a model that computes in bf16 while its weights stay as they are. bf16 has the range of f32, so the
/// loss needs no scaling.
///
/// `loss` is given the model with bf16 parameters; it casts its inputs (`x.cast(DType::BF16)`), and what it sums up over many
/// terms is better cast to f32 first.
///
/// ```
/// use chainrule_core::{tensor, DType};
/// use chainrule_nn::precision::bf16_value_and_grad;
/// use chainrule_nn::{Adam, Linear, Layer};
/// let (x, y) = (tensor![[1.0, 2.0], [0.0, 1.0]].cast(DType::BF16), tensor![[1.0], [2.0]]);
/// let mut layer = Linear::new(2, 1);
/// let mut adam = Adam::new(0.1);
/// let mut last = f32::NAN;
/// for _ in 0..200 {
///     let (loss, gradients) = bf16_value_and_grad(&layer, |layer| {
///         (layer.forward(&x).cast(DType::F32) - &y).square().mean(..)
///     });
///     adam.update(&mut layer, &gradients)?;
///     last = loss.item();
/// }
/// assert!(last < 1e-2);
/// # Ok::<(), chainrule_nn::MissingGradients>(())
/// ```
#[track_caller]
pub fn bf16_value_and_grad<M: Module>(model: &M, loss: impl Fn(&M) -> Tensor) -> (Tensor, M) {
    value_and_grad(|model: &M| loss(&cast_parameters(model, DType::BF16)))(model)
}

/// Dynamic loss scaling (Micikevicius et al. 2018) for networks that compute in f16, whose gradients would vanish below 6e-8:
/// the loss is multiplied by a scale before the backward pass and the gradients are divided by it. When one of them is not
/// finite the step is left out and the scale halved; after 2,000 good steps it is doubled.
///
/// ```
/// use chainrule_core::{tensor, DType};
/// use chainrule_nn::precision::LossScaler;
/// use chainrule_nn::{Linear, Layer, Sgd};
/// let mut layer = Linear::new(1, 1).without_bias();
/// let mut scaler = LossScaler::new();
/// let x = tensor![[1.0]].cast(DType::F16);
/// for _ in 0..30 {
///     let (_, gradients) = scaler.value_and_grad(&layer, |layer| {
///         (layer.forward(&x).cast(DType::F32) - 1.0).square().sum(..)
///     });
///     if let Some(gradients) = gradients {
///         Sgd::new(0.2).update(&mut layer, &gradients)?;
///     }
/// }
/// assert!((layer.weight.item::<f32>() - 1.0).abs() < 1e-2);
/// # Ok::<(), chainrule_nn::MissingGradients>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LossScaler {
    scale: f64,
    growth: f64,
    backoff: f64,
    interval: u64,
    good: u64,
}

impl Default for LossScaler {
    fn default() -> LossScaler {
        LossScaler::new()
    }
}

impl LossScaler {
    /// Begins with 65,536.
    pub fn new() -> LossScaler {
        LossScaler {
            scale: 65536.0,
            growth: 2.0,
            backoff: 0.5,
            interval: 2000,
            good: 0,
        }
    }

    /// The scale to begin with.
    pub fn initial(mut self, scale: f64) -> LossScaler {
        self.scale = scale;
        self
    }

    /// The number of good steps after which the scale grows.
    pub fn interval(mut self, steps: u64) -> LossScaler {
        self.interval = steps.max(1);
        self
    }

    /// By what the scale is multiplied after good steps, and after a bad one.
    pub fn factors(mut self, growth: f64, backoff: f64) -> LossScaler {
        (self.growth, self.backoff) = (growth, backoff);
        self
    }

    /// The scale now.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// Scale and number of good steps since it changed: what a resumed run needs.
    pub fn state(&self) -> (f64, u64) {
        (self.scale, self.good)
    }

    /// Continues from what [`state`](LossScaler::state) gave.
    pub fn restore(&mut self, (scale, good): (f64, u64)) {
        (self.scale, self.good) = (scale, good);
    }

    /// Loss and gradients of a model that computes in f16 while its weights stay as they are; no gradients where one of them
    /// was not finite. The loss that comes back is not scaled.
    #[track_caller]
    pub fn value_and_grad<M: Module>(
        &mut self,
        model: &M,
        loss: impl Fn(&M) -> Tensor,
    ) -> (Tensor, Option<M>) {
        let scale = self.scale;
        let scaled = |model: &M| loss(&cast_parameters(model, DType::F16)) * scale;
        let (value, gradients) = value_and_grad(scaled)(model);
        (value / scale, self.unscale(&gradients))
    }

    /// The gradients of the scaled loss divided by the scale; `None`, and a smaller scale from now on, if one of them is not
    /// finite.
    #[track_caller]
    pub fn unscale<T: Tree>(&mut self, gradients: &T) -> Option<T> {
        let inverse = 1.0 / self.scale;
        let unscaled = changed(gradients, |leaf| leaf * inverse);
        if !all_finite(&unscaled) {
            self.scale *= self.backoff;
            self.good = 0;
            return None;
        }
        self.good += 1;
        if self.good == self.interval {
            self.scale *= self.growth;
            self.good = 0;
        }
        Some(unscaled)
    }
}

/// Whether no gradient has an entry that is infinite or not a number. Computes the gradients.
fn all_finite<T: Tree>(gradients: &T) -> bool {
    let floating: Vec<&Tensor> = leaves(gradients)
        .into_iter()
        .filter(|leaf| leaf.dtype().is_floating() && !leaf.is_absent() && leaf.elements() > 0)
        .collect();
    let largest: Vec<Tensor> = floating
        .iter()
        .map(|leaf| untracked(|| leaf.cast(DType::F32).abs().max(..)))
        .collect();
    let all: Vec<&Tensor> = floating.iter().copied().chain(&largest).collect();
    evaluate(&all);
    largest
        .iter()
        .all(|largest| largest.item::<f32>().is_finite())
}
