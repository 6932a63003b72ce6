//! Crops: a part of an image.

use super::declared::DeclaredTransform;
use super::{Image, Transform};
use crate::data::Random;
use chainrule_nn::{ArgumentError, Arguments};

/// A part of this size at a random place of the image, around which `padding` zeros are thought on every side.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_train::data::{Random, transforms::{RandomCrop, Transform}};
/// let crop = RandomCrop { height: 2, width: 2, padding: 0 };
/// let part = crop.image(&Tensor::ones([1, 3, 3]), &mut Random::new(1));
/// assert_eq!(part.to_vec::<f32>(), [1.0; 4]);
/// ```
///
/// # Panics
/// When applied to an image that is smaller than the part, padding included.
#[derive(Clone, Copy, Debug)]
pub struct RandomCrop {
    /// Rows of the part.
    pub height: usize,
    /// Columns of the part.
    pub width: usize,
    /// Zeros on each side of the image.
    pub padding: usize,
}

impl Transform for RandomCrop {
    fn apply(&self, image: &mut Image, random: &mut Random) {
        let places = |extent: usize, part: usize| (extent + 2 * self.padding).checked_sub(part);
        let (down, right) = match (
            places(image.height, self.height),
            places(image.width, self.width),
        ) {
            (Some(down), Some(right)) => (random.below(down + 1), random.below(right + 1)),
            _ => panic!(
                "RandomCrop: a part of {} x {} does not fit into an image of {} x {} with padding {}",
                self.height, self.width, image.height, image.width, self.padding
            ),
        };
        let mut part = vec![0.0; image.channels * self.height * self.width];
        // Rows and columns of the part that lie in the image: `from` there, `to` here.
        let overlap = |start: usize, extent: usize, part: usize| {
            let to = self.padding.saturating_sub(start).min(part);
            let end = (extent + self.padding)
                .saturating_sub(start)
                .min(part)
                .max(to);
            (to, start + to - self.padding.min(start + to), end - to)
        };
        let (to_row, from_row, rows) = overlap(down, image.height, self.height);
        let (to, from, columns) = overlap(right, image.width, self.width);
        for channel in 0..image.channels {
            for row in 0..rows {
                let source = (channel * image.height + from_row + row) * image.width + from;
                let target = (channel * self.height + to_row + row) * self.width + to;
                part[target..target + columns]
                    .copy_from_slice(&image.pixels[source..source + columns]);
            }
        }
        image.pixels = part;
        (image.height, image.width) = (self.height, self.width);
    }
}

impl DeclaredTransform for RandomCrop {
    const NAME: &'static str = "random_crop";

    fn declared(arguments: &mut Arguments, image: [usize; 3]) -> Result<RandomCrop, ArgumentError> {
        let [_, height, width] = image;
        let padding: usize = arguments.required("padding")?;
        Ok(RandomCrop {
            height,
            width,
            padding,
        })
    }
}

/// The part of this size in the middle of the image; an odd rest is larger below and to the right.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_train::data::{Random, transforms::{CentreCrop, Transform}};
/// let image = tensor![[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]];
/// let middle = CentreCrop { height: 1, width: 3 }.image(&image, &mut Random::new(1));
/// assert_eq!(middle.to_vec::<f32>(), [4.0, 5.0, 6.0]);
/// ```
///
/// # Panics
/// When applied to an image that is smaller than the part.
#[derive(Clone, Copy, Debug)]
pub struct CentreCrop {
    /// Rows of the part.
    pub height: usize,
    /// Columns of the part.
    pub width: usize,
}

impl Transform for CentreCrop {
    fn apply(&self, image: &mut Image, _random: &mut Random) {
        let (height, width) = (image.height, image.width);
        assert!(
            self.height <= height && self.width <= width,
            "CentreCrop: a part of {} x {} does not fit into an image of {height} x {width}",
            self.height,
            self.width
        );
        let (top, left) = ((height - self.height) / 2, (width - self.width) / 2);
        let rows = (0..image.channels * self.height).map(|row| {
            let (channel, row) = (row / self.height, row % self.height);
            let start = (channel * height + top + row) * width + left;
            &image.pixels[start..start + self.width]
        });
        image.pixels = rows.collect::<Vec<_>>().concat();
        (image.height, image.width) = (self.height, self.width);
    }
}
