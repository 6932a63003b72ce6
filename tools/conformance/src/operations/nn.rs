//! Networks: normalisation, losses, activations with parameters.

use super::{Table, outputs};
use crate::call::{Call, NotSupported, Outputs};
use chainrule::{Shape, Tensor};

pub(super) const TABLE: Table = &[
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
    ("nn.functional.instance_norm", |call| {
        let x = call.tensor(0, "input")?;
        let _ = (call.take(1, "running_mean"), call.take(2, "running_var"));
        let (weight, bias) = (
            call.optional_tensor(3, "weight")?,
            call.optional_tensor(4, "bias")?,
        );
        if !call.truth_or(5, "use_input_stats", true)? {
            return Err(NotSupported);
        }
        let _ = call.number_or(6, "momentum", 0.1)?;
        let epsilon = call.number_or(7, "eps", 1e-5)?;
        outputs([x.instance_norm(weight.as_ref(), bias.as_ref(), epsilon)])
    }),
    ("nn.functional.rms_norm", |call| {
        let x = call.tensor(0, "input")?;
        let shape = call.integers(1, "normalized_shape")?.ok_or(NotSupported)?;
        let weight = call.optional_tensor(2, "weight")?;
        let epsilon = call.number_or(3, "eps", f64::EPSILON)?;
        if weight.is_none() && shape.len() != 1 {
            return Err(NotSupported);
        }
        outputs([x.rms_norm(weight.as_ref(), epsilon)])
    }),
    ("nn.functional.local_response_norm", |call| {
        let (x, size) = (call.tensor(0, "input")?, call.integer(1, "size")?);
        let alpha = call.number_or(2, "alpha", 1e-4)?;
        let beta = call.number_or(3, "beta", 0.75)?;
        let k = call.number_or(4, "k", 1.0)?;
        outputs([x.local_response_norm(size as usize, alpha, beta, k)])
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
