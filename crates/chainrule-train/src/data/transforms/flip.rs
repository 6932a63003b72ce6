//! Mirror images.

use super::declared::{DeclaredTransform, probability};
use super::{Image, Transform};
use crate::data::Random;
use chainrule_nn::{ArgumentError, Arguments};

/// Left and right exchanged, with this probability.
#[derive(Clone, Copy, Debug)]
pub struct FlipHorizontal {
    /// From 0, never, to 1, always.
    pub probability: f64,
}

impl Transform for FlipHorizontal {
    fn apply(&self, image: &mut Image, random: &mut Random) {
        if random.chance(self.probability) {
            let rows = image.pixels.chunks_exact_mut(image.width.max(1));
            rows.for_each(<[f32]>::reverse);
        }
    }
}

impl DeclaredTransform for FlipHorizontal {
    const NAME: &'static str = "flip_horizontal";

    fn declared(
        arguments: &mut Arguments,
        _image: [usize; 3],
    ) -> Result<FlipHorizontal, ArgumentError> {
        Ok(FlipHorizontal {
            probability: probability(arguments, 0.5)?,
        })
    }
}

/// Top and bottom exchanged, with this probability.
#[derive(Clone, Copy, Debug)]
pub struct FlipVertical {
    /// From 0, never, to 1, always.
    pub probability: f64,
}

impl Transform for FlipVertical {
    fn apply(&self, image: &mut Image, random: &mut Random) {
        if random.chance(self.probability) {
            let (height, width) = (image.height, image.width);
            for plane in image.planes() {
                let (top, bottom) = plane.split_at_mut(height.div_ceil(2) * width);
                let upper = top.chunks_exact_mut(width.max(1)).take(height / 2);
                for (one, other) in upper.zip(bottom.chunks_exact_mut(width.max(1)).rev()) {
                    one.swap_with_slice(other);
                }
            }
        }
    }
}

impl DeclaredTransform for FlipVertical {
    const NAME: &'static str = "flip_vertical";

    fn declared(
        arguments: &mut Arguments,
        _image: [usize; 3],
    ) -> Result<FlipVertical, ArgumentError> {
        Ok(FlipVertical {
            probability: probability(arguments, 0.5)?,
        })
    }
}
