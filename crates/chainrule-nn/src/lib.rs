//! Parameters, layers, optimisers and weights in files, on the public surface of the engine.

// The derive macros name everything through `::chainrule`, the crate that users add; here that is this crate.
extern crate self as chainrule;

mod layers;
pub mod losses;
mod module;
pub mod optim;
mod parameter;
mod pattern;
mod weights;

pub use layers::Linear;
pub use module::Module;
pub use optim::{
    Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Asgd, Group, Lbfgs, Lion, MissingGradients,
    Muon, NAdam, Optimiser, RAdam, RmsProp, Rprop, Sgd, StateError, Update,
};
pub use parameter::Parameter;
pub use weights::{WeightsError, load, load_tensors, save};

#[doc(hidden)]
pub use chainrule_core::{Tensor, tree};

#[doc(hidden)]
pub mod nn {
    pub use crate::Module;
}
