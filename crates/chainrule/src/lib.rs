#![doc = include_str!("../README.md")]
//!
//! Begin with the [`prelude`] and the numbered examples in the repository; [`declare`] says how operations are declared.

pub use chainrule_core::*;
pub use chainrule_derive::{Module, Tree};

/// The programs in the repository's README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// Graphs as text, pictures, Graphviz and JSON: `view::text(&mut graph)`.
pub use chainrule_view as view;

/// Data sets, loaders, readers of files, augmentation.
pub use chainrule_train::data;

/// The training loop, its checkpoints, metrics, reports, and what it sees of the gradients.
pub use chainrule_train as train;

/// Parameters, layers, optimisers and weights in files.
pub use chainrule_nn as nn;

/// What most programs use: `use chainrule::prelude::*`.
pub mod prelude {
    pub use crate::nn::{
        Adam, AdamW, Buffer, Layer, Linear, Mode, Module, Optimiser, Parameter, Sequential, Sgd,
        Summarise, Update,
    };
    pub use crate::tree::Tree;
    pub use crate::{
        Axes, ConvolutionOptions, DType, Device, Error, Gate, Generator, Gradients, Graph, Shape,
        Tensor, attempt, checkpoint, evaluate, grad, grad_aux, hessian, hessian_sparsity, hvp,
        jacfwd, jacrev, jvp, jvp_aux, linearize, manual_seed, map_each, memory, pullback, root,
        sparse_hessian, sparse_jacobian, sparsity, taylor, tensor, untracked, value_and_grad,
        value_and_grad_aux, vjp, vjp_aux, vmap, vmap_axes,
    };
    pub use chainrule_derive::{Module, Tree};
}
