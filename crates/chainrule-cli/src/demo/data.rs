//! The digits: UCI optdigits, included in the binary.

use super::DemoError;
use chainrule::prelude::*;
use flate2::read::GzDecoder;
use std::io::Read;

const FILE: &[u8] = include_bytes!("../../data/digits.csv.gz");
/// Pixels of an image, 8x8.
pub const PIXELS: usize = 64;
/// Every fifth image is held out.
const FOLDS: usize = 5;

/// Images and what they show.
pub struct Examples {
    /// `[count, 64]`, from 0 to 1.
    pub images: Tensor,
    /// `[count]`, 0 to 9.
    pub labels: Tensor,
    pub count: usize,
}

/// All digits, divided once and for all.
pub struct Digits {
    pub training: Examples,
    pub held_out: Examples,
}

pub fn load() -> Result<Digits, DemoError> {
    let mut text = String::new();
    GzDecoder::new(FILE)
        .read_to_string(&mut text)
        .map_err(|error| DemoError::Data(error.to_string()))?;
    let mut parts = [(Vec::new(), Vec::new()), (Vec::new(), Vec::new())];
    for (number, line) in text.lines().enumerate() {
        let numbers: Result<Vec<u8>, _> = line.split(',').map(str::parse::<u8>).collect();
        let numbers =
            numbers.map_err(|error| DemoError::Data(format!("line {}: {error}", number + 1)))?;
        let Some((&label, pixels)) = numbers
            .split_last()
            .filter(|(_, pixels)| pixels.len() == PIXELS)
        else {
            let message = format!(
                "line {}: {} numbers instead of {}",
                number + 1,
                numbers.len(),
                PIXELS + 1
            );
            return Err(DemoError::Data(message));
        };
        let (images, labels) = &mut parts[usize::from(number % FOLDS == 0)];
        images.extend(pixels.iter().map(|&pixel| f32::from(pixel) / 16.0));
        labels.push(label);
    }
    let [training, held_out] = parts.map(|(images, labels)| {
        let count = labels.len();
        Examples {
            images: Tensor::from_vec(images, [count, PIXELS]),
            labels: Tensor::from(labels),
            count,
        }
    });
    Ok(Digits { training, held_out })
}
