//! Batch normalisation.

use crate::layers::catalogue::{Declared, input_extent};
use crate::{ArgumentError, Arguments, Buffer, Layer, Mode, Parameter};
use chainrule_core::error::raise;
use chainrule_core::{Error, ErrorKind, Shape, Tensor, untracked};
use chainrule_derive::Module;

crate::catalogue! { BatchNorm }

/// Batch normalisation (Ioffe, Szegedy 2015) of `[batch, channels, ..]`: over the batch and everything behind the channels,
/// `y = (x - mean) / √(variance + ε) · weight + bias`.
///
/// In training the statistics are those of the batch, and running ones are kept beside them,
/// `running ← (1 - momentum) running + momentum batch`, with the unbiased variance. In evaluation the running ones are used.
/// One type for any number of spatial axes: PyTorch's `BatchNorm1d`, `2d` and `3d`.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{BatchNorm, Layer};
/// let norm = BatchNorm::new(3);
/// let y = norm.forward(Tensor::normal([8, 3, 5, 5], 4.0, 2.0));
/// assert!(y.mean(..).item::<f64>().abs() < 1e-5);
/// assert_eq!(norm.batches.as_ref().unwrap().get().item::<i64>(), 1);
/// ```
#[derive(Clone, Debug, Module)]
pub struct BatchNorm {
    /// The factor of each channel, `[channels]`, first 1.
    pub weight: Option<Parameter>,
    /// The number added to each channel, `[channels]`, first 0.
    pub bias: Option<Parameter>,
    /// The running mean, `[channels]`, first 0; without it every mode uses the batch.
    pub running_mean: Option<Buffer>,
    /// The running unbiased variance, `[channels]`, first 1.
    pub running_variance: Option<Buffer>,
    /// How many batches the running statistics have seen, `[]`.
    pub batches: Option<Buffer>,
    momentum: Option<f64>,
    epsilon: f64,
    mode: Mode,
}

impl BatchNorm {
    /// Weight and bias, running statistics with momentum 0.1, ε = 1e-5.
    #[track_caller]
    pub fn new(channels: usize) -> BatchNorm {
        BatchNorm {
            weight: Some(Parameter::new(Tensor::ones([channels]))),
            bias: Some(Parameter::new(Tensor::zeros([channels]))),
            running_mean: Some(Buffer::new(Tensor::zeros([channels]))),
            running_variance: Some(Buffer::new(Tensor::ones([channels]))),
            batches: Some(Buffer::new(Tensor::from(0_i64))),
            momentum: Some(0.1),
            epsilon: 1e-5,
            mode: Mode::Train,
        }
    }

    /// The share of the batch in the running statistics.
    pub fn momentum(self, momentum: f64) -> BatchNorm {
        BatchNorm {
            momentum: Some(momentum),
            ..self
        }
    }

    /// Running statistics that are the plain average over all batches.
    pub fn cumulative(self) -> BatchNorm {
        BatchNorm {
            momentum: None,
            ..self
        }
    }

    /// What is added to the variance.
    pub fn epsilon(self, epsilon: f64) -> BatchNorm {
        BatchNorm { epsilon, ..self }
    }

    /// Without weight and bias.
    pub fn without_affine(self) -> BatchNorm {
        BatchNorm {
            weight: None,
            bias: None,
            ..self
        }
    }

    /// Without running statistics: those of the batch are used in evaluation too.
    pub fn without_statistics(self) -> BatchNorm {
        BatchNorm {
            running_mean: None,
            running_variance: None,
            batches: None,
            ..self
        }
    }

    /// Takes a batch into the running statistics; an empty one, which has none, is only counted.
    #[track_caller]
    fn record(&self, x: &Tensor, mean: &Tensor, variance: &Tensor) {
        let (Some(running_mean), Some(running_variance)) =
            (&self.running_mean, &self.running_variance)
        else {
            return;
        };
        untracked(|| {
            let share = match (&self.batches, self.momentum) {
                (Some(batches), momentum) => {
                    batches.set(batches.get() + 1);
                    momentum.unwrap_or_else(|| 1.0 / batches.get().item::<i64>() as f64)
                }
                (None, momentum) => momentum.unwrap_or(0.1),
            };
            if x.elements() == 0 {
                return;
            }
            for (running, batch) in [(running_mean, mean), (running_variance, variance)] {
                let old = running.get();
                running.set(&old * (1.0 - share) + batch.cast(old.dtype()) * share);
            }
        });
    }

    #[track_caller]
    fn check(&self, x: &Tensor) {
        let channels = self.running_mean.as_ref().map(|mean| mean.get().elements());
        let channels = channels.or_else(|| self.weight.as_ref().map(|weight| weight.elements()));
        let fits = x.rank() >= 2 && channels.is_none_or(|channels| x.shape()[1] == channels);
        let problem = if !fits {
            let channels = channels.map_or("any number of".to_owned(), |number| number.to_string());
            format!("the layer takes [batch, channels, ..] with {channels} channels")
        } else if self.uses_batch() && x.elements() == x.shape()[1] {
            "in training a channel needs more than one value to have a variance".to_owned()
        } else {
            return;
        };
        let message = format!(
            "batch_norm: {problem}, the input has shape {} (from `{}` at {})",
            x.shape(),
            x.operation_name(),
            x.place()
        );
        raise(Error::new(ErrorKind::Shape, message));
    }

    fn uses_batch(&self) -> bool {
        self.mode.is_training() || self.running_mean.is_none()
    }
}

impl Layer for BatchNorm {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        self.check(x);
        let (weight, bias) = (self.weight.as_deref(), self.bias.as_deref());
        if self.uses_batch() {
            let (y, mean, variance) = x.batch_norm(weight, bias, self.epsilon);
            if self.mode.is_training() {
                self.record(x, &mean, &variance);
            }
            return y;
        }
        let mean = self.running_mean.as_ref().expect("asked above").get();
        let variance = self
            .running_variance
            .as_ref()
            .expect("kept with the mean")
            .get();
        x.batch_norm_with(&mean, &variance, weight, bias, self.epsilon)
    }
}

/// `momentum`, `epsilon`, `affine`; channels from the input.
impl Declared for BatchNorm {
    const NAME: &'static str = "batch_norm";

    fn declared(arguments: &mut Arguments, input: &Shape) -> Result<BatchNorm, ArgumentError> {
        let channels = input_extent(arguments, input, 1, "channels")?;
        let norm = BatchNorm::new(channels)
            .momentum(arguments.optional("momentum", 0.1)?)
            .epsilon(arguments.optional("epsilon", 1e-5)?);
        Ok(match arguments.optional("affine", true)? {
            true => norm,
            false => norm.without_affine(),
        })
    }
}
