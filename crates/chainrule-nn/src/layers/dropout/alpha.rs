//! Dropout that keeps the statistics of self-normalising networks.

use crate::layers::catalogue::Declared;
use crate::{ArgumentError, Arguments, Layer, Mode};
use chainrule_core::{Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { AlphaDropout }

/// In training each element is replaced with a probability by what [`Selu`](crate::Selu) gives far on the negative side, and
/// all are scaled and moved so that mean 0 and variance 1 stay (Klambauer and others 2017); in evaluation nothing happens.
/// Same shape.
///
/// Elements are dropped one by one, or with [`of_channels`](AlphaDropout::of_channels) channel by channel, PyTorch's
/// `FeatureAlphaDropout`.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{AlphaDropout, Layer};
/// let y = AlphaDropout::new(0.3).forward(Tensor::normal([10000], 0.0, 1.0));
/// assert!(y.mean(..).item::<f32>().abs() < 0.1 && (y.std(.., 1.0).item::<f32>() - 1.0).abs() < 0.1);
/// ```
#[derive(Clone, Debug, Module)]
pub struct AlphaDropout {
    probability: f64,
    spatial: Option<usize>,
    mode: Mode,
}

/// What selu tends to at minus infinity.
const LOWEST: f64 = -1.758_099_340_847_376_6;

impl AlphaDropout {
    /// Drops elements with `probability`.
    ///
    /// # Panics
    /// When that is not between 0 and 1.
    #[track_caller]
    pub fn new(probability: f64) -> AlphaDropout {
        super::check_probability("alpha_dropout", probability);
        AlphaDropout {
            probability,
            spatial: None,
            mode: Mode::Train,
        }
    }

    /// Drops whole channels: what lies along the last `spatial` axes.
    pub fn of_channels(self, spatial: usize) -> AlphaDropout {
        AlphaDropout {
            spatial: Some(spatial),
            ..self
        }
    }
}

impl Layer for AlphaDropout {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        let p = self.probability;
        if !self.mode.is_training() || p == 0.0 {
            return x.clone();
        }
        if p == 1.0 {
            return x * 0.0;
        }
        let kept = super::kept(x, p, self.spatial);
        let scale = 1.0 / ((1.0 - p) * (1.0 + p * LOWEST * LOWEST)).sqrt();
        kept.where_(x, LOWEST) * scale - scale * LOWEST * p
    }
}

/// `probability`, 0.5 if it is not given; `channels` drops whole ones, axis 1.
impl Declared for AlphaDropout {
    const NAME: &'static str = "alpha_dropout";

    fn declared(arguments: &mut Arguments, input: &Shape) -> Result<AlphaDropout, ArgumentError> {
        let layer = AlphaDropout::new(super::probability(arguments)?);
        Ok(match arguments.optional("channels", false)? {
            true => layer.of_channels(input.len().saturating_sub(2)),
            false => layer,
        })
    }
}
