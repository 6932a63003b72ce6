//! Layers that drop what they are given, in training only.

mod alpha;
mod channels;
mod elements;

pub use alpha::AlphaDropout;
pub use channels::ChannelDropout;
pub use elements::Dropout;

use crate::{ArgumentError, Arguments};
use chainrule_core::error::raise;
use chainrule_core::{DType, Error, ErrorKind, Shape, Tensor};

/// The declared layers of these files.
pub(crate) const CATALOGUES: &[&[crate::CatalogueEntry]] =
    &[alpha::CATALOGUE, channels::CATALOGUE, elements::CATALOGUE];

#[track_caller]
fn check_probability(name: &str, probability: f64) {
    if !(0.0..=1.0).contains(&probability) {
        let message = format!("{name}: {probability} is not a probability, 0 to 1");
        raise(Error::new(ErrorKind::Argument, message));
    }
}

/// The argument that all of them have.
fn probability(arguments: &mut Arguments) -> Result<f64, ArgumentError> {
    let probability = arguments.optional("probability", 0.5)?;
    if (0.0..=1.0).contains(&probability) {
        return Ok(probability);
    }
    let message = format!("`probability` is {probability}; expected a number from 0 to 1");
    Err(arguments.problem("probability", message))
}

/// Which elements of `x` stay when each is dropped with a probability, as booleans. With `spatial` axes given, all elements
/// of a channel, the axis before those, share their fate.
#[track_caller]
fn kept(x: &Tensor, probability: f64, spatial: Option<usize>) -> Tensor {
    let channels = x.rank() - spatial.unwrap_or(0).min(x.rank());
    let extents = x.shape().iter().enumerate();
    let shape: Shape = extents
        .map(|(axis, &extent)| if axis < channels { extent } else { 1 })
        .collect();
    let drawn = Tensor::bernoulli(&shape, 1.0 - probability).cast(DType::Bool);
    drawn.to_device(x.device())
}
