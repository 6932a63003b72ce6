//! Layer normalisation of rows.

use super::{Input, declared, with_floating};
use crate::composites::normalization::{LayerNorm, LayerNormBackward};
use crate::declare::Operation;
use crate::error::Error;
use crate::graph::Spec;
use chainrule_kernels::Buffer;
use chainrule_kernels::normalization as kernel;

pub(super) fn layer_norm(
    operation: &dyn Operation,
    inputs: &[Input<'_>],
    specs: &[Spec],
) -> Result<Vec<Buffer>, Error> {
    let epsilon = declared::<LayerNorm>(operation).epsilon.0;
    let (count, columns) = (specs[0].elements(), inputs[1].layout.shape.elements());
    let mut out = Buffer::for_elements(specs[0].dtype(), count)?;
    let (x, weight, bias) = (inputs[0].rows()?, inputs[1].rows()?, inputs[2].rows()?);
    with_floating!(specs[0].dtype(), T => kernel::layer_norm::<T>(
        columns,
        x.first(count),
        weight.first(columns),
        bias.first(columns),
        epsilon,
        out.as_mut_slice(),
    ));
    Ok(vec![out])
}

pub(super) fn layer_norm_backward(
    operation: &dyn Operation,
    inputs: &[Input<'_>],
    specs: &[Spec],
) -> Result<Vec<Buffer>, Error> {
    let epsilon = declared::<LayerNormBackward>(operation).epsilon.0;
    let (count, columns) = (specs[0].elements(), specs[1].elements());
    let dtype = specs[0].dtype();
    let mut grad_x = Buffer::for_elements(dtype, count)?;
    let mut grad_weight = Buffer::for_elements(dtype, columns)?;
    let mut grad_bias = Buffer::for_elements(dtype, columns)?;
    let (x, weight, ct) = (inputs[0].rows()?, inputs[1].rows()?, inputs[2].rows()?);
    with_floating!(dtype, T => kernel::layer_norm_backward::<T>(
        columns,
        x.first(count),
        weight.first(columns),
        epsilon,
        ct.first(count),
        grad_x.as_mut_slice(),
        grad_weight.as_mut_slice(),
        grad_bias.as_mut_slice(),
    ));
    Ok(vec![grad_x, grad_weight, grad_bias])
}
