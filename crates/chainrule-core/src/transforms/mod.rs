//! Derivatives as walks over the recorded graph.
//!
//! A transform gives the function fresh inputs, lets it record, and walks the nodes between, oldest first (tangents) or
//! newest first (cotangents), with a side table that belongs to this one call. What it builds are ordinary nodes, so
//! transforms nest in any order without levels or tags.

mod backward;
mod batch;
mod forward;
mod grad;
mod jvp;
mod record;
mod reverse;
mod side;
mod vjp;

pub use backward::Gradients;
pub use batch::{map_each, vmap};
pub use grad::{grad, grad_aux, value_and_grad, value_and_grad_aux};
pub use jvp::{jvp, jvp_aux};
pub use vjp::{vjp, vjp_aux};

pub(crate) use side::Side;
