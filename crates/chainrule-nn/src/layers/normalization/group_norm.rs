//! Group normalisation.

use crate::layers::catalogue::{Declared, input_extent};
use crate::layers::spatial::refuse;
use crate::{ArgumentError, Arguments, Layer, Parameter};
use chainrule_core::error::raise;
use chainrule_core::{Error, ErrorKind, Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { GroupNorm }

/// Group normalisation (Wu, He 2018) of `[batch, channels, ..]`: over each group of channels of each example,
/// `y = (x - mean) / √(variance + ε) · weight + bias`, with the biased variance. The shape stays.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{GroupNorm, Layer};
/// let y = GroupNorm::new(2, 6).forward(Tensor::normal([4, 6, 5, 5], 3.0, 2.0));
/// assert!(y.reshape([4, 2, 75]).mean(-1).abs().max(..).item::<f64>() < 1e-5);
/// ```
#[derive(Clone, Debug, Module)]
pub struct GroupNorm {
    /// The factor of each channel, `[channels]`, first 1.
    pub weight: Option<Parameter>,
    /// The number added to each channel, `[channels]`, first 0.
    pub bias: Option<Parameter>,
    groups: usize,
    channels: usize,
    epsilon: f64,
}

impl GroupNorm {
    /// Weight and bias, ε = 1e-5.
    ///
    /// # Panics
    /// When the channels do not divide into the groups.
    #[track_caller]
    pub fn new(groups: usize, channels: usize) -> GroupNorm {
        if groups == 0 || !channels.is_multiple_of(groups) {
            let message =
                format!("group_norm: {channels} channels do not divide into {groups} groups");
            raise(Error::new(ErrorKind::Argument, message));
        }
        GroupNorm {
            weight: Some(Parameter::new(Tensor::ones([channels]))),
            bias: Some(Parameter::new(Tensor::zeros([channels]))),
            groups,
            channels,
            epsilon: 1e-5,
        }
    }

    /// What is added to the variance.
    pub fn epsilon(self, epsilon: f64) -> GroupNorm {
        GroupNorm { epsilon, ..self }
    }

    /// Without weight and bias.
    pub fn without_affine(self) -> GroupNorm {
        GroupNorm {
            weight: None,
            bias: None,
            ..self
        }
    }
}

impl Layer for GroupNorm {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        if x.rank() < 2 || x.shape()[1] != self.channels {
            let channels = self.channels;
            let takes = format!("the layer takes [batch, channels, ..] with {channels} channels");
            refuse("group_norm", &takes, x);
        }
        let (weight, bias) = (self.weight.as_deref(), self.bias.as_deref());
        x.group_norm(self.groups, weight, bias, self.epsilon)
    }
}

/// `groups`, `epsilon`, `affine`; channels from the input.
impl Declared for GroupNorm {
    const NAME: &'static str = "group_norm";

    fn declared(arguments: &mut Arguments, input: &Shape) -> Result<GroupNorm, ArgumentError> {
        let channels = input_extent(arguments, input, 1, "channels")?;
        let groups: usize = arguments.required("groups")?;
        if groups == 0 || !channels.is_multiple_of(groups) {
            let message = format!("{channels} channels do not divide into {groups} groups");
            return Err(arguments.problem("groups", message));
        }
        let norm = GroupNorm::new(groups, channels).epsilon(arguments.optional("epsilon", 1e-5)?);
        Ok(match arguments.optional("affine", true)? {
            true => norm,
            false => norm.without_affine(),
        })
    }
}
