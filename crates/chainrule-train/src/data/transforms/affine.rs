//! Rotation, translation, scale and shear.

use super::declared::DeclaredTransform;
use super::{Image, Transform};
use crate::data::Random;
use chainrule_nn::{ArgumentError, Arguments};

/// A rotation about the centre by an angle between `-degrees` and `degrees`, positive ones counter-clockwise.
///
/// Values between pixels are interpolated linearly in both directions; what comes from outside the image is 0.
#[derive(Clone, Copy, Debug)]
pub struct Rotate {
    /// The largest angle.
    pub degrees: f64,
}

impl Transform for Rotate {
    fn apply(&self, image: &mut Image, random: &mut Random) {
        let angle = random.uniform(-self.degrees, self.degrees);
        Map::new(angle, 0.0, 1.0, (0.0, 0.0)).apply(image);
    }
}

impl DeclaredTransform for Rotate {
    const NAME: &'static str = "rotate";

    fn declared(arguments: &mut Arguments, _image: [usize; 3]) -> Result<Rotate, ArgumentError> {
        Ok(Rotate {
            degrees: arguments.required("degrees")?,
        })
    }
}

/// A random affine map about the centre: shear, scale, rotation, translation, in this order.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_train::data::{Random, transforms::{Affine, Transform}};
/// let still = Affine::default();
/// let image = Tensor::arange(9).reshape([1, 3, 3]).cast(chainrule_core::DType::F32);
/// assert_eq!(still.image(&image, &mut Random::new(1)).to_vec::<f32>(), image.to_vec::<f32>());
/// let jitter = Affine { degrees: 10.0, translate: (0.1, 0.1), scale: (0.9, 1.1), shear: 5.0 };
/// assert_ne!(jitter.image(&image, &mut Random::new(1)).to_vec::<f32>(), image.to_vec::<f32>());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Affine {
    /// The largest angle of rotation.
    pub degrees: f64,
    /// The largest translation, in widths to the sides and in heights up and down.
    pub translate: (f64, f64),
    /// The smallest and the largest scale; 2 shows everything twice as large.
    pub scale: (f64, f64),
    /// The largest angle by which vertical lines are slanted.
    pub shear: f64,
}

impl Default for Affine {
    /// No change.
    fn default() -> Affine {
        Affine {
            degrees: 0.0,
            translate: (0.0, 0.0),
            scale: (1.0, 1.0),
            shear: 0.0,
        }
    }
}

impl Transform for Affine {
    fn apply(&self, image: &mut Image, random: &mut Random) {
        let angle = random.uniform(-self.degrees, self.degrees);
        let right = random.uniform(-self.translate.0, self.translate.0) * image.width as f64;
        let down = random.uniform(-self.translate.1, self.translate.1) * image.height as f64;
        let scale = random.uniform(self.scale.0, self.scale.1);
        let shear = random.uniform(-self.shear, self.shear);
        Map::new(angle, shear, scale, (right, down)).apply(image);
    }
}

impl DeclaredTransform for Affine {
    const NAME: &'static str = "affine";

    fn declared(arguments: &mut Arguments, _image: [usize; 3]) -> Result<Affine, ArgumentError> {
        let [right, down] = arguments.optional("translate", [0.0, 0.0])?;
        let [smallest, largest] = arguments.optional("scale", [1.0, 1.0])?;
        if !(smallest > 0.0 && smallest <= largest) {
            let message = format!(
                "`scale` is [{smallest}, {largest}]; expected the smallest and the largest factor, above 0"
            );
            return Err(arguments.problem("scale", message));
        }
        Ok(Affine {
            degrees: arguments.optional("degrees", 0.0)?,
            translate: (right, down),
            scale: (smallest, largest),
            shear: arguments.optional("shear", 0.0)?,
        })
    }
}

/// From places in the result to places in the image, both from the centre, right and down.
struct Map {
    matrix: [[f64; 2]; 2],
    shift: (f64, f64),
}

impl Map {
    /// The inverse of shear, then scale, then rotation, then shift.
    fn new(degrees: f64, shear: f64, scale: f64, shift: (f64, f64)) -> Map {
        let (sine, cosine) = degrees.to_radians().sin_cos();
        let slant = shear.to_radians().tan();
        // Rows point down, so this turns clockwise, which undoes a turn to the other side.
        let (a, b, c, d) = (cosine / scale, -sine / scale, sine / scale, cosine / scale);
        Map {
            matrix: [[a - slant * c, b - slant * d], [c, d]],
            shift,
        }
    }

    fn apply(&self, image: &mut Image) {
        let (height, width) = (image.height, image.width);
        let (middle_x, middle_y) = ((width as f64 - 1.0) / 2.0, (height as f64 - 1.0) / 2.0);
        let [[a, b], [c, d]] = self.matrix;
        let before = image.pixels.clone();
        let area = height * width;
        for row in 0..height {
            let y = row as f64 - middle_y - self.shift.1;
            for column in 0..width {
                let x = column as f64 - middle_x - self.shift.0;
                let (from_x, from_y) = (a * x + b * y + middle_x, c * x + d * y + middle_y);
                let sample = Sample::at(from_x, from_y, width, height);
                for channel in 0..image.channels {
                    let plane = &before[channel * area..(channel + 1) * area];
                    image.pixels[channel * area + row * width + column] = sample.of(plane);
                }
            }
        }
    }
}

/// Four pixels and their weights.
struct Sample {
    places: [usize; 4],
    weights: [f32; 4],
}

impl Sample {
    fn at(x: f64, y: f64, width: usize, height: usize) -> Sample {
        let (left, top) = (x.floor(), y.floor());
        let (right_part, lower_part) = ((x - left) as f32, (y - top) as f32);
        let (mut places, mut weights) = ([0; 4], [0.0; 4]);
        for corner in 0..4 {
            let (dx, dy) = (corner % 2, corner / 2);
            let (column, row) = (left + dx as f64, top + dy as f64);
            let inside = |place: f64, extent: usize| place >= 0.0 && place < extent as f64;
            if inside(column, width) && inside(row, height) {
                let along = if dx == 1 {
                    right_part
                } else {
                    1.0 - right_part
                };
                let across = if dy == 1 {
                    lower_part
                } else {
                    1.0 - lower_part
                };
                places[corner] = row as usize * width + column as usize;
                weights[corner] = along * across;
            }
        }
        Sample { places, weights }
    }

    fn of(&self, plane: &[f32]) -> f32 {
        (0..4)
            .map(|at| plane[self.places[at]] * self.weights[at])
            .sum()
    }
}
