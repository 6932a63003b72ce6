//! Sparse derivatives: which entries a Jacobian can have, and all of them from a few compressed directions.
//!
//! [`detect`] finds the pattern by walking the declarations on sets of elements; [`colouring`] groups columns or rows
//! that can share a direction; [`compress`] seeds the directions and reads the entries off the products.

mod colouring;
mod compress;
mod detect;
mod matrix;
mod pattern;

pub use colouring::{Colouring, Directions};
pub use compress::{
    Compression, hessian_sparsity, sparse_hessian, sparse_jacobian, sparsity, sparsity_along_path,
    sparsity_at,
};
pub use matrix::SparseMatrix;
pub use pattern::Pattern;
