//! Mixup (Zhang, Cisse, Dauphin and Lopez-Paz 2018).

use crate::data::Random;
use chainrule_core::{DType, Tensor};

/// Labels `[batch]` as probabilities `[batch, classes]` f32: 1 at the label, 0 elsewhere.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_train::data::transforms::one_hot;
/// assert_eq!(one_hot(&tensor![1, 0], 2).to_vec::<f32>(), [0.0, 1.0, 1.0, 0.0]);
/// ```
pub fn one_hot(labels: &Tensor, classes: usize) -> Tensor {
    let numbers = Tensor::arange(classes as i64);
    let labels = labels.unsqueeze(-1).cast(DType::I64);
    labels.eq(&numbers).cast(DType::F32)
}

/// Mixes the examples of a batch with each other: `(λx + (1 - λ)x', λy + (1 - λ)y')`, where the partner of each example is
/// another of the batch and λ, one for the batch, comes from the distribution Beta(α, α).
///
/// Inputs are `[batch, ..]`, labels `[batch]` integers; the targets are probabilities `[batch, classes]`, which cross
/// entropy takes as well.
///
/// ```
/// use chainrule_core::{tensor, Tensor};
/// use chainrule_train::data::{Random, transforms::mixup};
/// let (inputs, targets) = mixup(&tensor![[0.0], [1.0]], &tensor![0, 1], 2, 0.4, &mut Random::new(3));
/// assert_eq!(inputs.shape().to_string(), "[2, 1]");
/// assert!(targets.sum(1).to_vec::<f32>().iter().all(|sum| (sum - 1.0).abs() < 1e-6));
/// ```
///
/// # Panics
/// When `alpha` is not positive or the shapes do not fit.
#[track_caller]
pub fn mixup(
    inputs: &Tensor,
    labels: &Tensor,
    classes: usize,
    alpha: f64,
    random: &mut Random,
) -> (Tensor, Tensor) {
    assert!(alpha > 0.0, "mixup: alpha is {alpha}; it is positive");
    let share = random.beta(alpha, alpha);
    let partners: Vec<i64> = random
        .permutation(inputs.shape()[0])
        .into_iter()
        .map(|partner| partner as i64)
        .collect();
    let partners = Tensor::from(partners);
    let targets = one_hot(labels, classes);
    (
        mixed(inputs, &partners, share),
        mixed(&targets, &partners, share),
    )
}

/// `share` of each row and the rest of its partner's.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_train::data::transforms::mixed;
/// assert_eq!(mixed(&tensor![0.0, 1.0], &tensor![1, 0], 0.75).to_vec::<f32>(), [0.25, 0.75]);
/// ```
pub fn mixed(rows: &Tensor, partners: &Tensor, share: f64) -> Tensor {
    rows * share + rows.index_select(0, partners) * (1.0 - share)
}
