//! What a call of attention may look at.

use chainrule_core::{DType, Tensor};

/// What the queries of a call may look at; everything to begin with.
///
/// ```
/// use chainrule_core::{Tensor, tensor};
/// use chainrule_nn::{AttentionMasks, MultiheadAttention};
/// let x = Tensor::ones([2, 3, 8]);
/// // Of the second sequence only the first two elements are real.
/// let real = tensor![[1, 1, 1], [1, 1, 0]].cast(chainrule_core::DType::Bool);
/// let masks = AttentionMasks::new().causal().keys(&real);
/// let (y, weights) = MultiheadAttention::new(8, 2).forward_weights(&x, &x, &x, &masks);
/// assert_eq!(y.shape().to_string(), "[2, 3, 8]");
/// assert_eq!(weights.index((1, 0, 2, 2)).item::<f32>(), 0.0);
/// ```
#[derive(Clone, Debug, Default)]
pub struct AttentionMasks {
    pairs: Option<Tensor>,
    keys: Option<Tensor>,
    causal: bool,
}

impl AttentionMasks {
    /// Every query looks at every key.
    pub fn new() -> AttentionMasks {
        AttentionMasks::default()
    }

    /// For each pair of query and key, broadcasting to `[batch, heads, queries, keys]`: truth values (false is not looked at)
    /// or numbers that are added to the scores.
    pub fn pairs(self, mask: &Tensor) -> AttentionMasks {
        AttentionMasks {
            pairs: Some(mask.clone()),
            ..self
        }
    }

    /// For each key, `[batch, keys]`, or `[keys]` for a single sequence: truth values (false is padding) or numbers that are
    /// added to the scores.
    pub fn keys(self, mask: &Tensor) -> AttentionMasks {
        AttentionMasks {
            keys: Some(mask.clone()),
            ..self
        }
    }

    /// Query number i looks at keys 0 to i only.
    pub fn causal(self) -> AttentionMasks {
        AttentionMasks {
            causal: true,
            ..self
        }
    }

    /// The scores `[batch, heads, queries, keys]` with what is not looked at at -infinity.
    ///
    /// `always` keys at the end are looked at by every query; of those before, `past` were there before the first query.
    #[track_caller]
    pub(super) fn applied(&self, scores: Tensor, past: usize, always: usize) -> Tensor {
        let [queries, keys] = [2, 3].map(|axis| scores.shape()[axis]);
        let mut scores = scores;
        // A single new query looks at all that came before it: generating needs no mask.
        if self.causal && (queries > 1 || past + 1 < keys - always) {
            let triangle = Tensor::tri(queries, keys - always, past as i64).cast(DType::Bool);
            scores = masked(scores, &triangle, always);
        }
        if let Some(pairs) = &self.pairs {
            scores = masked(scores, pairs, always);
        }
        if let Some(keys) = &self.keys {
            // Before heads and queries.
            let keys = match keys.rank() {
                2 => keys.unsqueeze(1).unsqueeze(1),
                _ => keys.clone(),
            };
            scores = masked(scores, &keys, always);
        }
        scores
    }

    pub(super) fn or_causal(&self, causal: bool) -> AttentionMasks {
        AttentionMasks {
            causal: self.causal || causal,
            ..self.clone()
        }
    }
}

#[track_caller]
fn masked(scores: Tensor, mask: &Tensor, always: usize) -> Tensor {
    let is_truth = mask.dtype() == DType::Bool;
    let mask = with_always(mask, always, is_truth);
    match is_truth {
        true => mask.where_(&scores, f64::NEG_INFINITY),
        false => scores + mask,
    }
}

/// The mask with `always` keys more, which are looked at.
fn with_always(mask: &Tensor, always: usize, is_truth: bool) -> Tensor {
    if always == 0 {
        return mask.clone();
    }
    let mut shape = mask.shape().to_vec();
    let last = shape.len() - 1;
    shape[last] = always;
    let neutral = match is_truth {
        true => Tensor::ones(shape),
        false => Tensor::zeros(shape),
    };
    let neutral = neutral.cast(mask.dtype()).to_device(mask.device());
    Tensor::concat(&[mask, &neutral], -1)
}
