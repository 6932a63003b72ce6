//! Which of two ranks higher.

use chainrule_core::graph::module_scope;
use chainrule_core::{Reduction, Tensor};

/// max(0, margin - t (a - b)), PyTorch's `MarginRankingLoss`: the target 1 asks that a rank higher than b, -1 that it rank
/// lower.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::losses::MarginRanking;
/// let loss = MarginRanking::new().margin(0.5).forward(&tensor![1.0], &tensor![3.0], &tensor![1.0]);
/// assert_eq!(loss.item::<f32>(), 2.5);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MarginRanking {
    margin: f64,
    reduction: Reduction,
}

impl MarginRanking {
    /// The mean over all pairs, with margin 0.
    pub fn new() -> MarginRanking {
        MarginRanking::default()
    }

    /// By how much one should be above the other.
    pub fn margin(mut self, margin: f64) -> MarginRanking {
        self.margin = margin;
        self
    }

    reduction_option!();

    /// The loss: a number, or without reduction a tensor of the broadcast shape.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn forward(&self, first: &Tensor, second: &Tensor, target: &Tensor) -> Tensor {
        module_scope("margin_ranking", || {
            first.margin_ranking_loss(second, target, self.margin, self.reduction)
        })
    }
}
