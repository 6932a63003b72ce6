//! Changes of colour.

use super::declared::{DeclaredTransform, not_negative};
use super::{Image, Transform};
use crate::data::Random;
use chainrule_nn::{ArgumentError, Arguments};

/// Random brightness, contrast, saturation and hue, in random order, as torchvision's `ColorJitter`.
///
/// The first three are factors between `max(0, 1 - x)` and `1 + x`; hue turns by up to `hue` of the colour circle, at most
/// 0.5. Values stay from 0 to 1. Images of other than three channels only change brightness and contrast.
#[derive(Clone, Copy, Debug, Default)]
pub struct ColourJitter {
    /// Values times a factor.
    pub brightness: f64,
    /// Distance from the mean brightness of the image times a factor.
    pub contrast: f64,
    /// Distance of each pixel from its brightness times a factor.
    pub saturation: f64,
    /// Turn of the colour circle.
    pub hue: f64,
}

impl Transform for ColourJitter {
    fn apply(&self, image: &mut Image, random: &mut Random) {
        let mut factor =
            |strength: f64| random.uniform((1.0 - strength).max(0.0), 1.0 + strength) as f32;
        let brightness = factor(self.brightness);
        let contrast = factor(self.contrast);
        let saturation = factor(self.saturation);
        let hue = random.uniform(-self.hue, self.hue) as f32;
        let coloured = image.channels == 3;
        for step in random.permutation(4) {
            match step {
                0 if self.brightness > 0.0 => blend(image, brightness, |_| 0.0),
                1 if self.contrast > 0.0 => {
                    let mean = mean_brightness(image);
                    blend(image, contrast, |_| mean);
                }
                2 if self.saturation > 0.0 && coloured => {
                    let grey = grey(image);
                    blend(image, saturation, |at| grey[at % grey.len()]);
                }
                3 if self.hue > 0.0 && coloured => turn(image, hue),
                _ => (),
            }
        }
    }
}

impl DeclaredTransform for ColourJitter {
    const NAME: &'static str = "colour_jitter";

    fn declared(
        arguments: &mut Arguments,
        _image: [usize; 3],
    ) -> Result<ColourJitter, ArgumentError> {
        Ok(ColourJitter {
            brightness: not_negative(arguments, "brightness", 0.0)?,
            contrast: not_negative(arguments, "contrast", 0.0)?,
            saturation: not_negative(arguments, "saturation", 0.0)?,
            hue: not_negative(arguments, "hue", 0.0)?,
        })
    }
}

/// `factor` of the way from `base` to each value, kept from 0 to 1.
fn blend(image: &mut Image, factor: f32, base: impl Fn(usize) -> f32) {
    for (at, pixel) in image.pixels.iter_mut().enumerate() {
        let base = base(at);
        *pixel = (base + factor * (*pixel - base)).clamp(0.0, 1.0);
    }
}

/// The brightness of each pixel (ITU-R BT.601).
fn grey(image: &Image) -> Vec<f32> {
    let area = image.height * image.width;
    let (red, rest) = image.pixels.split_at(area);
    let (green, blue) = rest.split_at(area);
    let colours = red.iter().zip(green).zip(blue);
    colours
        .map(|((red, green), blue)| 0.299 * red + 0.587 * green + 0.114 * blue)
        .collect()
}

fn mean_brightness(image: &Image) -> f32 {
    let mean = |values: &[f32]| values.iter().sum::<f32>() / values.len().max(1) as f32;
    match image.channels {
        3 => mean(&grey(image)),
        _ => mean(&image.pixels),
    }
}

/// Turns the hue of each pixel by `turns` of the circle.
fn turn(image: &mut Image, turns: f32) {
    let area = image.height * image.width;
    let (red, rest) = image.pixels.split_at_mut(area);
    let (green, blue) = rest.split_at_mut(area);
    for ((red, green), blue) in red.iter_mut().zip(green).zip(blue) {
        let (hue, saturation, value) = hsv(*red, *green, *blue);
        (*red, *green, *blue) = rgb((hue + turns).rem_euclid(1.0), saturation, value);
    }
}

/// Hue, saturation and value, each from 0 to 1 (Smith 1978).
fn hsv(red: f32, green: f32, blue: f32) -> (f32, f32, f32) {
    let value = red.max(green).max(blue);
    let range = value - red.min(green).min(blue);
    if range <= 0.0 {
        return (0.0, 0.0, value);
    }
    let sixths = if value == red {
        (green - blue) / range
    } else if value == green {
        2.0 + (blue - red) / range
    } else {
        4.0 + (red - green) / range
    };
    ((sixths / 6.0).rem_euclid(1.0), range / value, value)
}

fn rgb(hue: f32, saturation: f32, value: f32) -> (f32, f32, f32) {
    let channel = |offset: f32| {
        let k = (offset + hue * 6.0) % 6.0;
        value - value * saturation * k.min(4.0 - k).clamp(0.0, 1.0)
    };
    (channel(5.0), channel(3.0), channel(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_survive_the_way_there_and_back() {
        for (red, green, blue) in [
            (0.9, 0.2, 0.4),
            (0.1, 0.8, 0.3),
            (0.2, 0.3, 0.7),
            (0.5, 0.5, 0.5),
        ] {
            let (hue, saturation, value) = hsv(red, green, blue);
            let (r, g, b) = rgb(hue, saturation, value);
            assert!((r - red).abs() + (g - green).abs() + (b - blue).abs() < 1e-5);
        }
        let third = rgb((hsv(1.0, 0.0, 0.0).0 + 1.0 / 3.0) % 1.0, 1.0, 1.0);
        assert!((third.1 - 1.0).abs() < 1e-5 && third.0 < 1e-5, "{third:?}");
    }
}
