//! Readers: from files to tensors and data sets.
//!
//! Files come from elsewhere, so they may be anything. Every reader returns an error with the file and the place for one
//! that is cut off, has a wrong magic number or wrong counts; sizes that a file claims are compared with what it can hold
//! before memory is taken.

pub mod cifar;
pub mod csv;
pub mod idx;
pub mod image;
pub mod image_folder;
pub mod npy;
pub mod npz;
mod source;
pub mod text;
