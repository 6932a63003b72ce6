//! The engine of Chainrule: tensors, the graph they record, every derivative of it, and its execution.
//!
//! Users add the crate `chainrule`, which re-exports what they need; this crate is where it is made. To read it, begin
//! with [`declare`]: how an operation is declared and what follows from the declaration.

pub mod backend;
pub mod check;
pub mod declare;
pub mod error;
pub mod graph;
pub mod shape;
pub mod tree;

mod composites;
mod plan;
mod primitives;
mod sparse;
mod tensor;
mod trace;
mod transforms;

pub use backend::Scalar;
pub use chainrule_kernels::DType;
pub use composites::{
    AttentionOptions, ConvolutionOptions, CrossEntropyOptions, Interpolation, MatrixNorm, Padding,
    QuantileMethod, Reduction, ScatterReduction,
};
pub use error::{Error, ErrorKind, attempt};
pub use graph::{Device, Spec, evaluate, untracked};
pub use primitives::{Extents, Gate, PerAxis, PoolOptions};
pub use shape::{Axes, ReductionAxes, Shape, keep};
pub use sparse::{
    Colouring, Compression, Directions, Pattern, SparseMatrix, hessian_sparsity, sparse_hessian,
    sparse_jacobian, sparsity, sparsity_along_path, sparsity_at,
};
pub use tensor::{
    Ellipsis, Generator, Index, IntoIndex, Like, Nested, NewAxis, Number, Step, Tensor,
    default_dtype, default_generator, manual_seed, promote, set_default_dtype,
    set_default_generator, steps,
};
pub use trace::{
    GradientPath, GradientPaths, Graph, GraphNode, LocalDerivative, NodeKind, Operand, PathCount,
    Structure,
};
pub use transforms::{
    Gradients, checkpoint, grad, grad_aux, hessian, hvp, jacfwd, jacrev, jvp, jvp_aux, linearize,
    map_each, pullback, root, taylor, value_and_grad, value_and_grad_aux, vjp, vjp_aux, vmap,
    vmap_axes,
};
pub use tree::Tree;

/// Memory held by tensors, over all threads.
pub mod memory {
    pub use crate::graph::counters::live_nodes;
    pub use chainrule_kernels::buffer::{live_bytes, peak_bytes, reset_peak};
}
