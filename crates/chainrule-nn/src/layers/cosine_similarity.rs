//! The angle between vectors.

use crate::layer_scope;
use chainrule_core::Tensor;
use chainrule_derive::Module;

/// x · y / (max(|x|, ε) max(|y|, ε)) along an axis of two inputs, which disappears (axis 1 and ε = 1e-8 by default, as in
/// PyTorch).
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::CosineSimilarity;
/// let cosine = CosineSimilarity::new(-1).forward(&tensor![[1.0, 0.0]], &tensor![[3.0, 4.0]]);
/// assert_eq!(cosine.to_vec::<f32>(), [0.6]);
/// ```
#[derive(Clone, Debug, Module)]
pub struct CosineSimilarity {
    axis: isize,
    epsilon: f64,
}

impl Default for CosineSimilarity {
    fn default() -> CosineSimilarity {
        CosineSimilarity::new(1)
    }
}

impl CosineSimilarity {
    /// Along `axis`, negative ones counted from the end.
    pub fn new(axis: isize) -> CosineSimilarity {
        CosineSimilarity {
            axis,
            epsilon: 1e-8,
        }
    }

    /// The least length that is divided by.
    pub fn epsilon(self, epsilon: f64) -> CosineSimilarity {
        CosineSimilarity { epsilon, ..self }
    }

    /// The cosine of the angle between `first` and `second`.
    ///
    /// # Panics
    /// When the shapes do not broadcast or the axis does not exist.
    #[track_caller]
    pub fn forward(&self, first: &Tensor, second: &Tensor) -> Tensor {
        layer_scope(self, || {
            first.cosine_similarity(second, self.axis, self.epsilon)
        })
    }
}
