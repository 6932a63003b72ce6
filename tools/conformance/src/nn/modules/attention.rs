//! Attention with several heads, and the masks of PyTorch.

use super::{Built, Layer, Setup};
use crate::nn::arguments::{Arguments, Read, refuse};
use crate::nn::state::State;
use chainrule::nn::{
    AttentionInputs, AttentionMasks, ExtraElement, Linear, Module, MultiheadAttention, Parameter,
};
use chainrule::{DType, Tensor};

pub fn build(module: &str, setup: &mut Setup) -> Option<Built> {
    Some(match module {
        "MultiheadAttention" => multihead(setup),
        _ => return None,
    })
}

const CALL: &[&str] = &[
    "query",
    "key",
    "value",
    "key_padding_mask",
    "need_weights",
    "attn_mask",
    "average_attn_weights",
    "is_causal",
];

fn multihead(setup: &mut Setup) -> Built {
    let arguments = &mut setup.arguments;
    let features = arguments.count("embed_dim")?;
    let heads = arguments.count("num_heads")?;
    let dropout = arguments.number_or("dropout", 0.0)?;
    let bias = arguments.truth_or("bias", true)?;
    let extra = arguments.truth_or("add_bias_kv", false)?;
    let zero = arguments.truth_or("add_zero_attn", false)?;
    let widths = (
        arguments.count_or("kdim", features)?,
        arguments.count_or("vdim", features)?,
    );
    let batch_first = arguments.truth_or("batch_first", false)?;
    let mut attention = projections(&mut setup.state, "", features, heads, widths, bias)?;
    attention = attention.dropout(dropout);
    if zero {
        attention = attention.with_zero_element();
    }
    if extra {
        // PyTorch keeps both with two axes of extent 1 before.
        attention.extra = Some(ExtraElement {
            key: reshaped(setup.state.parameter("bias_k")?, features),
            value: reshaped(setup.state.parameter("bias_v")?, features),
        });
    }
    if !setup.training {
        attention.eval();
    }
    Ok(Layer::new(CALL, move |call| {
        let operands = [
            call.tensor("query")?,
            call.tensor("key")?,
            call.tensor("value")?,
        ];
        let need_weights = call.truth_or("need_weights", true)?;
        let average = call.truth_or("average_attn_weights", true)?;
        let causal = call.truth_or("is_causal", false)?;
        let sizes = Sizes::of(&operands[0], &operands[1], batch_first, heads);
        let pairs = call.optional_tensor("attn_mask")?;
        let keys = call.optional_tensor("key_padding_mask")?;
        if causal && pairs.is_none() {
            return refuse("is_causal without attn_mask");
        }
        if causal && !need_weights && (zero || extra) {
            // PyTorch then drops the mask for a causal kernel, which hides the further elements.
            return refuse("is_causal with further elements");
        }
        let masks = masks(pairs, keys, causal, &sizes, zero || extra)?;
        let [query, key, value] = turned(&operands, batch_first);
        let (y, weights) = attention.forward_weights(query, key, value, &masks);
        let [y] = turned(&[y], batch_first);
        Ok(match (need_weights, average) {
            (false, _) => vec![y],
            (true, true) => vec![y, weights.mean(-3)],
            (true, false) => vec![y, weights],
        })
    }))
}

/// A parameter that the layer holds in another shape; what is differentiated by stays PyTorch's.
fn reshaped(parameter: Parameter, features: usize) -> Parameter {
    chainrule::tree::mapped(&parameter, |tensor| tensor.reshape([features as isize]))
}

/// Attention with the weights that stand in the state under `prefix`.
pub fn projections(
    state: &mut State,
    prefix: &str,
    features: usize,
    heads: usize,
    (keys, values): (usize, usize),
    bias: bool,
) -> Read<MultiheadAttention> {
    if heads == 0 || !features.is_multiple_of(heads) {
        return refuse("features that do not divide into the heads");
    }
    let named = |name: &str| format!("{prefix}{name}");
    let mut attention = MultiheadAttention::with_widths(features, heads, keys, values);
    let joint = keys == features && values == features;
    let input_bias = bias.then(|| named("in_proj_bias"));
    attention.input = match joint {
        true => AttentionInputs::Joint {
            weight: state.parameter(&named("in_proj_weight"))?,
            bias: input_bias.map(|name| state.parameter(&name)).transpose()?,
        },
        false => AttentionInputs::Separate {
            query: state.parameter(&named("q_proj_weight"))?,
            key: state.parameter(&named("k_proj_weight"))?,
            value: state.parameter(&named("v_proj_weight"))?,
            bias: input_bias.map(|name| state.parameter(&name)).transpose()?,
        },
    };
    attention.output = linear(state, &named("out_proj."), bias)?;
    Ok(attention)
}

pub fn linear(state: &mut State, prefix: &str, bias: bool) -> Read<Linear> {
    Ok(Linear {
        weight: state.parameter(&format!("{prefix}weight"))?,
        bias: bias
            .then(|| state.parameter(&format!("{prefix}bias")))
            .transpose()?,
    })
}

/// Sequences with the batch first, or the way back.
pub fn turned<const N: usize>(operands: &[Tensor; N], batch_first: bool) -> [Tensor; N] {
    operands
        .each_ref()
        .map(|x| match batch_first || x.rank() < 3 {
            true => x.clone(),
            false => x.transpose(0, 1),
        })
}

/// The extents of a call.
pub struct Sizes {
    batch: Option<usize>,
    heads: usize,
    queries: usize,
    keys: usize,
}

impl Sizes {
    pub fn of(query: &Tensor, key: &Tensor, batch_first: bool, heads: usize) -> Sizes {
        let batch = (query.rank() == 3).then_some(if batch_first { 0 } else { 1 });
        let elements = |x: &Tensor| match batch {
            Some(axis) if x.rank() == 3 => x.shape()[1 - axis],
            _ => x.shape().first().copied().unwrap_or(0),
        };
        Sizes {
            batch: batch.map(|axis| query.shape()[axis]),
            heads,
            queries: elements(query),
            keys: elements(key),
        }
    }
}

/// PyTorch's masks, in which truth means "not looked at". `always` says that some element is looked at in any case.
pub fn masks(
    pairs: Option<Tensor>,
    keys: Option<Tensor>,
    causal: bool,
    sizes: &Sizes,
    always: bool,
) -> Read<AttentionMasks> {
    let (queries, count) = (sizes.queries, sizes.keys);
    let mut masks = AttentionMasks::new();
    let mut sum = Tensor::zeros([1, 1, queries, count]).cast(DType::F64);
    if let Some(mask) = &pairs {
        if causal && !is_triangle(mask) {
            return refuse("is_causal with a mask that is not causal");
        }
        let batch = sizes.batch.unwrap_or(1);
        let mask = match mask.shape()[..] {
            [q, k] if q == queries && k == count => mask.clone(),
            [all, q, k] if q == queries && k == count && all == batch * sizes.heads => {
                mask.reshape([batch, sizes.heads, q, k].map(|extent| extent as isize))
            }
            _ => return refuse("the shape of an attention mask"),
        };
        sum += added(&mask)?;
        masks = masks.pairs(&ours(&mask));
    }
    if let Some(mask) = &keys {
        let expected: Vec<usize> = sizes.batch.into_iter().chain([count]).collect();
        if mask.shape()[..] != expected[..] {
            return refuse("the shape of a padding mask");
        }
        let batch = sizes.batch.unwrap_or(1);
        let extents = [batch, 1, 1, count].map(|extent| extent as isize);
        sum += added(&mask.reshape(extents))?;
        masks = masks.keys(&ours(mask));
    }
    // What a query finds that may look at nothing depends on which of its kernels PyTorch takes.
    if !always && sum.elements() > 0 && sum.max(-1).to_vec::<f64>().contains(&f64::NEG_INFINITY) {
        return refuse("a query that may look at nothing");
    }
    Ok(masks)
}

/// The mask as this project has it.
fn ours(mask: &Tensor) -> Tensor {
    match mask.dtype() {
        DType::Bool => mask.logical_not(),
        _ => mask.clone(),
    }
}

/// What the mask adds to the scores.
fn added(mask: &Tensor) -> Read<Tensor> {
    match mask.dtype() {
        DType::Bool => {
            let zeros = Tensor::zeros(mask.shape().clone()).cast(DType::F64);
            Ok(mask.where_(f64::NEG_INFINITY, &zeros))
        }
        DType::F64 => Ok(mask.stop_gradient()),
        _ => refuse("the dtype of a mask"),
    }
}

/// Whether query number i may look at keys 0 to i only, by this mask.
pub fn is_triangle(mask: &Tensor) -> bool {
    let [rows, columns] = mask.shape()[..] else {
        return false;
    };
    let numbers = match added(mask) {
        Ok(numbers) => numbers.to_vec::<f64>(),
        Err(_) => return false,
    };
    rows == columns
        && numbers.iter().enumerate().all(|(flat, &number)| {
            let expected = match flat % columns > flat / columns {
                true => f64::NEG_INFINITY,
                false => 0.0,
            };
            number == expected
        })
}

/// The masks of a call by their names; PyTorch wants a mask beside the hint that it is causal.
pub fn take_masks(
    call: &mut Arguments,
    [pairs, keys, causal]: [&str; 3],
    sizes: &Sizes,
) -> Read<AttentionMasks> {
    let hint = call.optional_truth(causal)?.unwrap_or(false);
    let (pairs, keys) = (call.optional_tensor(pairs)?, call.optional_tensor(keys)?);
    if hint && pairs.is_none() {
        return refuse(format!("`{causal}` without a mask"));
    }
    masks(pairs, keys, hint, sizes, false)
}
