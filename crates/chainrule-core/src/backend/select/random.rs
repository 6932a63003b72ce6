//! Random draws, straight into the memory of the result.

use super::{Input, declared};
use crate::declare::Operation;
use crate::error::Error;
use crate::graph::Spec;
use crate::primitives::random::{Distribution, Draw};
use chainrule_kernels::random as kernel;
use chainrule_kernels::{Buffer, DType, Element};

/// Halves are drawn in single precision and rounded by the reference.
pub(super) fn whole(operation: &dyn Operation, _specs: &[&Spec]) -> bool {
    let dtype = declared::<Draw>(operation).dtype;
    matches!(dtype, DType::F32 | DType::F64 | DType::I64)
}

pub(super) fn draw(
    operation: &dyn Operation,
    inputs: &[Input<'_>],
    specs: &[Spec],
) -> Result<Vec<Buffer>, Error> {
    let draw = declared::<Draw>(operation);
    let rows = inputs[0].rows()?;
    let streams = rows.first::<i64>(inputs[0].layout.shape.elements());
    let count = draw.shape.elements();
    let mut out = Buffer::for_elements(draw.dtype, specs[0].elements())?;
    match (draw.distribution, draw.dtype) {
        (Distribution::Uniform, DType::F32) => {
            filled(streams, count, &mut out, kernel::fill_uniform_f32);
        }
        (Distribution::Uniform, _) => filled(streams, count, &mut out, kernel::fill_uniform_f64),
        (Distribution::Normal, DType::F32) => {
            filled(streams, count, &mut out, kernel::fill_normal_f32);
        }
        (Distribution::Normal, _) => filled(streams, count, &mut out, kernel::fill_normal_f64),
        (Distribution::Integers { low, high }, _) => {
            filled(streams, count, &mut out, |key, counter, part| {
                kernel::fill_integers(key, counter, low, high, part);
            });
        }
        (Distribution::Permutation, _) => {
            filled(streams, count, &mut out, kernel::fill_permutation);
        }
    }
    Ok(vec![out])
}

/// Fills `count` elements from each stream, a key and a counter.
fn filled<T: Element>(
    streams: &[i64],
    count: usize,
    out: &mut Buffer,
    fill: impl Fn(u64, u64, &mut [T]),
) {
    if count == 0 {
        return;
    }
    let parts = out.as_mut_slice::<T>().chunks_exact_mut(count);
    for (stream, part) in streams.chunks_exact(2).zip(parts) {
        fill(stream[0] as u64, stream[1] as u64, part);
    }
}
