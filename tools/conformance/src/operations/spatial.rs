//! Spatial axes: convolution, pooling, windows, interpolation.

use super::{Table, outputs};
use crate::call::{Call, NotSupported, Outputs};
use crate::case::Argument;
use chainrule::{ConvolutionOptions, Interpolation, PerAxis, PoolOptions, Tensor};

pub(super) const TABLE: Table = &[
    ("nn.functional.conv1d", |call| {
        convolution(call, Tensor::conv1d)
    }),
    ("nn.functional.conv2d", |call| {
        convolution(call, Tensor::conv2d)
    }),
    ("nn.functional.conv3d", |call| {
        convolution(call, Tensor::conv3d)
    }),
    ("nn.functional.conv_transpose1d", |call| {
        transposed(call, Tensor::conv_transpose1d)
    }),
    ("nn.functional.conv_transpose2d", |call| {
        transposed(call, Tensor::conv_transpose2d)
    }),
    ("nn.functional.conv_transpose3d", |call| {
        transposed(call, Tensor::conv_transpose3d)
    }),
    ("nn.functional.max_pool1d", |call| {
        max_pool(call, Tensor::max_pool1d_with_indices)
    }),
    ("nn.functional.max_pool2d", |call| {
        max_pool(call, Tensor::max_pool2d_with_indices)
    }),
    ("nn.functional.max_pool3d", |call| {
        max_pool(call, Tensor::max_pool3d_with_indices)
    }),
    ("nn.functional.avg_pool1d", |call| {
        average_pool(call, Tensor::avg_pool1d)
    }),
    ("nn.functional.avg_pool2d", |call| {
        average_pool(call, Tensor::avg_pool2d)
    }),
    ("nn.functional.avg_pool3d", |call| {
        average_pool(call, Tensor::avg_pool3d)
    }),
    ("nn.functional.adaptive_avg_pool1d", |call| {
        let (x, e) = adaptive(call, 1)?;
        outputs([x.adaptive_avg_pool1d([e[0]])])
    }),
    ("nn.functional.adaptive_avg_pool2d", |call| {
        let (x, e) = adaptive(call, 2)?;
        outputs([x.adaptive_avg_pool2d([e[0], e[1]])])
    }),
    ("nn.functional.adaptive_avg_pool3d", |call| {
        let (x, e) = adaptive(call, 3)?;
        outputs([x.adaptive_avg_pool3d([e[0], e[1], e[2]])])
    }),
    ("nn.functional.adaptive_max_pool1d", |call| {
        let (x, e) = adaptive(call, 1)?;
        chosen(call, 2, x.adaptive_max_pool1d_with_indices([e[0]]))
    }),
    ("nn.functional.adaptive_max_pool2d", |call| {
        let (x, e) = adaptive(call, 2)?;
        chosen(call, 2, x.adaptive_max_pool2d_with_indices([e[0], e[1]]))
    }),
    ("nn.functional.adaptive_max_pool3d", |call| {
        let (x, e) = adaptive(call, 3)?;
        chosen(
            call,
            2,
            x.adaptive_max_pool3d_with_indices([e[0], e[1], e[2]]),
        )
    }),
    ("unfold", |call| {
        let (x, axis) = (call.tensor(0, "input")?, call.integer(1, "dimension")?);
        let (size, step) = (call.integer(2, "size")?, call.integer(3, "step")?);
        let x = if x.rank() == 0 { x.reshape([1]) } else { x };
        let windows = x.windows(axis as isize, size as usize, step as usize);
        outputs([if windows.shape()[..] == [1, 1] {
            windows.squeeze(0)
        } else {
            windows
        }])
    }),
    ("nn.functional.unfold", |call| {
        let x = call.tensor(0, "input")?;
        let kernel = match per_axis(call, 1, "kernel_size", 1)? {
            PerAxis::All(extent) => vec![extent; 2],
            PerAxis::Each(extents) => extents,
        };
        let options = ConvolutionOptions::new()
            .dilation(per_axis(call, 2, "dilation", 1)?)
            .padding(per_axis(call, 3, "padding", 0)?)
            .stride(per_axis(call, 4, "stride", 1)?);
        outputs([x.im2col(&kernel, &options)])
    }),
    ("nn.functional.interpolate", |call| {
        let interpolation = match call.text_or(usize::MAX, "mode", "nearest")?.as_str() {
            "nearest" => Interpolation::Nearest,
            "nearest-exact" => Interpolation::NearestExact,
            "linear" | "bilinear" | "trilinear" => Interpolation::Linear {
                align_corners: aligned(call)?,
            },
            "bicubic" => Interpolation::Cubic {
                align_corners: aligned(call)?,
            },
            "area" => Interpolation::Area,
            _ => return Err(NotSupported),
        };
        resized(call, interpolation)
    }),
    ("nn.functional.upsample_nearest", |call| {
        resized(call, Interpolation::Nearest)
    }),
    ("nn.functional.upsample_bilinear", |call| {
        resized(
            call,
            Interpolation::Linear {
                align_corners: true,
            },
        )
    }),
    ("nn.functional.pixel_shuffle", |call| {
        let (x, factor) = (call.tensor(0, "input")?, call.integer(1, "upscale_factor")?);
        outputs([x.pixel_shuffle(factor as usize)])
    }),
    ("nn.functional.pixel_unshuffle", |call| {
        let (x, factor) = (
            call.tensor(0, "input")?,
            call.integer(1, "downscale_factor")?,
        );
        outputs([x.pixel_unshuffle(factor as usize)])
    }),
];

/// A number for all spatial axes, or a list with one for all or one for each.
fn per_axis(
    call: &mut Call,
    position: usize,
    name: &str,
    default: usize,
) -> Result<PerAxis, NotSupported> {
    match call.integers(position, name)? {
        None => Ok(PerAxis::All(default)),
        Some(numbers) if numbers.iter().any(|&number| number < 0) => Err(NotSupported),
        Some(numbers) if numbers.len() == 1 => Ok(PerAxis::All(numbers[0] as usize)),
        Some(numbers) => Ok(PerAxis::Each(
            numbers.into_iter().map(|number| number as usize).collect(),
        )),
    }
}

fn biased(
    call: &mut Call,
    options: ConvolutionOptions,
) -> Result<ConvolutionOptions, NotSupported> {
    Ok(match call.optional_tensor(2, "bias")? {
        Some(bias) => options.bias(&bias),
        None => options,
    })
}

fn convolution(
    call: &mut Call,
    run: impl Fn(&Tensor, Tensor, ConvolutionOptions) -> Tensor,
) -> Outputs {
    let (x, weight) = (call.tensor(0, "input")?, call.tensor(1, "weight")?);
    let options = biased(call, ConvolutionOptions::new())?;
    let mut options = options.stride(per_axis(call, 3, "stride", 1)?);
    options = match call.clone().take(4, "padding") {
        Some(Argument::Text(name)) if name == "valid" => {
            let _ = call.take(4, "padding");
            options // no padding
        }
        Some(Argument::Text(name)) if name == "same" => {
            let _ = call.take(4, "padding");
            options.padding_same()
        }
        Some(Argument::Text(_)) => return Err(NotSupported),
        _ => options.padding(per_axis(call, 4, "padding", 0)?),
    };
    options = options
        .dilation(per_axis(call, 5, "dilation", 1)?)
        .groups(call.integer_or(6, "groups", 1)? as usize);
    outputs([run(&x, weight, options)])
}

fn transposed(
    call: &mut Call,
    run: impl Fn(&Tensor, Tensor, ConvolutionOptions) -> Tensor,
) -> Outputs {
    let (x, weight) = (call.tensor(0, "input")?, call.tensor(1, "weight")?);
    let options = biased(call, ConvolutionOptions::new())?
        .stride(per_axis(call, 3, "stride", 1)?)
        .padding(per_axis(call, 4, "padding", 0)?)
        .output_padding(per_axis(call, 5, "output_padding", 0)?)
        .groups(call.integer_or(6, "groups", 1)? as usize)
        .dilation(per_axis(call, 7, "dilation", 1)?);
    outputs([run(&x, weight, options)])
}

fn max_pool(call: &mut Call, run: fn(&Tensor, PoolOptions) -> (Tensor, Tensor)) -> Outputs {
    let x = call.tensor(0, "input")?;
    let mut options = PoolOptions::new(per_axis(call, 1, "kernel_size", 0)?);
    if let Some(Argument::Integer(_) | Argument::List(_)) = call.clone().take(2, "stride") {
        options = options.stride(per_axis(call, 2, "stride", 1)?);
    } else {
        let _ = call.take(2, "stride");
    }
    options = options
        .padding(per_axis(call, 3, "padding", 0)?)
        .dilation(per_axis(call, 4, "dilation", 1)?);
    if call.truth_or(5, "ceil_mode", false)? {
        options = options.ceil_mode();
    }
    chosen(call, 6, run(&x, options))
}

fn average_pool(call: &mut Call, run: fn(&Tensor, PoolOptions) -> Tensor) -> Outputs {
    let x = call.tensor(0, "input")?;
    let mut options = PoolOptions::new(per_axis(call, 1, "kernel_size", 0)?);
    if let Some(Argument::Integer(_) | Argument::List(_)) = call.clone().take(2, "stride") {
        options = options.stride(per_axis(call, 2, "stride", 1)?);
    } else {
        let _ = call.take(2, "stride");
    }
    options = options.padding(per_axis(call, 3, "padding", 0)?);
    if call.truth_or(4, "ceil_mode", false)? {
        options = options.ceil_mode();
    }
    if !call.truth_or(5, "count_include_pad", true)? {
        options = options.without_padding_in_mean();
    }
    match call.take(6, "divisor_override") {
        None | Some(Argument::None) => {}
        Some(Argument::Integer(divisor)) => options = options.divisor(divisor as f64),
        _ => return Err(NotSupported),
    }
    outputs([run(&x, options)])
}

fn adaptive(call: &mut Call, spatial: usize) -> Result<(Tensor, Vec<usize>), NotSupported> {
    let x = call.tensor(0, "input")?;
    let first = x.rank() - spatial;
    let extent = |axis: usize, entry: &Argument| match entry {
        Argument::Integer(extent) => Ok(*extent as usize),
        Argument::None => Ok(x.shape()[first + axis]),
        _ => Err(NotSupported),
    };
    let extents = match call.take(1, "output_size") {
        Some(Argument::Integer(all)) => vec![all as usize; spatial],
        Some(Argument::List(list)) if list.len() == spatial => list
            .iter()
            .enumerate()
            .map(|(axis, entry)| extent(axis, entry))
            .collect::<Result<_, _>>()?,
        _ => return Err(NotSupported),
    };
    Ok((x, extents))
}

/// The greatest elements, and their positions where they are asked for.
fn chosen(call: &mut Call, at: usize, (values, positions): (Tensor, Tensor)) -> Outputs {
    match call.truth_or(at, "return_indices", false)? {
        true => outputs([values, positions]),
        false => outputs([values]),
    }
}

fn aligned(call: &mut Call) -> Result<bool, NotSupported> {
    match call.take(usize::MAX, "align_corners") {
        None | Some(Argument::None) => Ok(false),
        Some(Argument::Truth(aligned)) => Ok(aligned),
        _ => Err(NotSupported),
    }
}

fn resized(call: &mut Call, interpolation: Interpolation) -> Outputs {
    let x = call.tensor(0, "input")?;
    let spatial = x.rank().checked_sub(2).ok_or(NotSupported)?;
    match call.take(usize::MAX, "align_corners") {
        None | Some(Argument::None) => {}
        _ => return Err(NotSupported),
    }
    let recomputed = call.take(usize::MAX, "recompute_scale_factor");
    let recomputed = matches!(recomputed, Some(Argument::Truth(true)));
    if let Some(extents) = call.integers(1, "size")? {
        let _ = call.take(2, "scale_factor");
        let extents: Vec<usize> = match extents[..] {
            [all] => vec![all as usize; spatial],
            _ => extents.into_iter().map(|extent| extent as usize).collect(),
        };
        return outputs([x.resize(&extents, interpolation)]);
    }
    let factor = call.number(2, "scale_factor")?;
    if recomputed {
        let extent = |axis: usize| (x.shape()[axis] as f64 * factor) as usize;
        let extents: Vec<usize> = (2..x.rank()).map(extent).collect();
        return outputs([x.resize(&extents, interpolation)]);
    }
    outputs([x.resize_by(&vec![factor; spatial], interpolation)])
}
