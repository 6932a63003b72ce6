//! Changes of images and tables: normalisation, and augmentation by random changes that leave the label as it is.
//!
//! Images are `[channels, height, width]` f32 from 0 to 1. A [`Transform`] changes one image or, faster, every image of a
//! batch in its own random way.
//!
//! ```
//! use chainrule_core::Tensor;
//! use chainrule_train::data::{Loader, TensorDataset};
//! use chainrule_train::data::transforms::{Compose, Cutout, FlipHorizontal, Normalise, RandomCrop, Transform};
//! let images = Tensor::full([8, 3, 32, 32], 0.5);
//! let data = TensorDataset::new((images, Tensor::arange(8)))?;
//! let augment = Compose::new()
//!     .then(RandomCrop { height: 32, width: 32, padding: 4 })
//!     .then(FlipHorizontal { probability: 0.5 })
//!     .then(Normalise::new(vec![0.5; 3], vec![0.25; 3]))
//!     .then(Cutout { size: 8, count: 1 });
//! let loader = Loader::new(data, 4)?
//!     .shuffle(1)
//!     .map(move |(images, labels), random| (augment.batch(&images, random), labels));
//! for batch in loader.epoch(0) {
//!     assert_eq!(batch?.0.shape().to_string(), "[4, 3, 32, 32]");
//! }
//! # Ok::<(), chainrule_train::data::DataError>(())
//! ```

mod affine;
mod colour;
mod crop;
mod cutout;
mod declared;
mod flip;
mod mixup;
mod noise;
mod normalise;
mod resize;

pub use affine::{Affine, Rotate};
pub use colour::ColourJitter;
pub use crop::{CentreCrop, RandomCrop};
pub use cutout::Cutout;
pub use declared::{DeclaredTransform, build_transform, transform_names};
pub use flip::{FlipHorizontal, FlipVertical};
pub use mixup::{mixed, mixup, one_hot};
pub use noise::GaussianNoise;
pub use normalise::{Normalise, Standardise};
pub use resize::Resize;

use super::Random;
use chainrule_core::Tensor;

/// One image while it is changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Image {
    /// How many channels.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// The values, channel by channel, each row by row.
    pub pixels: Vec<f32>,
}

impl Image {
    /// The channels, one after the other.
    pub fn planes(&mut self) -> impl Iterator<Item = &mut [f32]> {
        let area = (self.height * self.width).max(1);
        self.pixels.chunks_exact_mut(area)
    }
}

/// A change of images, random or not.
pub trait Transform: Send + Sync {
    /// Changes one image. What is random about it comes from `random` alone.
    fn apply(&self, image: &mut Image, random: &mut Random);

    /// A changed image, `[channels, height, width]` f32.
    ///
    /// # Panics
    /// When `image` has another rank or dtype.
    #[track_caller]
    fn image(&self, image: &Tensor, random: &mut Random) -> Tensor {
        assert_eq!(
            image.rank(),
            3,
            "an image is [channels, height, width], not {}",
            image.shape()
        );
        self.batch(&image.unsqueeze(0), random).squeeze(0)
    }

    /// The images of a batch, `[batch, channels, height, width]` f32, each changed in its own way.
    ///
    /// # Panics
    /// When `images` has another rank or dtype.
    #[track_caller]
    fn batch(&self, images: &Tensor, random: &mut Random) -> Tensor {
        let [count, channels, height, width] = images.shape()[..] else {
            panic!(
                "images are [batch, channels, height, width], not {}",
                images.shape()
            );
        };
        let before: Vec<f32> = images.to_vec();
        let mut after = Vec::with_capacity(before.len());
        let mut shape = [count, channels, height, width];
        let mut image = Image::default();
        let stream = random.bits();
        for (number, pixels) in before
            .chunks_exact((channels * height * width).max(1))
            .enumerate()
        {
            (image.channels, image.height, image.width) = (channels, height, width);
            image.pixels.clear();
            image.pixels.extend_from_slice(pixels);
            self.apply(&mut image, &mut Random::at(&[stream, number as u64]));
            after.extend_from_slice(&image.pixels);
            shape = [count, image.channels, image.height, image.width];
        }
        Tensor::from_vec(after, shape)
    }
}

/// Several changes, one after the other.
#[derive(Default)]
pub struct Compose {
    steps: Vec<Box<dyn Transform>>,
}

impl Compose {
    /// No change yet.
    pub fn new() -> Compose {
        Compose::default()
    }

    /// These changes and then another.
    pub fn then(mut self, step: impl Transform + 'static) -> Compose {
        self.steps.push(Box::new(step));
        self
    }
}

impl Transform for Compose {
    fn apply(&self, image: &mut Image, random: &mut Random) {
        for step in &self.steps {
            step.apply(image, random);
        }
    }
}
