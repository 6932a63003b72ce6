//! Reductions and scans.

use super::{Table, axis, outputs};
use crate::call::{Call, NotSupported, Outputs};
use crate::case::Argument;
use chainrule::{QuantileMethod, ReductionAxes, Tensor, keep};

pub(super) const TABLE: Table = &[
    ("sum", |call| over_axes(call, |x, axes| x.sum(axes))),
    ("mean", |call| over_axes(call, |x, axes| x.mean(axes))),
    ("nansum", |call| over_axes(call, |x, axes| x.nansum(axes))),
    ("nanmean", |call| over_axes(call, |x, axes| x.nanmean(axes))),
    ("amax", |call| over_axes(call, |x, axes| x.max(axes))),
    ("amin", |call| over_axes(call, |x, axes| x.min(axes))),
    ("all", |call| over_axes(call, |x, axes| x.all(axes))),
    ("any", |call| over_axes(call, |x, axes| x.any(axes))),
    ("count_nonzero", |call| {
        over_axes(call, |x, axes| x.count_nonzero(axes))
    }),
    ("logsumexp", |call| {
        over_axes(call, |x, axes| x.logsumexp(axes))
    }),
    ("prod", |call| over_axes(call, |x, axes| x.prod(axes))),
    ("argmax", |call| over_axes(call, |x, axes| x.argmax(axes))),
    ("argmin", |call| over_axes(call, |x, axes| x.argmin(axes))),
    ("median", |call| {
        found(call, false, |x, axes| x.median(axes))
    }),
    ("nanmedian", |call| {
        found(call, false, |x, axes| x.nanmedian(axes))
    }),
    ("mode", |call| found(call, true, |x, axes| x.mode(axes))),
    ("quantile", |call| quantile(call, Tensor::quantile)),
    ("nanquantile", |call| quantile(call, Tensor::nanquantile)),
    ("max", |call| {
        extremum(
            call,
            |x| x.max(..),
            |x, axes| x.max_with_indices(axes),
            |a, b| a.maximum(b),
        )
    }),
    ("min", |call| {
        extremum(
            call,
            |x| x.min(..),
            |x, axes| x.min_with_indices(axes),
            |a, b| a.minimum(b),
        )
    }),
    ("aminmax", aminmax),
    ("var", |call| {
        spread(call, |x, axes, correction| vec![x.var(axes, correction)])
    }),
    ("std", |call| {
        spread(call, |x, axes, correction| vec![x.std(axes, correction)])
    }),
    ("var_mean", |call| {
        spread(call, |x, axes, correction| {
            vec![x.var(axes.clone(), correction), x.mean(axes)]
        })
    }),
    ("std_mean", |call| {
        spread(call, |x, axes, correction| {
            vec![x.std(axes.clone(), correction), x.mean(axes)]
        })
    }),
    ("norm", norm),
    ("linalg.vector_norm", |call| {
        let x = call.tensor(0, "input")?;
        let order = call.number_or(1, "ord", 2.0)?;
        let axes = axes(call, 2, 3, x.rank())?;
        outputs([x.norm(order, axes)])
    }),
    ("dist", |call| {
        let (a, b) = (call.tensor(0, "input")?, call.tensor(1, "other")?);
        let order = call.number_or(2, "p", 2.0)?;
        outputs([(a - b).norm(order, ..)])
    }),
    ("cumsum", |call| scan(call, Tensor::cumsum)),
    ("cumprod", |call| scan(call, Tensor::cumprod)),
    ("logcumsumexp", |call| scan(call, Tensor::logcumsumexp)),
    ("cummax", |call| running(call, Tensor::cummax)),
    ("cummin", |call| running(call, Tensor::cummin)),
    ("softmax", |call| scan(call, Tensor::softmax)),
    ("log_softmax", |call| scan(call, Tensor::log_softmax)),
    ("nn.functional.softmin", |call| {
        scan(call, |x, axis| (-x).softmax(axis))
    }),
    ("trapezoid", |call| {
        trapezoid(call, |areas, axis| areas.sum(axis))
    }),
    ("cumulative_trapezoid", |call| {
        trapezoid(call, |areas, axis| areas.cumsum(axis))
    }),
];

/// The axes that `dim` and `keepdim` name.
fn axes(
    call: &mut Call,
    axes_at: usize,
    keep_at: usize,
    rank: usize,
) -> Result<ReductionAxes, NotSupported> {
    let axes = call.axes(axes_at, "dim", rank)?;
    Ok(if call.truth_or(keep_at, "keepdim", false)? {
        keep(axes)
    } else {
        axes.into()
    })
}

fn over_axes(call: &mut Call, reduce: impl Fn(&Tensor, ReductionAxes) -> Tensor) -> Outputs {
    call.ignore_float64()?;
    let x = call.tensor(0, "input")?;
    let axes = axes(call, 1, 2, x.rank())?;
    outputs([reduce(&x, axes)])
}

/// A reduction that also finds a position; over all axes PyTorch has some return the value only.
fn found(
    call: &mut Call,
    position_over_all: bool,
    find: impl Fn(&Tensor, ReductionAxes) -> (Tensor, Tensor),
) -> Outputs {
    let x = call.tensor(0, "input")?;
    if !position_over_all && !call.gives(1, "dim") {
        return outputs([find(&x, (..).into()).0]);
    }
    let dim = call.integer_or(1, "dim", -1)?;
    let keep_axis = call.truth_or(2, "keepdim", false)?;
    let (values, positions) = match (x.rank(), keep_axis) {
        (0, _) => find(&x, (..).into()),
        (_, true) => find(&x, keep(dim as isize)),
        (_, false) => find(&x, (dim as isize).into()),
    };
    outputs([values, positions])
}

fn extremum(
    call: &mut Call,
    all: fn(&Tensor) -> Tensor,
    along: fn(&Tensor, ReductionAxes) -> (Tensor, Tensor),
    of_two: fn(&Tensor, &Tensor) -> Tensor,
) -> Outputs {
    match call.clone().take(1, "dim") {
        None => outputs([all(&call.tensor(0, "input")?)]),
        Some(Argument::Tensor(other)) => {
            let _ = call.take(1, "dim");
            outputs([of_two(&call.tensor(0, "input")?, &other)])
        }
        Some(_) => found(call, true, along),
    }
}

fn aminmax(call: &mut Call) -> Outputs {
    let x = call.tensor(0, "input")?;
    let axes = axes(call, 1, 2, x.rank())?;
    outputs([x.min(axes.clone()), x.max(axes)])
}

fn quantile(
    call: &mut Call,
    find: fn(&Tensor, Tensor, ReductionAxes, QuantileMethod) -> Tensor,
) -> Outputs {
    let x = call.tensor(0, "input")?;
    let q = call.operand(1, "q", &x)?;
    let axes = axes(call, 2, 3, x.rank())?;
    let method = match call
        .text_or(usize::MAX, "interpolation", "linear")?
        .as_str()
    {
        "linear" => QuantileMethod::Linear,
        "lower" => QuantileMethod::Lower,
        "higher" => QuantileMethod::Higher,
        "midpoint" => QuantileMethod::Midpoint,
        "nearest" => QuantileMethod::Nearest,
        _ => return Err(NotSupported),
    };
    outputs([find(&x, q, axes, method)])
}

fn spread(
    call: &mut Call,
    measure: impl Fn(&Tensor, ReductionAxes, f64) -> Vec<Tensor>,
) -> Outputs {
    let x = call.tensor(0, "input")?;
    // The second argument is the axes, or in an older form of the call whether to be unbiased.
    let mut correction = 1.0;
    if let Some(Argument::Truth(unbiased)) = call.clone().take(1, "") {
        let _ = call.take(1, "");
        correction = f64::from(u8::from(unbiased));
    }
    match call.take(usize::MAX, "unbiased") {
        Some(Argument::Truth(unbiased)) => correction = f64::from(u8::from(unbiased)),
        None => {}
        _ => return Err(NotSupported),
    }
    match call.take(usize::MAX, "correction") {
        Some(Argument::Integer(number)) => correction = number as f64,
        Some(Argument::Number(number)) => correction = number,
        None | Some(Argument::None) => {}
        _ => return Err(NotSupported),
    }
    let axes = axes(call, 1, usize::MAX, x.rank())?;
    Ok(measure(&x, axes, correction))
}

fn norm(call: &mut Call) -> Outputs {
    let x = call.tensor(0, "input")?;
    let order = match call.take(1, "p") {
        None => 2.0,
        Some(Argument::Integer(order)) => order as f64,
        Some(Argument::Number(order)) => order,
        Some(Argument::Text(name)) if name == "fro" => 2.0,
        _ => return Err(NotSupported),
    };
    let axes = axes(call, 2, 3, x.rank())?;
    outputs([x.norm(order, axes)])
}

fn scan(call: &mut Call, run: impl Fn(&Tensor, isize) -> Tensor) -> Outputs {
    call.ignore_float64()?;
    let x = call.tensor(0, "input")?;
    let along = call.integer(1, "dim")?;
    if x.rank() == 0 {
        return outputs([run(&x.reshape([1]), 0).reshape(())]);
    }
    outputs([run(&x, axis(along, x.rank())?)])
}

fn running(call: &mut Call, run: fn(&Tensor, isize) -> (Tensor, Tensor)) -> Outputs {
    let (x, along) = (call.tensor(0, "input")?, call.integer(1, "dim")?);
    if x.rank() == 0 {
        let (values, positions) = run(&x.reshape([1]), 0);
        return outputs([values.reshape(()), positions.reshape(())]);
    }
    let (values, positions) = run(&x, axis(along, x.rank())?);
    outputs([values, positions])
}

fn trapezoid(call: &mut Call, add: fn(&Tensor, isize) -> Tensor) -> Outputs {
    let y = call.tensor(0, "y")?;
    let x = call.optional_tensor(1, "x")?;
    let along = call.integer_or(usize::MAX, "dim", -1)? as isize;
    let step = call.number_or(usize::MAX, "dx", 1.0)?;
    let position = along.rem_euclid(y.rank() as isize);
    let extent = y.shape()[position as usize];
    if extent == 0 || x.as_ref().is_some_and(|x| x.rank() != y.rank()) {
        return Err(NotSupported);
    }
    let sums = y.narrow(position, 1, extent - 1) + y.narrow(position, 0, extent - 1);
    let areas = match x {
        Some(x) => {
            sums * (x.narrow(position, 1, extent - 1) - x.narrow(position, 0, extent - 1)) / 2.0
        }
        None => sums * (step / 2.0),
    };
    outputs([add(&areas, position)])
}
