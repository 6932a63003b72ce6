//! Operations that carry their body of primitives, and methods made of other operations, a file a family.

pub(crate) mod activation;
pub(crate) mod attention;
pub(crate) mod convolution;
pub(crate) mod cross_entropy;
pub(crate) mod distance;
pub(crate) mod dropout;
pub(crate) mod einsum;
pub(crate) mod linear;
pub(crate) mod loss;
pub(crate) mod margin_loss;
pub(crate) mod mask;
pub(crate) mod matrices;
pub(crate) mod normalization;
pub(crate) mod pad;
pub(crate) mod pooling;
pub(crate) mod quantile;
pub(crate) mod rearrange;
pub(crate) mod resize;
pub(crate) mod scatter_reduce;
pub(crate) mod softmax;
pub(crate) mod statistics;
pub(crate) mod windows;

pub use attention::AttentionOptions;
pub use convolution::ConvolutionOptions;
pub use cross_entropy::{CrossEntropyOptions, Reduction};
pub use matrices::MatrixNorm;
pub use pad::Padding;
pub use quantile::QuantileMethod;
pub use resize::Interpolation;
pub use scatter_reduce::ScatterReduction;

use crate::declare::Entry;

/// Every family's declarations.
pub(crate) const FAMILIES: &[&[Entry]] = &[normalization::ALL, softmax::ALL];
