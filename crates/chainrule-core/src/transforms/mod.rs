//! Derivatives as walks over the recorded graph.
//!
//! A transform gives the function fresh inputs, lets it record, and walks the nodes between, oldest first (tangents) or
//! newest first (cotangents), with a side table that belongs to this one call. What it builds are ordinary nodes, so
//! transforms nest in any order without levels or tags.

mod backward;
mod batch;
mod checkpoint;
mod forward;
mod gmres;
mod grad;
mod jacobian;
mod jvp;
mod linearize;
pub(crate) mod record;
mod reverse;
mod root;
mod side;
mod taylor;
mod vjp;

pub use backward::Gradients;
pub use batch::{map_each, vmap, vmap_axes};
pub use checkpoint::checkpoint;
pub use grad::{grad, grad_aux, value_and_grad, value_and_grad_aux};
pub use jacobian::{hessian, hvp, jacfwd, jacrev};
pub use jvp::{jvp, jvp_aux};
pub use linearize::{linearize, pullback};
pub use root::root;
pub use taylor::taylor;
pub use vjp::{vjp, vjp_aux};

pub(crate) use jvp::pushed;
pub(crate) use reverse::pull_all;
pub(crate) use side::Side;
pub(crate) use vjp::pulled;
