//! The object in a node: what every part of the engine may ask of an operation, whatever trait declared it.

use super::{Array, Batch, Body, Declared, Derivative};
use crate::error::{Error, Mismatch};
use crate::graph::Spec;
use crate::shape::Layout;
use crate::tensor::Tensor;
use chainrule_kernels::DType;
use chainrule_kernels::leaf::Leaf;
use smallvec::SmallVec;
use std::any::Any;
use std::hash::Hasher;
use std::panic::RefUnwindSafe;
use std::sync::Arc;

/// The specs of an operation's outputs, nearly always one.
pub type Specs = SmallVec<[Spec; 1]>;

/// The specs of an operation with a single output.
pub fn one(spec: Spec) -> Result<Specs, Mismatch> {
    Ok(smallvec::smallvec![spec])
}

/// An operation as nodes hold it. Nobody implements this by hand: [`Elementwise`](super::Elementwise),
/// [`Primitive`](super::Primitive) and [`Composite`](super::Composite) declarations are wrapped into it.
pub trait Operation: Any + Send + Sync + RefUnwindSafe {
    /// The name, as the method is called.
    fn name(&self) -> &'static str;
    /// What it computes, as a formula.
    fn formula(&self) -> String;
    /// The specs of the outputs, or why the inputs do not fit.
    fn infer(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch>;
    /// Whether, on operands that all have one spec with this dtype, the single output surely has that spec too: the
    /// quick answer that spares [`infer`](Operation::infer).
    fn keeps_spec_of(&self, _dtype: DType) -> bool {
        false
    }
    /// How the values of the outputs come about.
    fn evaluation(&self) -> Evaluation<'_>;
    /// The local derivative.
    fn derivative(&self) -> Derivative<'_>;
    /// How a further leading axis passes through.
    fn batch(&self) -> Batch<'_>;
    /// Which values a backward pass through this operation will read.
    fn backward_reads(&self) -> Reads;
    /// Whether `other` is the same operation with the same attributes.
    fn same(&self, other: &dyn Operation) -> bool;
    /// Feeds the operation's identity and attributes to a hasher.
    fn hash(&self, hasher: &mut dyn Hasher);
    /// The declaration itself, for backends that know a faster kernel for it.
    fn declaration(&self) -> &dyn Any;
}

/// How an operation's value is computed.
pub enum Evaluation<'a> {
    /// Element by element, by a scalar function.
    Pointwise(&'static Leaf),
    /// Element by element: conversion to the dtype of the output.
    Cast,
    /// By looking at the input's buffer in another way; a copy where that is impossible.
    View(&'a dyn Viewing),
    /// By the reference implementation, unless the backend knows a faster one.
    Reference(&'a dyn Reference),
    /// By its body of other operations, unless the backend knows a kernel.
    Body(&'a dyn Body),
}

/// The plain implementation of a primitive: slow, obvious, the meaning of every faster one.
pub trait Reference {
    /// The outputs, computed from the inputs. Halves arrive as `f32`; the caller rounds. `specs` are the outputs'.
    ///
    /// # Errors
    /// When an index is out of range.
    fn value(&self, inputs: &[Array], specs: &[Spec]) -> Result<Vec<Array>, Error>;
}

/// A primitive that only renames positions.
pub trait Viewing {
    /// Where the output's elements lie in the input's buffer, or `None` when the input must be made contiguous first.
    fn view(&self, input: &Layout, output: &Spec) -> Option<Layout>;
}

/// Which of its inputs (a bit each) and whether its outputs an operation's backward pass reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reads {
    /// Bit `i` is set when input `i` is read; bit 31 stands for it and all later ones.
    pub inputs: u32,
    /// Whether the outputs are read.
    pub outputs: bool,
}

impl Reads {
    /// Backward reads nothing.
    pub const NOTHING: Reads = Reads {
        inputs: 0,
        outputs: false,
    };
    /// Backward reads every input and output.
    pub const EVERYTHING: Reads = Reads {
        inputs: u32::MAX,
        outputs: true,
    };
    /// Backward reads every input.
    pub const INPUTS: Reads = Reads {
        inputs: u32::MAX,
        outputs: false,
    };

    /// Whether the input at `position` is read.
    pub fn reads_input(self, position: usize) -> bool {
        self.inputs & (1 << position.min(31)) != 0
    }
}

/// A shared operation. One without attributes lives in static memory, one with attributes is counted.
#[derive(Clone)]
pub enum OperationRef {
    /// A unit struct.
    Fixed(&'static dyn Operation),
    /// An operation with attributes.
    Shared(Arc<dyn Operation>),
}

impl std::ops::Deref for OperationRef {
    type Target = dyn Operation;
    fn deref(&self) -> &(dyn Operation + 'static) {
        match self {
            OperationRef::Fixed(operation) => *operation,
            OperationRef::Shared(operation) => operation.as_ref(),
        }
    }
}

/// Makes a declared operation ready to be recorded.
pub fn operation<T: Declared<K>, K>(declaration: T) -> OperationRef {
    declaration.into_operation()
}

impl OperationRef {
    /// Records the operation on `inputs` and returns its outputs.
    ///
    /// # Errors
    /// The message for the user when shapes or dtypes do not fit.
    #[track_caller]
    pub fn try_apply(&self, inputs: &[&Tensor]) -> Result<SmallVec<[Tensor; 1]>, Error> {
        Tensor::try_record(self.clone(), inputs).map(|first| first.all_outputs())
    }

    /// Records the operation on `inputs` and returns its single output.
    ///
    /// # Panics
    /// When shapes or dtypes do not fit, at the user's line.
    #[track_caller]
    pub fn of(&self, inputs: &[&Tensor]) -> Tensor {
        match Tensor::try_record(self.clone(), inputs) {
            Ok(output) => output,
            Err(error) => crate::error::raise(error),
        }
    }

    /// Records the operation on `inputs` and returns all its outputs.
    ///
    /// # Panics
    /// When shapes or dtypes do not fit, at the user's line.
    #[track_caller]
    pub fn all_of(&self, inputs: &[&Tensor]) -> SmallVec<[Tensor; 1]> {
        match self.try_apply(inputs) {
            Ok(outputs) => outputs,
            Err(error) => crate::error::raise(error),
        }
    }
}
