//! Matrix products, transposes and broadcasts folded into strides.

use super::{Input, with_element};
use crate::declare::Operation;
use crate::error::Error;
use crate::graph::Spec;
use chainrule_kernels::gemm::{Matrix, MatrixMut, batched_gemm};
use chainrule_kernels::{Buffer, Element};

pub(super) fn matmul(
    _operation: &dyn Operation,
    inputs: &[Input<'_>],
    specs: &[Spec],
) -> Result<Vec<Buffer>, Error> {
    let (a, b, spec) = (&inputs[0], &inputs[1], &specs[0]);
    let rank = spec.rank();
    let (m, n, k) = (
        spec.shape()[rank - 2],
        spec.shape()[rank - 1],
        a.layout.shape[rank - 1],
    );
    let batch = &spec.shape()[..rank - 2];
    let mut out = Buffer::for_elements(spec.dtype(), spec.elements())?;
    let strides = spec.shape().contiguous_strides();
    with_element!(spec.dtype(), T => {
        let c = MatrixMut {
            data: out.as_mut_slice::<T>(),
            offset: 0,
            row_stride: strides[rank - 2],
            column_stride: strides[rank - 1],
            batch_strides: &strides[..rank - 2],
        };
        batched_gemm(batch, m, n, k, matrix::<T>(a), matrix::<T>(b), c, false);
    });
    Ok(vec![out])
}

fn matrix<'a, T: Element>(input: &'a Input<'a>) -> Matrix<'a, T> {
    let rank = input.layout.shape.rank();
    Matrix {
        data: input.buffer.as_slice(),
        offset: input.layout.offset,
        row_stride: input.layout.strides[rank - 2],
        column_stride: input.layout.strides[rank - 1],
        batch_strides: &input.layout.strides[..rank - 2],
    }
}
