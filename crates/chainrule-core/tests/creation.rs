//! Tensors made by a rule, and iteration over their rows.

use chainrule_core::{DType, Tensor, attempt, grad, tensor, vmap};

#[test]
fn ranges_stop_before_their_end() {
    assert_eq!(Tensor::range(0, 5, 2).to_vec::<i64>(), [0, 2, 4]);
    assert_eq!(Tensor::range(0, 6, 2).to_vec::<i64>(), [0, 2, 4]);
    assert_eq!(Tensor::range(1, 1, 1).elements(), 0);
    assert_eq!(Tensor::range(1.0, 0.0, -0.5).to_vec::<f32>(), [1.0, 0.5]);
    assert_eq!(Tensor::range(0.0, 1.0, 0.1).elements(), 10);
    for step in [0, -1] {
        let error = attempt(|| Tensor::range(0, 5, step))
            .unwrap_err()
            .to_string();
        assert!(error.contains("there is no way in steps of"), "{error}");
    }
}

#[test]
fn spacings_hit_both_ends() {
    let x = Tensor::linspace(0.1, 0.7, 7).to_vec::<f32>();
    assert_eq!((x[0], x[6]), (0.1, 0.7));
    assert_eq!(Tensor::linspace(2.0, 9.0, 1).to_vec::<f32>(), [2.0]);
    assert_eq!(Tensor::linspace(2.0, 9.0, 0).elements(), 0);
    assert_eq!(
        Tensor::logspace(0.0, 3.0, 4, 2.0).to_vec::<f32>(),
        [1.0, 2.0, 4.0, 8.0]
    );
}

#[test]
fn triangles_of_batches_and_their_gradient() {
    let x = Tensor::from_fn([2, 2, 3], |at| (1 + 6 * at[0] + 3 * at[1] + at[2]) as f64);
    assert_eq!(
        x.tril(0).to_vec::<f32>(),
        [1.0, 0.0, 0.0, 4.0, 5.0, 0.0, 7.0, 0.0, 0.0, 10.0, 11.0, 0.0]
    );
    assert_eq!(
        x.triu(1).to_vec::<f32>(),
        [0.0, 2.0, 3.0, 0.0, 0.0, 6.0, 0.0, 8.0, 9.0, 0.0, 0.0, 12.0]
    );
    let slope = grad(|x: &Tensor| x.triu(1).square().sum(..))(&tensor![[1.0, 2.0], [3.0, 4.0]]);
    assert_eq!(slope.to_vec::<f32>(), [0.0, 4.0, 0.0, 0.0]);
    let batched = vmap(|x: &Tensor| x.tril(-1))(&x);
    assert_eq!(batched.to_vec::<f32>(), x.tril(-1).to_vec::<f32>());
    let infinite = tensor![[f64::INFINITY, f64::NAN], [1.0, 2.0]].tril(-1);
    assert_eq!(infinite.to_vec::<f32>(), [0.0, 0.0, 1.0, 0.0]);
    assert!(
        attempt(|| tensor![1.0].tril(0))
            .unwrap_err()
            .to_string()
            .contains("at least two axes")
    );
}

#[test]
fn one_hot_names_the_label_out_of_range() {
    let error = attempt(|| tensor![1, 3].one_hot(3))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("label 3 at position 1 is not in 0..3"),
        "{error}"
    );
    let error = attempt(|| tensor![1.0].one_hot(3)).unwrap_err().to_string();
    assert!(error.contains("labels are integers"), "{error}");
    let bytes = tensor![[1], [0]].cast(DType::U8).one_hot(2);
    assert_eq!(
        (bytes.shape().to_string(), bytes.to_vec::<f32>()),
        ("[2, 1, 2]".to_owned(), vec![0.0, 1.0, 1.0, 0.0])
    );
    let batched = vmap(|label: &Tensor| label.one_hot(3))(&tensor![2, 0]);
    assert_eq!(batched.to_vec::<f32>(), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
}

#[test]
fn a_tensor_is_iterated_by_rows() {
    let x = tensor![[1.0, 2.0], [3.0, 4.0]];
    let mut sums = Vec::new();
    for row in &x {
        sums.push(row.sum(..).item::<f32>());
    }
    assert_eq!(sums, [3.0, 7.0]);
    assert_eq!(x.rows().len(), 2);
    let slope = grad(|x: &Tensor| {
        x.into_iter()
            .map(|row| row.square().sum(..))
            .reduce(|a, b| a * b)
            .unwrap()
    })(&x);
    assert_eq!(slope.to_vec::<f32>(), [50.0, 100.0, 30.0, 40.0]);
    assert!(attempt(|| (&Tensor::scalar(1.0)).into_iter().count()).is_err());
}
