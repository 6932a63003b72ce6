//! Nearer to one than to another.

use chainrule_core::graph::module_scope;
use chainrule_core::{Reduction, Tensor};
use std::fmt;
use std::sync::Arc;

type Distance = dyn Fn(&Tensor, &Tensor) -> Tensor + Send + Sync;

/// max(0, d(anchor, positive) - d(anchor, negative) + margin) (Weinberger, Saul 2009), PyTorch's `TripletMarginLoss` and,
/// with [`distance`](TripletMargin::distance), `TripletMarginWithDistanceLoss`.
///
/// ```
/// use chainrule_core::{tensor, Tensor};
/// use chainrule_nn::losses::TripletMargin;
/// let (anchor, positive, negative) = (tensor![[0.0]], tensor![[3.0]], tensor![[1.0]]);
/// let city_block = |a: &Tensor, b: &Tensor| (a - b).abs().sum(-1);
/// let loss = TripletMargin::new().distance(city_block).forward(&anchor, &positive, &negative);
/// assert_eq!(loss.item::<f32>(), 3.0);
/// ```
#[derive(Clone)]
pub struct TripletMargin {
    margin: f64,
    swap: bool,
    reduction: Reduction,
    distance: Arc<Distance>,
}

impl Default for TripletMargin {
    fn default() -> TripletMargin {
        TripletMargin {
            margin: 1.0,
            swap: false,
            reduction: Reduction::Mean,
            distance: norm(2.0, 1e-6),
        }
    }
}

impl fmt::Debug for TripletMargin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("TripletMargin")
            .field("margin", &self.margin)
            .field("swap", &self.swap)
            .field("reduction", &self.reduction)
            .finish_non_exhaustive()
    }
}

fn norm(order: f64, epsilon: f64) -> Arc<Distance> {
    Arc::new(move |a, b| a.pairwise_distance(b, order, epsilon))
}

impl TripletMargin {
    /// The mean over all triplets, with the Euclidean distance along the last axis and margin 1.
    pub fn new() -> TripletMargin {
        TripletMargin::default()
    }

    /// By how much the positive should be nearer.
    pub fn margin(mut self, margin: f64) -> TripletMargin {
        self.margin = margin;
        self
    }

    /// The `order`-norm of `a - b + epsilon` along the last axis as distance; PyTorch takes order 2 and epsilon 1e-6.
    pub fn norm(mut self, order: f64, epsilon: f64) -> TripletMargin {
        self.distance = norm(order, epsilon);
        self
    }

    /// Another distance: a function of two tensors `[.., features]` that gives a tensor `[..]`.
    pub fn distance(
        mut self,
        distance: impl Fn(&Tensor, &Tensor) -> Tensor + Send + Sync + 'static,
    ) -> TripletMargin {
        self.distance = Arc::new(distance);
        self
    }

    /// The distance of positive and negative counts where it is smaller than that of anchor and negative (Balntas and others
    /// 2016).
    pub fn swap(mut self) -> TripletMargin {
        self.swap = true;
        self
    }

    reduction_option!();

    /// The loss: a number, or without reduction a tensor of the distance's shape.
    ///
    /// # Panics
    /// When the shapes do not broadcast or there is no axis.
    #[track_caller]
    pub fn forward(&self, anchor: &Tensor, positive: &Tensor, negative: &Tensor) -> Tensor {
        module_scope("triplet_margin", || {
            let near = (self.distance)(anchor, positive);
            let mut far = (self.distance)(anchor, negative);
            if self.swap {
                far = far.minimum((self.distance)(positive, negative));
            }
            self.reduction
                .of(&(near - far + self.margin).clamp_min(0.0))
        })
    }
}
