//! Normalisations.

use super::{Built, Layer, Setup};
use crate::nn::arguments::{Arguments, Read, refuse};
use chainrule::nn::{
    BatchNorm, Buffer, GroupNorm, InstanceNorm, Layer as _, LayerNorm, LocalResponseNorm, Module,
    Parameter, RmsNorm,
};
use chainrule::{Shape, Tensor};
use std::rc::Rc;

pub fn build(module: &str, setup: &mut Setup) -> Option<Built> {
    Some(match module {
        "BatchNorm1d" => batch_norm(setup, &[2, 3]),
        "BatchNorm2d" => batch_norm(setup, &[4]),
        "BatchNorm3d" => batch_norm(setup, &[5]),
        "InstanceNorm1d" => instance_norm::<1>(setup),
        "InstanceNorm2d" => instance_norm::<2>(setup),
        "InstanceNorm3d" => instance_norm::<3>(setup),
        "GroupNorm" => group_norm(setup),
        "LayerNorm" => layer_norm(setup),
        "RMSNorm" => rms_norm(setup),
        "LocalResponseNorm" => local_response_norm(&mut setup.arguments),
        _ => return None,
    })
}

/// Weight and bias, as `switch` (an argument that turns both off) and `bias` say.
fn affine(
    setup: &mut Setup,
    switch: &str,
    default: bool,
) -> Read<(Option<Parameter>, Option<Parameter>)> {
    let affine = setup.arguments.truth_or(switch, default)?;
    let bias = setup.arguments.truth_or("bias", true)? && affine;
    let state = &mut setup.state;
    Ok((
        affine.then(|| state.parameter("weight")).transpose()?,
        bias.then(|| state.parameter("bias")).transpose()?,
    ))
}

/// The layer in the mode of the case.
fn in_mode<M: Module>(mut layer: M, training: bool) -> M {
    if !training {
        layer.eval();
    }
    layer
}

/// The argument `momentum`: a number, 0.1 where it is not given, or none.
fn momentum(arguments: &mut Arguments) -> Read<Option<f64>> {
    if arguments.gives("momentum") {
        return arguments.optional_number("momentum");
    }
    Ok(match arguments.take("momentum") {
        Some(_) => None,
        None => Some(0.1),
    })
}

fn batch_norm(setup: &mut Setup, ranks: &'static [usize]) -> Read<Layer> {
    let arguments = &mut setup.arguments;
    let channels = arguments.count("num_features")?;
    let norm = BatchNorm::new(channels).epsilon(arguments.number_or("eps", 1e-5)?);
    let mut norm = match momentum(arguments)? {
        Some(momentum) => norm.momentum(momentum),
        None => norm.cumulative(),
    };
    let tracked = arguments.truth_or("track_running_stats", true)?;
    (norm.weight, norm.bias) = affine(setup, "affine", true)?;
    let state = &mut setup.state;
    let mut buffer = |name: &str| -> Read<Option<Buffer>> {
        Ok(match tracked {
            true => Some(Buffer::new(state.buffer(name)?)),
            false => None,
        })
    };
    norm.running_mean = buffer("running_mean")?;
    norm.running_variance = buffer("running_var")?;
    norm.batches = buffer("num_batches_tracked")?;
    let norm = Rc::new(in_mode(norm, setup.training));
    let called = Rc::clone(&norm);
    let layer = Layer::new(&["input"], move |call| {
        let x = call.tensor("input")?;
        match ranks.contains(&x.rank()) {
            true => Ok(vec![called.forward(&x)]),
            false => refuse(format!("an input with {} axes", x.rank())),
        }
    });
    Ok(layer.with_buffers(move || {
        let buffers = [
            ("running_mean", &norm.running_mean),
            ("running_var", &norm.running_variance),
            ("num_batches_tracked", &norm.batches),
        ];
        named(&buffers)
    }))
}

/// The values of those buffers that are there.
fn named(buffers: &[(&str, &Option<Buffer>)]) -> Vec<(String, Tensor)> {
    let value = |(name, buffer): &(&str, &Option<Buffer>)| {
        let value = buffer.as_ref()?.get();
        Some(((*name).to_owned(), value))
    };
    buffers.iter().filter_map(value).collect()
}

fn instance_norm<const AXES: usize>(setup: &mut Setup) -> Read<Layer> {
    let arguments = &mut setup.arguments;
    let channels = arguments.count("num_features")?;
    let epsilon = arguments.number_or("eps", 1e-5)?;
    // Without momentum PyTorch's running statistics never move.
    let momentum = momentum(arguments)?.unwrap_or(0.0);
    let tracked = arguments.truth_or("track_running_stats", false)?;
    let mut norm = InstanceNorm::<AXES>::new(channels).epsilon(epsilon);
    (norm.weight, norm.bias) = affine(setup, "affine", false)?;
    if tracked {
        norm = norm.with_statistics(momentum);
        norm.running_mean = Some(Buffer::new(setup.state.buffer("running_mean")?));
        norm.running_variance = Some(Buffer::new(setup.state.buffer("running_var")?));
        // PyTorch's layer has this number and does not count.
        setup.state.buffer("num_batches_tracked")?;
    }
    let norm = Rc::new(in_mode(norm, setup.training));
    let called = Rc::clone(&norm);
    let layer = Layer::new(&["input"], move |call| {
        let x = call.tensor("input")?;
        // PyTorch only warns where no parameter shows that the channels are others.
        let channel_axis = x.rank().checked_sub(AXES + 1);
        match channel_axis.is_some_and(|axis| x.shape()[axis] == channels) {
            true => Ok(vec![called.forward(&x)]),
            false => refuse("an input with other channels than the constructor's"),
        }
    });
    Ok(layer.with_buffers(move || {
        named(&[
            ("running_mean", &norm.running_mean),
            ("running_var", &norm.running_variance),
        ])
    }))
}

fn group_norm(setup: &mut Setup) -> Read<Layer> {
    let arguments = &mut setup.arguments;
    let (groups, channels) = (
        arguments.count("num_groups")?,
        arguments.count("num_channels")?,
    );
    let mut norm = GroupNorm::new(groups, channels).epsilon(arguments.number_or("eps", 1e-5)?);
    (norm.weight, norm.bias) = affine(setup, "affine", true)?;
    Ok(Layer::map(move |x| norm.forward(x)))
}

/// The argument `normalized_shape`.
fn normalized_shape(arguments: &mut Arguments) -> Read<Shape> {
    let extents = arguments.integers("normalized_shape")?.unwrap_or_default();
    let extents: Option<Vec<usize>> = extents.iter().map(|&n| usize::try_from(n).ok()).collect();
    match extents {
        Some(extents) if !extents.is_empty() => Ok(Shape::from(extents.as_slice())),
        _ => refuse("the value of argument `normalized_shape`"),
    }
}

fn layer_norm(setup: &mut Setup) -> Read<Layer> {
    let shape = normalized_shape(&mut setup.arguments)?;
    let mut norm = LayerNorm::new(shape).epsilon(setup.arguments.number_or("eps", 1e-5)?);
    (norm.weight, norm.bias) = affine(setup, "elementwise_affine", true)?;
    Ok(Layer::map(move |x| norm.forward(x)))
}

fn rms_norm(setup: &mut Setup) -> Read<Layer> {
    let arguments = &mut setup.arguments;
    let mut norm = RmsNorm::new(normalized_shape(arguments)?);
    if let Some(epsilon) = arguments.optional_number("eps")? {
        norm = norm.epsilon(epsilon);
    }
    let affine = arguments.truth_or("elementwise_affine", true)?;
    let weight = affine.then(|| setup.state.parameter("weight"));
    norm.weight = weight.transpose()?;
    Ok(Layer::map(move |x| norm.forward(x)))
}

fn local_response_norm(arguments: &mut Arguments) -> Read<Layer> {
    let norm = LocalResponseNorm::new(arguments.count("size")?)
        .alpha(arguments.number_or("alpha", 1e-4)?)
        .beta(arguments.number_or("beta", 0.75)?)
        .k(arguments.number_or("k", 1.0)?);
    Ok(Layer::map(move |x| norm.forward(x)))
}
