//! Products of matrices and vectors.

use super::{Table, outputs};
use crate::call::{Call, NotSupported, Outputs};
use crate::case::Argument;
use chainrule::Tensor;

pub(super) const TABLE: Table = &[
    ("matmul", product),
    ("mm", product),
    ("bmm", product),
    ("mv", product),
    ("dot", product),
    ("vdot", product),
    ("linalg.vecdot", |call| {
        let (a, b) = (call.tensor(0, "input")?, call.tensor(1, "other")?);
        let axis = call.integer_or(usize::MAX, "dim", -1)?;
        outputs([(a * b).sum(axis as isize)])
    }),
    ("outer", |call| {
        let (a, b) = (call.tensor(0, "input")?, call.tensor(1, "vec2")?);
        outputs([a.outer(&b)])
    }),
    ("addmm", |call| added(call, |a, b| a.matmul(b))),
    ("addmv", |call| added(call, |a, b| a.matmul(b))),
    ("baddbmm", |call| added(call, |a, b| a.matmul(b))),
    ("addbmm", |call| added(call, |a, b| a.matmul(b).sum(0))),
    ("addr", |call| added(call, Tensor::outer)),
    ("einsum", einsum),
    ("linalg.multi_dot", |call| {
        let factors = call.tensors(0, "tensors")?;
        let product = factors
            .into_iter()
            .reduce(|product, factor| product.matmul(&factor));
        outputs([product.ok_or(NotSupported)?])
    }),
    ("tensordot", tensordot),
    ("cross", cross),
    ("linalg.cross", cross),
    ("nn.functional.linear", |call| {
        let (x, weight) = (call.tensor(0, "input")?, call.tensor(1, "weight")?);
        let bias = call.optional_tensor(2, "bias")?;
        outputs([x.linear(&weight, bias.as_ref())])
    }),
    ("nn.functional.bilinear", |call| {
        let (x, other) = (call.tensor(0, "input1")?, call.tensor(1, "input2")?);
        let weight = call.tensor(2, "weight")?;
        let bias = call.optional_tensor(3, "bias")?;
        outputs([x.bilinear(&other, &weight, bias.as_ref())])
    }),
];

fn product(call: &mut Call) -> Outputs {
    let (a, b) = (call.tensor(0, "input")?, call.tensor(1, "other")?);
    outputs([a.matmul(&b)])
}

fn added(call: &mut Call, product: fn(&Tensor, &Tensor) -> Tensor) -> Outputs {
    let (x, a, b) = (
        call.tensor(0, "input")?,
        call.tensor(1, "mat1")?,
        call.tensor(2, "mat2")?,
    );
    let beta = call.number_or(usize::MAX, "beta", 1.0)?;
    let alpha = call.number_or(usize::MAX, "alpha", 1.0)?;
    outputs([x * beta + product(&a, &b) * alpha])
}

fn einsum(call: &mut Call) -> Outputs {
    let operands = call.tensors(0, "operands")?;
    let Some(Argument::Text(equation)) = call.take(1, "equation") else {
        return Err(NotSupported);
    };
    outputs([Tensor::einsum(
        &equation,
        &operands.iter().collect::<Vec<_>>(),
    )])
}

fn tensordot(call: &mut Call) -> Outputs {
    let (a, b) = (call.tensor(0, "input")?, call.tensor(1, "other")?);
    let Some(Argument::List(pairs)) = call.take(2, "dims") else {
        return Err(NotSupported);
    };
    let axes = |entry: &Argument| -> Result<Vec<isize>, NotSupported> {
        let Argument::List(list) = entry else {
            return Err(NotSupported);
        };
        let axis = |entry: &Argument| match entry {
            Argument::Integer(axis) => Ok(*axis as isize),
            _ => Err(NotSupported),
        };
        list.iter().map(axis).collect()
    };
    let [first, second] = &pairs[..] else {
        return Err(NotSupported);
    };
    outputs([a.tensordot(&b, &axes(first)?, &axes(second)?)])
}

fn cross(call: &mut Call) -> Outputs {
    let (a, b) = (call.tensor(0, "input")?, call.tensor(1, "other")?);
    let axis = match call.take(2, "dim") {
        Some(Argument::Integer(axis)) => axis as isize,
        None => -1,
        _ => return Err(NotSupported),
    };
    if a.rank() != b.rank() || a.shape()[a.rank() - 1] != 3 && axis == -1 {
        return Err(NotSupported);
    }
    outputs([a.cross(&b, axis)])
}
