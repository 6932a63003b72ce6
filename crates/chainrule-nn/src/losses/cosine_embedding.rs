//! Angles of pairs that belong together or not.

use chainrule_core::graph::module_scope;
use chainrule_core::{Reduction, Tensor};

/// 1 - cos(a, b) where the target is 1, max(0, cos(a, b) - margin) where it is -1, PyTorch's `CosineEmbeddingLoss`: rows
/// `[batch, features]` with targets `[batch]`, or one row each with a single target.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::losses::CosineEmbedding;
/// let (a, b) = (tensor![[1.0, 0.0]], tensor![[0.0, 2.0]]);
/// assert_eq!(CosineEmbedding::new().forward(&a, &b, &tensor![1.0]).item::<f32>(), 1.0);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CosineEmbedding {
    margin: f64,
    reduction: Reduction,
}

impl CosineEmbedding {
    /// The mean over all pairs, with margin 0.
    pub fn new() -> CosineEmbedding {
        CosineEmbedding::default()
    }

    /// The cosine below which a pair that does not belong together costs nothing, -1 to 1.
    pub fn margin(mut self, margin: f64) -> CosineEmbedding {
        self.margin = margin;
        self
    }

    reduction_option!();

    /// The loss: a number, or without reduction a tensor `[batch]`.
    ///
    /// # Panics
    /// When the shapes do not broadcast or there is no axis.
    #[track_caller]
    pub fn forward(&self, first: &Tensor, second: &Tensor, target: &Tensor) -> Tensor {
        module_scope("cosine_embedding", || {
            first.cosine_embedding_loss(second, target, self.margin, self.reduction)
        })
    }
}
