//! Optimisers against their formulas, number by number.

use chainrule::prelude::*;

/// A loss with a different slope at every point: Σ (sin w + w² / 4).
fn loss(w: &Tensor) -> Tensor {
    (w.sin() + w.square() / 4.0).sum(..)
}

fn slope(w: f64) -> f64 {
    w.cos() + w / 2.0
}

fn rate(step: i32) -> f64 {
    0.05 / f64::from(step)
}

const START: [f64; 3] = [2.0, -0.5, 0.1];

fn assert_close(actual: &Tensor, expected: &[f64]) {
    let actual = actual.to_vec::<f64>();
    for (a, e) in actual.iter().zip(expected) {
        assert!((a - e).abs() < 1e-12, "{actual:?} is not {expected:?}");
    }
}

#[test]
fn adam_follows_its_formula() {
    let (first, second, epsilon) = (0.8, 0.99, 1e-6);
    let mut expected = START;
    let mut moments = [[0.0; 2]; 3];
    let mut adam = Adam::new(0.0).betas(first, second).epsilon(epsilon);
    let mut same = adam.clone();
    let mut w = Tensor::from(START.to_vec());
    let mut parameter = Parameter::new(w.clone());
    for step in 1..=10 {
        for (w, [m, v]) in expected.iter_mut().zip(&mut moments) {
            let g = slope(*w);
            *m = first * *m + (1.0 - first) * g;
            *v = second * *v + (1.0 - second) * g * g;
            let corrected = *m / (1.0 - first.powi(step));
            let deviation = (*v / (1.0 - second.powi(step))).sqrt();
            *w -= rate(step) * corrected / (deviation + epsilon);
        }
        adam.learning_rate = rate(step);
        let gradient = grad(loss)(&w);
        adam.update(&mut w, &gradient).unwrap();
        same.learning_rate = rate(step);
        let gradients = loss(&parameter).backward();
        same.update_from(&mut parameter, &gradients).unwrap();
        assert_close(&w, &expected);
        assert_close(&parameter, &expected);
        assert!(parameter.is_tracked());
    }
}

#[test]
fn descent_with_momentum_follows_its_formula() {
    for momentum in [0.0, 0.9] {
        let mut expected = START;
        let mut velocities = [0.0; 3];
        let mut sgd = Sgd::new(0.0).momentum(momentum);
        let mut w = Tensor::from(START.to_vec());
        for step in 1..=10 {
            for (w, v) in expected.iter_mut().zip(&mut velocities) {
                *v = momentum * *v + slope(*w);
                *w -= rate(step) * *v;
            }
            sgd.learning_rate = rate(step);
            let gradient = grad(loss)(&w);
            sgd.update(&mut w, &gradient).unwrap();
            assert_close(&w, &expected);
        }
    }
}

#[test]
fn parameters_keep_their_dtype_and_integers_stay() {
    let mut tree = (
        tensor![1.0, 2.0].cast(DType::BF16),
        tensor![3, 4],
        Tensor::from(1.5),
    );
    let mut adam = Adam::new(0.1);
    let f = |(half, _, wide): &(Tensor, Tensor, Tensor)| half.square().sum(..) * wide;
    for _ in 0..3 {
        let gradients = grad(f)(&tree);
        adam.update(&mut tree, &gradients).unwrap();
    }
    assert_eq!(tree.0.dtype(), DType::BF16);
    assert_eq!(tree.2.dtype(), DType::F64);
    assert_eq!(tree.1.to_vec::<i64>(), [3, 4]);
    assert!(tree.0.cast(DType::F32).to_vec::<f32>()[0] < 0.8);
}

#[test]
fn an_assignment_ends_the_history() {
    let mut w = Parameter::new(Tensor::from(2.0));
    let first = &w * 3.0;
    w *= 2.0;
    w += 1;
    w /= &Tensor::from(5.0);
    w -= &Parameter::new(Tensor::from(0.5));
    assert_eq!(w.item::<f64>(), 0.5);
    let second = w.square() + 2 * &w + 1.0 / &w;
    // The new leaf has its own gradient; the old one is found only through what was made from it.
    assert_eq!(second.backward().of(&w).item::<f64>(), 1.0 + 2.0 - 4.0);
    assert!(first.backward().of(&w).is_absent());
    w.set(Tensor::from(7.0));
    assert_eq!((-&w + 1.0 - &w).item::<f64>(), -13.0);
}

#[test]
fn gradients_of_another_model_are_refused() {
    let mut adam = Adam::new(0.1);
    let mut w = tensor![[1.0], [2.0]];
    let error = attempt(|| adam.update(&mut w, &tensor![1.0, 2.0])).unwrap_err();
    assert_eq!(
        error.message(),
        "the gradients are not those of this model: they have 1 leaves of shapes [[2]], the model has 1 of shapes [[2, 1]]"
    );
    assert_eq!(error.place().unwrap().file(), file!());
    adam.update(&mut w, &tensor![[1.0], [1.0]]).unwrap();
    let mut other = (tensor![1.0], tensor![2.0]);
    let error = attempt(|| adam.update(&mut other, &(tensor![1.0], tensor![1.0]))).unwrap_err();
    assert!(
        error
            .message()
            .starts_with("adam: it was used with a model of 1 leaves"),
        "{error}"
    );
    assert_eq!(error.place().unwrap().file(), file!());
}
