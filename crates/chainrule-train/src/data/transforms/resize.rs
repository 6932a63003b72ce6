//! Another size.

use super::{Image, Transform};
use crate::data::Random;

/// The whole image in another size, interpolated linearly in both directions.
///
/// A smaller image is made of weighted means over all pixels that it stands for (a triangle filter as wide as the scale), as in
/// Pillow and in torchvision with `antialias`.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_train::data::{Random, transforms::{Resize, Transform}};
/// let large = Resize { height: 1, width: 4 }.image(&tensor![[[0.0, 4.0]]], &mut Random::new(1));
/// assert_eq!(large.to_vec::<f32>(), [0.0, 1.0, 3.0, 4.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Resize {
    /// Rows of the result.
    pub height: usize,
    /// Columns of the result.
    pub width: usize,
}

/// The pixels that make up one of the result: the first of them, and their weights.
struct Taps {
    first: usize,
    weights: Vec<f32>,
}

/// The taps of each of `to` pixels along an axis of `from`.
fn taps(from: usize, to: usize) -> Vec<Taps> {
    let scale = from as f64 / to as f64;
    let reach = scale.max(1.0);
    let tap = |place: usize| {
        let centre = (place as f64 + 0.5) * scale;
        let first = (centre - reach - 0.5).floor().max(0.0) as usize;
        let end = ((centre + reach + 0.5).ceil() as usize).min(from);
        let weight = |at: usize| (1.0 - (at as f64 + 0.5 - centre).abs() / reach).max(0.0);
        let sum: f64 = (first..end).map(weight).sum();
        Taps {
            first,
            weights: (first..end).map(|at| (weight(at) / sum) as f32).collect(),
        }
    };
    (0..to).map(tap).collect()
}

impl Transform for Resize {
    fn apply(&self, image: &mut Image, _random: &mut Random) {
        let (height, width) = (image.height, image.width);
        assert!(height * width > 0, "Resize: the image has no pixels");
        let across = taps(width, self.width);
        let rows = image.pixels.chunks_exact(width);
        let narrow: Vec<f32> = rows
            .flat_map(|row| {
                across.iter().map(|taps| {
                    let pixels = &row[taps.first..taps.first + taps.weights.len()];
                    pixels
                        .iter()
                        .zip(&taps.weights)
                        .map(|(pixel, weight)| pixel * weight)
                        .sum::<f32>()
                })
            })
            .collect();
        let down = taps(height, self.height);
        let mut pixels = vec![0.0; image.channels * self.height * self.width];
        let targets = pixels.chunks_exact_mut(self.width.max(1));
        for (row, target) in targets.enumerate() {
            let (channel, row) = (row / self.height, row % self.height);
            let taps = &down[row];
            for (step, weight) in taps.weights.iter().enumerate() {
                let start = (channel * height + taps.first + step) * self.width;
                let source = &narrow[start..start + self.width];
                target
                    .iter_mut()
                    .zip(source)
                    .for_each(|(to, from)| *to += weight * from);
            }
        }
        image.pixels = pixels;
        (image.height, image.width) = (self.height, self.width);
    }
}
