//! Elements and slices picked, placed and added by integer positions along an axis.

use super::{Input, Rows, around, copied, declared, with_element};
use crate::declare::Operation;
use crate::error::Error;
use crate::graph::Spec;
use crate::primitives::gather::{Gather, ScatterAdd, out_of_range};
use crate::primitives::index_select::{IndexAdd, IndexSelect};
use crate::primitives::scatter::Scatter;
use crate::shape::Shape;
use chainrule_kernels::gather::{self as kernel, OutOfRange};
use chainrule_kernels::{Buffer, DType};

/// Whether the index of a scattering reaches over the whole base on all axes but its own.
pub(super) fn aligned_base(operation: &dyn Operation, specs: &[&Spec]) -> bool {
    let axis = declared::<Scatter>(operation).axis;
    aligned(specs[1].shape(), specs[0].shape(), axis)
}

pub(super) fn aligned_sums(operation: &dyn Operation, specs: &[&Spec]) -> bool {
    let scatter = declared::<ScatterAdd>(operation);
    aligned(specs[0].shape(), &scatter.shape, scatter.axis)
}

fn aligned(index: &Shape, shape: &Shape, axis: usize) -> bool {
    (0..shape.rank()).all(|other| other == axis || index[other] == shape[other])
}

/// An index in row-major order as `i64`.
fn indices<'a>(input: &'a Input<'_>) -> Result<Rows<'a>, Error> {
    let rows = input.rows()?;
    if input.dtype == DType::I64 {
        return Ok(rows);
    }
    let count = input.layout.shape.elements();
    let mut wide = Buffer::for_elements(DType::I64, count)?;
    let out = wide.as_mut_slice::<i64>();
    if input.dtype == DType::I32 {
        for (out, &index) in out.iter_mut().zip(rows.first::<i32>(count)) {
            *out = index.into();
        }
    } else {
        for (out, &index) in out.iter_mut().zip(rows.first::<u8>(count)) {
            *out = index.into();
        }
    }
    Ok(Rows::Copied(wide))
}

/// The error of an operation whose index names no element.
fn outside(name: &str, axis: usize) -> impl Fn(OutOfRange) -> Error {
    move |wrong| out_of_range(name, wrong.index, wrong.position, axis, wrong.extent)
}

pub(super) fn gather(
    operation: &dyn Operation,
    inputs: &[Input<'_>],
    specs: &[Spec],
) -> Result<Vec<Buffer>, Error> {
    let axis = declared::<Gather>(operation).axis;
    let spec = &specs[0];
    // Of the other axes only the elements beside the index are looked at.
    let mut layout = inputs[0].layout.clone();
    layout.shape = spec.shape().with_extent(axis, layout.shape[axis]);
    let input = Input {
        layout,
        ..inputs[0]
    };
    let extents = around(&input.layout.shape, axis);
    let (x, index) = (input.rows()?, indices(&inputs[1])?);
    let mut out = Buffer::for_elements(spec.dtype(), spec.elements())?;
    with_element!(spec.dtype(), T => kernel::gather::<T>(
        extents,
        spec.shape()[axis],
        x.first(input.layout.shape.elements()),
        index.first(spec.elements()),
        out.as_mut_slice(),
    ))
    .map_err(outside("gather", axis))?;
    Ok(vec![out])
}

pub(super) fn index_select(
    operation: &dyn Operation,
    inputs: &[Input<'_>],
    specs: &[Spec],
) -> Result<Vec<Buffer>, Error> {
    let axis = declared::<IndexSelect>(operation).axis;
    let spec = &specs[0];
    let shape = &inputs[0].layout.shape;
    let (x, index) = (inputs[0].rows()?, indices(&inputs[1])?);
    let mut out = Buffer::for_elements(spec.dtype(), spec.elements())?;
    with_element!(spec.dtype(), T => kernel::index_select::<T>(
        around(shape, axis),
        x.first(shape.elements()),
        index.first(inputs[1].layout.shape.elements()),
        out.as_mut_slice(),
    ))
    .map_err(outside("index_select", axis))?;
    Ok(vec![out])
}

pub(super) fn scatter(
    operation: &dyn Operation,
    inputs: &[Input<'_>],
    specs: &[Spec],
) -> Result<Vec<Buffer>, Error> {
    let axis = declared::<Scatter>(operation).axis;
    let spec = &specs[0];
    let shape = &inputs[1].layout.shape;
    let (index, source) = (indices(&inputs[1])?, inputs[2].rows()?);
    let mut out = copied(&inputs[0], spec.dtype())?;
    with_element!(spec.dtype(), T => kernel::scatter::<T>(
        around(spec.shape(), axis),
        shape[axis],
        index.first(shape.elements()),
        source.first(shape.elements()),
        out.as_mut_slice(),
    ))
    .map_err(outside("scatter", axis))?;
    Ok(vec![out])
}

pub(super) fn scatter_add(
    operation: &dyn Operation,
    inputs: &[Input<'_>],
    specs: &[Spec],
) -> Result<Vec<Buffer>, Error> {
    let axis = declared::<ScatterAdd>(operation).axis;
    let spec = &specs[0];
    let shape = &inputs[0].layout.shape;
    let (index, source) = (indices(&inputs[0])?, inputs[1].rows()?);
    let mut out = Buffer::zeroed(spec.bytes())?;
    with_element!(spec.dtype(), T => kernel::scatter_add::<T>(
        around(spec.shape(), axis),
        shape[axis],
        index.first(shape.elements()),
        source.first(shape.elements()),
        out.as_mut_slice(),
    ))
    .map_err(outside("scatter_add", axis))?;
    Ok(vec![out])
}

pub(super) fn index_add(
    operation: &dyn Operation,
    inputs: &[Input<'_>],
    specs: &[Spec],
) -> Result<Vec<Buffer>, Error> {
    let axis = declared::<IndexAdd>(operation).axis;
    let spec = &specs[0];
    let (index, source) = (indices(&inputs[0])?, inputs[1].rows()?);
    let mut out = Buffer::zeroed(spec.bytes())?;
    with_element!(spec.dtype(), T => kernel::index_add::<T>(
        around(spec.shape(), axis),
        index.first(inputs[0].layout.shape.elements()),
        source.first(inputs[1].layout.shape.elements()),
        out.as_mut_slice(),
    ))
    .map_err(outside("index_add", axis))?;
    Ok(vec![out])
}
