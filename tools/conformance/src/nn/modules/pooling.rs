//! Pools.

use super::convolution::spatial_extents;
use super::{Built, Layer, Setup};
use crate::nn::arguments::{Arguments, Read, refuse};
use chainrule::nn::{
    AdaptiveAvgPool, AdaptiveMaxPool, AvgPool, FractionalMaxPool, Layer as _, LpPool, MaxPool,
    MaxUnpool,
};
use chainrule::{DType, Tensor};
use std::collections::HashSet;

pub fn build(module: &str, setup: &mut Setup) -> Option<Built> {
    let arguments = &mut setup.arguments;
    Some(match module {
        "MaxPool1d" => max_pool::<1>(arguments),
        "MaxPool2d" => max_pool::<2>(arguments),
        "MaxPool3d" => max_pool::<3>(arguments),
        "AvgPool1d" => avg_pool::<1>(arguments),
        "AvgPool2d" => avg_pool::<2>(arguments),
        "AvgPool3d" => avg_pool::<3>(arguments),
        "LPPool1d" => lp_pool::<1>(arguments),
        "LPPool2d" => lp_pool::<2>(arguments),
        "LPPool3d" => lp_pool::<3>(arguments),
        "AdaptiveAvgPool1d" => adaptive_avg_pool::<1>(arguments),
        "AdaptiveAvgPool2d" => adaptive_avg_pool::<2>(arguments),
        "AdaptiveAvgPool3d" => adaptive_avg_pool::<3>(arguments),
        "AdaptiveMaxPool1d" => adaptive_max_pool::<1>(arguments),
        "AdaptiveMaxPool2d" => adaptive_max_pool::<2>(arguments),
        "AdaptiveMaxPool3d" => adaptive_max_pool::<3>(arguments),
        "MaxUnpool1d" => max_unpool::<1>(arguments),
        "MaxUnpool2d" => max_unpool::<2>(arguments),
        "MaxUnpool3d" => max_unpool::<3>(arguments),
        "FractionalMaxPool2d" => fractional_max_pool::<2>(setup),
        "FractionalMaxPool3d" => fractional_max_pool::<3>(setup),
        _ => return None,
    })
}

/// The maxima, and their positions where the constructor asked for them.
fn choosing(
    with_positions: bool,
    pool: impl Fn(&Tensor) -> (Tensor, Tensor) + 'static,
) -> Read<Layer> {
    Ok(Layer::new(&["input"], move |call| {
        let (greatest, positions) = pool(&call.tensor("input")?);
        Ok(match with_positions {
            true => vec![greatest, positions],
            false => vec![greatest],
        })
    }))
}

fn kernel<const AXES: usize>(arguments: &mut Arguments) -> Read<[usize; AXES]> {
    match arguments.counts("kernel_size")? {
        Some(kernel) => Ok(kernel),
        None => refuse("argument `kernel_size` is missing"),
    }
}

fn max_pool<const AXES: usize>(arguments: &mut Arguments) -> Read<Layer> {
    let kernel = kernel::<AXES>(arguments)?;
    let mut pool = MaxPool::new(kernel)
        .stride(arguments.counts("stride")?.unwrap_or(kernel))
        .padding(arguments.counts("padding")?.unwrap_or([0; AXES]))
        .dilation(arguments.counts("dilation")?.unwrap_or([1; AXES]));
    if arguments.truth_or("ceil_mode", false)? {
        pool = pool.ceil_mode();
    }
    let with_positions = arguments.truth_or("return_indices", false)?;
    choosing(with_positions, move |x| pool.forward_with_positions(x))
}

fn avg_pool<const AXES: usize>(arguments: &mut Arguments) -> Read<Layer> {
    let kernel = kernel::<AXES>(arguments)?;
    let mut pool = AvgPool::new(kernel)
        .stride(arguments.counts("stride")?.unwrap_or(kernel))
        .padding(arguments.counts("padding")?.unwrap_or([0; AXES]));
    if arguments.truth_or("ceil_mode", false)? {
        pool = pool.ceil_mode();
    }
    if !arguments.truth_or("count_include_pad", true)? {
        pool = pool.without_padding_in_mean();
    }
    match arguments.optional_integer("divisor_override")? {
        Some(0) => return refuse("a divisor of 0"),
        Some(divisor) => pool = pool.divisor(divisor as f64),
        None => {}
    }
    Ok(Layer::map(move |x| pool.forward(x)))
}

fn lp_pool<const AXES: usize>(arguments: &mut Arguments) -> Read<Layer> {
    let order = arguments.number("norm_type")?;
    if !order.is_finite() || order <= 0.0 {
        return refuse(format!("a norm of order {order}"));
    }
    let kernel = kernel::<AXES>(arguments)?;
    let mut pool = LpPool::new(order, kernel)
        .signed()
        .stride(arguments.counts("stride")?.unwrap_or(kernel));
    if arguments.truth_or("ceil_mode", false)? {
        pool = pool.ceil_mode();
    }
    Ok(Layer::map(move |x| pool.forward(x)))
}

/// The argument `output_size`; `None` for extents that stay.
fn grid<const AXES: usize>(arguments: &mut Arguments) -> Read<[Option<usize>; AXES]> {
    let Some(mut given) = arguments.integers_or_none("output_size")? else {
        // None for all axes.
        return Ok([None; AXES]);
    };
    if given.len() == 1 {
        given = vec![given[0]; AXES];
    }
    let grid: Result<Vec<Option<usize>>, _> = given
        .into_iter()
        .map(|extent| extent.map(usize::try_from).transpose())
        .collect();
    match grid.ok().and_then(|grid| grid.try_into().ok()) {
        Some(grid) => Ok(grid),
        None => refuse("the value of argument `output_size`"),
    }
}

fn adaptive_avg_pool<const AXES: usize>(arguments: &mut Arguments) -> Read<Layer> {
    let pool = AdaptiveAvgPool::with_extents(grid::<AXES>(arguments)?);
    Ok(Layer::map(move |x| pool.forward(x)))
}

fn adaptive_max_pool<const AXES: usize>(arguments: &mut Arguments) -> Read<Layer> {
    let pool = AdaptiveMaxPool::with_extents(grid::<AXES>(arguments)?);
    let with_positions = arguments.truth_or("return_indices", false)?;
    choosing(with_positions, move |x| pool.forward_with_positions(x))
}

fn max_unpool<const AXES: usize>(arguments: &mut Arguments) -> Read<Layer> {
    let kernel = kernel::<AXES>(arguments)?;
    let pool = MaxUnpool::new(kernel)
        .stride(arguments.counts("stride")?.unwrap_or(kernel))
        .padding(arguments.counts("padding")?.unwrap_or([0; AXES]));
    let signature = &["input", "indices", "output_size"];
    Ok(Layer::new(signature, move |call| {
        let (x, positions) = (call.tensor("input")?, call.tensor("indices")?);
        if repeats::<AXES>(&positions) {
            return refuse("a position that occurs twice, whose value PyTorch leaves open");
        }
        Ok(vec![match spatial_extents::<AXES>(call, &x)? {
            Some(extents) => pool.forward_to(&x, &positions, extents),
            None => pool.forward(&x, &positions),
        }])
    }))
}

/// Whether a position occurs twice in one plane.
fn repeats<const AXES: usize>(positions: &Tensor) -> bool {
    let spatial = positions.rank().saturating_sub(AXES);
    let plane = positions.shape()[spatial..].iter().product::<usize>();
    let flat = positions.cast(DType::I64).to_vec::<i64>();
    flat.chunks(plane.max(1)).any(|plane| {
        let different: HashSet<&i64> = plane.iter().collect();
        different.len() < plane.len()
    })
}

fn fractional_max_pool<const AXES: usize>(setup: &mut Setup) -> Read<Layer> {
    let arguments = &mut setup.arguments;
    let kernel = kernel::<AXES>(arguments)?;
    let extents = arguments.counts::<AXES>("output_size")?;
    let ratio = if arguments.gives("output_ratio") {
        Some(ratios::<AXES>(arguments)?)
    } else {
        arguments.take("output_ratio");
        None
    };
    let pool = match (extents, ratio) {
        (Some(extents), None) => FractionalMaxPool::<AXES>::new(kernel, extents),
        (None, Some(ratio)) => FractionalMaxPool::<AXES>::by_ratio(kernel, ratio),
        _ => return refuse("output size and ratio"),
    };
    let given = arguments.optional_tensor("_random_samples")?;
    // Without samples the windows are random.
    let Some(samples) = setup.state.optional_buffer("_random_samples").or(given) else {
        return refuse("random windows");
    };
    let pool = pool.with_samples(samples);
    let with_positions = arguments.truth_or("return_indices", false)?;
    choosing(with_positions, move |x| pool.forward_with_positions(x))
}

/// The argument `output_ratio`: one number for all axes or one for each.
fn ratios<const AXES: usize>(arguments: &mut Arguments) -> Read<[f64; AXES]> {
    if let Ok(Some(ratio)) = arguments.clone().optional_number("output_ratio") {
        arguments.take("output_ratio");
        return Ok([ratio; AXES]);
    }
    match arguments.numbers("output_ratio")?.try_into() {
        Ok(ratio) => Ok(ratio),
        Err(_) => refuse("the value of argument `output_ratio`"),
    }
}
