//! A layer of a Transformer with self-attention only.

use super::feed_forward::FeedForward;
use super::options::TransformerOptions;
use crate::{
    AttentionMasks, Dropout, KeyValueCache, Layer, LayerNorm, MultiheadAttention, layer_scope,
};
use chainrule_core::Tensor;
use chainrule_derive::Module;

/// Self-attention and a feed-forward part, each added to what goes in: `x ← norm(x + part(x))`, or with the normalisation
/// first `x ← x + part(norm(x))`. `[batch, elements, features]` to the same, single sequences without the batch.
///
/// With [`TransformerOptions::language_model`] it is the block of a language model; [`forward_cached`] generates with it.
///
/// [`forward_cached`]: TransformerEncoderLayer::forward_cached
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{Layer, TransformerEncoderLayer, TransformerOptions};
/// let layer = TransformerEncoderLayer::new(8, 2);
/// assert_eq!(layer.forward(Tensor::ones([2, 5, 8])).shape().to_string(), "[2, 5, 8]");
/// let block = TransformerEncoderLayer::from_options(&TransformerOptions::language_model(8, 2));
/// assert_eq!(block.forward(Tensor::ones([2, 5, 8])).shape().to_string(), "[2, 5, 8]");
/// ```
#[derive(Clone, Debug, Module)]
pub struct TransformerEncoderLayer {
    /// What the elements find in each other.
    pub attention: MultiheadAttention,
    /// The normalisation of the attention's part.
    pub attention_norm: LayerNorm,
    /// What each element becomes by itself.
    pub feed_forward: FeedForward,
    /// The normalisation of the feed-forward part.
    pub feed_forward_norm: LayerNorm,
    dropout: Dropout,
    norm_first: bool,
}

impl TransformerEncoderLayer {
    /// A layer as [`TransformerOptions::new`] has it.
    ///
    /// # Panics
    /// When the features do not divide into the heads.
    #[track_caller]
    pub fn new(features: usize, heads: usize) -> TransformerEncoderLayer {
        TransformerEncoderLayer::from_options(&TransformerOptions::new(features, heads))
    }

    /// A layer of any form, drawn from the thread's default generator.
    ///
    /// # Panics
    /// When the features do not divide into the heads.
    #[track_caller]
    pub fn from_options(options: &TransformerOptions) -> TransformerEncoderLayer {
        TransformerEncoderLayer {
            attention: options.self_attention(),
            attention_norm: options.norm(),
            feed_forward: options.feed_forward_part(),
            feed_forward_norm: options.norm(),
            dropout: options.residual_dropout(),
            norm_first: options.norm_first,
        }
    }

    /// The output for `x` with what may be looked at.
    ///
    /// # Panics
    /// When the shapes do not fit.
    #[track_caller]
    pub fn forward_with(&self, x: impl AsRef<Tensor>, masks: &AttentionMasks) -> Tensor {
        layer_scope(self, || {
            self.through(x.as_ref(), |x| self.attention.forward_with(x, x, x, masks))
        })
    }

    /// The output for new elements of sequences whose earlier ones the cache has seen; every element looks only at those up to
    /// itself.
    ///
    /// # Panics
    /// When the shapes do not fit.
    #[track_caller]
    pub fn forward_cached(&self, x: impl AsRef<Tensor>, cache: &mut KeyValueCache) -> Tensor {
        layer_scope(self, || {
            self.through(x.as_ref(), |x| self.attention.forward_cached(x, cache))
        })
    }

    #[track_caller]
    fn through(&self, x: &Tensor, attend: impl FnOnce(&Tensor) -> Tensor) -> Tensor {
        let x = residual(self.norm_first, x, &self.attention_norm, |x| {
            self.dropout.forward(attend(x))
        });
        residual(self.norm_first, &x, &self.feed_forward_norm, |x| {
            self.dropout.forward(self.feed_forward.forward(x))
        })
    }
}

/// What goes in plus what a part makes of it, normalised before the part or behind the sum.
#[track_caller]
pub(super) fn residual(
    norm_first: bool,
    x: &Tensor,
    norm: &LayerNorm,
    part: impl FnOnce(&Tensor) -> Tensor,
) -> Tensor {
    match norm_first {
        true => x + part(&norm.forward(x)),
        false => norm.forward(x + part(x)),
    }
}

impl Layer for TransformerEncoderLayer {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        let masks = AttentionMasks::new();
        self.through(x, |x| self.attention.forward_with(x, x, x, &masks))
    }
}
