//! A fused group of elementwise instructions: leaves over registers, run in chunks that stay in the nearest cache.
//!
//! [`Builder`] records instructions in single-assignment form, [`Program`] is the result with its registers allocated,
//! [`Program::run`] computes it over operands of any strides. A program over several leaves gives, bit for bit, what
//! each leaf gives alone; reductions follow the order that [`reduction`] documents.

mod access;
mod builder;
mod chunk;
mod code;
pub mod reduction;
mod run;
mod superinstruction;
#[cfg(test)]
mod tests;

pub use builder::{Builder, Register, Scalar};
pub use reduction::Reduction;

use crate::buffer::Buffer;
use crate::element::DType;
use code::Code;

/// Elements computed at a time, and the length of a reduction's blocks.
pub(crate) const CHUNK: usize = 256;

/// A fused group of elementwise instructions with any number of outputs and trailing reductions.
///
/// ```
/// use chainrule_kernels::program::{Operand, Program, Reduction};
/// use chainrule_kernels::{Buffer, DType, math};
///
/// let mut builder = Program::builder();
/// let x = builder.input(DType::F32);
/// let two = builder.constant(DType::F32, 2.0);
/// let y = builder.apply(&math::MUL, DType::F32, &[x, two]);
/// builder.output(y);
/// builder.reduce(y, Reduction::Sum);
/// let program = builder.finish();
///
/// let x = Buffer::from_slice(&[1f32, 2.0, 3.0, 4.0]).unwrap();
/// let mut y = Buffer::scratch(16).unwrap();
/// let mut sums = Buffer::scratch(8).unwrap();
/// let operand = Operand::Strided { data: &x, offset: 0, strides: &[2, 1] };
/// program.run(&[2, 2], 1, &[operand], &mut [&mut y, &mut sums]);
/// assert_eq!(y.as_slice::<f32>(), [2.0, 4.0, 6.0, 8.0]);
/// assert_eq!(sums.as_slice::<f32>(), [6.0, 14.0]);
/// ```
pub struct Program {
    code: Code,
}

/// Where [`Program::run`] reads an input from.
#[derive(Clone, Copy, Debug)]
pub enum Operand<'a> {
    /// Elements of a buffer: index `i` of the iteration space is element `offset + sum(i[axis] * strides[axis])`.
    Strided {
        /// The memory.
        data: &'a Buffer,
        /// The position of the first element, in elements.
        offset: usize,
        /// One stride an axis, in elements; 0 repeats, negative ones run backwards.
        strides: &'a [isize],
    },
    /// The input lies, contiguous, in this output's buffer, which is overwritten. The output is not a reduction and its
    /// dtype has the size of the input's.
    InPlace(usize),
}

impl<'a> Operand<'a> {
    /// A view of `data` from element `offset` on, one stride an axis: [`Operand::Strided`].
    pub const fn strided(data: &'a Buffer, offset: usize, strides: &'a [isize]) -> Operand<'a> {
        Operand::Strided {
            data,
            offset,
            strides,
        }
    }
}

impl Program {
    /// Starts a program.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The dtype of each input, in order.
    pub fn inputs(&self) -> &[DType] {
        &self.code.inputs
    }

    /// The dtype of each output, in the order of [`Builder::output`] and [`Builder::reduce`].
    pub fn outputs(&self) -> impl ExactSizeIterator<Item = DType> + '_ {
        self.code.outputs.iter().map(|output| output.dtype)
    }

    /// Whether output `index` is a reduction.
    pub fn is_reduction(&self, index: usize) -> bool {
        self.code.outputs[index].reduction.is_some()
    }

    /// The number of instructions that remain after dead ones are dropped and neighbours are joined.
    pub fn instruction_count(&self) -> usize {
        self.code.instructions.len()
    }
}
