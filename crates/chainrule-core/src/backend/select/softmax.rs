//! Softmax along contiguous rows.

use super::{Input, declared};
use crate::composites::softmax::{LogSoftmax, LogSoftmaxBackward, Softmax, SoftmaxBackward};
use crate::declare::Operation;
use crate::error::Error;
use crate::graph::Spec;
use chainrule_kernels::softmax as kernel;
use chainrule_kernels::{Buffer, DType};
use half::{bf16, f16};

fn is_last(axis: usize, specs: &[&Spec]) -> bool {
    axis + 1 == specs[0].rank()
}

macro_rules! rows {
    ($($serves:ident, $run:ident, $declaration:ident, $kernel:ident, ($($operand:literal),*);)*) => {$(
        pub(super) fn $serves(operation: &dyn Operation, specs: &[&Spec]) -> bool {
            is_last(declared::<$declaration>(operation).axis, specs)
        }

        pub(super) fn $run(_operation: &dyn Operation, inputs: &[Input<'_>], specs: &[Spec]) -> Result<Vec<Buffer>, Error> {
            let spec = &specs[0];
            let (count, columns) = (spec.elements(), *spec.shape().last().expect("rows have an axis"));
            let mut out = Buffer::for_elements(spec.dtype(), count)?;
            if count == 0 {
                return Ok(vec![out]);
            }
            let operands = [$(inputs[$operand].rows()?),*];
            match spec.dtype() {
                DType::F32 => kernel::$kernel::<f32>(columns, $(operands[$operand].first(count),)* out.as_mut_slice()),
                DType::F64 => kernel::$kernel::<f64>(columns, $(operands[$operand].first(count),)* out.as_mut_slice()),
                DType::BF16 => kernel::$kernel::<bf16>(columns, $(operands[$operand].first(count),)* out.as_mut_slice()),
                _ => kernel::$kernel::<f16>(columns, $(operands[$operand].first(count),)* out.as_mut_slice()),
            }
            Ok(vec![out])
        }
    )*};
}

rows! {
    last_axis, softmax, Softmax, softmax, (0);
    backward_last_axis, softmax_backward, SoftmaxBackward, softmax_backward, (0, 1);
    log_last_axis, log_softmax, LogSoftmax, log_softmax, (0);
    log_backward_last_axis, log_softmax_backward, LogSoftmaxBackward, log_softmax_backward, (0, 1);
}
