//! Data: sets of examples, the order in which they come, batches made in the background.
//!
//! A [`Dataset`] has numbered examples, each a tree of tensors. A [`Sampler`] says in which order they come, a [`Loader`]
//! makes batches of them on threads in the background.
//!
//! ```
//! use chainrule_core::tensor;
//! use chainrule_train::data::{Dataset, Loader, TensorDataset};
//! let inputs = tensor![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
//! let data = TensorDataset::new((inputs, tensor![0, 1, 1, 0]))?;
//! for batch in Loader::new(data, 2)?.shuffle(1).epoch(0) {
//!     let (inputs, labels) = batch?;
//!     assert_eq!(inputs.shape().to_string(), "[2, 2]");
//!     assert_eq!(labels.shape().to_string(), "[2]");
//! }
//! # Ok::<(), chainrule_train::data::DataError>(())
//! ```

mod collate;
mod dataset;
mod error;
mod find;
mod images;
mod loader;
mod random;
pub mod readers;
mod sampler;
mod shipped;
pub mod transforms;
mod views;
mod workers;

pub use collate::{pad, stack};
pub use dataset::{Dataset, Halves, TensorDataset};
pub use error::{DataError, Place};
pub use find::{Known, find};
pub use images::ImageDataset;
pub use loader::{Batches, Loader};
pub use random::Random;
pub use sampler::{BatchSampler, Chosen, Continued, Sampler, Sequential, Shuffled, Weighted};
pub use shipped::breast_cancer;
pub use views::{Concat, Map, Subset};
