//! Losses of classification.

use crate::error::{Error, ErrorKind, Mismatch, raise};
use crate::tensor::Tensor;
use chainrule_kernels::DType;

/// What becomes of the losses of single elements.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Reduction {
    /// Their mean (weighted, where there are weights).
    #[default]
    Mean,
    /// Their sum.
    Sum,
    /// They stay as they are.
    None,
}

impl Reduction {
    /// Applies the reduction to losses.
    #[track_caller]
    pub fn of(self, losses: &Tensor) -> Tensor {
        match self {
            Reduction::Mean => losses.mean(..),
            Reduction::Sum => losses.sum(..),
            Reduction::None => losses.clone(),
        }
    }
}

/// Variations of [`Tensor::cross_entropy`].
#[derive(Clone, Debug, Default)]
pub struct CrossEntropyOptions {
    reduction: Reduction,
    smoothing: f64,
    ignored: Option<i64>,
    weights: Option<Tensor>,
}

impl CrossEntropyOptions {
    /// The mean, no smoothing, no label ignored, all classes alike.
    pub fn new() -> CrossEntropyOptions {
        CrossEntropyOptions::default()
    }

    /// What becomes of the single losses.
    pub fn reduction(mut self, reduction: Reduction) -> CrossEntropyOptions {
        self.reduction = reduction;
        self
    }

    /// The share of each target that is spread over all classes (Szegedy and others 2016).
    pub fn label_smoothing(mut self, share: f64) -> CrossEntropyOptions {
        self.smoothing = share;
        self
    }

    /// A label whose examples do not count.
    pub fn ignore(mut self, label: i64) -> CrossEntropyOptions {
        self.ignored = Some(label);
        self
    }

    /// A weight for each class.
    pub fn weights(mut self, weights: &Tensor) -> CrossEntropyOptions {
        self.weights = Some(weights.clone());
        self
    }
}

impl Tensor {
    /// The mean of -log softmax(logits) at the labels: `self` are logits `[batch, classes, ..]` (or `[classes]`), the
    /// labels are integers `[batch, ..]`, or probabilities of the logits' shape.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let loss = tensor![[0.0, 0.0]].cross_entropy(&tensor![1]);
    /// assert!((loss.item::<f32>() - 2.0f32.ln()).abs() < 1e-6);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not fit, or a label is not a class.
    #[track_caller]
    pub fn cross_entropy(&self, labels: &Tensor) -> Tensor {
        self.cross_entropy_with(labels, &CrossEntropyOptions::new())
    }

    /// [`cross_entropy`](Tensor::cross_entropy) with options.
    ///
    /// # Panics
    /// When the shapes do not fit, or a label is not a class.
    #[track_caller]
    pub fn cross_entropy_with(&self, labels: &Tensor, options: &CrossEntropyOptions) -> Tensor {
        let axis = self.class_axis("cross_entropy", labels);
        self.check_weights(axis, options, "cross_entropy");
        let log_probabilities = self.log_softmax(axis as isize);
        if labels.dtype().is_floating() {
            return against_probabilities(&log_probabilities, labels, axis, options);
        }
        let main = log_probabilities.picked_losses(labels, axis, options, "cross_entropy");
        if options.smoothing == 0.0 {
            return main.reduced(options);
        }
        let classes = self.shape()[axis];
        let weighted = match &options.weights {
            Some(weights) => &log_probabilities * along(weights, &log_probabilities, axis),
            None => log_probabilities.clone(),
        };
        let even = -weighted.sum(axis as isize) / classes as f64;
        let even = main.counted.as_ref().map_or(even.clone(), |counted| {
            counted.where_(&even, even.zeros_like())
        });
        let losses = &main.losses * (1.0 - options.smoothing) + even * options.smoothing;
        Picked { losses, ..main }.reduced(options)
    }

    /// The mean of minus the log-probabilities at the labels: `self` are log-probabilities `[batch, classes, ..]`.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![[-1.0, -2.0]].nll_loss(&tensor![1]).item::<f32>(), 2.0);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not fit, or a label is not a class.
    #[track_caller]
    pub fn nll_loss(&self, labels: &Tensor) -> Tensor {
        self.nll_loss_with(labels, &CrossEntropyOptions::new())
    }

    /// [`nll_loss`](Tensor::nll_loss) with options (but smoothing).
    ///
    /// # Panics
    /// When the shapes do not fit, or a label is not a class.
    #[track_caller]
    pub fn nll_loss_with(&self, labels: &Tensor, options: &CrossEntropyOptions) -> Tensor {
        let axis = self.class_axis("nll_loss", labels);
        self.check_weights(axis, options, "nll_loss");
        self.picked_losses(labels, axis, options, "nll_loss")
            .reduced(options)
    }

    /// Panics where an integer tensor holds a label that is not one of `classes`, counted from 0. Labels that stand for any
    /// value inside a transform are not looked at.
    ///
    /// # Panics
    /// In the name of `operation`, with the label, its position and the number of classes.
    #[track_caller]
    pub fn require_classes(&self, classes: usize, operation: &str) {
        check_labels(&self.cast(DType::I64), classes, None, operation);
    }

    /// The axis of the classes, once labels and logits fit each other.
    #[track_caller]
    fn class_axis(&self, name: &str, labels: &Tensor) -> usize {
        let axis = usize::from(self.rank() > 1);
        let fits = if labels.dtype().is_floating() {
            labels.shape() == self.shape() && self.rank() > 0
        } else {
            self.rank() > 0 && *labels.shape() == self.shape().without_axis(axis)
        };
        if !fits || labels.dtype() == DType::Bool {
            let mismatch = Mismatch::shape("the labels must be integers [batch, ..] for logits [batch, classes, ..], or probabilities of their shape")
                .naming(&["logits", "labels"]);
            raise(mismatch.into_error(name, &[self.as_operand(), labels.as_operand()]));
        }
        axis
    }

    /// A weight for each class, once there is one for each.
    #[track_caller]
    fn check_weights(&self, axis: usize, options: &CrossEntropyOptions, name: &str) {
        let classes = self.shape()[axis];
        let wrong = |weights: &&Tensor| weights.rank() != 1 || weights.elements() != classes;
        if let Some(weights) = options.weights.as_ref().filter(wrong) {
            let message = format!(
                "{name}: the weights must be [{classes}], one for each class, not {}",
                weights.shape()
            );
            raise(Error::new(ErrorKind::Shape, message));
        }
    }

    /// Minus the log-probability at each label, weighted.
    #[track_caller]
    fn picked_losses(
        &self,
        labels: &Tensor,
        axis: usize,
        options: &CrossEntropyOptions,
        name: &str,
    ) -> Picked {
        let labels = labels.cast(DType::I64);
        check_labels(&labels, self.shape()[axis], options.ignored, name);
        let counted = options.ignored.map(|ignored| labels.ne(ignored as f64));
        let safe = counted.as_ref().map_or(labels.clone(), |counted| {
            counted.where_(&labels, labels.zeros_like())
        });
        let picked = -self
            .gather(axis as isize, &safe.unsqueeze(axis as isize))
            .squeeze(axis as isize);
        let weights = options.weights.as_ref().map(|weights| {
            let flat = safe.shaped(&crate::shape::Shape::from([safe.elements()]));
            weights
                .cast(self.dtype())
                .index_select(0, &flat)
                .shaped(safe.shape())
        });
        let weights = match (weights, &counted) {
            (Some(weights), Some(counted)) => Some(counted.where_(&weights, weights.zeros_like())),
            (None, Some(counted)) => Some(counted.cast(self.dtype())),
            (weights, None) => weights,
        };
        let losses = weights
            .as_ref()
            .map_or(picked.clone(), |weights| &picked * weights);
        // Where nothing counts, the mean is 0 / 0, but what does not count still has gradient 0.
        let losses = counted.as_ref().map_or(losses.clone(), |counted| {
            counted.where_(&losses, losses.zeros_like())
        });
        Picked {
            losses,
            weights,
            counted,
        }
    }
}

/// The losses of single examples, what each counts, and which count at all.
struct Picked {
    losses: Tensor,
    weights: Option<Tensor>,
    counted: Option<Tensor>,
}

impl Picked {
    #[track_caller]
    fn reduced(&self, options: &CrossEntropyOptions) -> Tensor {
        match (options.reduction, &self.weights) {
            (Reduction::Mean, Some(weights)) => self.losses.sum(..) / weights.sum(..),
            (reduction, _) => reduction.of(&self.losses),
        }
    }
}

/// A vector over the classes, ready to broadcast.
fn along(vector: &Tensor, like: &Tensor, axis: usize) -> Tensor {
    let shape = (0..like.rank())
        .map(|at| if at == axis { vector.elements() } else { 1 })
        .collect();
    vector.cast(like.dtype()).shaped(&shape)
}

#[track_caller]
fn against_probabilities(
    log_probabilities: &Tensor,
    targets: &Tensor,
    axis: usize,
    options: &CrossEntropyOptions,
) -> Tensor {
    let classes = log_probabilities.shape()[axis] as f64;
    let targets = targets * (1.0 - options.smoothing) + options.smoothing / classes;
    let weighted = match &options.weights {
        Some(weights) => log_probabilities * along(weights, log_probabilities, axis),
        None => log_probabilities.clone(),
    };
    let losses = -(weighted * targets).sum(axis as isize);
    match options.reduction {
        Reduction::Mean => losses.sum(..) / losses.elements() as f64,
        reduction => reduction.of(&losses),
    }
}

/// Names the first label that is not a class. Labels that are not computed yet are checked by the gather itself.
#[track_caller]
pub(super) fn check_labels(labels: &Tensor, classes: usize, ignored: Option<i64>, name: &str) {
    if labels.node().is_abstract() {
        return;
    }
    let wrong = labels
        .to_vec::<i64>()
        .into_iter()
        .enumerate()
        .find(|&(_, label)| Some(label) != ignored && !(0..classes as i64).contains(&label));
    if let Some((position, label)) = wrong {
        let message = format!(
            "{name}: label {label} (element {position} of the labels) is not one of the {classes} classes, 0 to {}",
            classes.saturating_sub(1)
        );
        raise(Error::new(ErrorKind::Index, message));
    }
}
