//! Channels become pixels.

use crate::layers::catalogue::Declared;
use crate::{ArgumentError, Arguments, Layer};
use chainrule_core::{Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { PixelShuffle }

/// `[.., channels · factor², height, width]` to `[.., channels, height · factor, width · factor]` (Shi and others 2016): a
/// convolution before it learns to enlarge images.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{Layer, PixelShuffle};
/// assert_eq!(PixelShuffle::new(2).forward(Tensor::zeros([1, 8, 2, 3])).shape()[..], [1, 2, 4, 6]);
/// ```
#[derive(Clone, Debug, Module)]
pub struct PixelShuffle {
    factor: usize,
}

impl PixelShuffle {
    /// Images `factor` times as high and wide.
    pub fn new(factor: usize) -> PixelShuffle {
        PixelShuffle { factor }
    }
}

impl Layer for PixelShuffle {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        x.pixel_shuffle(self.factor)
    }
}

/// `factor`.
impl Declared for PixelShuffle {
    const NAME: &'static str = "pixel_shuffle";

    fn declared(arguments: &mut Arguments, _input: &Shape) -> Result<PixelShuffle, ArgumentError> {
        Ok(PixelShuffle::new(arguments.required("factor")?))
    }
}
