//! Picking, placing and ordering elements.

use super::{Table, axis, outputs};
use crate::call::{Call, NotSupported};
use crate::case::Argument;
use chainrule::{DType, Tensor};

pub(super) const TABLE: Table = &[
    ("gather", |call| {
        let (x, along, index) = (
            call.tensor(0, "input")?,
            call.integer(1, "dim")?,
            call.tensor(2, "index")?,
        );
        let along = axis(along, x.rank())?;
        if x.rank() != index.rank() {
            return Err(NotSupported);
        }
        outputs([x.gather(along, &index)])
    }),
    ("take_along_dim", |call| {
        let (x, index) = (call.tensor(0, "input")?, call.tensor(1, "indices")?);
        match call.take(2, "dim") {
            Some(Argument::Integer(along)) => outputs([x.take_along_axis(&index, along as isize)]),
            None => outputs([x.reshape([-1]).take_along_axis(&index.reshape([-1]), 0)]),
            _ => Err(NotSupported),
        }
    }),
    ("take", |call| {
        let (x, index) = (call.tensor(0, "input")?, call.tensor(1, "index")?);
        let flat = x.reshape([-1]);
        let at = index.reshape([-1]);
        let at = at.lt(0).where_(&at + flat.elements() as i32, &at);
        outputs([flat.index_select(0, &at).reshape(index.shape())])
    }),
    ("index_select", |call| {
        let (x, along, index) = (
            call.tensor(0, "input")?,
            call.integer(1, "dim")?,
            call.tensor(2, "index")?,
        );
        outputs([x.index_select(axis(along, x.rank())?, &index)])
    }),
    ("index_add", |call| {
        let (x, along, index) = (
            call.tensor(0, "input")?,
            call.integer(1, "dim")?,
            call.tensor(2, "index")?,
        );
        let source = call.tensor(3, "source")? * call.number_or(usize::MAX, "alpha", 1.0)?;
        if x.rank() == 0 {
            return outputs([x
                .reshape([1])
                .index_add(0, &index, &source.reshape([1]))
                .reshape(())]);
        }
        outputs([x.index_add(along as isize, &index, &source)])
    }),
    ("index_copy", |call| {
        let (x, along, index) = (
            call.tensor(0, "input")?,
            call.integer(1, "dim")?,
            call.tensor(2, "index")?,
        );
        let source = call.tensor(3, "source")?;
        if x.rank() == 0 {
            return outputs([x
                .reshape([1])
                .scatter(0, &index, &source.reshape([1]))
                .reshape(())]);
        }
        if x.rank() != 1 || along != 0 {
            return Err(NotSupported);
        }
        outputs([x.scatter(0, &index, &source)])
    }),
    ("index_fill", |call| {
        let (x, along, index) = (
            call.tensor(0, "input")?,
            call.integer(1, "dim")?,
            call.tensor(2, "index")?,
        );
        let value = call.operand(3, "value", &x)?;
        let flat = if x.rank() == 0 {
            x.reshape([1])
        } else {
            x.clone()
        };
        let along = along.rem_euclid(flat.rank() as i64);
        let chosen = Tensor::zeros(flat.shape()[along as usize]).cast(DType::F64);
        let chosen = chosen
            .index_add(0, &index, &Tensor::ones(index.elements()).cast(DType::F64))
            .gt(0.0);
        let aligned: Vec<isize> = (0..flat.rank() as i64)
            .map(|at| if at == along { -1 } else { 1 })
            .collect();
        outputs([chosen
            .reshape(aligned)
            .where_(&value, &flat)
            .reshape(x.shape())])
    }),
    ("scatter", |call| {
        let (x, along, index) = (
            call.tensor(0, "input")?,
            call.integer(1, "dim")?,
            call.tensor(2, "index")?,
        );
        let Some(Argument::Tensor(source)) = call.take(3, "src") else {
            return Err(NotSupported);
        };
        if source.shape() != index.shape() {
            return Err(NotSupported);
        }
        outputs([x.scatter(axis(along, x.rank())?, &index, &source)])
    }),
    ("scatter_add", |call| {
        let (x, along, index) = (
            call.tensor(0, "input")?,
            call.integer(1, "dim")?,
            call.tensor(2, "index")?,
        );
        let source = call.tensor(3, "src")?;
        if source.shape() != index.shape() {
            return Err(NotSupported);
        }
        outputs([x.scatter_add(axis(along, x.rank())?, &index, &source)])
    }),
    ("masked_fill", |call| {
        let (x, mask) = (call.tensor(0, "input")?, call.tensor(1, "mask")?);
        let value = call.operand(2, "value", &x)?;
        outputs([mask.where_(&value, &x)])
    }),
    ("masked_select", |call| {
        let (x, mask) = (call.tensor(0, "input")?, call.tensor(1, "mask")?);
        outputs([x.masked_select(&mask)])
    }),
    ("sort", |call| {
        let (x, along, descending) = order(call)?;
        let (values, positions) = x.sort(along, descending);
        outputs([values, positions])
    }),
    ("argsort", |call| {
        let (x, along, descending) = order(call)?;
        outputs([x.argsort(along, descending)])
    }),
    ("topk", |call| {
        let (x, count) = (call.tensor(0, "input")?, call.integer(1, "k")?);
        let along = call.integer_or(2, "dim", -1)?;
        let largest = call.truth_or(3, "largest", true)?;
        let _ = call.truth_or(4, "sorted", true)?;
        let (values, positions) = x.topk(count as usize, axis(along, x.rank())?, largest);
        outputs([values, positions])
    }),
    ("kthvalue", |call| {
        let (x, rank) = (call.tensor(0, "input")?, call.integer(1, "k")?);
        let along = axis(call.integer_or(2, "dim", -1)?, x.rank())?;
        let (values, positions) = if call.truth_or(3, "keepdim", false)? {
            x.kthvalue(rank as usize, chainrule::keep(along))
        } else {
            x.kthvalue(rank as usize, along)
        };
        outputs([values, positions])
    }),
    ("select_scatter", |call| {
        let (x, source) = (call.tensor(0, "input")?, call.tensor(1, "src")?);
        let (along, at) = (call.integer(2, "dim")?, call.integer(3, "index")?);
        let along = along.rem_euclid(x.rank() as i64) as usize;
        let mut parts = vec![chainrule::Index::from(..); x.rank()];
        parts[along] = chainrule::Index::At(at as isize);
        outputs([x.set(parts, &source)])
    }),
    ("diagonal_scatter", |call| {
        let (x, source) = (call.tensor(0, "input")?, call.tensor(1, "src")?);
        let offset = call.integer_or(2, "offset", 0)? as isize;
        if x.rank() != 2 {
            return Err(NotSupported);
        }
        let numbers = Tensor::arange(x.elements() as i64).reshape(x.shape());
        let places = numbers.diagonal(offset, 0, 1);
        outputs([x
            .reshape([-1])
            .scatter(0, &places, &source)
            .reshape(x.shape())])
    }),
    ("nn.functional.embedding", |call| {
        // PyTorch's signature: the indices come first; the cases list the weight as the input.
        let (weight, index) = (call.tensor(0, "weight")?, call.tensor(1, "input")?);
        outputs([weight.embedding(&index)])
    }),
];

fn order(call: &mut Call) -> Result<(Tensor, isize, bool), NotSupported> {
    let x = call.tensor(0, "input")?;
    let along = call.integer_or(1, "dim", -1)?;
    let descending = call.truth_or(2, "descending", false)?;
    // The order here is always stable, which every answer to an unstable order allows if no two elements are equal.
    let _ = call.truth_or(usize::MAX, "stable", true)?;
    let along = axis(along, x.rank())?;
    Ok((x, along, descending))
}
