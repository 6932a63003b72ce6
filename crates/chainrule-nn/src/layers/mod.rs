//! Layers, one a file.

mod activations;
mod arguments;
mod bilinear;
mod catalogue;
mod convolution;
mod cosine_similarity;
mod dropout;
mod embedding;
mod identity;
mod linear;
mod normalization;
mod pairwise_distance;
mod pooling;
mod power;
mod rearranging;
mod recurrent;
mod scale;
mod spatial;

pub use activations::*;
pub use arguments::{ArgumentError, Arguments, FromValue, Value};
pub use bilinear::Bilinear;
pub use catalogue::{CatalogueEntry, Declared, build_layer, layer_names};
pub use convolution::*;
pub use cosine_similarity::CosineSimilarity;
pub use dropout::{AlphaDropout, ChannelDropout, Dropout};
pub use embedding::*;
pub use identity::Identity;
pub use linear::Linear;
pub use normalization::*;
pub use pairwise_distance::PairwiseDistance;
pub use pooling::*;
pub use power::Power;
pub use rearranging::*;
pub use recurrent::*;
pub use scale::{Bias, Scale};
pub use spatial::EachAxis;

/// All rows of the catalogue. A file whose `CATALOGUE` is missing here does not compile without a warning.
fn entries() -> impl Iterator<Item = &'static CatalogueEntry> {
    let single = [
        identity::CATALOGUE,
        linear::CATALOGUE,
        power::CATALOGUE,
        recurrent::CATALOGUE,
        scale::CATALOGUE,
    ];
    let groups = [
        activations::CATALOGUES,
        convolution::CATALOGUES,
        dropout::CATALOGUES,
        embedding::CATALOGUES,
        normalization::CATALOGUES,
        pooling::CATALOGUES,
        rearranging::CATALOGUES,
    ];
    single
        .into_iter()
        .chain(groups.into_iter().flatten().copied())
        .flatten()
}
