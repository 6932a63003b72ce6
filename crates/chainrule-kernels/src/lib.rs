//! The CPU kernels of Chainrule: slices and strides in, slices out.
//!
//! This crate knows no graph, so it cannot name a derivative. All `unsafe` of the project lives here, each block with its
//! `SAFETY` note; every public function is safe and checks what its unsafe core relies on.

pub mod buffer;
pub mod copy;
pub mod element;
pub mod leaf;
pub mod program;
pub mod random;
pub mod threads;
mod vectorised;

pub use buffer::Buffer;
pub use element::{DType, Element};
