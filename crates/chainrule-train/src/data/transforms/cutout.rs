//! Cutout (DeVries and Taylor 2017).

use super::declared::DeclaredTransform;
use super::{Image, Transform};
use crate::data::Random;
use chainrule_nn::{ArgumentError, Arguments};

/// Sets squares at random places to 0; squares may reach over the edge.
///
/// After normalisation 0 is the mean, which is what the paper cuts out.
#[derive(Clone, Copy, Debug)]
pub struct Cutout {
    /// The side of a square.
    pub size: usize,
    /// How many squares.
    pub count: usize,
}

impl Transform for Cutout {
    fn apply(&self, image: &mut Image, random: &mut Random) {
        let (height, width, half) = (image.height, image.width, self.size / 2);
        if height == 0 || width == 0 {
            return;
        }
        for _ in 0..self.count {
            let (row, column) = (random.below(height), random.below(width));
            let span = |centre: usize, extent: usize| {
                centre.saturating_sub(half)..(centre + self.size - half).min(extent)
            };
            for plane in image.planes() {
                for row in span(row, height) {
                    plane[row * width..(row + 1) * width][span(column, width)].fill(0.0);
                }
            }
        }
    }
}

impl DeclaredTransform for Cutout {
    const NAME: &'static str = "cutout";

    fn declared(arguments: &mut Arguments, _image: [usize; 3]) -> Result<Cutout, ArgumentError> {
        Ok(Cutout {
            size: arguments.required("size")?,
            count: arguments.optional("count", 1)?,
        })
    }
}
