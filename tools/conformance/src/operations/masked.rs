//! Reductions that leave elements out (PyTorch's `masked`), and scattering with a reduction.

use super::{Table, outputs};
use crate::call::{Call, NotSupported};
use chainrule::{DType, ReductionAxes, ScatterReduction, Tensor, keep};

pub(super) const TABLE: Table = &[
    ("masked.sum", |call| {
        let (x, mask, axes) = masked(call)?;
        outputs([mask.where_(&x, 0.0).sum(axes)])
    }),
    ("masked.mean", |call| {
        let (x, mask, axes) = masked(call)?;
        let count = mask.cast(DType::I64).sum(axes.clone()).cast(x.dtype());
        outputs([mask.where_(&x, 0.0).sum(axes) / count])
    }),
    ("masked.softmax", |call| {
        let (x, axis) = (call.tensor(0, "input")?, call.integer(1, "dim")?);
        outputs([match call.optional_tensor(usize::MAX, "mask")? {
            Some(mask) => mask.where_(&x, f64::NEG_INFINITY).softmax(axis as isize),
            None => x.softmax(axis as isize),
        }])
    }),
    ("masked.logsumexp", |call| {
        let (x, mask, axes) = masked(call)?;
        outputs([mask.where_(&x, f64::NEG_INFINITY).logsumexp(axes)])
    }),
    ("scatter_reduce", |call| {
        let (x, axis) = (call.tensor(0, "input")?, call.integer(1, "dim")?);
        let (index, source) = (call.tensor(2, "index")?, call.tensor(3, "src")?);
        let reduction = match call.text_or(4, "reduce", "")?.as_str() {
            "sum" => ScatterReduction::Sum,
            "mean" => ScatterReduction::Mean,
            "amax" => ScatterReduction::Max,
            "amin" => ScatterReduction::Min,
            _ => return Err(NotSupported),
        };
        let include = call.truth_or(usize::MAX, "include_self", true)?;
        outputs([x.scatter_reduce(axis as isize, &index, &source, reduction, include)])
    }),
];

/// The input, its mask in the input's shape, and the axes.
fn masked(call: &mut Call) -> Result<(Tensor, Tensor, ReductionAxes), NotSupported> {
    let x = call.tensor(0, "input")?;
    let mask = match call.optional_tensor(usize::MAX, "mask")? {
        Some(mask) => mask.expand(x.shape()),
        None => x.ones_like().cast(DType::Bool),
    };
    let axes = call.axes(1, "dim", x.rank())?;
    let axes = if call.truth_or(2, "keepdim", false)? {
        keep(axes)
    } else {
        axes.into()
    };
    Ok((x, mask, axes))
}
