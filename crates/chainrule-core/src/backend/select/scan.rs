//! Running sums and products along an axis.

use super::{Input, around, declared, with_element};
use crate::declare::Operation;
use crate::error::Error;
use crate::graph::Spec;
use crate::primitives::scan::{CumulativeProduct, CumulativeSum};
use chainrule_kernels::Buffer;
use chainrule_kernels::scan as kernel;

pub(super) fn cumulative_sum(
    operation: &dyn Operation,
    inputs: &[Input<'_>],
    specs: &[Spec],
) -> Result<Vec<Buffer>, Error> {
    let scan = declared::<CumulativeSum>(operation);
    let spec = &specs[0];
    let mut out = Buffer::for_elements(spec.dtype(), spec.elements())?;
    let x = inputs[0].rows()?;
    with_element!(spec.dtype(), T => kernel::cumulative_sum::<T>(
        around(spec.shape(), scan.axis),
        scan.reverse,
        x.first(spec.elements()),
        out.as_mut_slice(),
    ));
    Ok(vec![out])
}

pub(super) fn cumulative_product(
    operation: &dyn Operation,
    inputs: &[Input<'_>],
    specs: &[Spec],
) -> Result<Vec<Buffer>, Error> {
    let scan = declared::<CumulativeProduct>(operation);
    let spec = &specs[0];
    let mut out = Buffer::for_elements(spec.dtype(), spec.elements())?;
    let x = inputs[0].rows()?;
    with_element!(spec.dtype(), T => kernel::cumulative_product::<T>(
        around(spec.shape(), scan.axis),
        x.first(spec.elements()),
        out.as_mut_slice(),
    ));
    Ok(vec![out])
}
