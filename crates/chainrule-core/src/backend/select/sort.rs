//! The order of elements along an axis.

use super::{Input, copied, declared, with_element};
use crate::declare::Operation;
use crate::error::Error;
use crate::graph::Spec;
use crate::primitives::sort::Argsort;
use crate::shape::Layout;
use chainrule_kernels::sort as kernel;
use chainrule_kernels::{Buffer, DType};

pub(super) fn argsort(
    operation: &dyn Operation,
    inputs: &[Input<'_>],
    specs: &[Spec],
) -> Result<Vec<Buffer>, Error> {
    let argsort = declared::<Argsort>(operation);
    let (input, spec) = (&inputs[0], &specs[0]);
    let layout = with_axis_last(&input.layout, argsort.axis);
    let columns = input.layout.shape[argsort.axis];
    let input = Input { layout, ..*input };
    let x = input.rows()?;
    let mut order = Buffer::for_elements(DType::I64, spec.elements())?;
    with_element!(input.dtype, T => kernel::top_k::<T>(
        columns,
        x.first(input.layout.shape.elements()),
        argsort.count,
        argsort.descending,
        order.as_mut_slice(),
    ));
    if argsort.axis + 1 == spec.rank() {
        return Ok(vec![order]);
    }
    let mut shape = spec.shape().to_vec();
    let count = shape.remove(argsort.axis);
    shape.push(count);
    let turned = Layout::contiguous(shape.as_slice().into());
    let back = Input {
        buffer: &order,
        layout: with_last_at(&turned, argsort.axis),
        dtype: DType::I64,
    };
    Ok(vec![copied(&back, DType::I64)?])
}

fn with_axis_last(layout: &Layout, axis: usize) -> Layout {
    let mut order: Vec<usize> = (0..layout.shape.rank()).collect();
    order.remove(axis);
    order.push(axis);
    permuted(layout, &order)
}

fn with_last_at(layout: &Layout, axis: usize) -> Layout {
    let mut order: Vec<usize> = (0..layout.shape.rank() - 1).collect();
    order.insert(axis, layout.shape.rank() - 1);
    permuted(layout, &order)
}

fn permuted(layout: &Layout, order: &[usize]) -> Layout {
    Layout {
        shape: order.iter().map(|&axis| layout.shape[axis]).collect(),
        strides: order.iter().map(|&axis| layout.strides[axis]).collect(),
        offset: layout.offset,
    }
}
