//! Losses that ask for a margin between right and wrong. The [`Reduction`] says what becomes of the losses of examples.

use super::cross_entropy::{Reduction, check_labels};
use crate::error::{Mismatch, raise};
use crate::shape::Shape;
use crate::tensor::Tensor;
use chainrule_kernels::DType;

/// What is missing to the margin; its derivative at 0 is 0, as PyTorch's.
fn missing(x: Tensor) -> Tensor {
    x.clamp_min(0.0)
}

impl Tensor {
    /// x where the target is 1, max(0, `margin` - x) where it is -1: for distances of pairs that belong together or not.
    ///
    /// ```
    /// use chainrule_core::{Reduction, tensor};
    /// let losses = tensor![0.25, 0.25].hinge_embedding_loss(&tensor![1.0, -1.0], 1.0, Reduction::None);
    /// assert_eq!(losses.to_vec::<f32>(), [0.25, 0.75]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn hinge_embedding_loss(
        &self,
        target: &Tensor,
        margin: f64,
        reduction: Reduction,
    ) -> Tensor {
        let zero = self.zeros_like();
        let apart = target.ne(1.0).where_(missing(margin - self), &zero);
        reduction.of(&(apart + target.ne(-1.0).where_(self, &zero)))
    }

    /// log(1 + exp(-t x)) for targets 1 and -1.
    ///
    /// ```
    /// use chainrule_core::{Reduction, tensor};
    /// let loss = tensor![0.0].soft_margin_loss(&tensor![1.0], Reduction::Mean).item::<f32>();
    /// assert!((loss - 2.0f32.ln()).abs() < 1e-6);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn soft_margin_loss(&self, target: &Tensor, reduction: Reduction) -> Tensor {
        reduction.of(&(-(target * self)).softplus())
    }

    /// max(0, `margin` - t (x - other)): the target 1 asks that `self` rank higher than `other`, -1 that it rank lower.
    ///
    /// ```
    /// use chainrule_core::{Reduction, tensor};
    /// let (x, other) = (tensor![1.0], tensor![3.0]);
    /// let loss = x.margin_ranking_loss(&other, &tensor![1.0], 0.5, Reduction::Mean);
    /// assert_eq!(loss.item::<f32>(), 2.5);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn margin_ranking_loss(
        &self,
        other: &Tensor,
        target: &Tensor,
        margin: f64,
        reduction: Reduction,
    ) -> Tensor {
        reduction.of(&missing(-(target * (self - other)) + margin))
    }

    /// 1 - cos where the target is 1, max(0, cos - `margin`) where it is -1: for the angle between the rows (the last axis)
    /// of `self` and `other`.
    ///
    /// ```
    /// use chainrule_core::{Reduction, tensor};
    /// let (x, other) = (tensor![[1.0, 0.0]], tensor![[0.0, 2.0]]);
    /// let loss = x.cosine_embedding_loss(&other, &tensor![1.0], 0.0, Reduction::Mean);
    /// assert_eq!(loss.item::<f32>(), 1.0);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast or there is no axis.
    #[track_caller]
    pub fn cosine_embedding_loss(
        &self,
        other: &Tensor,
        target: &Tensor,
        margin: f64,
        reduction: Reduction,
    ) -> Tensor {
        const EPSILON: f64 = 1e-12; // PyTorch's
        let size = |x: &Tensor| x.square().sum(-1) + EPSILON;
        let cosine = (self * other).sum(-1) / (size(self) * size(other)).sqrt();
        let zero = cosine.zeros_like();
        let together = target.eq(1.0).where_(1.0 - &cosine, &zero);
        let apart = target.eq(-1.0).where_(missing(cosine - margin), &zero);
        reduction.of(&(together + apart))
    }

    /// max(0, d(self, positive) - d(self, negative) + `margin`), where d is the `order`-norm of differences along the last
    /// axis (see [`pairwise_distance`](Tensor::pairwise_distance)): `self` should lie nearer to `positive`. With `swap` the
    /// distance of positive and negative counts where it is smaller (Balntas and others 2016).
    ///
    /// ```
    /// use chainrule_core::{Reduction, tensor};
    /// let (anchor, positive, negative) = (tensor![[0.0]], tensor![[3.0]], tensor![[1.0]]);
    /// let loss = anchor.triplet_margin_loss(&positive, &negative, 1.0, 2.0, false, Reduction::Mean);
    /// assert!((loss.item::<f32>() - 3.0).abs() < 1e-5);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast or there is no axis.
    #[track_caller]
    pub fn triplet_margin_loss(
        &self,
        positive: &Tensor,
        negative: &Tensor,
        margin: f64,
        order: f64,
        swap: bool,
        reduction: Reduction,
    ) -> Tensor {
        const EPSILON: f64 = 1e-6; // PyTorch's
        let near = self.pairwise_distance(positive, order, EPSILON);
        let mut far = self.pairwise_distance(negative, order, EPSILON);
        if swap {
            far = far.minimum(positive.pairwise_distance(negative, order, EPSILON));
        }
        reduction.of(&missing(near - far + margin))
    }

    /// `Σ max(0, margin - x[label] + x[j])^power` over the other classes j, over the number of classes: `self` are scores
    /// `[batch, classes]` (or `[classes]`), the labels integers `[batch]`. A weight for each class multiplies the losses of
    /// its examples.
    ///
    /// ```
    /// use chainrule_core::{Reduction, tensor};
    /// let loss = tensor![[0.0, 2.0]].multi_margin_loss(&tensor![0], 1.0, 1.0, None, Reduction::Mean);
    /// assert_eq!(loss.item::<f32>(), 1.5);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not fit, or a label is not a class.
    #[track_caller]
    pub fn multi_margin_loss(
        &self,
        labels: &Tensor,
        power: f64,
        margin: f64,
        weights: Option<&Tensor>,
        reduction: Reduction,
    ) -> Tensor {
        let rank = self.rank();
        let fits =
            (1..=2).contains(&rank) && *labels.shape() == self.shape().without_axis(rank - 1);
        if !fits {
            let reason = "the labels must be integers [batch] for scores [batch, classes]";
            refuse("multi_margin_loss", reason, self, labels);
        }
        let labels = labels.cast(DType::I64);
        let classes = self.shape()[rank - 1];
        check_labels(&labels, classes, None, "multi_margin_loss");
        let index = labels.unsqueeze(-1);
        let mut losses = missing(self - self.gather(-1, &index) + margin);
        if power != 1.0 {
            losses = losses.pow(power);
        }
        if let Some(weights) = weights {
            let flat = labels.shaped(&Shape::from([labels.elements()]));
            losses *= weights.index_select(0, &flat).shaped(index.shape());
        }
        let class = Tensor::arange(classes as i64).to_device(self.device());
        let others = class.ne(&index);
        let losses = others.where_(&losses, losses.zeros_like()).sum(-1);
        reduction.of(&(losses / classes as f64))
    }

    /// `Σ max(0, 1 - x[j] + x[i])` over the labels j and all classes i that are no labels, over the number of classes: `self`
    /// are scores `[batch, classes]` (or `[classes]`), the labels integers of their shape, each row ended by a negative one.
    ///
    /// ```
    /// use chainrule_core::{Reduction, tensor};
    /// let labels = tensor![[1, -1, 0]];
    /// let loss = tensor![[0.0, 2.0, 1.5]].multilabel_margin_loss(&labels, Reduction::Sum);
    /// assert!((loss.item::<f32>() - 0.5 / 3.0).abs() < 1e-6);
    /// ```
    ///
    /// # Panics
    /// When the shapes differ, or a label is not a class.
    #[track_caller]
    pub fn multilabel_margin_loss(&self, labels: &Tensor, reduction: Reduction) -> Tensor {
        if self.shape() != labels.shape() || !(1..=2).contains(&self.rank()) {
            let reason = "scores and labels must have one shape, [batch, classes] or [classes]";
            refuse("multilabel_margin_loss", reason, self, labels);
        }
        let labels = labels.cast(DType::I64);
        let counted = labels.ge(0).cast(DType::I64).cumprod(-1);
        let safe = &labels * &counted;
        let classes = self.shape()[self.rank() - 1];
        check_labels(&safe, classes, None, "multilabel_margin_loss");
        let none = Tensor::zeros(labels.shape())
            .cast(DType::I64)
            .to_device(self.device());
        let is_label = none.scatter_add(-1, &safe, &counted).gt(0);
        // For each label (last but one axis) and each class (last).
        let margins = 1.0 - self.gather(-1, &safe).unsqueeze(-1) + self.unsqueeze(-2);
        let pairs = counted.ne(0).unsqueeze(-1) & is_label.logical_not().unsqueeze(-2);
        let losses = pairs.where_(missing(margins), 0.0).sum([-2, -1]);
        reduction.of(&(losses / classes as f64))
    }

    /// The mean over classes (the last axis) of the cross-entropies of independent labels:
    /// -(t log σ(x) + (1 - t) log σ(-x)), times weights that broadcast.
    ///
    /// ```
    /// use chainrule_core::{Reduction, tensor};
    /// let (x, target) = (tensor![[0.0, 0.0]], tensor![[1.0, 0.0]]);
    /// let loss = x.multilabel_soft_margin_loss(&target, None, Reduction::Mean);
    /// assert!((loss.item::<f32>() - 2.0f32.ln()).abs() < 1e-6);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast or there is no axis.
    #[track_caller]
    pub fn multilabel_soft_margin_loss(
        &self,
        target: &Tensor,
        weights: Option<&Tensor>,
        reduction: Reduction,
    ) -> Tensor {
        let losses = self.softplus() - self * target;
        let losses = weights.map_or(losses.clone(), |weights| &losses * weights);
        reduction.of(&losses.mean(-1))
    }
}

#[track_caller]
fn refuse(name: &str, reason: &str, scores: &Tensor, labels: &Tensor) -> ! {
    let mismatch = Mismatch::shape(reason).naming(&["scores", "labels"]);
    raise(mismatch.into_error(name, &[scores.as_operand(), labels.as_operand()]))
}
