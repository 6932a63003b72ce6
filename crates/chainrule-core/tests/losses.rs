//! Losses, distances and normalisations that the operation cases do not cover. Expected numbers are PyTorch 2's.

use chainrule_core::{Reduction, Tensor, attempt, grad, tensor};

fn prediction() -> Tensor {
    Tensor::from(vec![0.3, -2.0, 1.0])
}

fn target() -> Tensor {
    Tensor::from(vec![1.0, 0.0, 0.5])
}

#[track_caller]
fn near(actual: &Tensor, expected: &[f64]) {
    let actual = actual.to_vec::<f64>();
    let equal = |(a, e): (&f64, &f64)| (a - e).abs() < 1e-11 * e.abs().max(1.0);
    assert!(
        actual.len() == expected.len() && actual.iter().zip(expected).all(equal),
        "{actual:?}"
    );
}

#[test]
fn losses_of_elements() {
    let (x, t) = (prediction(), target());
    let positive = Tensor::from(vec![2.0, 3.0, 0.5]);
    let losses = x.weighted_binary_cross_entropy_with_logits(&t, &positive, Reduction::None);
    near(&losses, &[1.108710488937, 0.126928011043, 0.734946265639]);
    let variance = Tensor::from(vec![0.1, 1e-9, 2.0]);
    let losses = x.gaussian_nll_loss(&t, &variance, true, 1e-6, Reduction::None);
    near(
        &losses,
        &[2.217645986708, 1999994.0111832542, 1.328012123485],
    );
    near(
        &x.smooth_l1_loss(&t, 0.5, Reduction::None),
        &[0.45, 1.75, 0.25],
    );
    near(&x.smooth_l1_loss(&t, 0.0, Reduction::Sum), &[3.2]);
    near(&x.rrelu(0.1, 0.5), &[0.3, -0.6, 1.0]);
}

#[test]
fn losses_of_margins() {
    let scores = Tensor::from_vec(vec![0.1, 0.5, -0.2, 0.3, 0.2, 0.9], [2, 3]);
    let weights = Tensor::from(vec![1.0, 2.0, 3.0]);
    let labels = tensor![0, 2];
    let losses = scores.multi_margin_loss(&labels, 2.0, 0.7, Some(&weights), Reduction::None);
    near(&losses, &[0.456666666667, 0.01]);
    let scores = Tensor::from_vec(vec![0.1, 0.2, 0.4, 0.8], [1, 4]);
    let labels = tensor![[3, 0, -1, 1]];
    near(
        &scores.multilabel_margin_loss(&labels, Reduction::Mean),
        &[0.85],
    );
    let row = |x: Tensor| x.unsqueeze(0);
    let (anchor, positive, negative) = (row(prediction()), row(target()), row(target() * 0.0));
    let loss = anchor.triplet_margin_loss(&positive, &negative, 1.0, 3.0, true, Reduction::Mean);
    near(&loss, &[1.998219204169]);
}

#[test]
fn distances_and_normalisation_over_channels() {
    let elements: Vec<f64> = (1..=24).map(|i| (f64::from(i) * 0.7).sin()).collect();
    let x = Tensor::from_vec(elements, [1, 2, 3, 4]);
    let expected = [
        2.159404506861,
        1.46791295799,
        1.598466041539,
        0.778963146293,
        2.120567265068,
        1.527959928195,
        2.397625662536,
        0.810827690156,
        2.038770310352,
    ];
    near(&x.index((0, 0)).cdist(&x.index((0, 1)), 3.0), &expected);
    let y = x.local_response_norm(3, 1e-4, 0.75, 1.0);
    near(&y.index((0, .., 0, 0)), &[0.644209363423, 0.31909423934]);
}

#[test]
fn labels_and_weights_that_do_not_fit_are_named() {
    let scores = Tensor::zeros([2, 3]);
    let message = |run: &dyn Fn() -> Tensor| attempt(run).unwrap_err().message().to_owned();
    let text = message(&|| scores.multi_margin_loss(&tensor![0], 1.0, 1.0, None, Reduction::Mean));
    assert!(
        text.starts_with("multi_margin_loss: the labels must be integers [batch]"),
        "{text}"
    );
    let text = message(&|| scores.linear(&Tensor::zeros([1, 2, 3]), None));
    assert!(
        text.starts_with("linear: the weight must be [out, in]"),
        "{text}"
    );
    let text = message(&|| scores.bilinear(&scores, &Tensor::zeros([4, 3, 2]), None));
    assert!(
        text.starts_with("bilinear: the weight must be [out, in, in2]"),
        "{text}"
    );
    let text = message(&|| scores.cdist(&Tensor::zeros([2, 4]), 2.0));
    assert!(
        text.starts_with("cdist: both must be [.., rows, width]"),
        "{text}"
    );
}

#[test]
fn cosines_broadcast_along_the_vectors_too() {
    let first = Tensor::from_vec(vec![1.0, 2.0, 3.0, -1.0], [2, 1, 2]);
    let second = Tensor::from_vec(vec![1.0, 0.0, 2.0, 1.0, 0.0, 4.0], [1, 3, 2]);
    let (large, small) = (0.7745966692414834, 0.7001400420140049);
    let cosines = first.cosine_similarity(&second, 1, 1e-8);
    near(&cosines, &[large, small, large, -small]);
    near(
        &first.cosine_similarity(&second, -2, 1e-8),
        &[large, small, large, -small],
    );
}

#[test]
fn a_margin_that_is_just_reached_has_no_derivative() {
    let x = Tensor::from(vec![1.0, -2.0]);
    let apart = Tensor::from(vec![-1.0, -1.0]);
    let hinge = grad(|x: &Tensor| x.hinge_embedding_loss(&apart, 1.0, Reduction::Sum))(&x);
    near(&hinge, &[0.0, -1.0]);
    let ranking =
        grad(|x: &Tensor| x.margin_ranking_loss(&tensor![1.0, 1.0], &apart, 0.0, Reduction::Sum));
    near(&ranking(&x), &[0.0, 0.0]);
}
