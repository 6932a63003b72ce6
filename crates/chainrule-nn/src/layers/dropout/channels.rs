//! Whole channels dropped.

use crate::layers::catalogue::Declared;
use crate::{ArgumentError, Arguments, Layer, Mode};
use chainrule_core::{Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { ChannelDropout }

/// In training each channel becomes 0 with a probability, the others are divided by 1 less that probability (Tompson and
/// others 2015): neighbours in an image resemble each other, so that dropping single elements would teach little.
///
/// For `[batch, channels, spatial..]` or `[channels, spatial..]` with a given number of spatial axes: PyTorch's `Dropout1d`,
/// `2d` and `3d`. Same shape.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{ChannelDropout, Layer};
/// let y = ChannelDropout::new(0.5, 2).forward(Tensor::ones([1, 8, 2, 2]));
/// assert!(y.to_vec::<f32>().chunks(4).all(|channel| channel == [0.0; 4] || channel == [2.0; 4]));
/// ```
#[derive(Clone, Debug, Module)]
pub struct ChannelDropout {
    probability: f64,
    spatial: usize,
    mode: Mode,
}

impl ChannelDropout {
    /// Drops with `probability` what lies along the last `spatial` axes.
    ///
    /// # Panics
    /// When that is not between 0 and 1.
    #[track_caller]
    pub fn new(probability: f64, spatial: usize) -> ChannelDropout {
        super::check_probability("channel_dropout", probability);
        ChannelDropout {
            probability,
            spatial,
            mode: Mode::Train,
        }
    }
}

impl Layer for ChannelDropout {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        if !self.mode.is_training() || self.probability == 0.0 {
            return x.clone();
        }
        let kept = super::kept(x, self.probability, Some(self.spatial));
        let raised = match self.probability {
            1.0 => x * 0.0,
            probability => x / (1.0 - probability),
        };
        kept.where_(raised, 0.0)
    }
}

/// `probability`, 0.5 if it is not given; the spatial axes are those behind the channels, axis 1.
impl Declared for ChannelDropout {
    const NAME: &'static str = "channel_dropout";

    fn declared(arguments: &mut Arguments, input: &Shape) -> Result<ChannelDropout, ArgumentError> {
        let probability = super::probability(arguments)?;
        Ok(ChannelDropout::new(
            probability,
            input.len().saturating_sub(2),
        ))
    }
}
