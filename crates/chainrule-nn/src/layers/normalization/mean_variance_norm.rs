//! Normalisation of examples to mean 0 and variance 1.

use crate::layers::catalogue::Declared;
use crate::layers::spatial::refuse;
use crate::{ArgumentError, Arguments, Layer};
use chainrule_core::{Shape, Tensor, keep};
use chainrule_derive::Module;

crate::catalogue! { MeanVarianceNorm }

/// Each channel of each example of `[batch, channels, spatial..]` with mean 0 and deviation 1:
/// `y = (x - mean) / (deviation + ε)`. The shape stays. Caffe's `MVN`.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::{Layer, MeanVarianceNorm};
/// let y = MeanVarianceNorm::new().epsilon(0.0).forward(tensor![[[1.0, 3.0]]]);
/// assert_eq!(y.to_vec::<f32>(), [-1.0, 1.0]);
/// ```
#[derive(Clone, Debug, Module)]
pub struct MeanVarianceNorm {
    across_channels: bool,
    variance: bool,
    epsilon: f64,
}

impl Default for MeanVarianceNorm {
    fn default() -> MeanVarianceNorm {
        MeanVarianceNorm::new()
    }
}

impl MeanVarianceNorm {
    /// Each channel by itself, mean and deviation, ε = 1e-9.
    pub fn new() -> MeanVarianceNorm {
        MeanVarianceNorm {
            across_channels: false,
            variance: true,
            epsilon: 1e-9,
        }
    }

    /// All channels of an example together.
    pub fn across_channels(self) -> MeanVarianceNorm {
        MeanVarianceNorm {
            across_channels: true,
            ..self
        }
    }

    /// The mean is taken off, the deviation stays.
    pub fn without_variance(self) -> MeanVarianceNorm {
        MeanVarianceNorm {
            variance: false,
            ..self
        }
    }

    /// What is added to the deviation.
    pub fn epsilon(self, epsilon: f64) -> MeanVarianceNorm {
        MeanVarianceNorm { epsilon, ..self }
    }
}

impl Layer for MeanVarianceNorm {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        let first = if self.across_channels { 1 } else { 2 };
        if x.rank() <= first {
            refuse(
                "mean_variance_norm",
                "the layer takes [batch, channels, spatial..]",
                x,
            );
        }
        let axes: Vec<usize> = (first..x.rank()).collect();
        let centred = x - x.mean(keep(axes.clone()));
        match self.variance {
            true => &centred / (centred.square().mean(keep(axes)).sqrt() + self.epsilon),
            false => centred,
        }
    }
}

/// `across_channels`, `variance`, `epsilon`.
impl Declared for MeanVarianceNorm {
    const NAME: &'static str = "mean_variance_norm";

    fn declared(arguments: &mut Arguments, _input: &Shape) -> Result<Self, ArgumentError> {
        Ok(MeanVarianceNorm {
            across_channels: arguments.optional("across_channels", false)?,
            variance: arguments.optional("variance", true)?,
            epsilon: arguments.optional("epsilon", 1e-9)?,
        })
    }
}
