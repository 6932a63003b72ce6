//! Transformers: their layers, stacks of them, and the whole.

mod decoder_layer;
mod encoder_layer;
mod feed_forward;
mod options;
mod stacks;
mod whole;

pub use decoder_layer::TransformerDecoderLayer;
pub use encoder_layer::TransformerEncoderLayer;
pub use feed_forward::FeedForward;
pub use options::TransformerOptions;
pub(crate) use stacks::CATALOGUE;
pub use stacks::{TransformerDecoder, TransformerEncoder};
pub use whole::Transformer;
