//! Clipping by norm: the total norm and the clipped gradients.

use super::arguments::{Read, refuse};
use super::{Checked, list, wrong};
use crate::case::{Argument, argument, tensor};
use crate::compare::{close, compare};
use chainrule::Tensor;
use chainrule::nn::clip::clip_norm;
use safetensors::SafeTensors;
use serde_json::Value;

pub fn check(file: &SafeTensors<'_>, case: &Value) -> Checked {
    let gradients = tensors(file, &case["gradients"])?;
    let (most, order) = (
        number(file, &case["max_norm"])?,
        number(file, &case["norm_type"])?,
    );
    let (norm, clipped) = clip(&gradients, most, order)?;
    let expected = number(file, &case["total_norm"])?;
    if !close(norm, expected) {
        return wrong(format!("the norm is {norm:e}, expected {expected:e}"));
    }
    for (position, expected) in tensors(file, &case["clipped"])?.iter().enumerate() {
        let Some(actual) = clipped.get(position) else {
            return wrong(format!("{} gradients", clipped.len()));
        };
        compare(&format!("gradient {position}"), actual, expected)?;
    }
    Ok(())
}

fn tensors(file: &SafeTensors<'_>, entries: &Value) -> Read<Vec<Tensor>> {
    let tensors: Option<Vec<Tensor>> = list(entries)
        .iter()
        .map(|entry| tensor(file, entry))
        .collect();
    tensors.map_or_else(|| refuse("a gradient that is not a tensor"), Ok)
}

fn number(file: &SafeTensors<'_>, entry: &Value) -> Read<f64> {
    match argument(file, entry) {
        Argument::Integer(number) => Ok(number as f64),
        Argument::Number(number) => Ok(number),
        _ => refuse("a norm that is not a number"),
    }
}

/// The norm over all gradients before, and the gradients after.
fn clip(gradients: &[Tensor], most: f64, order: f64) -> Read<(f64, Vec<Tensor>)> {
    if order <= 0.0 || order.is_nan() {
        return refuse(format!("norms of order {order}"));
    }
    let mut clipped = gradients.to_vec();
    let norm = clip_norm(&mut clipped, most, order);
    Ok((norm.item(), clipped))
}
