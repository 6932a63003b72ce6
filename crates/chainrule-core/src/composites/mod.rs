//! Operations that carry their body of primitives, and methods made of other operations, a file a family.

pub(crate) mod activation;
pub(crate) mod einsum;
pub(crate) mod softmax;

use crate::declare::Entry;

/// Every family's declarations.
pub(crate) const FAMILIES: &[&[Entry]] = &[softmax::ALL];
