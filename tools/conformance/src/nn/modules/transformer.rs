//! Transformers.

use super::attention::{Sizes, linear, projections, take_masks, turned};
use super::{Built, Layer, Setup};
use crate::nn::arguments::{Arguments, Read, refuse};
use crate::nn::state::State;
use chainrule::Tensor;
use chainrule::nn::{
    FeedForward, LayerNorm, Module, MultiheadAttention, Transformer, TransformerDecoder,
    TransformerDecoderLayer, TransformerEncoder, TransformerEncoderLayer, TransformerOptions,
};

pub fn build(module: &str, setup: &mut Setup) -> Option<Built> {
    Some(match module {
        "TransformerEncoderLayer" => encoder_layer(setup),
        "TransformerDecoderLayer" => decoder_layer(setup),
        "Transformer" => transformer(setup),
        _ => return None,
    })
}

const OF_TARGET: [&str; 3] = ["tgt_mask", "tgt_key_padding_mask", "tgt_is_causal"];
const OF_MEMORY: [&str; 3] = ["memory_mask", "memory_key_padding_mask", "memory_is_causal"];

/// What the constructors share.
struct Form {
    options: TransformerOptions,
    features: usize,
    heads: usize,
    inner: usize,
    dropout: f64,
    activation: fn(&Tensor) -> Tensor,
    epsilon: f64,
    batch_first: bool,
    bias: bool,
}

/// `whole` has defaults where the layers have none.
fn form(arguments: &mut Arguments, whole: bool) -> Read<Form> {
    let (features, heads) = match whole {
        true => (
            arguments.count_or("d_model", 512)?,
            arguments.count_or("nhead", 8)?,
        ),
        false => (arguments.count("d_model")?, arguments.count("nhead")?),
    };
    let inner = arguments.count_or("dim_feedforward", 2048)?;
    let dropout = arguments.number_or("dropout", 0.1)?;
    let activation: fn(&Tensor) -> Tensor = match arguments.text_or("activation", "relu")?.as_str()
    {
        "relu" => Tensor::relu,
        "gelu" => Tensor::gelu,
        other => return refuse(format!("activation {other:?}")),
    };
    let epsilon = arguments.number_or("layer_norm_eps", 1e-5)?;
    let batch_first = arguments.truth_or("batch_first", false)?;
    let norm_first = arguments.truth_or("norm_first", false)?;
    let bias = arguments.truth_or("bias", true)?;
    if heads == 0 || !features.is_multiple_of(heads) {
        return refuse("features that do not divide into the heads");
    }
    let mut options = TransformerOptions::new(features, heads)
        .feed_forward(inner)
        .dropout(dropout)
        .activation(activation)
        .epsilon(epsilon);
    if norm_first {
        options = options.norm_first();
    }
    if !bias {
        options = options.without_bias();
    }
    Ok(Form {
        options,
        features,
        heads,
        inner,
        dropout,
        activation,
        epsilon,
        batch_first,
        bias,
    })
}

impl Form {
    fn norm(&self, state: &mut State, prefix: &str) -> Read<LayerNorm> {
        let mut norm = LayerNorm::new([self.features]).epsilon(self.epsilon);
        norm.weight = Some(state.parameter(&format!("{prefix}weight"))?);
        norm.bias = match self.bias {
            true => Some(state.parameter(&format!("{prefix}bias"))?),
            false => None,
        };
        Ok(norm)
    }

    fn attention(&self, state: &mut State, prefix: &str) -> Read<MultiheadAttention> {
        let widths = (self.features, self.features);
        let attention = projections(state, prefix, self.features, self.heads, widths, self.bias)?;
        Ok(attention.dropout(self.dropout))
    }

    fn feed_forward(&self, state: &mut State, prefix: &str) -> Read<FeedForward> {
        let mut part = FeedForward::new(self.features, self.inner)
            .dropout(self.dropout)
            .activation(self.activation);
        part.expand = linear(state, &format!("{prefix}linear1."), self.bias)?;
        part.contract = linear(state, &format!("{prefix}linear2."), self.bias)?;
        Ok(part)
    }

    fn encoder_layer(&self, state: &mut State, prefix: &str) -> Read<TransformerEncoderLayer> {
        let mut layer = TransformerEncoderLayer::from_options(&self.options);
        layer.attention = self.attention(state, &format!("{prefix}self_attn."))?;
        layer.feed_forward = self.feed_forward(state, prefix)?;
        layer.attention_norm = self.norm(state, &format!("{prefix}norm1."))?;
        layer.feed_forward_norm = self.norm(state, &format!("{prefix}norm2."))?;
        Ok(layer)
    }

    fn decoder_layer(&self, state: &mut State, prefix: &str) -> Read<TransformerDecoderLayer> {
        let mut layer = TransformerDecoderLayer::from_options(&self.options);
        layer.attention = self.attention(state, &format!("{prefix}self_attn."))?;
        layer.memory_attention = self.attention(state, &format!("{prefix}multihead_attn."))?;
        layer.feed_forward = self.feed_forward(state, prefix)?;
        layer.attention_norm = self.norm(state, &format!("{prefix}norm1."))?;
        layer.memory_norm = self.norm(state, &format!("{prefix}norm2."))?;
        layer.feed_forward_norm = self.norm(state, &format!("{prefix}norm3."))?;
        Ok(layer)
    }

    fn sizes(&self, query: &Tensor, key: &Tensor) -> Sizes {
        Sizes::of(query, key, self.batch_first, self.heads)
    }
}

fn in_mode<M: Module>(mut module: M, training: bool) -> M {
    match training {
        true => module.train(),
        false => module.eval(),
    }
    module
}

fn encoder_layer(setup: &mut Setup) -> Built {
    let form = form(&mut setup.arguments, false)?;
    let layer = form.encoder_layer(&mut setup.state, "")?;
    let layer = in_mode(layer, setup.training);
    let signature = &["src", "src_mask", "src_key_padding_mask", "is_causal"];
    Ok(Layer::new(signature, move |call| {
        let source = call.tensor("src")?;
        let names = ["src_mask", "src_key_padding_mask", "is_causal"];
        let masks = take_masks(call, names, &form.sizes(&source, &source))?;
        let [x] = turned(&[source], form.batch_first);
        let y = layer.forward_with(x, &masks);
        Ok(turned(&[y], form.batch_first).to_vec())
    }))
}

fn decoder_layer(setup: &mut Setup) -> Built {
    let form = form(&mut setup.arguments, false)?;
    let layer = form.decoder_layer(&mut setup.state, "")?;
    let layer = in_mode(layer, setup.training);
    let signature = &[
        "tgt",
        "memory",
        "tgt_mask",
        "memory_mask",
        "tgt_key_padding_mask",
        "memory_key_padding_mask",
        "tgt_is_causal",
        "memory_is_causal",
    ];
    Ok(Layer::new(signature, move |call| {
        let (target, memory) = (call.tensor("tgt")?, call.tensor("memory")?);
        let masks = take_masks(call, OF_TARGET, &form.sizes(&target, &target))?;
        let memory_masks = take_masks(call, OF_MEMORY, &form.sizes(&target, &memory))?;
        let [x, memory] = turned(&[target, memory], form.batch_first);
        let y = layer.forward_with(x, memory, &masks, &memory_masks);
        Ok(turned(&[y], form.batch_first).to_vec())
    }))
}

fn transformer(setup: &mut Setup) -> Built {
    let arguments = &mut setup.arguments;
    let form = form(arguments, true)?;
    let encoder_layers = arguments.count_or("num_encoder_layers", 6)?;
    let decoder_layers = arguments.count_or("num_decoder_layers", 6)?;
    for custom in ["custom_encoder", "custom_decoder"] {
        if arguments.gives(custom) {
            return refuse(custom);
        }
        arguments.take(custom);
    }
    let state = &mut setup.state;
    let layers = |state: &mut State| -> Read<Transformer> {
        let encoder = (0..encoder_layers)
            .map(|layer| form.encoder_layer(state, &format!("encoder.layers.{layer}.")))
            .collect::<Read<_>>()?;
        let decoder = (0..decoder_layers)
            .map(|layer| form.decoder_layer(state, &format!("decoder.layers.{layer}.")))
            .collect::<Read<_>>()?;
        Ok(Transformer {
            encoder: TransformerEncoder {
                layers: encoder,
                norm: Some(form.norm(state, "encoder.norm.")?),
            },
            decoder: TransformerDecoder {
                layers: decoder,
                norm: Some(form.norm(state, "decoder.norm.")?),
            },
        })
    };
    let model = in_mode(layers(state)?, setup.training);
    let signature = &[
        "src",
        "tgt",
        "src_mask",
        "tgt_mask",
        "memory_mask",
        "src_key_padding_mask",
        "tgt_key_padding_mask",
        "memory_key_padding_mask",
        "src_is_causal",
        "tgt_is_causal",
        "memory_is_causal",
    ];
    Ok(Layer::new(signature, move |call| {
        let (source, target) = (call.tensor("src")?, call.tensor("tgt")?);
        let names = ["src_mask", "src_key_padding_mask", "src_is_causal"];
        let source_masks = take_masks(call, names, &form.sizes(&source, &source))?;
        let target_masks = take_masks(call, OF_TARGET, &form.sizes(&target, &target))?;
        let memory_masks = take_masks(call, OF_MEMORY, &form.sizes(&target, &source))?;
        let [source, target] = turned(&[source, target], form.batch_first);
        let y = model.forward_with(source, target, &source_masks, &target_masks, &memory_masks);
        Ok(turned(&[y], form.batch_first).to_vec())
    }))
}
