//! Layers, one a file.

mod activations;
mod arguments;
mod attention;
mod bilinear;
mod catalogue;
mod convolution;
mod cosine_similarity;
mod dropout;
mod embedding;
mod identity;
mod last_step;
mod linear;
mod normalization;
mod pairwise_distance;
mod pooling;
mod positions;
mod power;
mod rearranging;
mod recurrent;
mod scale;
mod spatial;
mod transformer;

pub use activations::*;
pub use arguments::{ArgumentError, Arguments, FromValue, Value};
pub use attention::{
    AttentionInputs, AttentionMasks, ExtraElement, KeyValueCache, MultiheadAttention,
};
pub use bilinear::Bilinear;
pub use catalogue::{CatalogueEntry, Declared, build_layer, layer_names};
pub use convolution::*;
pub use cosine_similarity::CosineSimilarity;
pub use dropout::{AlphaDropout, ChannelDropout, Dropout};
pub use embedding::*;
pub use identity::Identity;
pub use last_step::LastStep;
pub use linear::Linear;
pub use normalization::*;
pub use pairwise_distance::PairwiseDistance;
pub use pooling::*;
pub use positions::{LearnedPositions, RotaryEmbedding, SinusoidalPositions};
pub use power::Power;
pub use rearranging::*;
pub use recurrent::*;
pub use scale::{Bias, Scale};
pub use spatial::EachAxis;
pub use transformer::{
    FeedForward, Transformer, TransformerDecoder, TransformerDecoderLayer, TransformerEncoder,
    TransformerEncoderLayer, TransformerOptions,
};

/// All rows of the catalogue. A file whose `CATALOGUE` is missing here does not compile without a warning.
fn entries() -> impl Iterator<Item = &'static CatalogueEntry> {
    let single = [
        attention::CATALOGUE,
        identity::CATALOGUE,
        last_step::CATALOGUE,
        linear::CATALOGUE,
        power::CATALOGUE,
        recurrent::CATALOGUE,
        scale::CATALOGUE,
        transformer::CATALOGUE,
    ];
    let groups = [
        activations::CATALOGUES,
        convolution::CATALOGUES,
        dropout::CATALOGUES,
        embedding::CATALOGUES,
        normalization::CATALOGUES,
        pooling::CATALOGUES,
        positions::CATALOGUES,
        rearranging::CATALOGUES,
    ];
    single
        .into_iter()
        .chain(groups.into_iter().flatten().copied())
        .flatten()
}
