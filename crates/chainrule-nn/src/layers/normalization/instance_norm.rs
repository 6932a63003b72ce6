//! Instance normalisation.

use crate::layers::catalogue::Declared;
use crate::layers::spatial::{channels_of, check_spatial, numbered, refuse};
use crate::{ArgumentError, Arguments, Buffer, Layer, Mode, Parameter};
use chainrule_core::{Shape, Tensor, untracked};
use chainrule_derive::Module;

crate::catalogue! { InstanceNorm1d, InstanceNorm2d, InstanceNorm3d }

/// Instance normalisation of `[batch, channels, length]`: see [`InstanceNorm`].
pub type InstanceNorm1d = InstanceNorm<1>;
/// Instance normalisation of `[batch, channels, height, width]`: see [`InstanceNorm`].
pub type InstanceNorm2d = InstanceNorm<2>;
/// Instance normalisation of `[batch, channels, depth, height, width]`: see [`InstanceNorm`].
pub type InstanceNorm3d = InstanceNorm<3>;

/// Instance normalisation (Ulyanov, Vedaldi, Lempitsky 2016) over the `AXES` spatial axes of each channel of each example:
/// `y = (x - mean) / √(variance + ε) · weight + bias`, with the biased variance.
///
/// `[batch, channels, spatial..]`, also without batch; the shape stays. Weight and bias are there only where asked for, and
/// so are running statistics: with them, training normalises by the instance and keeps
/// `running ← (1 - momentum) running + momentum · mean over the batch` (of the unbiased variance), and evaluation
/// normalises by what was kept.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{InstanceNorm2d, Layer};
/// let y = InstanceNorm2d::new(3).forward(Tensor::normal([4, 3, 5, 5], 2.0, 3.0));
/// assert!(y.mean([2, 3]).abs().max(..).item::<f64>() < 1e-5);
/// ```
#[derive(Clone, Debug, Module)]
pub struct InstanceNorm<const AXES: usize> {
    /// The factor of each channel, `[channels]`, first 1.
    pub weight: Option<Parameter>,
    /// The number added to each channel, `[channels]`, first 0.
    pub bias: Option<Parameter>,
    /// The running mean, `[channels]`, first 0.
    pub running_mean: Option<Buffer>,
    /// The running unbiased variance, `[channels]`, first 1.
    pub running_variance: Option<Buffer>,
    channels: usize,
    momentum: f64,
    epsilon: f64,
    mode: Mode,
}

impl<const AXES: usize> InstanceNorm<AXES> {
    const NAME: &'static str =
        numbered::<AXES>(["instance_norm1d", "instance_norm2d", "instance_norm3d"]);

    /// Without weight, bias and running statistics; ε = 1e-5.
    pub fn new(channels: usize) -> Self {
        InstanceNorm {
            weight: None,
            bias: None,
            running_mean: None,
            running_variance: None,
            channels,
            momentum: 0.1,
            epsilon: 1e-5,
            mode: Mode::Train,
        }
    }

    /// With weight 1 and bias 0.
    #[track_caller]
    pub fn with_affine(self) -> Self {
        InstanceNorm {
            weight: Some(Parameter::new(Tensor::ones([self.channels]))),
            bias: Some(Parameter::new(Tensor::zeros([self.channels]))),
            ..self
        }
    }

    /// With running statistics, of which each batch is a share of `momentum` (0.1 in most networks).
    #[track_caller]
    pub fn with_statistics(self, momentum: f64) -> Self {
        InstanceNorm {
            running_mean: Some(Buffer::new(Tensor::zeros([self.channels]))),
            running_variance: Some(Buffer::new(Tensor::ones([self.channels]))),
            momentum,
            ..self
        }
    }

    /// What is added to the variance.
    pub fn epsilon(self, epsilon: f64) -> Self {
        InstanceNorm { epsilon, ..self }
    }

    /// The running statistics, where they are what normalises.
    fn statistics(&self) -> Option<(Tensor, Tensor)> {
        if self.mode.is_training() {
            return None;
        }
        let (mean, variance) = (self.running_mean.as_ref()?, self.running_variance.as_ref()?);
        Some((mean.get(), variance.get()))
    }

    /// Takes the batch into the running statistics.
    #[track_caller]
    fn record(&self, x: &Tensor) {
        let (Some(running_mean), Some(running_variance)) =
            (&self.running_mean, &self.running_variance)
        else {
            return;
        };
        untracked(|| {
            let axes: Vec<usize> = (2..x.rank()).collect();
            let count: usize = x.shape()[2..].iter().product();
            let mean = x.mean(axes.clone());
            let shape: Shape = mean.shape().iter().copied().chain([1; AXES]).collect();
            let squares = (x - mean.reshape(shape)).square().sum(axes);
            let variance = squares / (count as f64 - 1.0);
            for (running, batch) in [(running_mean, mean), (running_variance, variance)] {
                let old = running.get();
                let batch = batch.mean(0).cast(old.dtype());
                running.set(&old * (1.0 - self.momentum) + batch * self.momentum);
            }
        });
    }
}

impl<const AXES: usize> Layer for InstanceNorm<AXES> {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        check_spatial::<AXES>(Self::NAME, x, Some(self.channels));
        let without_batch = x.rank() == AXES + 1;
        let x = if without_batch {
            x.unsqueeze(0)
        } else {
            x.clone()
        };
        let (weight, bias) = (self.weight.as_deref(), self.bias.as_deref());
        let y = match self.statistics() {
            Some((mean, variance)) => {
                x.batch_norm_with(&mean, &variance, weight, bias, self.epsilon)
            }
            None => {
                if x.shape()[2..].iter().product::<usize>() == 1 {
                    let problem = "a channel needs more than one value to have a variance";
                    refuse(Self::NAME, problem, &x);
                }
                if self.mode.is_training() && x.elements() > 0 {
                    self.record(&x);
                }
                x.instance_norm(weight, bias, self.epsilon)
            }
        };
        if without_batch { y.squeeze(0) } else { y }
    }
}

/// `affine`, `statistics`, `momentum`, `epsilon`; channels from the input.
impl<const AXES: usize> Declared for InstanceNorm<AXES> {
    const NAME: &'static str = InstanceNorm::<AXES>::NAME;

    fn declared(arguments: &mut Arguments, input: &Shape) -> Result<Self, ArgumentError> {
        let mut norm = InstanceNorm::new(channels_of::<AXES>(arguments, input)?)
            .epsilon(arguments.optional("epsilon", 1e-5)?);
        let momentum = arguments.optional("momentum", 0.1)?;
        if arguments.optional("affine", false)? {
            norm = norm.with_affine();
        }
        if arguments.optional("statistics", false)? {
            norm = norm.with_statistics(momentum);
        }
        Ok(norm)
    }
}
