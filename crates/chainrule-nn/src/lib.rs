//! Parameters, layers, optimisers and weights in files, on the public surface of the engine.

// The derive macros name everything through `::chainrule`, the crate that users add; here that is this crate.
extern crate self as chainrule;

mod accumulation;
mod averaging;
mod buffer;
pub mod clip;
pub mod init;
mod layer;
mod layers;
pub mod losses;
mod mode;
mod module;
pub mod optim;
mod parameter;
mod pattern;
pub mod precision;
mod regulariser;
pub mod schedules;
mod scope;
mod sequential;
mod state;
mod summary;
mod weights;

pub use accumulation::Accumulation;
pub use averaging::{Ema, Swa};
pub use buffer::{Buffer, buffers_unchanged};
pub use layer::{AnyLayer, Layer};
pub use layers::*;
pub use mode::Mode;
pub use module::Module;
pub use optim::{
    Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Asgd, Group, Lbfgs, Lion, MissingGradients,
    Muon, NAdam, Optimiser, RAdam, RmsProp, Rprop, Sgd, StateError, Update, build_optimiser,
    optimiser_names,
};
pub use parameter::Parameter;
pub use regulariser::Regulariser;
pub use scope::{Observation, current_path, layer_scope, named, observe};
pub use sequential::Sequential;
pub use summary::{Summarise, Summary, SummaryRow, summarise};
pub use weights::{WeightsError, load, load_tensors, save, write_atomically};

#[doc(hidden)]
pub use summary::grouped;

#[doc(hidden)]
pub use chainrule_core::{Tensor, tree};

#[doc(hidden)]
pub mod nn {
    pub use crate::Module;
}

/// The facade's prelude, for the examples in this crate's documentation.
#[doc(hidden)]
pub mod prelude {
    pub use crate::{Layer, Linear, Module};
    pub use chainrule_core::{Tensor, tree::Tree};
    pub use chainrule_derive::{Module, Tree};
}
