//! Which fast kernel replaces which reference value or body. An operation without an entry runs as declared.

mod convolution;
mod copy;
mod gather;
mod matmul;
mod normalization;
mod pooling;
mod random;
mod reduce;
mod scan;
mod softmax;
mod sort;

pub(crate) use copy::copied;

use crate::composites::normalization::{LayerNorm, LayerNormBackward};
use crate::composites::softmax::{LogSoftmax, LogSoftmaxBackward, Softmax, SoftmaxBackward};
use crate::declare::Operation;
use crate::error::Error;
use crate::graph::Spec;
use crate::primitives::concat::Concat;
use crate::primitives::convolution::{Convolution, ConvolutionInput, ConvolutionWeight};
use crate::primitives::extremum::{Amax, Amin, Argmax, Argmin};
use crate::primitives::gather::{Gather, ScatterAdd};
use crate::primitives::index_select::{IndexAdd, IndexSelect};
use crate::primitives::matmul::Matmul;
use crate::primitives::pooling::{MaxPoolPositions, WindowSpread, WindowSum};
use crate::primitives::random::Draw;
use crate::primitives::scan::{CumulativeProduct, CumulativeSum};
use crate::primitives::scatter::Scatter;
use crate::primitives::slice::Unslice;
use crate::primitives::sort::Argsort;
use crate::primitives::sum::Sum;
use crate::shape::{Layout, Shape};
use chainrule_kernels::{Buffer, DType, Element};
use std::any::TypeId;

/// An operand of a kernel.
pub(crate) struct Input<'a> {
    pub(crate) buffer: &'a Buffer,
    pub(crate) layout: Layout,
    pub(crate) dtype: DType,
}

/// The elements of an input in row-major order: its own memory where they lie so, a copy elsewhere.
enum Rows<'a> {
    There(&'a Buffer, usize),
    Copied(Buffer),
}

impl Input<'_> {
    fn rows(&self) -> Result<Rows<'_>, Error> {
        if self.layout.is_contiguous() {
            return Ok(Rows::There(self.buffer, self.layout.offset));
        }
        Ok(Rows::Copied(copied(self, self.dtype)?))
    }
}

impl Rows<'_> {
    fn first<T: Element>(&self, count: usize) -> &[T] {
        match self {
            Rows::There(buffer, offset) if count > 0 => &buffer.as_slice()[*offset..offset + count],
            Rows::There(..) => &[],
            Rows::Copied(buffer) => &buffer.as_slice()[..count],
        }
    }
}

/// A shape seen as [outer, extent along the axis, inner].
fn around(shape: &Shape, axis: usize) -> [usize; 3] {
    let product = |range: &[usize]| range.iter().product();
    [
        product(&shape[..axis]),
        shape[axis],
        product(&shape[axis + 1..]),
    ]
}

/// Computes the outputs, contiguous.
pub(crate) type Kernel = fn(&dyn Operation, &[Input<'_>], &[Spec]) -> Result<Vec<Buffer>, Error>;

/// Whether a kernel serves an operation on operands of these specs.
type Serves = fn(&dyn Operation, &[&Spec]) -> bool;

/// The kernel for an operation, by the type of its declaration.
pub(crate) fn kernel_for(operation: &dyn Operation, specs: &[&Spec]) -> Option<Kernel> {
    let declaration = operation.declaration().type_id();
    let (_, serves, kernel) = KERNELS
        .iter()
        .find(|(known, _, _)| known() == declaration)?;
    serves(operation, specs).then_some(*kernel)
}

type Row = (fn() -> TypeId, Serves, Kernel);

const KERNELS: &[Row] = &[
    (TypeId::of::<Amax>, reduce::numbers, reduce::maximum),
    (TypeId::of::<Amin>, reduce::numbers, reduce::minimum),
    (TypeId::of::<Argmax>, reduce::numbers, reduce::argmax),
    (TypeId::of::<Argmin>, reduce::numbers, reduce::argmin),
    (TypeId::of::<Argsort>, always, sort::argsort),
    (TypeId::of::<Concat>, always, copy::concat),
    (TypeId::of::<LayerNorm>, always, normalization::layer_norm),
    (
        TypeId::of::<LayerNormBackward>,
        always,
        normalization::layer_norm_backward,
    ),
    (
        TypeId::of::<LogSoftmax>,
        softmax::log_last_axis,
        softmax::log_softmax,
    ),
    (
        TypeId::of::<LogSoftmaxBackward>,
        softmax::log_backward_last_axis,
        softmax::log_softmax_backward,
    ),
    (
        TypeId::of::<Convolution>,
        convolution::real,
        convolution::forward,
    ),
    (
        TypeId::of::<ConvolutionInput>,
        convolution::real,
        convolution::input,
    ),
    (
        TypeId::of::<ConvolutionWeight>,
        convolution::real,
        convolution::weight,
    ),
    (
        TypeId::of::<CumulativeProduct>,
        always,
        scan::cumulative_product,
    ),
    (TypeId::of::<CumulativeSum>, always, scan::cumulative_sum),
    (TypeId::of::<Draw>, random::whole, random::draw),
    (TypeId::of::<Gather>, always, gather::gather),
    (TypeId::of::<IndexAdd>, always, gather::index_add),
    (TypeId::of::<IndexSelect>, always, gather::index_select),
    (TypeId::of::<Matmul>, always, matmul::matmul),
    (
        TypeId::of::<MaxPoolPositions>,
        pooling::real,
        pooling::max_pool_positions,
    ),
    (TypeId::of::<Scatter>, gather::aligned_base, gather::scatter),
    (
        TypeId::of::<ScatterAdd>,
        gather::aligned_sums,
        gather::scatter_add,
    ),
    (TypeId::of::<Softmax>, softmax::last_axis, softmax::softmax),
    (
        TypeId::of::<SoftmaxBackward>,
        softmax::backward_last_axis,
        softmax::softmax_backward,
    ),
    (TypeId::of::<Sum>, always, reduce::sum),
    (TypeId::of::<Unslice>, always, copy::unslice),
    (
        TypeId::of::<WindowSpread>,
        pooling::real,
        pooling::window_spread,
    ),
    (TypeId::of::<WindowSum>, pooling::real, pooling::window_sum),
];

fn always(_operation: &dyn Operation, _specs: &[&Spec]) -> bool {
    true
}

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

/// Runs `$body` with `$element` standing for the storage type of a floating dtype.
macro_rules! with_floating {
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
            _ => {
                type $element = half::f16;
                $body
            }
        }
    }};
}
pub(crate) use with_floating;
