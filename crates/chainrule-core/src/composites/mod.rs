//! Operations that carry their body of primitives, and methods made of other operations, a file a family.

pub(crate) mod activation;
pub(crate) mod attention;
pub(crate) mod dropout;
pub(crate) mod einsum;
pub(crate) mod normalization;
pub(crate) mod softmax;

pub use attention::AttentionOptions;

use crate::declare::Entry;

/// Every family's declarations.
pub(crate) const FAMILIES: &[&[Entry]] = &[normalization::ALL, softmax::ALL];
