//! The distance of vectors.

use crate::layer_scope;
use chainrule_core::{Tensor, keep};
use chainrule_derive::Module;

/// The p-norm of x - y + ε along the last axis of two inputs, which disappears (p = 2 and ε = 1e-6 by default, as in PyTorch:
/// equal vectors then have a derivative).
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::PairwiseDistance;
/// let layer = PairwiseDistance::new(2.0).epsilon(0.0);
/// assert_eq!(layer.forward(&tensor![[0.0, 0.0]], &tensor![[3.0, 4.0]]).to_vec::<f32>(), [5.0]);
/// ```
#[derive(Clone, Debug, Module)]
pub struct PairwiseDistance {
    order: f64,
    epsilon: f64,
    kept: bool,
}

impl Default for PairwiseDistance {
    fn default() -> PairwiseDistance {
        PairwiseDistance::new(2.0)
    }
}

impl PairwiseDistance {
    /// The norm of that order.
    pub fn new(order: f64) -> PairwiseDistance {
        PairwiseDistance {
            order,
            epsilon: 1e-6,
            kept: false,
        }
    }

    /// What is added to each difference.
    pub fn epsilon(self, epsilon: f64) -> PairwiseDistance {
        PairwiseDistance { epsilon, ..self }
    }

    /// The last axis stays, with extent 1.
    pub fn keep_axis(self) -> PairwiseDistance {
        PairwiseDistance { kept: true, ..self }
    }

    /// The distances of the rows of `first` and `second`.
    ///
    /// # Panics
    /// When the shapes do not broadcast or there is no axis.
    #[track_caller]
    pub fn forward(&self, first: &Tensor, second: &Tensor) -> Tensor {
        layer_scope(self, || match self.kept {
            true => (first - second + self.epsilon).norm(self.order, keep(-1)),
            false => first.pairwise_distance(second, self.order, self.epsilon),
        })
    }
}
