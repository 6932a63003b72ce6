//! Noise.

use super::declared::{DeclaredTransform, not_negative};
use super::{Image, Transform};
use crate::data::Random;
use chainrule_nn::{ArgumentError, Arguments};

/// Adds to each value a number from the normal distribution with mean 0 and this deviation.
///
/// Values may leave the range from 0 to 1.
#[derive(Clone, Copy, Debug)]
pub struct GaussianNoise {
    /// The deviation of the noise.
    pub deviation: f64,
}

impl Transform for GaussianNoise {
    fn apply(&self, image: &mut Image, random: &mut Random) {
        for pair in image.pixels.chunks_mut(2) {
            for (pixel, noise) in pair.iter_mut().zip(random.two_normals()) {
                *pixel += (self.deviation * noise) as f32;
            }
        }
    }
}

impl DeclaredTransform for GaussianNoise {
    const NAME: &'static str = "noise";

    fn declared(
        arguments: &mut Arguments,
        _image: [usize; 3],
    ) -> Result<GaussianNoise, ArgumentError> {
        let deviation = not_negative(arguments, "deviation", 0.1)?;
        Ok(GaussianNoise { deviation })
    }
}
