//! Attention with several heads, its masks and its memory.

mod cache;
mod masks;
mod multihead;
mod projection;

pub use cache::KeyValueCache;
pub use masks::AttentionMasks;
pub(crate) use multihead::CATALOGUE;
pub(crate) use multihead::check_heads;
pub use multihead::{ExtraElement, MultiheadAttention};
pub use projection::AttentionInputs;
