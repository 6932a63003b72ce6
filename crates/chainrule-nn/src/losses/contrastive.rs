//! Pairs drawn together or pushed apart.

use chainrule_core::graph::module_scope;
use chainrule_core::{Reduction, Tensor};

/// d² / 2 for pairs with target 1, max(0, margin - d)² / 2 for pairs with target 0, where d is the Euclidean distance of
/// their rows (Hadsell, Chopra, LeCun 2006): Caffe's `ContrastiveLoss`, for siamese networks.
///
/// Caffe's older formula, max(0, margin - d²) for pairs apart, is [`legacy`](Contrastive::legacy).
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::losses::Contrastive;
/// let (a, b) = (tensor![[0.0, 0.0], [0.0, 0.0]], tensor![[3.0, 4.0], [0.0, 0.5]]);
/// let loss = Contrastive::new().forward(&a, &b, &tensor![1, 0]);
/// assert_eq!(loss.item::<f32>(), (12.5 + 0.125) / 2.0);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Contrastive {
    margin: f64,
    legacy: bool,
    reduction: Reduction,
}

impl Default for Contrastive {
    fn default() -> Contrastive {
        Contrastive {
            margin: 1.0,
            legacy: false,
            reduction: Reduction::Mean,
        }
    }
}

impl Contrastive {
    /// The mean over all pairs, with margin 1.
    pub fn new() -> Contrastive {
        Contrastive::default()
    }

    /// The distance beyond which pairs apart cost nothing.
    pub fn margin(mut self, margin: f64) -> Contrastive {
        self.margin = margin;
        self
    }

    /// max(0, margin - d²) / 2 for pairs apart, as Caffe's `legacy_version`.
    pub fn legacy(mut self) -> Contrastive {
        self.legacy = true;
        self
    }

    reduction_option!();

    /// The loss of rows `[batch, features]` whose targets `[batch]` say whether they belong together (1, or true): a number,
    /// or without reduction a tensor `[batch]`.
    ///
    /// # Panics
    /// When the shapes do not broadcast or there is no axis.
    #[track_caller]
    pub fn forward(&self, first: &Tensor, second: &Tensor, together: &Tensor) -> Tensor {
        module_scope("contrastive", || {
            let squared = (first - second).square().sum(-1);
            let apart = if self.legacy {
                (self.margin - &squared).clamp_min(0.0)
            } else {
                (self.margin - distance(&squared)).clamp_min(0.0).square()
            };
            self.reduction
                .of(&(together.ne(0.0).where_(squared, apart) * 0.5))
        })
    }
}

/// The root, with derivative 0 (and not infinity) where rows coincide.
fn distance(squared: &Tensor) -> Tensor {
    let some = squared.gt(0.0);
    some.where_(some.where_(squared, 1.0).sqrt(), 0.0)
}
