//! A Transformer from one sequence to another.

use super::options::TransformerOptions;
use super::stacks::{TransformerDecoder, TransformerEncoder};
use crate::{AttentionMasks, layer_scope};
use chainrule_core::Tensor;
use chainrule_derive::Module;

/// An encoder, and a decoder whose memory is what the encoder puts out (Vaswani and others 2017). Embedding, positions and the
/// map to what is predicted are the caller's.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{AttentionMasks, Transformer, TransformerOptions};
/// let model = Transformer::from_options(&TransformerOptions::new(8, 2), 1, 1);
/// let (source, target) = (Tensor::ones([2, 7, 8]), Tensor::ones([2, 5, 8]));
/// let all = AttentionMasks::new();
/// let y = model.forward_with(&source, &target, &all, &AttentionMasks::new().causal(), &all);
/// assert_eq!(y.shape().to_string(), "[2, 5, 8]");
/// ```
#[derive(Clone, Debug, Module)]
pub struct Transformer {
    /// Reads the source.
    pub encoder: TransformerEncoder,
    /// Writes the target.
    pub decoder: TransformerDecoder,
}

impl Transformer {
    /// That many layers in the encoder and the decoder, drawn from the thread's default generator. As in PyTorch all matrices
    /// start uniform in Xavier's bounds.
    ///
    /// # Panics
    /// When the features do not divide into the heads.
    #[track_caller]
    pub fn from_options(
        options: &TransformerOptions,
        encoder_layers: usize,
        decoder_layers: usize,
    ) -> Transformer {
        let model = Transformer {
            encoder: TransformerEncoder::from_options(options, encoder_layers),
            decoder: TransformerDecoder::from_options(options, decoder_layers),
        };
        chainrule_core::tree::mapped(&model, |parameter| match parameter.shape()[..] {
            [outputs, inputs] => {
                let bound = (6.0 / (inputs + outputs).max(1) as f64).sqrt();
                Tensor::uniform([outputs, inputs], -bound, bound).tracked()
            }
            _ => parameter.clone(),
        })
    }

    /// The output for a source `[batch, elements, features]` and a target `[batch, others, features]`, with what may be
    /// looked at: by the source in itself, by the target in itself, by the target in the memory.
    ///
    /// # Panics
    /// When the shapes do not fit.
    #[track_caller]
    pub fn forward_with(
        &self,
        source: impl AsRef<Tensor>,
        target: impl AsRef<Tensor>,
        source_masks: &AttentionMasks,
        target_masks: &AttentionMasks,
        memory_masks: &AttentionMasks,
    ) -> Tensor {
        layer_scope(self, || {
            let memory = self.encoder.forward_with(source, source_masks);
            self.decoder
                .forward_with(target, memory, target_masks, memory_masks)
        })
    }
}
