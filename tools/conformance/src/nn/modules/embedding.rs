//! Embeddings.

use super::{Built, Layer, Setup};
use crate::nn::arguments::{Arguments, Read, refuse};
use chainrule::nn::{BagReduction, Embedding, EmbeddingBag, Layer as _};
use chainrule::{DType, Tensor};

pub fn build(module: &str, setup: &mut Setup) -> Option<Built> {
    Some(match module {
        "Embedding" => embedding(setup),
        "EmbeddingBag" => embedding_bag(setup),
        _ => return None,
    })
}

/// Takes what the table says too, and what says how its gradient is stored.
fn known_by_table(arguments: &mut Arguments) -> Read<()> {
    arguments.count("num_embeddings")?;
    arguments.count("embedding_dim")?;
    arguments.truth_or("sparse", false)?;
    // The state holds the weight.
    arguments.optional_tensor("_weight")?;
    match arguments.truth_or("_freeze", false)? {
        true => refuse("a frozen table"),
        false => Ok(()),
    }
}

/// The entry that `padding_idx` means, which may count from the end.
fn padding(arguments: &mut Arguments, table: &Tensor) -> Read<Option<usize>> {
    let Some(given) = arguments.optional_integer("padding_idx")? else {
        return Ok(None);
    };
    let entries = table.shape()[0] as i64;
    let entry = if given < 0 { entries + given } else { given };
    match usize::try_from(entry) {
        Ok(entry) if entry < entries as usize => Ok(Some(entry)),
        _ => refuse("the value of argument `padding_idx`"),
    }
}

fn embedding(setup: &mut Setup) -> Read<Layer> {
    let arguments = &mut setup.arguments;
    known_by_table(arguments)?;
    let table = setup.state.parameter("weight")?;
    let mut layer = Embedding::from_pretrained(table.stop_gradient());
    if let Some(entry) = padding(arguments, &table)? {
        layer = layer.keep_padding(entry);
    }
    let order = arguments.number_or("norm_type", 2.0)?;
    if let Some(longest) = arguments.optional_number("max_norm")? {
        layer = layer.longest(longest, order);
    }
    if arguments.truth_or("scale_grad_by_freq", false)? {
        layer = layer.scale_by_frequency();
    }
    layer.weight = table;
    Ok(Layer::map(move |x| layer.forward(x)))
}

fn embedding_bag(setup: &mut Setup) -> Read<Layer> {
    let arguments = &mut setup.arguments;
    known_by_table(arguments)?;
    let table = setup.state.parameter("weight")?;
    let reduction = match arguments.text_or("mode", "mean")?.as_str() {
        "sum" => BagReduction::Sum,
        "mean" => BagReduction::Mean,
        "max" => BagReduction::Max,
        other => return refuse(format!("mode {other:?}")),
    };
    let mut layer = EmbeddingBag::from_pretrained(table.stop_gradient()).reduction(reduction);
    if let Some(entry) = padding(arguments, &table)? {
        layer = layer.keep_padding(entry);
    }
    let order = arguments.number_or("norm_type", 2.0)?;
    if let Some(longest) = arguments.optional_number("max_norm")? {
        layer = layer.longest(longest, order);
    }
    if arguments.truth_or("scale_grad_by_freq", false)? {
        layer = layer.scale_by_frequency();
    }
    let last_offset = arguments.truth_or("include_last_offset", false)?;
    if last_offset {
        layer = layer.with_last_offset();
    }
    layer.weight = table;
    let signature = &["input", "offsets", "per_sample_weights"];
    Ok(Layer::new(signature, move |call| {
        let x = call.tensor("input")?;
        let offsets = call.optional_tensor("offsets")?;
        let factors = call.optional_tensor("per_sample_weights")?;
        if let (true, Some(offsets)) = (last_offset, &offsets) {
            // PyTorch does not read the last offset, which has to be the number of entries.
            let offsets = offsets.cast(DType::I64).to_vec::<i64>();
            if offsets.last() != Some(&(x.elements() as i64)) {
                return refuse("a last offset that is not the number of entries");
            }
        }
        Ok(vec![match (x.rank(), offsets, factors) {
            (1, Some(offsets), factors) => layer.forward_offsets(&x, &offsets, factors.as_ref()),
            (2, None, Some(factors)) => layer.forward_weighted(&x, &factors),
            (2, None, None) => layer.forward(&x),
            _ => return refuse("offsets that do not go with the input"),
        }])
    }))
}
