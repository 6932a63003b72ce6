//! One scalar function over whole arrays: how the plain backend runs elementwise operations.

use super::convert::{from_contiguous, to_buffer};
use crate::declare::Array;
use crate::error::Error;
use crate::graph::Spec;
use chainrule_kernels::Buffer;
use chainrule_kernels::leaf::Leaf;
use chainrule_kernels::program::{Operand, Program};

/// Applies `leaf` to arrays of equal shape, by a program of this one instruction.
pub(super) fn single(
    leaf: &'static Leaf,
    inputs: &[Array],
    input_specs: &[&Spec],
    output: &Spec,
) -> Result<Array, Error> {
    let mut builder = Program::builder();
    let registers: Vec<_> = input_specs
        .iter()
        .map(|spec| builder.input(spec.dtype()))
        .collect();
    let dtype = input_specs.last().expect("a leaf has operands").dtype();
    let result = builder.apply(leaf, dtype, &registers);
    builder.output(result);
    let program = builder.finish();
    let buffers: Result<Vec<Buffer>, Error> = inputs
        .iter()
        .zip(input_specs)
        .map(|(input, spec)| to_buffer(input, spec.dtype()))
        .collect();
    let buffers = buffers?;
    let strides = output.shape().contiguous_strides();
    let operands: Vec<Operand<'_>> = buffers
        .iter()
        .map(|data| Operand::Strided {
            data,
            offset: 0,
            strides: &strides,
        })
        .collect();
    let mut result = Buffer::for_elements(output.dtype(), output.elements())?;
    program.run(output.shape(), 0, &operands, &mut [&mut result]);
    Ok(from_contiguous(&result, output))
}
