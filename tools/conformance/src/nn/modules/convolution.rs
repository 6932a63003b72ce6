//! Convolutions.

use super::{Built, Layer, Setup};
use crate::case::Argument;
use crate::nn::arguments::{Arguments, Read, refuse};
use chainrule::nn::{Conv, ConvTranspose, Layer as _};
use chainrule::{Padding, Tensor};

pub fn build(module: &str, setup: &mut Setup) -> Option<Built> {
    Some(match module {
        "Conv1d" => convolution::<1>(setup),
        "Conv2d" => convolution::<2>(setup),
        "Conv3d" => convolution::<3>(setup),
        "ConvTranspose1d" => transposed::<1>(setup),
        "ConvTranspose2d" => transposed::<2>(setup),
        "ConvTranspose3d" => transposed::<3>(setup),
        _ => return None,
    })
}

/// Takes the channels and the kernel, which the weight says too.
fn known_by_weight<const AXES: usize>(arguments: &mut Arguments) -> Read<()> {
    arguments.count("in_channels")?;
    arguments.count("out_channels")?;
    match arguments.counts::<AXES>("kernel_size")? {
        Some(_) => Ok(()),
        None => refuse("argument `kernel_size` is missing"),
    }
}

fn convolution<const AXES: usize>(setup: &mut Setup) -> Read<Layer> {
    let arguments = &mut setup.arguments;
    known_by_weight::<AXES>(arguments)?;
    let bias = arguments.truth_or("bias", true)?;
    let weight = setup.state.parameter("weight")?;
    let bias = bias.then(|| setup.state.parameter("bias")).transpose()?;
    let mut layer = Conv::<AXES>::from_weights(weight, bias, arguments.count_or("groups", 1)?);
    if let Some(stride) = arguments.counts::<AXES>("stride")? {
        layer = layer.stride(stride);
    }
    if let Some(dilation) = arguments.counts::<AXES>("dilation")? {
        layer = layer.dilation(dilation);
    }
    layer = match arguments.take("padding") {
        None | Some(Argument::None) => layer,
        Some(Argument::Text(text)) if text == "valid" => layer,
        Some(Argument::Text(text)) if text == "same" => layer.padding_same(),
        Some(other) => {
            let named = vec![("padding".to_owned(), other)];
            let padding = Arguments::new(Vec::new(), named).counts::<AXES>("padding")?;
            layer.padding(padding.unwrap_or([0; AXES]))
        }
    };
    let layer = layer.padding_mode(match arguments.text_or("padding_mode", "zeros")?.as_str() {
        "zeros" => Padding::Constant(0.0),
        "reflect" => Padding::Reflect,
        "replicate" => Padding::Replicate,
        "circular" => Padding::Circular,
        other => return refuse(format!("padding mode {other:?}")),
    });
    Ok(Layer::map(move |x| layer.forward(x)))
}

fn transposed<const AXES: usize>(setup: &mut Setup) -> Read<Layer> {
    let arguments = &mut setup.arguments;
    known_by_weight::<AXES>(arguments)?;
    if arguments.text_or("padding_mode", "zeros")? != "zeros" {
        return refuse("the padding mode of a transposed convolution");
    }
    let bias = arguments.truth_or("bias", true)?;
    let weight = setup.state.parameter("weight")?;
    let bias = bias.then(|| setup.state.parameter("bias")).transpose()?;
    let groups = arguments.count_or("groups", 1)?;
    let layer = ConvTranspose::<AXES>::from_weights(weight, bias, groups)
        .stride(arguments.counts("stride")?.unwrap_or([1; AXES]))
        .padding(arguments.counts("padding")?.unwrap_or([0; AXES]))
        .output_padding(arguments.counts("output_padding")?.unwrap_or([0; AXES]))
        .dilation(arguments.counts("dilation")?.unwrap_or([1; AXES]));
    Ok(Layer::new(&["input", "output_size"], move |call| {
        let x = call.tensor("input")?;
        Ok(vec![match spatial_extents::<AXES>(call, &x)? {
            Some(extents) => layer.forward_to(&x, extents),
            None => layer.forward(&x),
        }])
    }))
}

/// The argument `output_size`: the spatial extents, or those of all axes.
pub(super) fn spatial_extents<const AXES: usize>(
    call: &mut Arguments,
    x: &Tensor,
) -> Read<Option<[usize; AXES]>> {
    let Some(given) = call.integers("output_size")? else {
        return Ok(None);
    };
    let spatial = match given.len() {
        count if count == AXES => &given[..],
        count if count == x.rank() => &given[count - AXES..],
        _ => return refuse("the value of argument `output_size`"),
    };
    let extents: Option<Vec<usize>> = spatial.iter().map(|&n| usize::try_from(n).ok()).collect();
    match extents.and_then(|extents| extents.try_into().ok()) {
        Some(extents) => Ok(Some(extents)),
        None => refuse("the value of argument `output_size`"),
    }
}
