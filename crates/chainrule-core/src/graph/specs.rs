//! The specs of a node's outputs, without a copy for each node.

use super::spec::Spec;
use crate::declare::Specs;
use chainrule_kernels::DType;
use std::ops::Deref;
use std::sync::{Arc, LazyLock};

/// The specs of a node's outputs, shared with the nodes it was recorded on where they are the same.
#[derive(Clone)]
pub(crate) enum SharedSpecs {
    /// A single number on the default device: there for ever, so that nobody counts references.
    Number(&'static Spec),
    Counted(Arc<Specs>),
}

static NUMBERS: LazyLock<Vec<Spec>> = LazyLock::new(|| {
    DType::ALL
        .iter()
        .map(|&dtype| Spec::new((), dtype))
        .collect()
});

fn number(spec: &Spec) -> Option<&'static Spec> {
    // `ALL` lists the dtypes in declaration order.
    (spec.rank() == 0)
        .then(|| &NUMBERS[spec.dtype() as usize])
        .filter(|known| known.device() == spec.device())
}

impl SharedSpecs {
    /// Whether both are known to be the same without looking at them.
    pub(crate) fn is(&self, other: &SharedSpecs) -> bool {
        match (self, other) {
            (SharedSpecs::Number(a), SharedSpecs::Number(b)) => std::ptr::eq(*a, *b),
            (SharedSpecs::Counted(a), SharedSpecs::Counted(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl Deref for SharedSpecs {
    type Target = [Spec];

    fn deref(&self) -> &[Spec] {
        match self {
            SharedSpecs::Number(spec) => std::slice::from_ref(*spec),
            SharedSpecs::Counted(specs) => specs,
        }
    }
}

impl From<Specs> for SharedSpecs {
    fn from(specs: Specs) -> SharedSpecs {
        match specs.as_slice() {
            [spec] if let Some(number) = number(spec) => SharedSpecs::Number(number),
            _ => SharedSpecs::Counted(Arc::new(specs)),
        }
    }
}

impl From<Spec> for SharedSpecs {
    fn from(spec: Spec) -> SharedSpecs {
        match number(&spec) {
            Some(number) => SharedSpecs::Number(number),
            None => SharedSpecs::Counted(Arc::new(smallvec::smallvec![spec])),
        }
    }
}
