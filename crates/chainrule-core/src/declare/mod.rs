//! READ FIRST: how an operation is declared, and what follows from a declaration.
//!
//! An operation is one item in its family's file under `primitives/` (or `composites/`). It implements exactly one of
//!
//! - [`Elementwise`]: one scalar function applied to every element, with one partial derivative per input;
//! - [`Primitive`]: anything else that cannot be written by other operations, with its shape rule, reference value,
//!   [`Derivative`] (classified by the structure of its Jacobian), batching rule and samples for the checks;
//! - [`Composite`]: a function of other operations that stays one node, so that a backend may have a kernel for it;
//!
//! and is named in its family's [`family!`](crate::family) list. From the declaration alone come forward mode, reverse mode,
//! batching, sparsity, what backward keeps, the checks that walk the registry, and the row in the documentation.

mod array;
mod batch;
mod composite;
mod derivative;
mod elementwise;
mod facts;
mod family;
mod operation;
mod primitive;
mod real;
mod registry;
mod sample;
mod table;

pub use array::{Array, Data, Ring, Set};
pub use batch::{Batch, BatchRule, Shift};
pub use composite::{Body, Composite};
pub use derivative::{Derivative, Diagonal, Linear, Multilinear, Routed, Rule};
pub(crate) use elementwise::elementwise;
pub use elementwise::{Each, Elementwise, Partial, PartialRule, Result as ResultType};
pub use family::{Declared, Entry, Registered, entry};
pub use operation::{
    Evaluation, Operation, OperationRef, Reads, Reference, Specs, Viewing, one, operation,
};
pub use primitive::{Primitive, Whole};
pub use real::Real;
pub use registry::registry;
pub use sample::{Interval, Sample, SampleInput};
pub use table::{Row, markdown, rows};
