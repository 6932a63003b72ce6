//! Operations that carry their body of primitives, a file a family.

pub(crate) mod softmax;

use crate::declare::Entry;

/// Every family's declarations.
pub(crate) const FAMILIES: &[&[Entry]] = &[softmax::ALL];
