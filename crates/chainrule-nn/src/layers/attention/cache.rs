//! What attention remembers between the steps of a generation.

use chainrule_core::Tensor;
use chainrule_derive::Tree;

/// Keys and values of the elements that were seen so far, `[batch, heads, elements, width]`; empty to begin with.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{KeyValueCache, MultiheadAttention};
/// let attention = MultiheadAttention::new(8, 2).causal();
/// let mut cache = KeyValueCache::new();
/// attention.forward_cached(Tensor::ones([1, 3, 8]), &mut cache);
/// attention.forward_cached(Tensor::ones([1, 1, 8]), &mut cache);
/// assert_eq!(cache.len(), 4);
/// ```
#[derive(Clone, Debug, Default, Tree)]
pub struct KeyValueCache {
    keys: Option<Tensor>,
    values: Option<Tensor>,
}

impl KeyValueCache {
    /// Nothing seen yet.
    pub fn new() -> KeyValueCache {
        KeyValueCache::default()
    }

    /// How many elements were seen.
    pub fn len(&self) -> usize {
        self.keys.as_ref().map_or(0, |keys| keys.shape()[2])
    }

    /// Whether nothing was seen yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All keys and values so far, with the new ones at the end.
    #[track_caller]
    pub(super) fn extended(&mut self, keys: &Tensor, values: &Tensor) -> (Tensor, Tensor) {
        let extended = |known: &Option<Tensor>, new: &Tensor| match known {
            Some(known) => Tensor::concat(&[known, new], 2),
            None => new.clone(),
        };
        let (keys, values) = (extended(&self.keys, keys), extended(&self.values, values));
        self.keys = Some(keys.clone());
        self.values = Some(values.clone());
        (keys, values)
    }
}
