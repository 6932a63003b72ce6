//! Elements arranged anew.

use super::{Built, Layer, Setup};
use crate::case::Argument;
use crate::nn::arguments::{Arguments, Read, refuse};
use chainrule::nn::{
    ChannelShuffle, Flatten, Fold, Identity, PixelShuffle, PixelUnshuffle, Unflatten, Unfold,
    Upsample,
};
use chainrule::{ConvolutionOptions, Interpolation};

pub fn build(module: &str, setup: &mut Setup) -> Option<Built> {
    let arguments = &mut setup.arguments;
    Some(match module {
        "Identity" => {
            // It takes any arguments and uses none.
            arguments.take_all();
            Ok(layer(Identity::new()))
        }
        "Flatten" => flatten(arguments),
        "Unflatten" => unflatten(arguments),
        "Fold" => fold(arguments),
        "Unfold" => unfold(arguments),
        "PixelShuffle" => {
            let factor = arguments.count("upscale_factor");
            factor.map(|factor| layer(PixelShuffle::new(factor)))
        }
        "PixelUnshuffle" => {
            let factor = arguments.count("downscale_factor");
            factor.map(|factor| layer(PixelUnshuffle::new(factor)))
        }
        "ChannelShuffle" => {
            let groups = arguments.count("groups");
            groups.map(|groups| layer(ChannelShuffle::new(groups)))
        }
        "Upsample" => upsample(arguments),
        "UpsamplingNearest2d" => resized(arguments, Interpolation::Nearest, 4),
        "UpsamplingBilinear2d" => {
            let align_corners = true;
            resized(arguments, Interpolation::Linear { align_corners }, 4)
        }
        _ => return None,
    })
}

fn layer(layer: impl chainrule::nn::Layer + 'static) -> Layer {
    Layer::map(move |x| layer.forward(x))
}

fn flatten(arguments: &mut Arguments) -> Built {
    let first = arguments.integer_or("start_dim", 1)? as isize;
    let last = arguments.integer_or("end_dim", -1)? as isize;
    Ok(layer(Flatten::axes(first, last)))
}

fn unflatten(arguments: &mut Arguments) -> Built {
    let axis = arguments.integer("dim")? as isize;
    let Some(extents) = arguments.integers("unflattened_size")? else {
        return refuse("the value of argument `unflattened_size`");
    };
    Ok(layer(Unflatten::new(axis, &extents)))
}

/// Stride, padding and dilation of images.
fn options(arguments: &mut Arguments) -> Read<ConvolutionOptions> {
    let of = |values: Option<[usize; 2]>, default| values.unwrap_or([default; 2]).to_vec();
    Ok(ConvolutionOptions::new()
        .dilation(of(arguments.counts("dilation")?, 1))
        .padding(of(arguments.counts("padding")?, 0))
        .stride(of(arguments.counts("stride")?, 1)))
}

fn extents(arguments: &mut Arguments, name: &str) -> Read<[usize; 2]> {
    let given = arguments.counts(name)?;
    given.map_or_else(|| refuse(format!("argument `{name}` is missing")), Ok)
}

fn unfold(arguments: &mut Arguments) -> Built {
    let kernel = extents(arguments, "kernel_size")?;
    Ok(layer(Unfold::new(&kernel, options(arguments)?)))
}

fn fold(arguments: &mut Arguments) -> Built {
    let image = extents(arguments, "output_size")?;
    let kernel = extents(arguments, "kernel_size")?;
    Ok(layer(Fold::new(&image, &kernel, options(arguments)?)))
}

fn upsample(arguments: &mut Arguments) -> Built {
    let mode = arguments.text_or("mode", "nearest")?;
    let align_corners = arguments.optional_truth("align_corners")?;
    let corners = align_corners.unwrap_or(false);
    let linear = Interpolation::Linear {
        align_corners: corners,
    };
    let cubic = Interpolation::Cubic {
        align_corners: corners,
    };
    // The mode says the number of axes; 0 stands for any.
    let (interpolation, rank) = match mode.as_str() {
        "nearest" => (Interpolation::Nearest, 0),
        "nearest-exact" => (Interpolation::NearestExact, 0),
        "area" => (Interpolation::Area, 0),
        "linear" => (linear, 3),
        "bilinear" => (linear, 4),
        "trilinear" => (linear, 5),
        "bicubic" => (cubic, 4),
        other => return refuse(format!("mode {other:?}")),
    };
    if rank == 0 && align_corners.is_some() {
        return refuse(format!("align_corners with mode {mode:?}"));
    }
    resized(arguments, interpolation, rank)
}

fn resized(arguments: &mut Arguments, interpolation: Interpolation, rank: usize) -> Built {
    let size = arguments.integers("size")?;
    let factors = numbers(arguments, "scale_factor")?;
    let recomputed = arguments.truth_or("recompute_scale_factor", false)?;
    if size.is_some() == factors.is_some() {
        return refuse("both or none of size and scale_factor");
    }
    let recomputed = recomputed || interpolation == Interpolation::Area;
    Ok(Layer::new(&["input"], move |call| {
        let x = call.tensor("input")?;
        let axes = x.rank().saturating_sub(2);
        if !(1..=3).contains(&axes) || (rank > 0 && x.rank() != rank) {
            return refuse(format!("upsampling of {} axes", x.rank()));
        }
        if let (Some(factors), Interpolation::Nearest, false) =
            (&factors, interpolation, recomputed)
        {
            let extents = &x.shape()[2..];
            let mut pairs = each(factors, axes)?.into_iter().zip(extents);
            if pairs.any(|(factor, &extent)| takes_a_shortcut(extent, factor)) {
                return refuse("a factor for which PyTorch's kernels choose different elements");
            }
        }
        let made = match (&size, &factors) {
            (Some(size), _) => {
                let size: Vec<usize> = size.iter().map(|&extent| extent as usize).collect();
                Upsample::to(&each(&size, axes)?)
            }
            (_, Some(factors)) => Upsample::by(&each(factors, axes)?),
            _ => return refuse("no size"),
        };
        let made = made.interpolation(interpolation);
        let made = if recomputed && factors.is_some() {
            made.recomputed()
        } else {
            made
        };
        Ok(vec![chainrule::nn::Layer::forward(&made, &x)])
    }))
}

/// Whether some of PyTorch's kernels take the extent for a copy or a doubling, and others go by the factor.
fn takes_a_shortcut(extent: usize, factor: f64) -> bool {
    let outputs = (extent as f64 * factor).floor() as usize;
    (outputs == extent && factor != 1.0) || (outputs == 2 * extent && factor != 2.0)
}

/// One value for all axes, or one for each.
fn each<T: Copy>(values: &[T], axes: usize) -> Read<Vec<T>> {
    match values {
        [one] => Ok(vec![*one; axes]),
        each if each.len() == axes => Ok(each.to_vec()),
        _ => refuse("another number of extents than axes"),
    }
}

fn numbers(arguments: &mut Arguments, name: &str) -> Read<Option<Vec<f64>>> {
    let number = |argument: &Argument| match argument {
        Argument::Integer(number) => Some(*number as f64),
        Argument::Number(number) => Some(*number),
        _ => None,
    };
    let given = match arguments.take(name) {
        None | Some(Argument::None) => return Ok(None),
        Some(Argument::List(list)) => list.iter().map(number).collect::<Option<Vec<f64>>>(),
        Some(one) => number(&one).map(|number| vec![number]),
    };
    given.map_or_else(
        || refuse(format!("the value of argument `{name}`")),
        |list| Ok(Some(list)),
    )
}
