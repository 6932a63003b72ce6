//! Activation functions.

use super::{Built, Layer, Setup};
use crate::nn::arguments::{Arguments, refuse};
use chainrule::Tensor;
use chainrule::nn::{
    Celu, Elu, Gelu, Glu, HardShrink, HardSigmoid, HardSwish, HardTanh, Layer as _, LeakyRelu,
    LogSigmoid, LogSoftmax, Mish, Module, PRelu, RRelu, Relu, Relu6, Selu, Sigmoid, Silu,
    SoftShrink, Softmax, Softmin, Softplus, Softsign, Tanh, TanhShrink, Threshold,
};

pub fn build(module: &str, setup: &mut Setup) -> Option<Built> {
    let arguments = &mut setup.arguments;
    Some(match module {
        "ReLU" => in_place(arguments, Relu::new()),
        "ReLU6" => in_place(arguments, Relu6::new()),
        "SELU" => in_place(arguments, Selu::new()),
        "SiLU" => in_place(arguments, Silu::new()),
        "Mish" => in_place(arguments, Mish::new()),
        "Hardsigmoid" => in_place(arguments, HardSigmoid::new()),
        "Hardswish" => in_place(arguments, HardSwish::new()),
        "Sigmoid" => Ok(layer(Sigmoid::new())),
        "LogSigmoid" => Ok(layer(LogSigmoid::new())),
        "Softsign" => Ok(layer(Softsign::new())),
        "Tanh" => Ok(layer(Tanh::new())),
        "Tanhshrink" => Ok(layer(TanhShrink::new())),
        "CELU" => celu(arguments),
        "ELU" => elu(arguments),
        "LeakyReLU" => leaky_relu(arguments),
        "GELU" => gelu(arguments),
        "GLU" => glu(arguments),
        "Hardshrink" => hard_shrink(arguments),
        "Softshrink" => soft_shrink(arguments),
        "Hardtanh" => hard_tanh(arguments),
        "Softplus" => softplus(arguments),
        "Threshold" => threshold(arguments),
        "PReLU" => prelu(setup),
        "RReLU" => rrelu(setup),
        "Softmax" => along_an_axis(arguments, |x, axis| Softmax::new(axis).forward(x)),
        "Softmin" => along_an_axis(arguments, |x, axis| Softmin::new(axis).forward(x)),
        "LogSoftmax" => along_an_axis(arguments, |x, axis| LogSoftmax::new(axis).forward(x)),
        "Softmax2d" => softmax_of_channels(),
        _ => return None,
    })
}

fn layer(layer: impl chainrule::nn::Layer + 'static) -> Layer {
    Layer::map(move |x| layer.forward(x))
}

/// A layer that PyTorch may run in place, which changes nothing that a value shows.
fn in_place(arguments: &mut Arguments, made: impl chainrule::nn::Layer + 'static) -> Built {
    arguments.truth_or("inplace", false)?;
    Ok(layer(made))
}

fn celu(arguments: &mut Arguments) -> Built {
    let made = Celu::new().alpha(arguments.number_or("alpha", 1.0)?);
    in_place(arguments, made)
}

fn elu(arguments: &mut Arguments) -> Built {
    let made = Elu::new().alpha(arguments.number_or("alpha", 1.0)?);
    in_place(arguments, made)
}

fn leaky_relu(arguments: &mut Arguments) -> Built {
    let made = LeakyRelu::new().slope(arguments.number_or("negative_slope", 0.01)?);
    in_place(arguments, made)
}

fn gelu(arguments: &mut Arguments) -> Built {
    match arguments.text_or("approximate", "none")?.as_str() {
        "none" => Ok(layer(Gelu::new())),
        "tanh" => Ok(layer(Gelu::new().approximate())),
        other => refuse(format!("approximate {other:?}")),
    }
}

fn glu(arguments: &mut Arguments) -> Built {
    let axis = arguments.integer_or("dim", -1)? as isize;
    Ok(layer(Glu::new(axis)))
}

fn hard_shrink(arguments: &mut Arguments) -> Built {
    let made = HardShrink::new().threshold(arguments.number_or("lambd", 0.5)?);
    Ok(layer(made))
}

fn soft_shrink(arguments: &mut Arguments) -> Built {
    let made = SoftShrink::new().threshold(arguments.number_or("lambd", 0.5)?);
    Ok(layer(made))
}

/// `min_value` and `max_value` are the older names of the limits.
fn hard_tanh(arguments: &mut Arguments) -> Built {
    let (older_low, older_high) = (
        arguments.optional_number("min_value")?,
        arguments.optional_number("max_value")?,
    );
    let (low, high) = (
        arguments.number_or("min_val", -1.0)?,
        arguments.number_or("max_val", 1.0)?,
    );
    let made = HardTanh::new()
        .low(older_low.unwrap_or(low))
        .high(older_high.unwrap_or(high));
    in_place(arguments, made)
}

fn softplus(arguments: &mut Arguments) -> Built {
    let made = Softplus::new()
        .beta(arguments.number_or("beta", 1.0)?)
        .threshold(arguments.number_or("threshold", 20.0)?);
    Ok(layer(made))
}

fn threshold(arguments: &mut Arguments) -> Built {
    let made = Threshold::new()
        .threshold(arguments.number("threshold")?)
        .value(arguments.number("value")?);
    in_place(arguments, made)
}

fn prelu(setup: &mut Setup) -> Built {
    let arguments = &mut setup.arguments;
    // The state gives the slopes themselves.
    arguments.count_or("num_parameters", 1)?;
    arguments.number_or("init", 0.25)?;
    let slopes = setup.state.parameter("weight")?;
    Ok(layer(PRelu { slopes }))
}

fn rrelu(setup: &mut Setup) -> Built {
    let arguments = &mut setup.arguments;
    let (lower, upper) = (
        arguments.number_or("lower", 1.0 / 8.0)?,
        arguments.number_or("upper", 1.0 / 3.0)?,
    );
    if lower != upper {
        setup.allow_draws()?;
    }
    let mut made = RRelu::new(lower, upper);
    if !setup.training {
        made.eval();
    }
    in_place(&mut setup.arguments, made)
}

/// Without an axis PyTorch takes 0 for tensors of 0, 1 and 3 axes, and 1 for others.
fn along_an_axis(arguments: &mut Arguments, apply: fn(&Tensor, isize) -> Tensor) -> Built {
    let axis = arguments.optional_integer("dim")?;
    Ok(Layer::map(move |x| {
        let axis = axis.unwrap_or(match x.rank() {
            0 | 1 | 3 => 0,
            _ => 1,
        });
        apply(x, axis as isize)
    }))
}

/// Over the channels of `[batch, channels, height, width]` or `[channels, height, width]`.
fn softmax_of_channels() -> Built {
    Ok(Layer::new(&["input"], |call| {
        let x = call.tensor("input")?;
        match x.rank() {
            3 | 4 => Ok(vec![Softmax::new(-3).forward(&x)]),
            rank => refuse(format!("Softmax2d of {rank} axes")),
        }
    }))
}
