//! Pixels become channels.

use crate::layers::catalogue::Declared;
use crate::{ArgumentError, Arguments, Layer};
use chainrule_core::{Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { PixelUnshuffle }

/// `[.., channels, height · factor, width · factor]` to `[.., channels · factor², height, width]`: the inverse of
/// [`PixelShuffle`](crate::PixelShuffle).
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{Layer, PixelUnshuffle};
/// assert_eq!(PixelUnshuffle::new(2).forward(Tensor::zeros([1, 2, 4, 6])).shape()[..], [1, 8, 2, 3]);
/// ```
#[derive(Clone, Debug, Module)]
pub struct PixelUnshuffle {
    factor: usize,
}

impl PixelUnshuffle {
    /// Images of which `factor` times `factor` pixels become channels.
    pub fn new(factor: usize) -> PixelUnshuffle {
        PixelUnshuffle { factor }
    }
}

impl Layer for PixelUnshuffle {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        x.pixel_unshuffle(self.factor)
    }
}

/// `factor`.
impl Declared for PixelUnshuffle {
    const NAME: &'static str = "pixel_unshuffle";

    fn declared(
        arguments: &mut Arguments,
        _input: &Shape,
    ) -> Result<PixelUnshuffle, ArgumentError> {
        Ok(PixelUnshuffle::new(arguments.required("factor")?))
    }
}
