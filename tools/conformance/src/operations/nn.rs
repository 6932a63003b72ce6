//! Networks: convolution, pooling, normalisation, losses, activations with parameters.

use super::{Table, outputs};
use crate::call::{Call, NotSupported, Outputs};
use crate::case::Argument;
use chainrule::{
    ConvolutionOptions, CrossEntropyOptions, PerAxis, PoolOptions, Reduction, Shape, Tensor,
};

pub(super) const TABLE: Table = &[
    ("nn.functional.conv1d", |call| {
        convolution(call, 1, Tensor::conv1d)
    }),
    ("nn.functional.conv2d", |call| {
        convolution(call, 2, Tensor::conv2d)
    }),
    ("nn.functional.conv3d", |call| {
        convolution(call, 3, Tensor::conv3d)
    }),
    ("nn.functional.conv_transpose1d", |call| {
        transposed(call, 1, Tensor::conv_transpose1d)
    }),
    ("nn.functional.conv_transpose2d", |call| {
        transposed(call, 2, Tensor::conv_transpose2d)
    }),
    ("nn.functional.conv_transpose3d", |call| {
        transposed(call, 3, Tensor::conv_transpose3d)
    }),
    ("nn.functional.max_pool1d", |call| {
        max_pool(call, Tensor::max_pool1d)
    }),
    ("nn.functional.max_pool2d", |call| {
        max_pool(call, Tensor::max_pool2d)
    }),
    ("nn.functional.max_pool3d", |call| {
        max_pool(call, Tensor::max_pool3d)
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
    ("nn.functional.gelu", |call| {
        let x = call.tensor(0, "input")?;
        match call.text_or(usize::MAX, "approximate", "none")?.as_str() {
            "none" => outputs([x.gelu()]),
            "tanh" => outputs([x.gelu_tanh()]),
            _ => Err(NotSupported),
        }
    }),
    ("nn.functional.leaky_relu", |call| {
        with_number(call, "negative_slope", 0.01, |x, slope| x.leaky_relu(slope))
    }),
    ("nn.functional.elu", |call| {
        with_number(call, "alpha", 1.0, |x, alpha| x.elu(alpha))
    }),
    ("nn.functional.celu", |call| {
        with_number(call, "alpha", 1.0, |x, alpha| x.celu(alpha))
    }),
    ("nn.functional.softshrink", |call| {
        with_number(call, "lambd", 0.5, |x, threshold| x.softshrink(threshold))
    }),
    ("nn.functional.hardshrink", |call| {
        with_number(call, "lambd", 0.5, |x, threshold| x.hardshrink(threshold))
    }),
    ("nn.functional.hardtanh", |call| {
        let x = call.tensor(0, "input")?;
        let (low, high) = (
            call.number_or(1, "min_val", -1.0)?,
            call.number_or(2, "max_val", 1.0)?,
        );
        outputs([x.hardtanh(low, high)])
    }),
    ("nn.functional.threshold", |call| {
        let x = call.tensor(0, "input")?;
        let (threshold, value) = (call.number(1, "threshold")?, call.number(2, "value")?);
        outputs([x.threshold(threshold, value)])
    }),
    ("nn.functional.softplus", |call| {
        let x = call.tensor(0, "input")?;
        let (beta, threshold) = (
            call.number_or(1, "beta", 1.0)?,
            call.number_or(2, "threshold", 20.0)?,
        );
        let scaled = &x * beta;
        let limited = scaled.gt(threshold);
        outputs([limited.where_(&x, scaled.softplus() / beta)])
    }),
    ("nn.functional.glu", |call| {
        let x = call.tensor(0, "input")?;
        let along = call.integer_or(1, "dim", -1)?;
        outputs([x.glu(along as isize)])
    }),
    ("nn.functional.prelu", |call| {
        let (x, slope) = (call.tensor(0, "input")?, call.tensor(1, "weight")?);
        let shape: Shape = (0..x.rank())
            .map(|axis| if axis == 1 { slope.elements() } else { 1 })
            .collect();
        let slope = if slope.elements() == 1 {
            slope.reshape(())
        } else {
            slope.reshape(&shape)
        };
        outputs([x.prelu(&slope)])
    }),
    ("nn.functional.layer_norm", |call| {
        let (x, shape) = (
            call.tensor(0, "input")?,
            call.integers(1, "normalized_shape")?.ok_or(NotSupported)?,
        );
        let (weight, bias) = (
            call.optional_tensor(2, "weight")?,
            call.optional_tensor(3, "bias")?,
        );
        let epsilon = call.number_or(4, "eps", 1e-5)?;
        if weight.is_none() && bias.is_none() && shape.len() != 1 {
            let ones = Tensor::ones(
                shape
                    .iter()
                    .map(|&extent| extent as usize)
                    .collect::<Vec<_>>(),
            )
            .cast(x.dtype());
            return outputs([x.layer_norm(Some(&ones), None, epsilon)]);
        }
        outputs([x.layer_norm(weight.as_ref(), bias.as_ref(), epsilon)])
    }),
    ("nn.functional.group_norm", |call| {
        let (x, groups) = (call.tensor(0, "input")?, call.integer(1, "num_groups")?);
        let (weight, bias) = (
            call.optional_tensor(2, "weight")?,
            call.optional_tensor(3, "bias")?,
        );
        let epsilon = call.number_or(4, "eps", 1e-5)?;
        outputs([x.group_norm(groups as usize, weight.as_ref(), bias.as_ref(), epsilon)])
    }),
    ("nn.functional.batch_norm", batch_norm),
    ("nn.functional.cross_entropy", |call| {
        classified(call, Tensor::cross_entropy_with)
    }),
    ("nn.functional.nll_loss", |call| {
        classified(call, Tensor::nll_loss_with)
    }),
    ("nn.functional.mse_loss", |call| {
        against(call, |x, y| (x - y).square())
    }),
    ("nn.functional.l1_loss", |call| {
        against(call, |x, y| (x - y).abs())
    }),
    ("nn.functional.smooth_l1_loss", |call| {
        let beta = call.number_or(usize::MAX, "beta", 1.0)?;
        against(call, |x, y| {
            let difference = x - y;
            let size = difference.abs();
            size.lt(beta)
                .where_(difference.square() * (0.5 / beta), &size - 0.5 * beta)
        })
    }),
    ("nn.functional.huber_loss", |call| {
        let delta = call.number_or(usize::MAX, "delta", 1.0)?;
        against(call, |x, y| {
            let difference = x - y;
            let size = difference.abs();
            size.le(delta)
                .where_(difference.square() * 0.5, (&size - 0.5 * delta) * delta)
        })
    }),
    ("nn.functional.binary_cross_entropy", |call| {
        against(call, |x, y| {
            -(y * x.log().maximum(-100.0) + (1.0 - y) * (1.0 - x).log().maximum(-100.0))
        })
    }),
    ("nn.functional.binary_cross_entropy_with_logits", |call| {
        let weight = call.optional_tensor(usize::MAX, "weight")?;
        against(call, |x, y| {
            let loss = x.softplus() - x * y;
            weight.as_ref().map_or(loss.clone(), |weight| loss * weight)
        })
    }),
    ("nn.functional.kl_div", |call| {
        let log_target = call.truth_or(usize::MAX, "log_target", false)?;
        against(call, |x, y| {
            if log_target {
                y.exp() * (y - x)
            } else {
                y.xlogy(y) - y * x
            }
        })
    }),
    ("nn.functional.hinge_embedding_loss", |call| {
        let margin = call.number_or(usize::MAX, "margin", 1.0)?;
        against(call, |x, y| {
            let far = (margin - x).relu();
            let zero = x.zeros_like();
            y.ne(1.0).where_(&far, &zero) + y.ne(-1.0).where_(x, &zero)
        })
    }),
    ("nn.functional.soft_margin_loss", |call| {
        against(call, |x, y| (-(y * x)).softplus())
    }),
    ("nn.functional.cosine_similarity", |call| {
        let (a, b) = (call.tensor(0, "x1")?, call.tensor(1, "x2")?);
        let along = call.integer_or(2, "dim", 1)? as isize;
        let epsilon = call.number_or(3, "eps", 1e-8)?;
        if a.rank() == 0 {
            return Err(NotSupported);
        }
        let size = |x: &Tensor| x.norm(2.0, along).maximum(epsilon);
        outputs([(&a * &b).sum(along) / (size(&a) * size(&b))])
    }),
    ("nn.functional.pairwise_distance", |call| {
        let (a, b) = (call.tensor(0, "x1")?, call.tensor(1, "x2")?);
        let order = call.number_or(2, "p", 2.0)?;
        let epsilon = call.number_or(3, "eps", 1e-6)?;
        let keep = call.truth_or(4, "keepdim", false)?;
        let distance = (a - b + epsilon).norm(order, -1);
        outputs([if keep {
            distance.unsqueeze(-1)
        } else {
            distance
        }])
    }),
    ("nn.functional.normalize", |call| {
        let x = call.tensor(0, "input")?;
        let (order, along) = (call.number_or(1, "p", 2.0)?, call.integer_or(2, "dim", 1)?);
        let epsilon = call.number_or(3, "eps", 1e-12)?;
        if x.rank() == 0 || order == 0.0 {
            return Err(NotSupported);
        }
        let size = x
            .norm(order, along as isize)
            .maximum(epsilon)
            .unsqueeze((along.rem_euclid(x.rank() as i64)) as isize);
        outputs([x / size])
    }),
];

fn with_number(
    call: &mut Call,
    name: &str,
    default: f64,
    f: fn(&Tensor, f64) -> Tensor,
) -> Outputs {
    let x = call.tensor(0, "input")?;
    let number = call.number_or(1, name, default)?;
    outputs([f(&x, number)])
}

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

fn biased(y: Tensor, bias: Option<Tensor>, spatial: usize) -> Tensor {
    let Some(bias) = bias else { return y };
    let aligned: Vec<isize> = std::iter::once(-1)
        .chain(std::iter::repeat_n(1, spatial))
        .collect();
    y + bias.reshape(aligned)
}

fn convolution(
    call: &mut Call,
    spatial: usize,
    run: impl Fn(&Tensor, Tensor, ConvolutionOptions) -> Tensor,
) -> Outputs {
    let (x, weight) = (call.tensor(0, "input")?, call.tensor(1, "weight")?);
    let bias = call.optional_tensor(2, "bias")?;
    let mut options = ConvolutionOptions::new().stride(per_axis(call, 3, "stride", 1)?);
    // "valid" is no padding; "same" pads unevenly where the kernel is even, which these cases may not.
    options = match call.clone().take(4, "padding") {
        Some(Argument::Text(name)) if name == "valid" => {
            let _ = call.take(4, "padding");
            options
        }
        Some(Argument::Text(_)) => return Err(NotSupported),
        _ => options.padding(per_axis(call, 4, "padding", 0)?),
    };
    options = options
        .dilation(per_axis(call, 5, "dilation", 1)?)
        .groups(call.integer_or(6, "groups", 1)? as usize);
    outputs([biased(run(&x, weight, options), bias, spatial)])
}

fn transposed(
    call: &mut Call,
    spatial: usize,
    run: impl Fn(&Tensor, Tensor, ConvolutionOptions) -> Tensor,
) -> Outputs {
    let (x, weight) = (call.tensor(0, "input")?, call.tensor(1, "weight")?);
    let bias = call.optional_tensor(2, "bias")?;
    let options = ConvolutionOptions::new()
        .stride(per_axis(call, 3, "stride", 1)?)
        .padding(per_axis(call, 4, "padding", 0)?)
        .output_padding(per_axis(call, 5, "output_padding", 0)?)
        .groups(call.integer_or(6, "groups", 1)? as usize)
        .dilation(per_axis(call, 7, "dilation", 1)?);
    outputs([biased(run(&x, weight, options), bias, spatial)])
}

fn max_pool(call: &mut Call, run: fn(&Tensor, PoolOptions) -> Tensor) -> Outputs {
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
    if call.truth_or(6, "return_indices", false)? {
        return Err(NotSupported);
    }
    outputs([run(&x, options)])
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

fn batch_norm(call: &mut Call) -> Outputs {
    let x = call.tensor(0, "input")?;
    let (mean, variance) = (
        call.optional_tensor(1, "running_mean")?,
        call.optional_tensor(2, "running_var")?,
    );
    let (weight, bias) = (
        call.optional_tensor(3, "weight")?,
        call.optional_tensor(4, "bias")?,
    );
    let training = call.truth_or(5, "training", false)?;
    let _ = call.number_or(6, "momentum", 0.1)?;
    let epsilon = call.number_or(7, "eps", 1e-5)?;
    if x.rank() < 2 {
        return Err(NotSupported);
    }
    if training {
        return outputs([x.batch_norm(weight.as_ref(), bias.as_ref(), epsilon).0]);
    }
    let (mean, variance) = (mean.ok_or(NotSupported)?, variance.ok_or(NotSupported)?);
    outputs([x.batch_norm_with(&mean, &variance, weight.as_ref(), bias.as_ref(), epsilon)])
}

fn reduction(call: &mut Call) -> Result<Reduction, NotSupported> {
    match call.text_or(usize::MAX, "reduction", "mean")?.as_str() {
        "mean" => Ok(Reduction::Mean),
        "sum" => Ok(Reduction::Sum),
        "none" => Ok(Reduction::None),
        _ => Err(NotSupported),
    }
}

fn classified(
    call: &mut Call,
    loss: fn(&Tensor, &Tensor, &CrossEntropyOptions) -> Tensor,
) -> Outputs {
    let (x, labels) = (call.tensor(0, "input")?, call.tensor(1, "target")?);
    let mut options = CrossEntropyOptions::new().reduction(reduction(call)?);
    if let Some(weights) = call.optional_tensor(usize::MAX, "weight")? {
        options = options.weights(&weights);
    }
    options = options.ignore(call.integer_or(usize::MAX, "ignore_index", -100)?);
    options = options.label_smoothing(call.number_or(usize::MAX, "label_smoothing", 0.0)?);
    outputs([loss(&x, &labels, &options)])
}

fn against(call: &mut Call, loss: impl Fn(&Tensor, &Tensor) -> Tensor) -> Outputs {
    let (x, target) = (call.tensor(0, "input")?, call.tensor(1, "target")?);
    let reduction = reduction(call)?;
    outputs([reduction.of(&loss(&x, &target))])
}
