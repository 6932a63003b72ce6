//! Reductions over any axes of any layout.

use super::{Input, copied, declared, with_element};
use crate::declare::Operation;
use crate::error::Error;
use crate::graph::Spec;
use crate::primitives::sum::Sum;
use crate::shape::Layout;
use chainrule_kernels::Buffer;
use chainrule_kernels::reduce::{Reduced, Reduction, reduce};

pub(super) fn sum(
    operation: &dyn Operation,
    inputs: &[Input<'_>],
    specs: &[Spec],
) -> Result<Option<Vec<Buffer>>, Error> {
    let axes = &declared::<Sum>(operation).axes;
    let spec = &specs[0];
    let mut out = Buffer::for_elements(spec.dtype(), spec.elements())?;
    let copy;
    let input = &inputs[0];
    let (buffer, offset, (extents, strides)) = match three_axes(&input.layout, axes) {
        Some(merged) => (input.buffer, input.layout.offset, merged),
        None => {
            let layout = axes_last(&input.layout, axes);
            let outer = spec.elements();
            let reduced = layout.shape.elements().checked_div(outer).unwrap_or(0);
            copy = copied(&Input { layout, ..*input }, input.dtype)?;
            (&copy, 0, ([outer, reduced, 1], [reduced as isize, 1, 1]))
        }
    };
    with_element!(spec.dtype(), T => {
        let reduced = Reduced { data: buffer.as_slice::<T>(), offset, extents, strides };
        reduce(Reduction::Sum, reduced, out.as_mut_slice::<T>());
    });
    Ok(Some(vec![out]))
}

/// A layout with reduced axes in one run seen as [outer, reduced, inner], if each of the three lies evenly.
fn three_axes(layout: &Layout, axes: &[usize]) -> Option<([usize; 3], [isize; 3])> {
    let (first, last) = (*axes.first()?, *axes.last()?);
    if last - first + 1 != axes.len() {
        return None;
    }
    let rank = layout.shape.rank();
    let parts = [0..first, first..last + 1, last + 1..rank];
    let mut extents = [1usize; 3];
    let mut strides = [1isize; 3];
    for (part, range) in parts.into_iter().enumerate() {
        let mut merged: Option<(usize, isize)> = None;
        for axis in range {
            let (extent, stride) = (layout.shape[axis], layout.strides[axis]);
            merged = match merged {
                _ if extent == 1 && merged.is_some() => merged,
                None => Some((extent, stride)),
                Some((1, _)) => Some((extent, stride)),
                Some((size, step)) if step == stride * extent as isize => {
                    Some((size * extent, stride))
                }
                Some(_) => return None,
            };
        }
        if let Some((size, step)) = merged {
            (extents[part], strides[part]) = (size, step);
        }
    }
    Some((extents, strides))
}

/// The layout with the reduced axes last.
fn axes_last(layout: &Layout, axes: &[usize]) -> Layout {
    let kept = (0..layout.shape.rank()).filter(|axis| !axes.contains(axis));
    let order: Vec<usize> = kept.chain(axes.iter().copied()).collect();
    Layout {
        shape: order.iter().map(|&axis| layout.shape[axis]).collect(),
        strides: order.iter().map(|&axis| layout.strides[axis]).collect(),
        offset: layout.offset,
    }
}
