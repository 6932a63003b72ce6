//! Layers, one a file.

mod activations;
mod arguments;
mod batch_norm;
mod catalogue;
mod linear;

pub use activations::*;
pub use arguments::{ArgumentError, Arguments, FromValue, Value};
pub use batch_norm::BatchNorm;
pub use catalogue::{CatalogueEntry, Declared, build_layer, layer_names};
pub use linear::Linear;

/// All rows of the catalogue. A file whose `CATALOGUE` is missing here does not compile without a warning.
fn entries() -> impl Iterator<Item = &'static CatalogueEntry> {
    let single = [linear::CATALOGUE, batch_norm::CATALOGUE];
    single
        .into_iter()
        .chain(activations::CATALOGUES.iter().copied())
        .flatten()
}
