//! The CPU kernels of Chainrule: slices and strides in, slices out.
//!
//! This crate knows no graph, so it cannot name a derivative. All `unsafe` of the project lives here, each block with its
//! `SAFETY` note; every public function is safe and checks what its unsafe core relies on.

// Kernels run several arrays by one index: that is the form the vectoriser and the reader both follow.
#![allow(clippy::needless_range_loop)]

pub mod buffer;
mod combine;
pub mod convolution;
pub mod copy;
pub mod element;
pub mod gather;
pub mod gemm;
mod gemm_small;
pub mod half;
mod lane;
pub mod leaf;
pub mod math;
pub mod normalization;
pub mod pooling;
pub mod program;
pub mod random;
mod real;
pub mod reduce;
pub mod scan;
pub mod simd;
pub mod softmax;
pub mod sort;
pub mod threads;
mod vectorised;
pub mod window;

pub use buffer::Buffer;
pub use element::{DType, Element};
pub use leaf::Leaf;
