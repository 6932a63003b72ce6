//! The layers, one a file.

mod linear;

pub use linear::Linear;
