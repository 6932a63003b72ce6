//! READ FIRST: how an operation is declared, and what follows from a declaration.
//!
//! An operation is one item in its family's file under `primitives/` (or `composites/`). It implements exactly one of
//!
//! - [`Elementwise`]: one scalar function applied to every element, with one partial derivative per input;
//! - [`Primitive`]: anything else that cannot be written by other operations, with its shape rule, reference value,
//!   [`Derivative`] (classified by the structure of its Jacobian), batching rule and samples for the checks;
//! - [`Composite`]: a function of other operations that stays one node, so that a backend may have a kernel for it;
//!
//! and is named in its family's [`family!`](crate::family) list:
//!
//! ```
//! use chainrule_core::declare::{Elementwise, Interval, PartialRule};
//! use chainrule_kernels::leaf::Leaf;
//!
//! chainrule_core::family! { Cube }
//! struct Cube;
//! static CUBE: Leaf = Leaf::scalar1("cube", |x| x * x * x, |x| x * x * x);
//! impl Elementwise<1> for Cube {
//!     const NAME: &'static str = "cube";
//!     const LEAF: &'static Leaf = &CUBE;
//!     const PARTIALS: PartialRule<1> = PartialRule::Each([|[x], _| x.square() * 3.0]);
//!     const DOMAIN: [Interval; 1] = [Interval::new(-2.0, 2.0)];
//! }
//! # let findings: Vec<String> =
//! #     (ALL[0].samples)().iter().flat_map(chainrule_core::check::gradients::sample).collect();
//! # assert!(findings.is_empty(), "{findings:?}");
//! ```
//!
//! What is not declared does not compile: a declaration that is missing from the list,
//!
//! ```compile_fail,E0277
//! # use chainrule_core::declare::{Elementwise, Interval, PartialRule};
//! # use chainrule_kernels::leaf::Leaf;
//! # static CUBE: Leaf = Leaf::scalar1("cube", |x| x * x * x, |x| x * x * x);
//! struct Cube; // in no `family!` list
//! impl Elementwise<1> for Cube {
//!     const NAME: &'static str = "cube";
//!     const LEAF: &'static Leaf = &CUBE;
//!     const PARTIALS: PartialRule<1> = PartialRule::Each([|[x], _| x.square() * 3.0]);
//!     const DOMAIN: [Interval; 1] = [Interval::new(-2.0, 2.0)];
//! }
//! ```
//!
//! one without its partials,
//!
//! ```compile_fail,E0046
//! # use chainrule_core::declare::{Elementwise, Interval, PartialRule};
//! # use chainrule_kernels::leaf::Leaf;
//! # static CUBE: Leaf = Leaf::scalar1("cube", |x| x * x * x, |x| x * x * x);
//! chainrule_core::family! { Cube }
//! struct Cube;
//! impl Elementwise<1> for Cube {
//!     const NAME: &'static str = "cube";
//!     const LEAF: &'static Leaf = &CUBE;
//!     const DOMAIN: [Interval; 1] = [Interval::new(-2.0, 2.0)];
//! }
//! ```
//!
//! or a primitive without any of its methods (here all of them).
//!
//! ```compile_fail,E0046
//! # use chainrule_core::declare::Primitive;
//! chainrule_core::family! { Nothing }
//! #[derive(Clone, PartialEq, Eq, Hash)]
//! struct Nothing;
//! impl Primitive for Nothing {}
//! ```
//!
//! From the declaration alone come forward mode, reverse mode,
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
