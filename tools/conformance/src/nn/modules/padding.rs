//! Paddings in one, two and three axes.

use super::{Built, Layer, Setup};
use crate::nn::arguments::{Arguments, Read, refuse};
use chainrule::Padding;
use chainrule::nn::{Layer as _, Pad};

pub fn build(module: &str, setup: &mut Setup) -> Option<Built> {
    let (kind, axes) = match module
        .strip_suffix('d')?
        .split_at_checked(module.len() - 2)?
    {
        (kind, "1") => (kind, 1),
        (kind, "2") => (kind, 2),
        (kind, "3") => (kind, 3),
        _ => return None,
    };
    let arguments = &mut setup.arguments;
    Some(match kind {
        "ZeroPad" => padded(arguments, axes, Padding::Constant(0.0)),
        "ConstantPad" => constant(arguments, axes),
        "ReflectionPad" => padded(arguments, axes, Padding::Reflect),
        "ReplicationPad" => padded(arguments, axes, Padding::Replicate),
        "CircularPad" => padded(arguments, axes, Padding::Circular),
        _ => return None,
    })
}

fn constant(arguments: &mut Arguments, axes: usize) -> Built {
    let value = arguments.number("value")?;
    padded(arguments, axes, Padding::Constant(value))
}

fn padded(arguments: &mut Arguments, axes: usize, padding: Padding) -> Built {
    let amounts = amounts(arguments, axes)?;
    let negative = amounts
        .iter()
        .any(|&(before, after)| before < 0 || after < 0);
    if negative && !matches!(padding, Padding::Constant(_)) {
        return refuse("negative padding by elements");
    }
    let layer = Pad::new(padding, &amounts);
    Ok(Layer::new(&["input"], move |call| {
        let x = call.tensor("input")?;
        // Constants pad tensors of any rank, the others [batch, channels, axes..] or [channels, axes..].
        let constant = matches!(padding, Padding::Constant(_));
        if x.rank() < axes || (!constant && !(axes + 1..=axes + 2).contains(&x.rank())) {
            return refuse(format!("padding of {} axes", x.rank()));
        }
        Ok(vec![layer.forward(&x)])
    }))
}

/// PyTorch counts from the last axis; one number holds for all sides.
fn amounts(arguments: &mut Arguments, axes: usize) -> Read<Vec<(isize, isize)>> {
    let mut list = arguments.integers("padding")?.unwrap_or_default();
    if list.len() == 1 {
        list = vec![list[0]; 2 * axes];
    }
    if list.len() != 2 * axes {
        return refuse("the value of argument `padding`");
    }
    let pairs = list.chunks(2).rev();
    Ok(pairs
        .map(|pair| (pair[0] as isize, pair[1] as isize))
        .collect())
}
