//! PyTorch's operations in terms of Chainrule's, a file a family.
//!
//! An operation takes the arguments it understands from the call; one that is left over makes the case "not supported".

mod elementwise;
mod index;
mod linalg;
mod loss;
mod masked;
mod nn;
mod product;
mod reduction;
mod shape;
mod spatial;

use crate::call::{Call, NotSupported, Outputs};

/// An operation on a call.
pub type Operation = fn(&mut Call) -> Outputs;

/// A family's operations by PyTorch's names.
type Table = &'static [(&'static str, Operation)];

const TABLES: &[Table] = &[
    elementwise::TABLE,
    index::TABLE,
    linalg::TABLE,
    loss::TABLE,
    masked::TABLE,
    nn::TABLE,
    product::TABLE,
    reduction::TABLE,
    shape::TABLE,
    spatial::TABLE,
];

/// The operation that PyTorch calls `name`.
pub fn find(name: &str) -> Option<Operation> {
    TABLES
        .iter()
        .flat_map(|table| table.iter())
        .find(|(known, _)| *known == name)
        .map(|(_, operation)| *operation)
}

/// Runs an operation; every argument must have been understood.
pub fn apply(operation: Operation, call: &Call) -> Outputs {
    let mut rest = call.clone();
    let outputs = operation(&mut rest)?;
    rest.finish()?;
    Ok(outputs)
}

/// The tensors as an operation's outputs.
fn outputs<const N: usize>(tensors: [chainrule::Tensor; N]) -> Outputs {
    Ok(tensors.to_vec())
}

/// An axis of PyTorch's, or a refusal where a 0-dimensional tensor has none.
fn axis(axis: i64, rank: usize) -> Result<isize, NotSupported> {
    if rank == 0 {
        Err(NotSupported)
    } else {
        Ok(axis as isize)
    }
}
