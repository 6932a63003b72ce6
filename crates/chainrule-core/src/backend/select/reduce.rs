//! Reductions over any axes of any layout.

use super::{Input, copied, declared, with_element};
use crate::declare::Operation;
use crate::error::Error;
use crate::graph::Spec;
use crate::primitives::extremum::{Amax, Amin, Argmax, Argmin};
use crate::primitives::sum::Sum;
use crate::shape::{Layout, Shape};
use chainrule_kernels::reduce::{self as kernel, Reduced, Reduction};
use chainrule_kernels::{Buffer, DType, Element};

/// Truth values are ordered by the reference alone.
pub(super) fn numbers(_operation: &dyn Operation, specs: &[&Spec]) -> bool {
    specs[0].dtype() != DType::Bool
}

pub(super) fn sum(
    operation: &dyn Operation,
    inputs: &[Input<'_>],
    specs: &[Spec],
) -> Result<Vec<Buffer>, Error> {
    let axes = &declared::<Sum>(operation).axes;
    reduced(Reduction::Sum, axes, &inputs[0], &specs[0])
}

pub(super) fn maximum(
    operation: &dyn Operation,
    inputs: &[Input<'_>],
    specs: &[Spec],
) -> Result<Vec<Buffer>, Error> {
    let axes = &declared::<Amax>(operation).axes;
    reduced(Reduction::Maximum, axes, &inputs[0], &specs[0])
}

pub(super) fn minimum(
    operation: &dyn Operation,
    inputs: &[Input<'_>],
    specs: &[Spec],
) -> Result<Vec<Buffer>, Error> {
    let axes = &declared::<Amin>(operation).axes;
    reduced(Reduction::Minimum, axes, &inputs[0], &specs[0])
}

pub(super) fn argmax(
    operation: &dyn Operation,
    inputs: &[Input<'_>],
    specs: &[Spec],
) -> Result<Vec<Buffer>, Error> {
    let axis = declared::<Argmax>(operation).axis;
    let (input, mut out) = (
        &inputs[0],
        Buffer::for_elements(DType::I64, specs[0].elements())?,
    );
    let view = View::of(input, &[axis], specs[0].elements())?;
    with_element!(input.dtype, T => kernel::argmax(view.reduced::<T>(input), out.as_mut_slice()));
    Ok(vec![out])
}

pub(super) fn argmin(
    operation: &dyn Operation,
    inputs: &[Input<'_>],
    specs: &[Spec],
) -> Result<Vec<Buffer>, Error> {
    let axis = declared::<Argmin>(operation).axis;
    let (input, mut out) = (
        &inputs[0],
        Buffer::for_elements(DType::I64, specs[0].elements())?,
    );
    let view = View::of(input, &[axis], specs[0].elements())?;
    with_element!(input.dtype, T => kernel::argmin(view.reduced::<T>(input), out.as_mut_slice()));
    Ok(vec![out])
}

fn reduced(
    reduction: Reduction,
    axes: &[usize],
    input: &Input<'_>,
    spec: &Spec,
) -> Result<Vec<Buffer>, Error> {
    let run = last_run(axes);
    // Two passes, the second over few elements, are quicker than turning the tensor. Halves would round twice.
    if run > 0 && !matches!(spec.dtype(), DType::BF16 | DType::F16) {
        let (before, run) = axes.split_at(run);
        let kept = (0..input.layout.shape.rank()).filter(|axis| !run.contains(axis));
        let shape: Shape = kept.map(|axis| input.layout.shape[axis]).collect();
        let partial = pass(reduction, run, input, spec.dtype(), shape.elements())?;
        let input = Input {
            buffer: &partial,
            layout: Layout::contiguous(shape),
            dtype: input.dtype,
        };
        return reduced(reduction, before, &input, spec);
    }
    let out = pass(reduction, axes, input, spec.dtype(), spec.elements())?;
    Ok(vec![out])
}

/// Where the last axes that follow each other begin among ascending `axes`.
fn last_run(axes: &[usize]) -> usize {
    (1..axes.len())
        .rev()
        .find(|&at| axes[at - 1] + 1 != axes[at])
        .unwrap_or(0)
}

fn pass(
    reduction: Reduction,
    axes: &[usize],
    input: &Input<'_>,
    dtype: DType,
    outputs: usize,
) -> Result<Buffer, Error> {
    let mut out = Buffer::for_elements(dtype, outputs)?;
    let view = View::of(input, axes, outputs)?;
    with_element!(dtype, T => {
        kernel::reduce(reduction, view.reduced::<T>(input), out.as_mut_slice::<T>());
    });
    Ok(out)
}

/// An input seen as [outer, reduced, inner], from a copy where its axes do not lie so.
struct View {
    copy: Option<Buffer>,
    offset: usize,
    extents: [usize; 3],
    strides: [isize; 3],
}

impl View {
    fn of(input: &Input<'_>, axes: &[usize], outputs: usize) -> Result<View, Error> {
        if let Some((extents, strides)) = three_axes(&input.layout, axes) {
            return Ok(View {
                copy: None,
                offset: input.layout.offset,
                extents,
                strides,
            });
        }
        let layout = axes_last(&input.layout, axes);
        let reduced = layout.shape.elements().checked_div(outputs).unwrap_or(0);
        Ok(View {
            copy: Some(copied(&Input { layout, ..*input }, input.dtype)?),
            offset: 0,
            extents: [outputs, reduced, 1],
            strides: [reduced as isize, 1, 1],
        })
    }

    fn reduced<'a, T: Element>(&'a self, input: &Input<'a>) -> Reduced<'a, T> {
        let buffer = self.copy.as_ref().unwrap_or(input.buffer);
        Reduced {
            data: buffer.as_slice(),
            offset: self.offset,
            extents: self.extents,
            strides: self.strides,
        }
    }
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
