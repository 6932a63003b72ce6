//! Metrics against values worked out by hand from scikit-learn's definitions.

use chainrule_core::{Tensor, tensor};
use chainrule_train::metrics::{
    Accuracy, Average, BinaryAccuracy, ConfusionMatrix, ConfusionMetric, FScore, MeanLoss, Metric,
    Perplexity, Precision, Recall, RocAuc, TopKAccuracy,
};

fn close(actual: f64, expected: f64) {
    assert!(
        (actual - expected).abs() < 1e-6,
        "{actual} is not {expected}"
    );
}

/// Outputs whose largest entry is at the given class of four.
fn saying(classes: &[usize]) -> Tensor {
    let rows: Vec<f32> = classes
        .iter()
        .flat_map(|&class| {
            (0..4).map(move |other| {
                if other == class {
                    2.0
                } else {
                    0.1 * other as f32
                }
            })
        })
        .collect();
    Tensor::from_vec(rows, [classes.len(), 4])
}

/// True 0 0 0 1 1 2, taken for 0 0 1 1 2 2; class 3 never occurs. Confusion [[2,1,0],[0,1,1],[0,0,1]].
fn measured(mut metric: impl Metric) -> f64 {
    metric
        .update(&saying(&[0, 0, 1]), &tensor![0, 0, 0])
        .unwrap();
    metric
        .update(&saying(&[1, 2, 2]), &tensor![1, 1, 2])
        .unwrap();
    metric.value()
}

#[test]
fn accuracy_counts_over_batches_and_forgets_on_reset() {
    close(measured(Accuracy::new()), 4.0 / 6.0);
    let mut accuracy = Accuracy::new();
    assert!(accuracy.value().is_nan());
    accuracy.update(&saying(&[1]), &tensor![1]).unwrap();
    accuracy.reset();
    assert!(accuracy.value().is_nan());
}

#[test]
fn accuracy_takes_sequences_and_leaves_out_padding() {
    let mut accuracy = Accuracy::new().ignoring(-100);
    let outputs = saying(&[0, 1, 2, 3]).reshape([2, 2, 4]);
    accuracy
        .update(&outputs, &tensor![[0, 2], [2, -100]])
        .unwrap();
    close(accuracy.value(), 2.0 / 3.0);
}

#[test]
fn top_k_orders_equal_outputs_by_class() {
    let outputs = tensor![
        [0.1, 0.4, 0.3, 0.2],
        [1.0, 1.0, 1.0, 1.0],
        [f32::NAN, 1.0, 0.0, 0.0]
    ];
    let mut top = TopKAccuracy::new(2);
    top.update(&outputs, &tensor![2, 1, 1]).unwrap();
    close(top.value(), 1.0);
    top.reset();
    top.update(&outputs, &tensor![3, 2, 0]).unwrap();
    close(top.value(), 0.0);
}

#[test]
fn binary_accuracy_has_a_threshold() {
    let (scores, labels) = (tensor![[0.4], [0.6], [-0.2]], tensor![1, 1, 0]);
    let mut logits = BinaryAccuracy::of_logits();
    logits.update(&scores, &labels).unwrap();
    close(logits.value(), 1.0);
    let mut probabilities = BinaryAccuracy::of_probabilities();
    probabilities.update(&scores, &labels).unwrap();
    close(probabilities.value(), 2.0 / 3.0);
}

#[test]
fn precision_recall_and_f1_follow_scikit_learn() {
    // precision_recall_fscore_support of the six examples: p = [1, 1/2, 1/2], r = [2/3, 1/2, 1], f = [4/5, 1/2, 2/3].
    for (class, (p, r, f)) in [
        (1.0, 2.0 / 3.0, 0.8),
        (0.5, 0.5, 0.5),
        (0.5, 1.0, 2.0 / 3.0),
    ]
    .into_iter()
    .enumerate()
    {
        close(measured(Precision::new(Average::Class(class))), p);
        close(measured(Recall::new(Average::Class(class))), r);
        close(measured(FScore::new(Average::Class(class))), f);
    }
    close(measured(Precision::new(Average::Macro)), 2.0 / 3.0);
    close(
        measured(Recall::new(Average::Macro)),
        (2.0 / 3.0 + 0.5 + 1.0) / 3.0,
    );
    close(
        measured(FScore::new(Average::Macro)),
        (0.8 + 0.5 + 2.0 / 3.0) / 3.0,
    );
    close(measured(FScore::new(Average::Micro)), 4.0 / 6.0);
    close(
        measured(Precision::new(Average::Weighted)),
        (3.0 + 1.0 + 0.5) / 6.0,
    );
    close(
        measured(Recall::new(Average::Weighted)),
        (2.0 + 1.0 + 1.0) / 6.0,
    );
    close(
        measured(FScore::new(Average::Weighted)),
        (2.4 + 1.0 + 2.0 / 3.0) / 6.0,
    );
}

#[test]
fn a_class_that_is_never_predicted_has_precision_zero() {
    let mut precision = Precision::new(Average::Class(3));
    precision.update(&saying(&[0]), &tensor![3]).unwrap();
    assert_eq!(precision.value(), 0.0);
}

#[test]
fn the_confusion_matrix_has_true_classes_down() {
    let mut metric = ConfusionMetric::new();
    metric
        .update(&saying(&[0, 0, 1, 1, 2, 2]), &tensor![0, 0, 0, 1, 1, 2])
        .unwrap();
    let matrix = metric.matrix();
    let rows: Vec<Vec<u64>> = (0..3)
        .map(|t| (0..3).map(|p| matrix.at(t, p)).collect())
        .collect();
    assert_eq!(rows, [vec![2, 1, 0], vec![0, 1, 1], vec![0, 0, 1]]);
    assert_eq!(
        (matrix.support(0), matrix.predicted(0), matrix.total()),
        (3, 2, 6)
    );
    assert!(
        matrix
            .to_string()
            .starts_with("true | 0 1 2 3  predicted\n   0 | 2 1 0 0\n"),
        "{matrix}"
    );
}

#[test]
fn the_confusion_matrix_grows_and_keeps_its_counts() {
    let mut matrix = ConfusionMatrix::new(1);
    matrix.count(0, 0);
    matrix.count(2, 1);
    assert_eq!(
        (matrix.classes(), matrix.at(0, 0), matrix.at(2, 1)),
        (3, 1, 1)
    );
}

#[test]
fn perplexity_is_exp_of_the_mean_surprise() {
    let mut perplexity = Perplexity::new().ignoring(-100);
    let logits = tensor![
        [0.5f64.ln(), 0.25f64.ln(), 0.25f64.ln()],
        [0.2f64.ln(), 0.3f64.ln(), 0.5f64.ln()],
        [9.0, 9.0, 0.0]
    ];
    perplexity.update(&logits, &tensor![0, 1, -100]).unwrap();
    close(perplexity.value(), (1.0 / (0.5 * 0.3_f64)).sqrt());
    assert!(!perplexity.larger_is_better());
}

#[test]
fn the_area_counts_ties_one_half() {
    // Pairs (positive, negative): (0.5, 0.5) ties, (0.5, 0.2) wins, (0.8, ..) wins twice: 3.5 of 4.
    let mut auc = RocAuc::new();
    auc.update(&tensor![0.5, 0.5], &tensor![0, 1]).unwrap();
    assert_eq!(auc.value(), 0.5);
    auc.update(&tensor![0.2, 0.8], &tensor![0, 1]).unwrap();
    assert_eq!(auc.value(), 3.5 / 4.0);
    let mut constant = RocAuc::new();
    constant
        .update(&tensor![0.0, -0.0, 0.0], &tensor![0, 1, 0])
        .unwrap();
    assert_eq!(constant.value(), 0.5);
    let mut one_kind = RocAuc::new();
    one_kind.update(&tensor![0.1, 0.2], &tensor![1, 1]).unwrap();
    assert!(one_kind.value().is_nan());
}

#[test]
fn the_area_agrees_with_counting_pairs() {
    let scores: Vec<f64> = (0..200).map(|i| f64::from(i * 7919 % 31)).collect();
    let labels: Vec<i64> = (0..200).map(|i| i64::from(i * 104_729 % 13 < 5)).collect();
    let (mut wins, mut pairs) = (0.0, 0.0);
    for (s, _) in scores.iter().zip(&labels).filter(|(_, l)| **l == 1) {
        for (t, _) in scores.iter().zip(&labels).filter(|(_, l)| **l == 0) {
            wins += if s > t {
                1.0
            } else if s == t {
                0.5
            } else {
                0.0
            };
            pairs += 1.0;
        }
    }
    let mut auc = RocAuc::new();
    auc.update(
        &Tensor::from_vec(scores, [200]),
        &Tensor::from_vec(labels, [200]),
    )
    .unwrap();
    close(auc.value(), wins / pairs);
}

#[test]
fn the_area_of_several_classes_is_the_mean_of_each_against_the_rest() {
    // roc_auc_score([0, 1, 2, 2], .., multi_class="ovr"): 1, 2/3 and, with one tie in four pairs, 7/8.
    let scores = tensor![
        [0.6, 0.2, 0.2],
        [0.3, 0.4, 0.3],
        [0.1, 0.6, 0.3],
        [0.2, 0.3, 0.5]
    ];
    let mut auc = RocAuc::new();
    auc.update(&scores, &tensor![0, 1, 2, 2]).unwrap();
    let each = auc.per_class();
    close(each[0], 1.0);
    close(each[1], 2.0 / 3.0);
    close(each[2], 3.5 / 4.0);
    close(auc.value(), (1.0 + 2.0 / 3.0 + 3.5 / 4.0) / 3.0);
    let mut two = RocAuc::new();
    two.update(&tensor![[0.9, 0.1], [0.2, 0.8]], &tensor![0, 1])
        .unwrap();
    close(two.value(), 1.0);
}

#[test]
fn the_mean_loss_weighs_batches_by_their_size() {
    let mut loss = MeanLoss::new(|outputs, labels| outputs.cross_entropy(labels));
    loss.update(&Tensor::zeros([3, 2]), &tensor![0, 1, 0])
        .unwrap();
    close(loss.value(), 2.0_f64.ln());
    loss.add(10.0, 1);
    close(loss.value(), (3.0 * 2.0_f64.ln() + 10.0) / 4.0);
}

#[test]
fn wrong_labels_and_shapes_are_named_and_count_for_nothing() {
    let mut metrics: Vec<Box<dyn Metric>> = vec![
        Box::new(Accuracy::new()),
        Box::new(TopKAccuracy::new(1)),
        Box::new(ConfusionMetric::new()),
        Box::new(FScore::new(Average::Macro)),
        Box::new(Perplexity::new()),
        Box::new(RocAuc::new()),
    ];
    for metric in &mut metrics {
        let name = metric.name();
        let error = metric.update(&saying(&[0, 1]), &tensor![0, 7]).unwrap_err();
        let message = error.message();
        assert!(
            message.contains("label 7 at position 1") && message.contains("4 classes"),
            "{name}: {message}"
        );
        let error = metric
            .update(&saying(&[0, 1]), &tensor![0, -1])
            .unwrap_err();
        assert!(
            error.message().contains("label -1"),
            "{name}: {}",
            error.message()
        );
        let error = metric
            .update(&saying(&[0, 1]), &tensor![0, 1, 2])
            .unwrap_err();
        assert!(
            error.message().contains("[2, 4]") && error.message().contains("[3]"),
            "{name}: {}",
            error.message()
        );
        assert!(metric.value().is_nan(), "{name} counted a wrong batch");
    }
    let error = Accuracy::new()
        .update(&tensor![[1, 2]], &tensor![1])
        .unwrap_err();
    assert!(error.message().contains("i64"), "{}", error.message());
    let error = Accuracy::new()
        .update(&saying(&[1]), &tensor![0.5])
        .unwrap_err();
    assert!(error.message().contains("0.5"), "{}", error.message());
}

#[test]
fn an_empty_batch_and_a_batch_of_one_are_fine() {
    let mut accuracy = Accuracy::new();
    accuracy
        .update(
            &Tensor::zeros([0, 4]),
            &Tensor::from_vec(Vec::<i64>::new(), [0]),
        )
        .unwrap();
    assert!(accuracy.value().is_nan());
    accuracy.update(&saying(&[2]), &tensor![2.0]).unwrap();
    assert_eq!(accuracy.value(), 1.0);
}
