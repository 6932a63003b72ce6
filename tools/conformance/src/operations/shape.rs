//! Shapes, parts, repetitions.

use super::{Table, axis, outputs};
use crate::call::{Call, NotSupported, Outputs};
use crate::case::Argument;
use chainrule::{Padding, Shape, Tensor};

pub(super) const TABLE: Table = &[
    ("reshape", reshape),
    ("view", reshape),
    ("ravel", |call| {
        outputs([call.tensor(0, "input")?.reshape([-1])])
    }),
    ("flatten", |call| {
        let x = call.tensor(0, "input")?;
        let (first, last) = (
            call.integer_or(1, "start_dim", 0)?,
            call.integer_or(2, "end_dim", -1)?,
        );
        outputs([x.flatten(first as isize, last as isize)])
    }),
    ("unflatten", |call| {
        let (x, at) = (call.tensor(0, "input")?, call.integer(1, "dim")?);
        let sizes = call.integers(2, "sizes")?.ok_or(NotSupported)?;
        let at = at.rem_euclid(x.rank() as i64) as usize;
        let before = x.shape()[..at].iter().map(|&extent| extent as isize);
        let after = x.shape()[at + 1..].iter().map(|&extent| extent as isize);
        let extents: Vec<isize> = before
            .chain(sizes.into_iter().map(|size| size as isize))
            .chain(after)
            .collect();
        outputs([x.reshape(extents)])
    }),
    ("squeeze", squeeze),
    ("unsqueeze", |call| {
        let (x, at) = (call.tensor(0, "input")?, call.integer(1, "dim")?);
        outputs([x.unsqueeze(at as isize)])
    }),
    ("permute", |call| {
        let (x, axes) = (
            call.tensor(0, "input")?,
            call.integers(1, "dims")?.ok_or(NotSupported)?,
        );
        outputs([x.permute(
            axes.into_iter()
                .map(|axis| axis as isize)
                .collect::<Vec<_>>(),
        )])
    }),
    ("transpose", |call| {
        let (x, a, b) = (
            call.tensor(0, "input")?,
            call.integer(1, "dim0")?,
            call.integer(2, "dim1")?,
        );
        outputs([if x.rank() == 0 {
            x
        } else {
            x.transpose(a as isize, b as isize)
        }])
    }),
    ("t", |call| {
        let x = call.tensor(0, "input")?;
        outputs([x.t()])
    }),
    ("movedim", |call| {
        let x = call.tensor(0, "input")?;
        let (from, to) = (
            call.integers(1, "source")?.ok_or(NotSupported)?,
            call.integers(2, "destination")?.ok_or(NotSupported)?,
        );
        let rank = x.rank() as i64;
        let mut order: Vec<Option<isize>> = vec![None; x.rank()];
        for (from, to) in from.iter().zip(&to) {
            order[to.rem_euclid(rank) as usize] = Some(from.rem_euclid(rank) as isize);
        }
        let taken: Vec<isize> = order.iter().flatten().copied().collect();
        let mut rest = (0..rank as isize).filter(|axis| !taken.contains(axis));
        let order: Vec<isize> = order
            .into_iter()
            .map(|axis| axis.unwrap_or_else(|| rest.next().expect("an axis is left")))
            .collect();
        outputs([x.permute(order)])
    }),
    ("expand", expand),
    ("broadcast_to", expand),
    ("expand_as", |call| {
        let (x, other) = (call.tensor(0, "input")?, call.tensor(1, "other")?);
        outputs([x.expand(other.shape())])
    }),
    ("flip", |call| {
        let (x, axes) = (
            call.tensor(0, "input")?,
            call.integers(1, "dims")?.ok_or(NotSupported)?,
        );
        outputs([x.flip(
            axes.into_iter()
                .map(|axis| axis as isize)
                .collect::<Vec<_>>(),
        )])
    }),
    ("fliplr", |call| outputs([call.tensor(0, "input")?.flip(1)])),
    ("flipud", |call| outputs([call.tensor(0, "input")?.flip(0)])),
    ("roll", roll),
    ("rot90", rot90),
    ("tile", repeat),
    ("repeat", |call| {
        let rank = call.clone().tensor(0, "input")?.rank();
        let given = call
            .clone()
            .integers(1, "repeats")?
            .ok_or(NotSupported)?
            .len();
        if given < rank {
            Err(NotSupported)
        } else {
            repeat(call)
        }
    }),
    ("repeat_interleave", |call| {
        let x = call.tensor(0, "input")?;
        let count = call.integer(1, "repeats")? as usize;
        match call.take(2, "dim") {
            None | Some(Argument::None) => outputs([x.reshape([-1]).repeat_interleave(count, 0)]),
            Some(Argument::Integer(along)) => outputs([x.repeat_interleave(count, along as isize)]),
            _ => Err(NotSupported),
        }
    }),
    ("cat", |call| {
        let (parts, along) = (call.tensors(0, "tensors")?, call.integer_or(1, "dim", 0)?);
        outputs([Tensor::concat(&parts, along as isize)])
    }),
    ("stack", |call| {
        let (parts, along) = (call.tensors(0, "tensors")?, call.integer_or(1, "dim", 0)?);
        outputs([Tensor::stack(&parts, along as isize)])
    }),
    ("hstack", |call| joined(call, 1, 1)),
    ("vstack", |call| joined(call, 2, 0)),
    ("column_stack", |call| {
        let parts = call.tensors(0, "tensors")?;
        let column = |part: &Tensor| {
            if part.rank() < 2 {
                part.reshape([-1, 1])
            } else {
                part.clone()
            }
        };
        outputs([Tensor::concat(
            &parts.iter().map(column).collect::<Vec<_>>(),
            1,
        )])
    }),
    ("dstack", |call| {
        let parts = call.tensors(0, "tensors")?;
        let deep = |part: &Tensor| match part.rank() {
            0 | 1 => part.reshape([1, -1, 1]),
            2 => part.unsqueeze(-1),
            _ => part.clone(),
        };
        outputs([Tensor::concat(
            &parts.iter().map(deep).collect::<Vec<_>>(),
            2,
        )])
    }),
    ("chunk", |call| {
        let (x, count) = (call.tensor(0, "input")?, call.integer(1, "chunks")?);
        Ok(x.chunk(count as usize, call.integer_or(2, "dim", 0)? as isize))
    }),
    ("split", split),
    ("split_with_sizes", split),
    ("unbind", |call| {
        let (x, along) = (call.tensor(0, "input")?, call.integer_or(1, "dim", 0)?);
        Ok(x.unbind(along as isize))
    }),
    ("narrow", |call| {
        let (x, along) = (call.tensor(0, "input")?, call.integer(1, "dim")?);
        let start = match call.take(2, "start") {
            Some(Argument::Integer(start)) => start,
            Some(Argument::Tensor(start)) => start.item::<i64>(),
            _ => return Err(NotSupported),
        };
        let length = call.integer(3, "length")? as usize;
        let extent = x.shape()[along.rem_euclid(x.rank() as i64) as usize] as i64;
        let start = if start < 0 { start + extent } else { start };
        outputs([x.narrow(along as isize, start as usize, length)])
    }),
    ("select", |call| {
        let (x, along, at) = (
            call.tensor(0, "input")?,
            call.integer(1, "dim")?,
            call.integer(2, "index")?,
        );
        let extent = x.shape()[along.rem_euclid(x.rank() as i64) as usize] as i64;
        outputs([x
            .narrow(along as isize, at.rem_euclid(extent) as usize, 1)
            .squeeze(along as isize)])
    }),
    ("diagonal", diagonal),
    ("linalg.diagonal", |call| {
        let x = call.tensor(0, "input")?;
        let offset = call.integer_or(usize::MAX, "offset", 0)?;
        let (first, second) = (
            call.integer_or(usize::MAX, "dim1", -2)?,
            call.integer_or(usize::MAX, "dim2", -1)?,
        );
        outputs([x.diagonal(offset as isize, first as isize, second as isize)])
    }),
    ("diag", |call| {
        let (x, offset) = (
            call.tensor(0, "input")?,
            call.integer_or(1, "diagonal", 0)? as isize,
        );
        outputs([if x.rank() == 1 {
            x.diag_embed(offset)
        } else {
            x.diagonal(offset, 0, 1)
        }])
    }),
    ("diag_embed", |call| {
        let (x, offset) = (
            call.tensor(0, "input")?,
            call.integer_or(usize::MAX, "offset", 0)?,
        );
        outputs([x.diag_embed(offset as isize)])
    }),
    ("trace", |call| outputs([call.tensor(0, "input")?.trace()])),
    ("tril", |call| {
        let (x, offset) = (call.tensor(0, "input")?, call.integer_or(1, "diagonal", 0)?);
        outputs([x.tril(offset)])
    }),
    ("triu", |call| {
        let (x, offset) = (call.tensor(0, "input")?, call.integer_or(1, "diagonal", 0)?);
        outputs([x.triu(offset)])
    }),
    ("nn.functional.pad", pad),
    ("meshgrid", |call| {
        let Some(first) = call.take(0, "tensors") else {
            return Err(NotSupported);
        };
        let mut vectors = match first {
            Argument::Tensor(tensor) => vec![tensor],
            Argument::List(list) => list
                .into_iter()
                .map(|entry| match entry {
                    Argument::Tensor(tensor) => Ok(tensor),
                    _ => Err(NotSupported),
                })
                .collect::<Result<_, _>>()?,
            _ => return Err(NotSupported),
        };
        while let Some(Argument::Tensor(tensor)) = call.take(vectors.len(), "") {
            vectors.push(tensor);
        }
        let xy = call.text_or(usize::MAX, "indexing", "ij")? == "xy" && vectors.len() > 1;
        let flat: Vec<Tensor> = vectors.iter().map(|vector| vector.reshape([-1])).collect();
        let shape: Shape = flat.iter().map(Tensor::elements).collect();
        let grid = |(at, vector): (usize, &Tensor)| {
            let aligned: Shape = (0..flat.len())
                .map(|axis| if axis == at { vector.elements() } else { 1 })
                .collect();
            let grid = vector.reshape(&aligned).expand(&shape);
            if xy { grid.transpose(0, 1) } else { grid }
        };
        Ok(flat.iter().enumerate().map(grid).collect())
    }),
    ("linspace", |call| {
        call.ignore_float64()?;
        let (start, end, count) = (
            call.number(0, "start")?,
            call.number(1, "end")?,
            call.integer(2, "steps")?,
        );
        let step = (end - start) / (count - 1).max(1) as f64;
        // As PyTorch: the second half counts from the end.
        let number = |at: i64| {
            if at < count / 2 {
                start + step * at as f64
            } else {
                end - step * (count - at - 1) as f64
            }
        };
        let numbers: Vec<f64> = (0..count)
            .map(|at| if count == 1 { start } else { number(at) })
            .collect();
        outputs([Tensor::from_vec(numbers, count as usize)])
    }),
    ("block_diag", |call| {
        let mut blocks = vec![call.tensor(0, "tensors")?];
        while let Some(Argument::Tensor(tensor)) = call.take(blocks.len(), "") {
            blocks.push(tensor);
        }
        let matrix = |block: &Tensor| {
            if block.rank() < 2 {
                block.reshape([1, -1])
            } else {
                block.clone()
            }
        };
        let blocks: Vec<Tensor> = blocks.iter().map(matrix).collect();
        let width: usize = blocks.iter().map(|block| block.shape()[1]).sum();
        let mut before = 0;
        let rows: Vec<Tensor> = blocks
            .iter()
            .map(|block| {
                let own = block.shape()[1];
                before += own;
                block.pad(&[(before - own, width - before)], Padding::Constant(0.0))
            })
            .collect();
        outputs([Tensor::concat(&rows, 0)])
    }),
];

fn reshape(call: &mut Call) -> Outputs {
    let (x, extents) = (
        call.tensor(0, "input")?,
        call.integers(1, "shape")?.ok_or(NotSupported)?,
    );
    outputs([x.reshape(
        extents
            .into_iter()
            .map(|extent| extent as isize)
            .collect::<Vec<_>>(),
    )])
}

fn squeeze(call: &mut Call) -> Outputs {
    let x = call.tensor(0, "input")?;
    let given = call.take(1, "dim");
    let axes = match given {
        None => return outputs([x.squeeze(..)]),
        Some(Argument::Integer(axis)) => vec![axis],
        Some(Argument::List(list)) => list
            .into_iter()
            .map(|entry| match entry {
                Argument::Integer(axis) => Ok(axis),
                _ => Err(NotSupported),
            })
            .collect::<Result<_, _>>()?,
        _ => return Err(NotSupported),
    };
    if x.rank() == 0 {
        return outputs([x]);
    }
    // PyTorch leaves axes of other extents as they are.
    let single: Vec<isize> = axes
        .into_iter()
        .filter(|axis| x.shape()[axis.rem_euclid(x.rank() as i64) as usize] == 1)
        .map(|axis| axis as isize)
        .collect();
    outputs([if single.is_empty() {
        x
    } else {
        x.squeeze(single)
    }])
}

fn expand(call: &mut Call) -> Outputs {
    let (x, extents) = (
        call.tensor(0, "input")?,
        call.integers(1, "size")?.ok_or(NotSupported)?,
    );
    let missing = extents.len().checked_sub(x.rank()).ok_or(NotSupported)?;
    let shape: Shape = extents
        .iter()
        .enumerate()
        .map(|(axis, &extent)| {
            if extent == -1 {
                x.shape()[axis - missing]
            } else {
                extent as usize
            }
        })
        .collect();
    outputs([x.expand(shape)])
}

fn roll(call: &mut Call) -> Outputs {
    let (x, shifts) = (
        call.tensor(0, "input")?,
        call.integers(1, "shifts")?.ok_or(NotSupported)?,
    );
    let Some(axes) = call.integers(2, "dims")? else {
        let flat = x.reshape([-1]).roll(shifts[0] as isize, 0);
        return outputs([flat.reshape(x.shape())]);
    };
    outputs([shifts.iter().zip(&axes).fold(x, |x, (&shift, &axis)| {
        x.roll(shift as isize, axis as isize)
    })])
}

fn rot90(call: &mut Call) -> Outputs {
    let (x, turns) = (call.tensor(0, "input")?, call.integer(1, "k")?);
    let axes = call.integers(2, "dims")?.ok_or(NotSupported)?;
    let (a, b) = (axes[0] as isize, axes[1] as isize);
    outputs([match turns.rem_euclid(4) {
        0 => x,
        1 => x.flip(b).transpose(a, b),
        2 => x.flip([a, b]),
        _ => x.transpose(a, b).flip(b),
    }])
}

fn repeat(call: &mut Call) -> Outputs {
    let (x, counts) = (
        call.tensor(0, "input")?,
        call.integers(1, "repeats")?.ok_or(NotSupported)?,
    );
    outputs([x.tile(
        &counts
            .into_iter()
            .map(|count| count as usize)
            .collect::<Vec<_>>(),
    )])
}

fn joined(call: &mut Call, rank: usize, along: isize) -> Outputs {
    let parts = call.tensors(0, "tensors")?;
    let raised = |part: &Tensor| match (part.rank(), rank) {
        (0, 1) => part.reshape([1]),
        (0 | 1, 2) => part.reshape([1, -1]),
        _ => part.clone(),
    };
    let parts: Vec<Tensor> = parts.iter().map(raised).collect();
    let along = if parts[0].rank() == 1 { 0 } else { along };
    outputs([Tensor::concat(&parts, along)])
}

fn split(call: &mut Call) -> Outputs {
    let x = call.tensor(0, "input")?;
    let sizes = call.take(1, "split_size");
    let along = axis(call.integer_or(2, "dim", 0)?, x.rank())?;
    match sizes {
        Some(Argument::Integer(size)) => Ok(x.split(size as usize, along)),
        Some(Argument::List(list)) => {
            let size = |entry: &Argument| match entry {
                Argument::Integer(size) => Ok(*size as usize),
                _ => Err(NotSupported),
            };
            Ok(x.split_at(
                &list.iter().map(size).collect::<Result<Vec<_>, _>>()?,
                along,
            ))
        }
        _ => Err(NotSupported),
    }
}

fn diagonal(call: &mut Call) -> Outputs {
    let x = call.tensor(0, "input")?;
    let offset = call.integer_or(1, "offset", 0)?;
    let (first, second) = (
        call.integer_or(2, "dim1", 0)?,
        call.integer_or(3, "dim2", 1)?,
    );
    outputs([x.diagonal(offset as isize, first as isize, second as isize)])
}

fn pad(call: &mut Call) -> Outputs {
    let (x, amounts) = (
        call.tensor(0, "input")?,
        call.integers(1, "pad")?.ok_or(NotSupported)?,
    );
    let mode = call.text_or(2, "mode", "constant")?;
    let value = call.number_or(3, "value", 0.0)?;
    if amounts.len() % 2 == 1 {
        return Err(NotSupported);
    }
    // PyTorch lists the last axis first, and cuts off where an amount is negative.
    let pairs: Vec<(usize, usize)> = amounts
        .chunks(2)
        .rev()
        .map(|pair| (pair[0].max(0) as usize, pair[1].max(0) as usize))
        .collect();
    let padding = match mode.as_str() {
        "constant" => Padding::Constant(value),
        "reflect" => Padding::Reflect,
        "replicate" => Padding::Replicate,
        "circular" => Padding::Circular,
        _ => return Err(NotSupported),
    };
    let padded = x.pad(&pairs, padding);
    let last = padded.rank() - 1;
    let cut = amounts
        .chunks(2)
        .enumerate()
        .fold(padded, |padded, (number, pair)| {
            let axis = last - number;
            let (before, after) = ((-pair[0]).max(0) as usize, (-pair[1]).max(0) as usize);
            let left = padded.shape()[axis] - before - after;
            padded.narrow(axis as isize, before, left)
        });
    outputs([cut])
}
