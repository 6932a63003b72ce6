//! All declarations there are.

use super::Entry;
use crate::{composites, primitives};

/// Every declared operation, family by family.
///
/// A family that is missing here leaves its `ALL` unused, which the compiler reports.
pub fn registry() -> impl Iterator<Item = &'static Entry> {
    primitives::FAMILIES
        .iter()
        .chain(composites::FAMILIES)
        .flat_map(|family| family.iter())
}
