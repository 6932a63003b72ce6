//! Which fast kernel replaces which reference value or body. An operation without an entry runs as declared.

mod copy;
mod matmul;
mod reduce;

pub(crate) use copy::copied;

use crate::declare::Operation;
use crate::error::Error;
use crate::graph::Spec;
use crate::primitives::concat::Concat;
use crate::primitives::matmul::Matmul;
use crate::primitives::slice::Unslice;
use crate::primitives::sum::Sum;
use crate::shape::Layout;
use chainrule_kernels::{Buffer, DType};
use std::any::TypeId;

/// An operand of a kernel.
pub(crate) struct Input<'a> {
    pub(crate) buffer: &'a Buffer,
    pub(crate) layout: Layout,
    pub(crate) dtype: DType,
}

/// Computes the outputs, contiguous; `None` when the kernel does not serve these dtypes after all.
pub(crate) type Kernel =
    fn(&dyn Operation, &[Input<'_>], &[Spec]) -> Result<Option<Vec<Buffer>>, Error>;

/// The kernel for an operation, by the type of its declaration.
pub(crate) fn kernel_for(operation: &dyn Operation) -> Option<Kernel> {
    let declaration = operation.declaration().type_id();
    KERNELS
        .iter()
        .find(|(known, _)| known() == declaration)
        .map(|(_, kernel)| *kernel)
}

type Known = fn() -> TypeId;

const KERNELS: &[(Known, Kernel)] = &[
    (TypeId::of::<Matmul>, matmul::matmul),
    (TypeId::of::<Sum>, reduce::sum),
    (TypeId::of::<Concat>, copy::concat),
    (TypeId::of::<Unslice>, copy::unslice),
];

/// The declaration inside an operation, which `kernel_for` has matched.
fn declared<T: 'static>(operation: &dyn Operation) -> &T {
    operation
        .declaration()
        .downcast_ref()
        .expect("the kernel was chosen by this type")
}

/// Runs `$body` with `$element` standing for the storage type of a dtype.
macro_rules! with_element {
    ($dtype:expr, $element:ident => $body:expr) => {{
        use chainrule_kernels::DType;
        match $dtype {
            DType::F32 => {
                type $element = f32;
                $body
            }
            DType::F64 => {
                type $element = f64;
                $body
            }
            DType::BF16 => {
                type $element = half::bf16;
                $body
            }
            DType::F16 => {
                type $element = half::f16;
                $body
            }
            DType::I64 => {
                type $element = i64;
                $body
            }
            DType::I32 => {
                type $element = i32;
                $body
            }
            _ => {
                type $element = u8;
                $body
            }
        }
    }};
}
pub(crate) use with_element;
