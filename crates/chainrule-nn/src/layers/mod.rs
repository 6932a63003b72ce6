//! Layers, one a file.

mod activations;
mod arguments;
mod batch_norm;
mod bilinear;
mod catalogue;
mod cosine_similarity;
mod dropout;
mod identity;
mod linear;
mod pairwise_distance;
mod rearranging;
mod recurrent;

pub use activations::*;
pub use arguments::{ArgumentError, Arguments, FromValue, Value};
pub use batch_norm::BatchNorm;
pub use bilinear::Bilinear;
pub use catalogue::{CatalogueEntry, Declared, build_layer, layer_names};
pub use cosine_similarity::CosineSimilarity;
pub use dropout::{AlphaDropout, ChannelDropout, Dropout};
pub use identity::Identity;
pub use linear::Linear;
pub use pairwise_distance::PairwiseDistance;
pub use rearranging::*;
pub use recurrent::*;

/// All rows of the catalogue. A file whose `CATALOGUE` is missing here does not compile without a warning.
fn entries() -> impl Iterator<Item = &'static CatalogueEntry> {
    let single = [
        linear::CATALOGUE,
        batch_norm::CATALOGUE,
        identity::CATALOGUE,
        recurrent::CATALOGUE,
    ];
    let groups = [
        activations::CATALOGUES,
        dropout::CATALOGUES,
        rearranging::CATALOGUES,
    ];
    single
        .into_iter()
        .chain(groups.into_iter().flatten().copied())
        .flatten()
}
