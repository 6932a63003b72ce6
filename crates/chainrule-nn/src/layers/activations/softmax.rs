//! Scores become probabilities.

use crate::layers::catalogue::Declared;
use crate::{ArgumentError, Arguments, Layer};
use chainrule_core::{Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { Softmax }

/// exp(x) over its sum along an axis: positive numbers that sum to 1. Same shape. Over the channels of images, axis -3, it is
/// PyTorch's `Softmax2d`.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::{Layer, Softmax};
/// assert_eq!(Softmax::new(-1).forward(tensor![[0.0, 0.0]]).to_vec::<f32>(), [0.5, 0.5]);
/// ```
///
/// # Panics
/// When the input does not have the axis.
#[derive(Clone, Debug, Module)]
pub struct Softmax {
    axis: isize,
}

impl Softmax {
    /// Along `axis`, negative ones counted from the end.
    pub fn new(axis: isize) -> Softmax {
        Softmax { axis }
    }
}

impl Layer for Softmax {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        x.softmax(self.axis)
    }
}

/// `axis`, -1 if it is not given.
impl Declared for Softmax {
    const NAME: &'static str = "softmax";

    fn declared(arguments: &mut Arguments, _input: &Shape) -> Result<Softmax, ArgumentError> {
        Ok(Softmax::new(arguments.optional("axis", -1)?))
    }
}
