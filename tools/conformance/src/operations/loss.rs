//! Losses and distances.

use super::{Table, outputs};
use crate::call::{Call, NotSupported, Outputs};
use chainrule::{CrossEntropyOptions, Reduction, Tensor, keep};

pub(super) const TABLE: Table = &[
    ("nn.functional.cross_entropy", |call| {
        classified(call, Tensor::cross_entropy_with)
    }),
    ("nn.functional.nll_loss", |call| {
        classified(call, Tensor::nll_loss_with)
    }),
    ("nn.functional.mse_loss", |call| {
        against(call, Tensor::mse_loss)
    }),
    ("nn.functional.l1_loss", |call| {
        against(call, Tensor::l1_loss)
    }),
    ("nn.functional.smooth_l1_loss", |call| {
        let beta = call.number_or(usize::MAX, "beta", 1.0)?;
        against(call, |x, y, r| x.smooth_l1_loss(y, beta, r))
    }),
    ("nn.functional.huber_loss", |call| {
        let delta = call.number_or(usize::MAX, "delta", 1.0)?;
        against(call, |x, y, r| x.huber_loss(y, delta, r))
    }),
    ("nn.functional.binary_cross_entropy", |call| {
        against(call, Tensor::binary_cross_entropy)
    }),
    ("nn.functional.binary_cross_entropy_with_logits", |call| {
        let positive = call.optional_tensor(usize::MAX, "pos_weight")?;
        let Some(weight) = call.optional_tensor(usize::MAX, "weight")? else {
            return against(call, |x, y, r| match &positive {
                Some(p) => x.weighted_binary_cross_entropy_with_logits(y, p, r),
                None => x.binary_cross_entropy_with_logits(y, r),
            });
        };
        against(call, |x, y, r| {
            r.of(&(x.binary_cross_entropy_with_logits(y, Reduction::None) * &weight))
        })
    }),
    ("nn.functional.kl_div", |call| {
        let log_target = call.truth_or(usize::MAX, "log_target", false)?;
        against(call, |x, y, r| x.kl_div(y, log_target, r))
    }),
    ("nn.functional.poisson_nll_loss", |call| {
        let log_input = call.truth_or(2, "log_input", true)?;
        let full = call.truth_or(3, "full", false)?;
        let epsilon = call.number_or(usize::MAX, "eps", 1e-8)?;
        against(call, |x, y, r| {
            x.poisson_nll_loss(y, log_input, full, epsilon, r)
        })
    }),
    ("nn.functional.gaussian_nll_loss", |call| {
        let variance = call.tensor(2, "var")?;
        let full = call.truth_or(3, "full", false)?;
        let epsilon = call.number_or(usize::MAX, "eps", 1e-6)?;
        against(call, |x, y, r| {
            x.gaussian_nll_loss(y, &variance, full, epsilon, r)
        })
    }),
    ("nn.functional.hinge_embedding_loss", |call| {
        let margin = call.number_or(usize::MAX, "margin", 1.0)?;
        against(call, |x, y, r| x.hinge_embedding_loss(y, margin, r))
    }),
    ("nn.functional.soft_margin_loss", |call| {
        against(call, Tensor::soft_margin_loss)
    }),
    ("nn.functional.margin_ranking_loss", |call| {
        let target = call.tensor(2, "target")?;
        let margin = call.number_or(usize::MAX, "margin", 0.0)?;
        against(call, |a, b, r| a.margin_ranking_loss(b, &target, margin, r))
    }),
    ("nn.functional.cosine_embedding_loss", |call| {
        let target = call.tensor(2, "target")?;
        let margin = call.number_or(usize::MAX, "margin", 0.0)?;
        against(call, |a, b, r| {
            a.cosine_embedding_loss(b, &target, margin, r)
        })
    }),
    ("nn.functional.triplet_margin_loss", |call| {
        let negative = call.tensor(2, "negative")?;
        let margin = call.number_or(usize::MAX, "margin", 1.0)?;
        let order = call.number_or(usize::MAX, "p", 2.0)?;
        let swap = call.truth_or(usize::MAX, "swap", false)?;
        against(call, |a, b, r| {
            a.triplet_margin_loss(b, &negative, margin, order, swap, r)
        })
    }),
    ("nn.functional.multi_margin_loss", |call| {
        let power = call.number_or(usize::MAX, "p", 1.0)?;
        let margin = call.number_or(usize::MAX, "margin", 1.0)?;
        let weights = call.optional_tensor(usize::MAX, "weight")?;
        against(call, |x, labels, r| {
            at_least_one_axis(x).multi_margin_loss(labels, power, margin, weights.as_ref(), r)
        })
    }),
    ("nn.functional.multilabel_margin_loss", |call| {
        against(call, |x, labels, r| {
            at_least_one_axis(x).multilabel_margin_loss(&at_least_one_axis(labels), r)
        })
    }),
    ("nn.functional.multilabel_soft_margin_loss", |call| {
        let weights = call.optional_tensor(usize::MAX, "weight")?;
        against(call, |x, y, r| {
            x.multilabel_soft_margin_loss(y, weights.as_ref(), r)
        })
    }),
    ("nn.functional.cosine_similarity", |call| {
        let (a, b) = (call.tensor(0, "x1")?, call.tensor(1, "x2")?);
        let along = call.integer_or(2, "dim", 1)? as isize;
        let epsilon = call.number_or(3, "eps", 1e-8)?;
        let (a, b) = (at_least_one_axis(&a), at_least_one_axis(&b));
        let cosine = a.cosine_similarity(&b, along, epsilon);
        outputs([cosine])
    }),
    ("nn.functional.pairwise_distance", |call| {
        let (a, b) = (call.tensor(0, "x1")?, call.tensor(1, "x2")?);
        let order = call.number_or(2, "p", 2.0)?;
        let epsilon = call.number_or(3, "eps", 1e-6)?;
        outputs([if call.truth_or(4, "keepdim", false)? {
            (a - b + epsilon).norm(order, keep(-1))
        } else {
            a.pairwise_distance(&b, order, epsilon)
        }])
    }),
    ("nn.functional.normalize", |call| {
        let x = call.tensor(0, "input")?;
        let (order, along) = (call.number_or(1, "p", 2.0)?, call.integer_or(2, "dim", 1)?);
        let epsilon = call.number_or(3, "eps", 1e-12)?;
        if order == 0.0 {
            return Err(NotSupported); // a count has no derivative
        }
        let y = at_least_one_axis(&x).normalize(order, along as isize, epsilon);
        outputs([y.reshape(x.shape())])
    }),
    ("nn.functional.pdist", |call| {
        let (x, order) = (call.tensor(0, "input")?, call.number_or(1, "p", 2.0)?);
        outputs([x.pdist(order)])
    }),
    ("cdist", |call| {
        let (a, b) = (call.tensor(0, "x1")?, call.tensor(1, "x2")?);
        let order = call.number_or(2, "p", 2.0)?;
        let _ = call.text_or(3, "compute_mode", "")?;
        outputs([a.cdist(&b, order)])
    }),
];

fn at_least_one_axis(x: &Tensor) -> Tensor {
    if x.rank() == 0 {
        x.reshape([1])
    } else {
        x.clone()
    }
}

fn reduction(call: &mut Call) -> Result<Reduction, NotSupported> {
    match call.text_or(usize::MAX, "reduction", "mean")?.as_str() {
        "mean" => Ok(Reduction::Mean),
        "sum" => Ok(Reduction::Sum),
        "none" => Ok(Reduction::None),
        _ => Err(NotSupported),
    }
}

fn classified(
    call: &mut Call,
    loss: fn(&Tensor, &Tensor, &CrossEntropyOptions) -> Tensor,
) -> Outputs {
    let (x, labels) = (call.tensor(0, "input")?, call.tensor(1, "target")?);
    let mut options = CrossEntropyOptions::new().reduction(reduction(call)?);
    if let Some(weights) = call.optional_tensor(usize::MAX, "weight")? {
        options = options.weights(&weights);
    }
    options = options.ignore(call.integer_or(usize::MAX, "ignore_index", -100)?);
    options = options.label_smoothing(call.number_or(usize::MAX, "label_smoothing", 0.0)?);
    outputs([loss(&x, &labels, &options)])
}

/// A loss of a prediction against a target.
fn against(call: &mut Call, loss: impl Fn(&Tensor, &Tensor, Reduction) -> Tensor) -> Outputs {
    let (x, target) = (call.tensor(0, "input")?, call.tensor(1, "target")?);
    let reduction = reduction(call)?;
    outputs([loss(&x, &target, reduction)])
}
