//! How a further leading axis, the batch, passes through an operation.

use super::OperationRef;
use crate::tensor::Tensor;

/// The batching rule of an operation. The batch axis is always axis 0 of every batched operand.
pub enum Batch<'a> {
    /// Elementwise: operands are aligned, an unbatched one is expanded.
    Aligned,
    /// The operation takes any number of equal leading axes.
    LeadingAxes,
    /// The same operation with its axis attributes moved by one.
    ShiftAxes(&'a dyn Shift),
    /// Written out.
    Rule(&'a dyn BatchRule),
    /// No better rule is known: the operation runs once for each example.
    Loop,
    /// A source without inputs: all examples share it.
    Source,
    /// A random draw: each example gets its own, although no input depends on the example. The rule is told of a shared
    /// input and derives one for each example from it.
    Draw(&'a dyn BatchRule),
    /// The body is batched.
    Body,
}

/// An operation whose batched form is itself on other axes.
pub trait Shift {
    /// The operation for operands with a further leading axis of `extent`.
    fn shifted(&self, extent: usize) -> OperationRef;
}

/// A batching rule written out.
pub trait BatchRule {
    /// The outputs, with the batch as axis 0, from inputs of which those marked in `batched` have it.
    fn batch(&self, inputs: &[Tensor], batched: &[bool], extent: usize) -> Vec<Tensor>;
}
