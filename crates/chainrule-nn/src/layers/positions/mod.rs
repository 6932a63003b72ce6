//! Where in a sequence an element stands: encodings that are added, and one that turns queries and keys.

mod learned;
mod rotary;
mod sinusoidal;

use crate::layers::CatalogueEntry;

pub use learned::LearnedPositions;
pub use rotary::RotaryEmbedding;
pub use sinusoidal::SinusoidalPositions;

/// The catalogues of the files.
pub(crate) const CATALOGUES: &[&[CatalogueEntry]] =
    &[learned::CATALOGUE, rotary::CATALOGUE, sinusoidal::CATALOGUE];

use chainrule_core::error::raise;
use chainrule_core::{Error, ErrorKind, Tensor};

/// Refuses what is not `[.., elements, features]` with that many features.
#[track_caller]
fn check_features(layer: &str, x: &Tensor, features: usize) {
    if x.rank() >= 2 && x.shape()[x.rank() - 1] == features {
        return;
    }
    let message = format!(
        "{layer}: the layer takes [.., elements, {features}], the input has shape {} (from `{}` at {})",
        x.shape(),
        x.operation_name(),
        x.place()
    );
    raise(Error::new(ErrorKind::Shape, message));
}

/// The angle of every position and frequency, `[elements, count]` in float64: position `start + i` times
/// `base^(-j / count)`.
fn angles(start: usize, elements: usize, count: usize, base: f64) -> Tensor {
    let mut angles = Vec::with_capacity(elements * count);
    for position in start..start + elements {
        let angle = |j: usize| position as f64 * base.powf(-(j as f64) / count as f64);
        angles.extend((0..count).map(angle));
    }
    Tensor::from_vec(angles, [elements, count])
}
