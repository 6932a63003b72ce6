//! Reductions and scans.

use super::{Table, axis, outputs};
use crate::call::{Call, NotSupported, Outputs};
use crate::case::Argument;
use chainrule::{Shape, Tensor};

pub(super) const TABLE: Table = &[
    ("sum", |call| {
        call.ignore_float64()?;
        over_axes(call, |x, axes| x.sum(axes))
    }),
    ("mean", |call| {
        call.ignore_float64()?;
        over_axes(call, |x, axes| x.mean(axes))
    }),
    ("nansum", |call| {
        call.ignore_float64()?;
        over_axes(call, |x, axes| known(x).sum(axes))
    }),
    ("nanmean", |call| {
        call.ignore_float64()?;
        over_axes(call, |x, axes| {
            known(x).sum(axes.clone()) / (!x.stop_gradient().is_nan()).cast(x.dtype()).sum(axes)
        })
    }),
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
    ("prod", prod),
    ("argmax", |call| position(call, Tensor::argmax)),
    ("argmin", |call| position(call, Tensor::argmin)),
    ("max", |call| {
        extremum(
            call,
            |x| x.max(..),
            Tensor::max_with_indices,
            |a, b| a.maximum(b),
        )
    }),
    ("min", |call| {
        extremum(
            call,
            |x| x.min(..),
            Tensor::min_with_indices,
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
        reduced(call, x, 2, 3, move |x, axes| x.norm(order, axes))
    }),
    ("dist", |call| {
        let (a, b) = (call.tensor(0, "input")?, call.tensor(1, "other")?);
        let order = call.number_or(2, "p", 2.0)?;
        outputs([(a - b).norm(order, ..)])
    }),
    ("cumsum", |call| scan(call, Tensor::cumsum)),
    ("cumprod", |call| scan(call, Tensor::cumprod)),
    // `logcumsumexp` is left out: the reference derivatives of some cases are NaN where the derivative is finite.
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

/// NaN counts as 0.
fn known(x: &Tensor) -> Tensor {
    x.stop_gradient().is_nan().where_(0.0, x)
}

fn over_axes(call: &mut Call, reduce: impl Fn(&Tensor, Vec<isize>) -> Tensor) -> Outputs {
    let x = call.tensor(0, "input")?;
    reduced(call, x, 1, 2, reduce)
}

fn reduced(
    call: &mut Call,
    x: Tensor,
    axes_at: usize,
    keep_at: usize,
    reduce: impl Fn(&Tensor, Vec<isize>) -> Tensor,
) -> Outputs {
    let axes = call.axes(axes_at, "dim", x.rank())?;
    let keep = call.truth_or(keep_at, "keepdim", false)?;
    let result = reduce(&x, axes.clone());
    outputs([if keep {
        kept(&result, &x, &axes)
    } else {
        result
    }])
}

/// The reduced axes back as extent 1.
fn kept(result: &Tensor, x: &Tensor, axes: &[isize]) -> Tensor {
    let rank = x.rank() as isize;
    let at = |axis: usize| {
        axes.iter()
            .any(|&reduced| reduced.rem_euclid(rank.max(1)) == axis as isize)
    };
    let shape: Shape = (0..x.rank())
        .map(|axis| if at(axis) { 1 } else { x.shape()[axis] })
        .collect();
    result.reshape(&shape)
}

fn prod(call: &mut Call) -> Outputs {
    call.ignore_float64()?;
    let x = call.tensor(0, "input")?;
    match call.take(1, "dim") {
        None => outputs([x.prod(..)]),
        Some(Argument::Integer(dim)) if x.rank() > 0 => {
            let keep = call.truth_or(2, "keepdim", false)?;
            let result = x.prod(dim as isize);
            outputs([if keep {
                kept(&result, &x, &[dim as isize])
            } else {
                result
            }])
        }
        _ => Err(NotSupported),
    }
}

fn position(call: &mut Call, find: fn(&Tensor, isize) -> Tensor) -> Outputs {
    let x = call.tensor(0, "input")?;
    let dim = call.take(1, "dim");
    let keep = call.truth_or(2, "keepdim", false)?;
    match dim {
        None | Some(Argument::None) if !keep => outputs([find(&x.reshape([-1]), 0)]),
        Some(Argument::Integer(_)) if x.rank() == 0 => outputs([find(&x.reshape([1]), 0)]),
        Some(Argument::Integer(dim)) => {
            let result = find(&x, dim as isize);
            outputs([if keep {
                kept(&result, &x, &[dim as isize])
            } else {
                result
            }])
        }
        _ => Err(NotSupported),
    }
}

fn extremum(
    call: &mut Call,
    all: fn(&Tensor) -> Tensor,
    along: fn(&Tensor, isize) -> (Tensor, Tensor),
    of_two: fn(&Tensor, &Tensor) -> Tensor,
) -> Outputs {
    let x = call.tensor(0, "input")?;
    match call.take(1, "dim") {
        None => outputs([all(&x)]),
        Some(Argument::Tensor(other)) => outputs([of_two(&x, &other)]),
        Some(Argument::Integer(dim)) if x.rank() > 0 => {
            let keep = call.truth_or(2, "keepdim", false)?;
            let (values, positions) = along(&x, dim as isize);
            let both = [values, positions];
            Ok(both
                .into_iter()
                .map(|t| {
                    if keep {
                        kept(&t, &x, &[dim as isize])
                    } else {
                        t
                    }
                })
                .collect())
        }
        _ => Err(NotSupported),
    }
}

fn aminmax(call: &mut Call) -> Outputs {
    let x = call.tensor(0, "input")?;
    let axes = call.axes(1, "dim", x.rank())?;
    let keep = call.truth_or(2, "keepdim", false)?;
    let both = [x.min(axes.clone()), x.max(axes.clone())];
    Ok(both
        .into_iter()
        .map(|t| if keep { kept(&t, &x, &axes) } else { t })
        .collect())
}

fn spread(call: &mut Call, measure: impl Fn(&Tensor, Vec<isize>, f64) -> Vec<Tensor>) -> Outputs {
    let x = call.tensor(0, "input")?;
    // The second argument is the axes, or in an older form of the call whether to be unbiased.
    let mut correction = 1.0;
    let axes = match call.take(1, "") {
        Some(Argument::Truth(unbiased)) => {
            correction = f64::from(u8::from(unbiased));
            None
        }
        Some(Argument::Integer(axis)) => Some(vec![axis as isize]),
        None => None,
        _ => return Err(NotSupported),
    };
    let axes = match axes {
        Some(axes) => axes,
        None => call.axes(usize::MAX, "dim", x.rank())?,
    };
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
    let keep = call.truth_or(usize::MAX, "keepdim", false)?;
    let results = measure(&x, axes.clone(), correction);
    Ok(results
        .into_iter()
        .map(|t| if keep { kept(&t, &x, &axes) } else { t })
        .collect())
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
    reduced(call, x, 2, 3, move |x, axes| x.norm(order, axes))
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
