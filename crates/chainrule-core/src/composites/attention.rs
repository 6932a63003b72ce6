//! Scaled dot-product attention.

use crate::error::{Mismatch, raise};
use crate::tensor::Tensor;
use chainrule_kernels::DType;

/// What attention may look at, and how strongly scores count.
#[derive(Clone, Debug, Default)]
pub struct AttentionOptions {
    mask: Option<Tensor>,
    causal: bool,
    scale: Option<f64>,
}

impl AttentionOptions {
    /// Everything is looked at; scores are divided by the root of the query's extent.
    pub fn new() -> AttentionOptions {
        AttentionOptions::default()
    }

    /// A mask that broadcasts to `[.., queries, keys]`: truth values (false is not looked at) or numbers that are added
    /// to the scores.
    pub fn mask(mut self, mask: &Tensor) -> AttentionOptions {
        self.mask = Some(mask.clone());
        self
    }

    /// Query number i looks at keys 0 to i only.
    pub fn causal(mut self) -> AttentionOptions {
        self.causal = true;
        self
    }

    /// The factor of the scores.
    pub fn scale(mut self, scale: f64) -> AttentionOptions {
        self.scale = Some(scale);
        self
    }
}

impl Tensor {
    /// Attention (Vaswani and others 2017): `softmax(query keyᵀ scale + mask) value`, with `self` the query
    /// `[.., queries, d]`, the key `[.., keys, d]` and the value `[.., keys, e]`. Leading axes broadcast.
    ///
    /// ```
    /// use chainrule_core::{tensor, AttentionOptions};
    /// let x = tensor![[1.0, 0.0], [0.0, 1.0]];
    /// let y = x.attention(&x, &x, AttentionOptions::new().causal());
    /// assert_eq!(y.to_vec::<f32>()[..2], [1.0, 0.0]); // the first query sees the first key only
    /// ```
    ///
    /// # Panics
    /// When the shapes or dtypes do not fit.
    #[track_caller]
    pub fn attention(&self, key: &Tensor, value: &Tensor, options: AttentionOptions) -> Tensor {
        if self.rank() < 2 || key.rank() < 2 || value.rank() < 2 {
            let mismatch = Mismatch::shape("query, key and value need at least two axes")
                .naming(&["query", "key", "value"]);
            raise(mismatch.into_error(
                "attention",
                &[self.as_operand(), key.as_operand(), value.as_operand()],
            ));
        }
        let extent = self.shape()[self.rank() - 1];
        let scale = options.scale.unwrap_or(1.0 / (extent as f64).sqrt());
        let mut scores = (self * scale).matmul(key.t());
        if options.causal {
            let (queries, keys) = (
                scores.shape()[scores.rank() - 2],
                scores.shape()[scores.rank() - 1],
            );
            scores = allowed_only(&scores, &Tensor::tri(queries, keys, 0).cast(DType::Bool));
        }
        if let Some(mask) = &options.mask {
            scores = if mask.dtype() == DType::Bool {
                allowed_only(&scores, mask)
            } else {
                scores + mask
            };
        }
        scores.softmax(-1).matmul(value)
    }
}

/// The scores where `allowed` holds, and -infinity elsewhere.
#[track_caller]
fn allowed_only(scores: &Tensor, allowed: &Tensor) -> Tensor {
    allowed.where_(scores, scores.filled_like(f64::NEG_INFINITY))
}
