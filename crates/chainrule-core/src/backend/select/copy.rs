//! Moving elements: strided copies, joining, placing into zeros.

use super::{Input, declared, with_element};
use crate::declare::Operation;
use crate::error::Error;
use crate::graph::Spec;
use crate::primitives::concat::Concat;
use crate::primitives::slice::Unslice;
use chainrule_kernels::copy::{copy, copy_strided};
use chainrule_kernels::{Buffer, DType};

/// The elements of an input, row-major.
pub(crate) fn copied(input: &Input<'_>, dtype: DType) -> Result<Buffer, Error> {
    let layout = &input.layout;
    let count = layout.shape.elements();
    let mut out = Buffer::for_elements(dtype, count)?;
    with_element!(dtype, T => copy_strided(
        &layout.shape,
        input.buffer.as_slice::<T>(),
        layout.offset,
        &layout.strides,
        out.as_mut_slice::<T>(),
    ));
    Ok(out)
}

pub(super) fn concat(
    operation: &dyn Operation,
    inputs: &[Input<'_>],
    specs: &[Spec],
) -> Result<Vec<Buffer>, Error> {
    let axis = declared::<Concat>(operation).axis;
    let spec = &specs[0];
    let strides = spec.shape().contiguous_strides();
    let mut out = Buffer::for_elements(spec.dtype(), spec.elements())?;
    let mut start = 0;
    for input in inputs {
        let layout = &input.layout;
        with_element!(spec.dtype(), T => copy(
            &layout.shape,
            input.buffer.as_slice::<T>(),
            layout.offset,
            &layout.strides,
            out.as_mut_slice::<T>(),
            start * strides[axis] as usize,
            &strides,
        ));
        start += layout.shape[axis];
    }
    Ok(vec![out])
}

pub(super) fn unslice(
    operation: &dyn Operation,
    inputs: &[Input<'_>],
    specs: &[Spec],
) -> Result<Vec<Buffer>, Error> {
    let unslice = declared::<Unslice>(operation);
    let spec = &specs[0];
    let full = spec.shape().contiguous_strides();
    let placed: usize = inputs
        .iter()
        .map(|input| input.layout.shape.elements())
        .sum();
    let mut out = match placed == spec.elements() {
        true => Buffer::for_elements(spec.dtype(), spec.elements())?,
        false => Buffer::zeroed(spec.bytes())?,
    };
    for (spans, input) in unslice.parts.iter().zip(inputs) {
        let layout = &input.layout;
        if layout.shape.elements() == 0 {
            continue;
        }
        let steps = spans.iter().zip(&full);
        let offset = steps
            .clone()
            .map(|(span, &stride)| span.start * stride as usize)
            .sum();
        let strides: Vec<isize> = steps.map(|(span, &stride)| span.step * stride).collect();
        with_element!(spec.dtype(), T => copy(
            &layout.shape,
            input.buffer.as_slice::<T>(),
            layout.offset,
            &layout.strides,
            out.as_mut_slice::<T>(),
            offset,
            &strides,
        ));
    }
    Ok(vec![out])
}
