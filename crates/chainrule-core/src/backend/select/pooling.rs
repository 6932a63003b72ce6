//! Pooling over one to three spatial axes.

use super::{Input, declared, with_floating};
use crate::declare::Operation;
use crate::error::Error;
use crate::graph::Spec;
use crate::primitives::pooling::{MaxPoolPositions, Pool, WindowSpread, WindowSum};
use chainrule_kernels::pooling as kernel;
use chainrule_kernels::window::Window;
use chainrule_kernels::{Buffer, DType};

/// The kernels take floating elements.
pub(super) fn real(_operation: &dyn Operation, specs: &[&Spec]) -> bool {
    specs[0].dtype().is_floating()
}

fn window(pool: &Pool, extents: &[usize]) -> Window {
    let sliding = &pool.sliding;
    let filled = |values: &[usize], fill: usize| {
        let mut all = [fill; 3];
        all[3 - values.len()..].copy_from_slice(values);
        all
    };
    Window {
        input: filled(extents, 1),
        kernel: filled(&pool.kernel, 1),
        stride: filled(&sliding.stride, 1),
        padding: filled(&sliding.padding, 0),
        dilation: filled(&sliding.dilation, 1),
        output: filled(&pool.output, 1),
    }
}

fn planes(spec: &Spec, axes: usize) -> usize {
    spec.shape()[..spec.rank() - axes].iter().product()
}

pub(super) fn max_pool_positions(
    operation: &dyn Operation,
    inputs: &[Input<'_>],
    specs: &[Spec],
) -> Result<Vec<Buffer>, Error> {
    let pool = &declared::<MaxPoolPositions>(operation).pool;
    let (input, axes) = (&inputs[0], pool.kernel.len());
    let shape = &input.layout.shape;
    let window = window(pool, &shape[shape.rank() - axes..]);
    let mut out = Buffer::for_elements(DType::I64, specs[0].elements())?;
    let x = input.rows()?;
    with_floating!(input.dtype, T => kernel::max_pool_positions::<T>(
        &window,
        planes(&specs[0], axes),
        x.first(shape.elements()),
        out.as_mut_slice(),
    ));
    Ok(vec![out])
}

pub(super) fn window_sum(
    operation: &dyn Operation,
    inputs: &[Input<'_>],
    specs: &[Spec],
) -> Result<Vec<Buffer>, Error> {
    let pool = &declared::<WindowSum>(operation).pool;
    let (shape, axes) = (&inputs[0].layout.shape, pool.kernel.len());
    let window = window(pool, &shape[shape.rank() - axes..]);
    let mut out = Buffer::for_elements(specs[0].dtype(), specs[0].elements())?;
    let x = inputs[0].rows()?;
    with_floating!(specs[0].dtype(), T => kernel::window_sum::<T>(
        &window,
        planes(&specs[0], axes),
        x.first(shape.elements()),
        out.as_mut_slice(),
    ));
    Ok(vec![out])
}

pub(super) fn window_spread(
    operation: &dyn Operation,
    inputs: &[Input<'_>],
    specs: &[Spec],
) -> Result<Vec<Buffer>, Error> {
    let spread = declared::<WindowSpread>(operation);
    let window = window(&spread.pool, &spread.extents);
    let mut out = Buffer::for_elements(specs[0].dtype(), specs[0].elements())?;
    let x = inputs[0].rows()?;
    with_floating!(specs[0].dtype(), T => kernel::window_spread::<T>(
        &window,
        planes(&specs[0], spread.extents.len()),
        x.first(inputs[0].layout.shape.elements()),
        out.as_mut_slice(),
    ));
    Ok(vec![out])
}
