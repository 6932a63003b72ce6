//! Losses that no recorded case covers, held against their formulas, and what they say to wrong input.

use chainrule_core::{
    DType, Generator, Reduction, Tensor, attempt, grad, hvp, jvp, tensor, vjp, vmap,
};
use chainrule_nn::losses::*;

fn number(loss: &Tensor) -> f64 {
    loss.cast(DType::F64).item::<f64>()
}

fn near(actual: f64, expected: f64) {
    assert!(
        (actual - expected).abs() < 1e-6,
        "{actual} instead of {expected}"
    );
}

fn message(wrong: impl FnOnce() -> Tensor) -> String {
    attempt(wrong)
        .expect_err("this is a mistake")
        .message()
        .to_owned()
}

#[test]
fn focal_without_focus_is_cross_entropy() {
    let (x, t) = (tensor![1.0, -2.0, 0.5], tensor![1.0, 0.0, 0.0]);
    let focal = Focal::new().focusing(0.0).forward(&x, &t);
    near(
        number(&focal),
        number(&BinaryCrossEntropyWithLogits::new().forward(&x, &t)),
    );
}

#[test]
fn focal_follows_the_paper() {
    let (x, t) = (tensor![1.5, -0.5], tensor![1.0, 0.0]);
    let losses = Focal::new()
        .balance(0.25)
        .reduction(Reduction::None)
        .forward(&x, &t);
    let p = |x: f64| 1.0 / (1.0 + (-x).exp());
    let expected = [
        -0.25 * (1.0 - p(1.5)).powi(2) * p(1.5).ln(),
        -0.75 * p(-0.5).powi(2) * (1.0 - p(-0.5)).ln(),
    ];
    for (actual, expected) in losses.to_vec::<f32>().iter().zip(expected) {
        near(f64::from(*actual), expected);
    }
}

#[test]
fn contrastive_has_a_gradient_where_a_pair_coincides() {
    let (a, b) = (
        tensor![[1.0, 2.0], [0.0, 1.0]],
        tensor![[1.0, 2.0], [0.0, 0.5]],
    );
    let gradient = grad(|a: &Tensor| Contrastive::new().forward(a, &b, &tensor![0, 0]))(&a);
    // (1 - d) d' over the batch of two for the second pair.
    assert_eq!(gradient.to_vec::<f32>(), [0.0, 0.0, 0.0, -0.25]);
    let legacy = Contrastive::new().legacy().forward(&a, &b, &tensor![0, 0]);
    near(number(&legacy), (1.0 + 0.75) / 4.0);
}

#[test]
fn caffe_losses_follow_their_formulas() {
    let scores = tensor![[0.5, -2.0, 0.0], [3.0, 0.0, -0.5]];
    let labels = tensor![0, 2];
    let squared = Hinge::new().squared().forward(&scores, &labels);
    near(
        number(&squared),
        (0.25 + 0.0 + 1.0 + 16.0 + 1.0 + 2.25) / 2.0,
    );
    let p = tensor![[0.2, 0.3, 0.5], [0.7, 0.2, 0.1]];
    let identity = Infogain::new(&Tensor::eye(3)).forward(&p, &labels);
    near(
        number(&identity),
        number(&MultinomialLogistic::new().forward(&p, &labels)),
    );
    near(number(&identity), -(0.2f64.ln() + 0.1f64.ln()) / 2.0);
}

#[test]
fn triplets_take_the_nearer_distance_when_they_swap() {
    let (anchor, positive, negative) = (tensor![[0.0]], tensor![[2.0]], tensor![[3.0]]);
    let distance = |a: &Tensor, b: &Tensor| (a - b).abs().sum(-1);
    let loss = TripletMargin::new().distance(distance);
    near(number(&loss.forward(&anchor, &positive, &negative)), 0.0);
    near(
        number(&loss.swap().forward(&anchor, &positive, &negative)),
        2.0,
    );
}

/// The probability of a target by listing all paths.
fn by_enumeration(frames: &[Vec<f64>], target: &[usize], blank: usize) -> f64 {
    let classes = frames[0].len();
    let paths = classes.pow(frames.len() as u32);
    let mut total = 0.0;
    for number in 0..paths {
        let path: Vec<usize> = (0..frames.len())
            .map(|at| number / classes.pow(at as u32) % classes)
            .collect();
        let mut read: Vec<usize> = Vec::new();
        for (at, &class) in path.iter().enumerate() {
            if class != blank && (at == 0 || path[at - 1] != class) {
                read.push(class);
            }
        }
        if read == target {
            let log: f64 = path.iter().zip(frames).map(|(&c, frame)| frame[c]).sum();
            total += log.exp();
        }
    }
    -total.ln()
}

#[test]
fn ctc_sums_over_all_paths() {
    let x = Generator::new(5)
        .normal([5, 3, 3], 0.0, 1.0)
        .cast(DType::F64);
    let frames = x.log_softmax(-1);
    let targets = tensor![[1, 1], [2, 1], [0, 0]];
    let lengths = ([5, 4, 3], [2, 2, 0]);
    let losses = Ctc::new().reduction(Reduction::None);
    let losses = losses
        .forward(&frames, &targets, &lengths.0, &lengths.1)
        .to_vec::<f64>();
    let values = frames.to_vec::<f64>();
    for (at, target) in [vec![1, 1], vec![2, 1], vec![]].iter().enumerate() {
        let row = |frame: usize| (0..3).map(|c| values[(frame * 3 + at) * 3 + c]).collect();
        let rows: Vec<Vec<f64>> = (0..lengths.0[at]).map(row).collect();
        near(losses[at], by_enumeration(&rows, target, 0));
    }
}

#[test]
fn ctc_agrees_forward_and_backward_through_log_softmax() {
    let generator = Generator::new(7);
    let x = generator.normal([6, 2, 4], 0.0, 1.0).cast(DType::F64);
    let direction = generator.normal([6, 2, 4], 0.0, 1.0).cast(DType::F64);
    let loss = |x: &Tensor| {
        let targets = tensor![1, 2, 2, 3];
        Ctc::new().forward(&x.log_softmax(-1), &targets, &[6, 5], &[3, 1])
    };
    let step = 1e-6;
    let ahead = number(&loss(&(&x + &direction * step)));
    let behind = number(&loss(&(&x - &direction * step)));
    let slope = number(&jvp(loss, &x, &direction).1);
    near(slope, (ahead - behind) / (2.0 * step));
    let (_, gradient) = vjp(loss, &x, |y| y.ones_like());
    near(number(&(gradient * direction).sum(..)), slope);
}

#[test]
fn a_target_that_does_not_fit_its_frames_costs_infinity_or_nothing() {
    let frames = Tensor::zeros([2, 1, 3]).log_softmax(-1);
    let ask = |loss: Ctc| move |x: &Tensor| loss.forward(x, &tensor![[1, 1]], &[2], &[2]);
    assert_eq!(number(&ask(Ctc::new())(&frames)), f64::INFINITY);
    let forgiving = ask(Ctc::new().zero_infinity());
    assert_eq!(number(&forgiving(&frames)), 0.0);
    assert_eq!(grad(forgiving)(&frames).to_vec::<f32>(), [0.0; 6]);
}

#[test]
fn a_label_that_is_no_class_is_named_with_its_place() {
    let scores = Tensor::zeros([2, 3]);
    let wrong = [tensor![0, 3], tensor![0, -1]];
    for labels in &wrong {
        let label = labels.to_vec::<i32>()[1].to_string();
        let scores = &scores;
        let messages = [
            message(move || CrossEntropy::new().forward(scores, labels)),
            message(move || NegativeLogLikelihood::new().forward(scores, labels)),
            message(move || MultiMargin::new().forward(scores, labels)),
            message(move || MultinomialLogistic::new().forward(scores, labels)),
            message(move || Hinge::new().forward(scores, labels)),
            message(move || Infogain::new(&Tensor::eye(3)).forward(scores, labels)),
        ];
        for text in messages {
            assert!(text.contains(&format!("label {label}")), "{text}");
            assert!(
                text.contains("element 1") && text.contains("3 classes"),
                "{text}"
            );
        }
    }
    let frames = Tensor::zeros([4, 1, 3]);
    let text = message(|| Ctc::new().forward(&frames, &tensor![[1, 7]], &[4], &[2]));
    assert!(text.contains("label 7 (element 1 of target 0)"), "{text}");
}

#[test]
fn weights_must_be_one_for_each_class() {
    let scores = Tensor::zeros([2, 3]);
    let loss = CrossEntropy::new().weights(&tensor![1.0, 2.0]);
    let text = message(|| loss.forward(&scores, &tensor![0, 1]));
    assert!(text.contains("the weights must be [3]"), "{text}");
}

#[test]
fn an_ignored_batch_has_no_gradient() {
    let scores = tensor![[1.0, 2.0], [3.0, 4.0]];
    let loss = CrossEntropy::new().ignore(-100).label_smoothing(0.1);
    let gradient = grad(|x: &Tensor| loss.forward(x, &tensor![-100, -100]))(&scores);
    assert_eq!(gradient.to_vec::<f32>(), [0.0; 4]);
}

type Loss = Box<dyn Fn(&Tensor) -> Tensor>;

/// Losses of scores `[4, 3]` that no recorded case covers.
fn uncovered() -> Vec<(&'static str, Loss)> {
    let other = Generator::new(11).normal([4, 3], 0.0, 1.0).cast(DType::F64);
    let far = &other + 0.3;
    let labels = tensor![0, 2, 1, 1];
    let sides = tensor![
        [1.0, 0.0, 1.0],
        [0.0, 0.0, 1.0],
        [1.0, 1.0, 0.0],
        [0.0, 1.0, 0.0]
    ];
    let sides = sides.cast(DType::F64);
    let gains = Generator::new(12).normal([3, 3], 1.0, 0.5).cast(DType::F64);
    let (near, again) = (other.clone(), labels.clone());
    let (more, most, target) = (labels.clone(), labels, sides.clone());
    vec![
        (
            "focal",
            Box::new(move |x| Focal::new().balance(0.3).forward(x, &sides)),
        ),
        (
            "contrastive",
            Box::new(move |x| {
                Contrastive::new()
                    .margin(4.0)
                    .forward(x, &other, &tensor![1, 0, 0, 1])
            }),
        ),
        (
            "triplet",
            Box::new(move |x| {
                TripletMargin::new()
                    .margin(3.0)
                    .swap()
                    .forward(x, &near, &far)
            }),
        ),
        (
            "hinge",
            Box::new(move |x| Hinge::new().squared().forward(x, &again)),
        ),
        (
            "infogain",
            Box::new(move |x| Infogain::new(&gains).forward(&x.softmax(-1), &more)),
        ),
        (
            "multinomial_logistic",
            Box::new(move |x| MultinomialLogistic::new().forward(&x.softmax(-1), &most)),
        ),
        (
            "euclidean",
            Box::new(move |x| Euclidean::new().forward(x, &target)),
        ),
        (
            "ctc",
            Box::new(|x| Ctc::new().forward(&x.log_softmax(-1), &tensor![1, 1], &[4], &[2])),
        ),
    ]
}

#[test]
fn gradients_and_curvatures_agree_with_differences() {
    let generator = Generator::new(13);
    let x = generator.normal([4, 3], 0.0, 1.0).cast(DType::F64);
    let direction = generator.normal([4, 3], 0.0, 1.0).cast(DType::F64);
    let step = &direction * 1e-6;
    for (name, loss) in uncovered() {
        let slope = number(&(grad(&loss)(&x) * &direction).sum(..));
        let rise = number(&loss(&(&x + &step))) - number(&loss(&(&x - &step)));
        assert!(
            (slope - rise / 2e-6).abs() < 1e-6,
            "{name}: {slope}, {}",
            rise / 2e-6
        );
        assert!(
            slope.abs() > 1e-3,
            "{name}: the check would not see a wrong gradient"
        );
        let curvature = hvp(&loss, &x, &direction).to_vec::<f64>();
        let turn = grad(&loss)(&(&x + &step)) - grad(&loss)(&(&x - &step));
        for (actual, turn) in curvature.iter().zip(turn.to_vec::<f64>()) {
            assert!(
                (actual - turn / 2e-6).abs() < 1e-5,
                "{name}: {actual}, {}",
                turn / 2e-6
            );
        }
    }
}

#[test]
fn losses_of_an_ensemble_are_those_of_each() {
    let many = Generator::new(17)
        .normal([3, 4, 3], 0.0, 1.0)
        .cast(DType::F64);
    for (name, loss) in uncovered() {
        let together = vmap(&loss)(&many).to_vec::<f64>();
        for (at, together) in together.iter().enumerate() {
            let each = number(&loss(&many.narrow(0, at, 1).squeeze(0)));
            assert!((each - together).abs() < 1e-12, "{name}");
        }
    }
}

#[test]
fn ctc_of_halves_is_computed_in_single_precision() {
    let frames = Generator::new(19)
        .normal([8, 2, 4], 0.0, 1.0)
        .log_softmax(-1);
    let half = frames.cast(DType::F16);
    let loss = |x: &Tensor| Ctc::new().forward(x, &tensor![[1, 2], [3, 3]], &[8, 6], &[2, 2]);
    let (exact, rough) = (loss(&frames), loss(&half));
    assert_eq!(rough.dtype(), DType::F16);
    assert!((number(&exact) - number(&rough)).abs() < 1e-2);
}
