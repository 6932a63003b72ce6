//! The tensor handle and what it can do besides the operations (those stand in `primitives/` and `composites/`).

mod create;
mod display;
mod generator;
mod handle;
mod indexing;
mod like;
#[cfg(feature = "ndarray")]
mod ndarray;
mod nested;
mod operators;
mod promotion;
mod ranges;
mod read;
mod reduction;

pub use generator::{Generator, default_generator, manual_seed, set_default_generator};
pub use handle::Tensor;
pub use indexing::{Ellipsis, Index, IntoIndex, NewAxis, steps};
pub use like::Like;
pub use nested::Nested;
pub use promotion::{default_dtype, promote, set_default_dtype};
pub use ranges::Step;
pub use read::Number;

pub(crate) use generator::state_of_next_draw;
pub(crate) use promotion::{common_dtype, common_shape, promoted};
