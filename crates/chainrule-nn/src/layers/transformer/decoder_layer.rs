//! A layer of a Transformer that looks at another sequence too.

use super::encoder_layer::residual;
use super::feed_forward::FeedForward;
use super::options::TransformerOptions;
use crate::{AttentionMasks, Dropout, Layer, LayerNorm, MultiheadAttention, layer_scope};
use chainrule_core::Tensor;
use chainrule_derive::Module;

/// Self-attention, attention to a memory, and a feed-forward part, each added to what goes in: `x ← norm(x + part(x))`, or with
/// the normalisation first `x ← x + part(norm(x))`.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{AttentionMasks, TransformerDecoderLayer};
/// let layer = TransformerDecoderLayer::new(8, 2);
/// let (x, memory) = (Tensor::ones([2, 5, 8]), Tensor::ones([2, 7, 8]));
/// let y = layer.forward_with(&x, &memory, &AttentionMasks::new().causal(), &AttentionMasks::new());
/// assert_eq!(y.shape().to_string(), "[2, 5, 8]");
/// ```
#[derive(Clone, Debug, Module)]
pub struct TransformerDecoderLayer {
    /// What the elements find in each other.
    pub attention: MultiheadAttention,
    /// The normalisation of the attention's part.
    pub attention_norm: LayerNorm,
    /// What the elements find in the memory.
    pub memory_attention: MultiheadAttention,
    /// The normalisation of the memory's part.
    pub memory_norm: LayerNorm,
    /// What each element becomes by itself.
    pub feed_forward: FeedForward,
    /// The normalisation of the feed-forward part.
    pub feed_forward_norm: LayerNorm,
    dropout: Dropout,
    norm_first: bool,
}

impl TransformerDecoderLayer {
    /// A layer as [`TransformerOptions::new`] has it.
    ///
    /// # Panics
    /// When the features do not divide into the heads.
    #[track_caller]
    pub fn new(features: usize, heads: usize) -> TransformerDecoderLayer {
        TransformerDecoderLayer::from_options(&TransformerOptions::new(features, heads))
    }

    /// A layer of any form, drawn from the thread's default generator.
    ///
    /// # Panics
    /// When the features do not divide into the heads.
    #[track_caller]
    pub fn from_options(options: &TransformerOptions) -> TransformerDecoderLayer {
        TransformerDecoderLayer {
            attention: options.self_attention(),
            attention_norm: options.norm(),
            memory_attention: options.attention(),
            memory_norm: options.norm(),
            feed_forward: options.feed_forward_part(),
            feed_forward_norm: options.norm(),
            dropout: options.residual_dropout(),
            norm_first: options.norm_first,
        }
    }

    /// The output for `x` `[batch, elements, features]` and a memory `[batch, others, features]`, with what may be looked at
    /// in each. Single sequences go without the batch.
    ///
    /// # Panics
    /// When the shapes do not fit.
    #[track_caller]
    pub fn forward_with(
        &self,
        x: impl AsRef<Tensor>,
        memory: impl AsRef<Tensor>,
        masks: &AttentionMasks,
        memory_masks: &AttentionMasks,
    ) -> Tensor {
        let (x, memory) = (x.as_ref(), memory.as_ref());
        layer_scope(self, || {
            let x = residual(self.norm_first, x, &self.attention_norm, |x| {
                let found = self.attention.forward_with(x, x, x, masks);
                self.dropout.forward(found)
            });
            let x = residual(self.norm_first, &x, &self.memory_norm, |x| {
                let attention = &self.memory_attention;
                self.dropout
                    .forward(attention.forward_with(x, memory, memory, memory_masks))
            });
            residual(self.norm_first, &x, &self.feed_forward_norm, |x| {
                self.dropout.forward(self.feed_forward.forward(x))
            })
        })
    }
}
