//! Layers of a Transformer one on the other.

use super::decoder_layer::TransformerDecoderLayer;
use super::encoder_layer::TransformerEncoderLayer;
use super::options::TransformerOptions;
use crate::layers::attention::check_heads;
use crate::layers::catalogue::{Declared, input_extent};
use crate::{
    ArgumentError, Arguments, AttentionMasks, KeyValueCache, Layer, LayerNorm, layer_scope,
};
use chainrule_core::{Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { TransformerEncoder }

/// Layers with self-attention one on the other, and a normalisation behind the last.
///
/// With [`TransformerOptions::language_model`] it is the body of a language model.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{KeyValueCache, TransformerEncoder, TransformerOptions};
/// let options = TransformerOptions::language_model(16, 4).rotary().dropout(0.0);
/// let model = TransformerEncoder::from_options(&options, 2);
/// let mut caches = model.caches();
/// let y = model.forward_cached(Tensor::ones([1, 5, 16]), &mut caches);
/// let next = model.forward_cached(Tensor::ones([1, 1, 16]), &mut caches);
/// assert_eq!(next.shape().to_string(), "[1, 1, 16]");
/// # let _ = y;
/// ```
#[derive(Clone, Debug, Module)]
pub struct TransformerEncoder {
    /// The layers, first one first.
    pub layers: Vec<TransformerEncoderLayer>,
    /// The normalisation behind the last.
    pub norm: Option<LayerNorm>,
}

impl TransformerEncoder {
    /// `count` layers of any form, drawn from the thread's default generator, with a normalisation behind.
    ///
    /// # Panics
    /// When the features do not divide into the heads.
    #[track_caller]
    pub fn from_options(options: &TransformerOptions, count: usize) -> TransformerEncoder {
        let layer = |_| TransformerEncoderLayer::from_options(options);
        TransformerEncoder {
            layers: (0..count).map(layer).collect(),
            norm: Some(options.norm()),
        }
    }

    /// The same layers without the normalisation behind.
    pub fn without_norm(self) -> TransformerEncoder {
        TransformerEncoder { norm: None, ..self }
    }

    /// The output for `x` with what may be looked at, the same in all layers.
    ///
    /// # Panics
    /// When the shapes do not fit.
    #[track_caller]
    pub fn forward_with(&self, x: impl AsRef<Tensor>, masks: &AttentionMasks) -> Tensor {
        layer_scope(self, || {
            let step = |x: Tensor, layer: &TransformerEncoderLayer| layer.forward_with(x, masks);
            self.normed(self.layers.iter().fold(x.as_ref().clone(), step))
        })
    }

    /// An empty cache for each layer.
    pub fn caches(&self) -> Vec<KeyValueCache> {
        vec![KeyValueCache::new(); self.layers.len()]
    }

    /// The output for new elements of sequences whose earlier ones the caches have seen, one cache for each layer.
    ///
    /// # Panics
    /// When the shapes do not fit, or there is not one cache for each layer.
    #[track_caller]
    pub fn forward_cached(&self, x: impl AsRef<Tensor>, caches: &mut [KeyValueCache]) -> Tensor {
        assert_eq!(
            caches.len(),
            self.layers.len(),
            "transformer_encoder: one cache for each layer, as `caches()` makes them"
        );
        layer_scope(self, || {
            let mut x = x.as_ref().clone();
            for (layer, cache) in self.layers.iter().zip(caches) {
                x = layer.forward_cached(&x, cache);
            }
            self.normed(x)
        })
    }

    #[track_caller]
    fn normed(&self, x: Tensor) -> Tensor {
        match &self.norm {
            Some(norm) => norm.forward(x),
            None => x,
        }
    }
}

impl Layer for TransformerEncoder {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        let step = |x: Tensor, layer: &TransformerEncoderLayer| layer.forward(x);
        self.normed(self.layers.iter().fold(x.clone(), step))
    }
}

/// `layers`, `heads`, `feed_forward`, `dropout`, `activation` (`"relu"`, `"gelu"`), `norm_first`, `bias`, `causal`, `rotary`;
/// features from the last axis.
impl Declared for TransformerEncoder {
    const NAME: &'static str = "transformer_encoder";

    fn declared(
        arguments: &mut Arguments,
        input: &Shape,
    ) -> Result<TransformerEncoder, ArgumentError> {
        let features = input_extent(arguments, input, -1, "features")?;
        let heads: usize = arguments.required("heads")?;
        let rotary = arguments.optional("rotary", false)?;
        check_heads(arguments, features, heads, rotary)?;
        let dropout: f64 = arguments.optional("dropout", 0.1)?;
        if !(0.0..=1.0).contains(&dropout) {
            let problem = format!("`dropout` is {dropout}; expected a probability");
            return Err(arguments.problem("dropout", problem));
        }
        let activation: String = arguments.optional("activation", "relu".to_owned())?;
        let activation: fn(&Tensor) -> Tensor = match activation.as_str() {
            "relu" => Tensor::relu,
            "gelu" => Tensor::gelu,
            other => {
                let problem = format!("`activation` is \"{other}\"; expected \"relu\" or \"gelu\"");
                return Err(arguments.problem("activation", problem));
            }
        };
        let mut options = TransformerOptions::new(features, heads)
            .feed_forward(arguments.optional("feed_forward", 4 * features)?)
            .dropout(dropout)
            .activation(activation);
        if arguments.optional("norm_first", false)? {
            options = options.norm_first();
        }
        if !arguments.optional("bias", true)? {
            options = options.without_bias();
        }
        if arguments.optional("causal", false)? {
            options = options.causal();
        }
        if rotary {
            options = options.rotary();
        }
        let count = arguments.required("layers")?;
        Ok(TransformerEncoder::from_options(&options, count))
    }
}

/// Layers that look at a memory too one on the other, and a normalisation behind the last.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{AttentionMasks, TransformerDecoder, TransformerOptions};
/// let decoder = TransformerDecoder::from_options(&TransformerOptions::new(8, 2), 2);
/// let (x, memory) = (Tensor::ones([2, 5, 8]), Tensor::ones([2, 7, 8]));
/// let y = decoder.forward_with(&x, &memory, &AttentionMasks::new().causal(), &AttentionMasks::new());
/// assert_eq!(y.shape().to_string(), "[2, 5, 8]");
/// ```
#[derive(Clone, Debug, Module)]
pub struct TransformerDecoder {
    /// The layers, first one first.
    pub layers: Vec<TransformerDecoderLayer>,
    /// The normalisation behind the last.
    pub norm: Option<LayerNorm>,
}

impl TransformerDecoder {
    /// `count` layers of any form, drawn from the thread's default generator, with a normalisation behind.
    ///
    /// # Panics
    /// When the features do not divide into the heads.
    #[track_caller]
    pub fn from_options(options: &TransformerOptions, count: usize) -> TransformerDecoder {
        let layer = |_| TransformerDecoderLayer::from_options(options);
        TransformerDecoder {
            layers: (0..count).map(layer).collect(),
            norm: Some(options.norm()),
        }
    }

    /// The same layers without the normalisation behind.
    pub fn without_norm(self) -> TransformerDecoder {
        TransformerDecoder { norm: None, ..self }
    }

    /// The output for `x` and a memory, with what may be looked at in each, the same in all layers.
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
        let memory = memory.as_ref();
        layer_scope(self, || {
            let step = |x: Tensor, layer: &TransformerDecoderLayer| {
                layer.forward_with(x, memory, masks, memory_masks)
            };
            let x = self.layers.iter().fold(x.as_ref().clone(), step);
            match &self.norm {
                Some(norm) => norm.forward(x),
                None => x,
            }
        })
    }
}
