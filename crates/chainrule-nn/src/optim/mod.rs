//! Optimisers, one a file: tensor code over any tree of parameters, so the planner makes each update one pass.

mod adam;
mod gradients;
mod sgd;

pub use adam::Adam;
pub use gradients::MissingGradients;
pub use sgd::Sgd;
