//! Channels of groups in turns.

use crate::layers::catalogue::Declared;
use crate::{ArgumentError, Arguments, Layer};
use chainrule_core::{Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { ChannelShuffle }

/// The channels of `[batch, channels, ..]`, divided into groups, in turns from each (Zhang and others 2018): between grouped
/// convolutions it lets groups see each other. Same shape.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{Layer, ChannelShuffle};
/// assert_eq!(ChannelShuffle::new(2).forward(Tensor::arange(4).reshape([1, 4])).to_vec::<i64>(), [0, 2, 1, 3]);
/// ```
#[derive(Clone, Debug, Module)]
pub struct ChannelShuffle {
    groups: usize,
}

impl ChannelShuffle {
    /// The channels divide into `groups`.
    pub fn new(groups: usize) -> ChannelShuffle {
        ChannelShuffle { groups }
    }
}

impl Layer for ChannelShuffle {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        x.channel_shuffle(self.groups)
    }
}

/// `groups`.
impl Declared for ChannelShuffle {
    const NAME: &'static str = "channel_shuffle";

    fn declared(
        arguments: &mut Arguments,
        _input: &Shape,
    ) -> Result<ChannelShuffle, ArgumentError> {
        Ok(ChannelShuffle::new(arguments.required("groups")?))
    }
}
