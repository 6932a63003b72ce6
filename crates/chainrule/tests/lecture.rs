//! The numbers of the lectures on backpropagation.

use chainrule::prelude::*;

fn assert_close(actual: &Tensor, expected: &[f64]) {
    let actual = actual.cast(DType::F64).to_vec::<f64>();
    assert_eq!(actual.len(), expected.len());
    for (a, e) in actual.iter().zip(expected) {
        assert!((a - e).abs() < 1e-12, "{actual:?} is not {expected:?}");
    }
}

#[test]
fn sum_times_number() {
    let [x, y, z] = [-2.0, 5.0, -4.0].map(|number| Tensor::from(number).tracked());
    let q = &x + &y;
    let f = &q * &z;
    assert_eq!(f.item::<f64>(), -12.0);
    let gradients = f.backward();
    assert_eq!(gradients.of(&x).item::<f64>(), -4.0);
    assert_eq!(gradients.of(&y).item::<f64>(), -4.0);
    assert_eq!(gradients.of(&z).item::<f64>(), 3.0);
    assert_eq!(gradients.of(&q).item::<f64>(), -4.0);
    assert_eq!(gradients.of(&f).item::<f64>(), 1.0);
}

#[test]
fn the_gradient_is_the_sum_over_paths() {
    let (a, b) = (2.0f64, 5.0f64);
    let [x1, x2] = [a, b].map(|number| Tensor::from(number).tracked());
    let product = &x1 * &x2;
    let sine = x2.sin();
    let y = &product + &sine;
    assert_close(&y, &[a * b + b.sin()]);
    let gradients = y.backward();
    assert_close(&gradients.of(&x1), &[b]);
    assert_close(&gradients.of(&x2), &[a + b.cos()]);
    // One path each: the other part of the sum is out of the way.
    let by_product = grad(|x2: &Tensor| x1.stop_gradient() * x2)(&x2);
    let by_sine = grad(Tensor::sin)(&x2);
    assert_close(&(by_product + by_sine), &[a + b.cos()]);
}

#[test]
fn log_likelihood_of_one_unit() {
    let w = Tensor::from(vec![0.3, -0.8, 0.5]);
    let x = Tensor::from(vec![1.0, 2.0, -1.5]);
    let loss = |w: &Tensor| -w.matmul(&x).sigmoid().log();
    let expected = untracked(|| -(1.0 - w.matmul(&x).sigmoid()) * &x);
    assert_close(&grad(loss)(&w), &expected.to_vec::<f64>());
    // As a row times a column, the gradient has the row's shape: -(1 - σ(w x)) xᵀ.
    let (row, column) = (w.reshape([1, 3]).tracked(), x.reshape([3, 1]));
    let value = -row.matmul(&column).sigmoid().log();
    let gradient = value.backward().of(&row);
    assert_eq!(gradient.shape().to_vec(), [1, 3]);
    assert_close(&gradient, &expected.to_vec::<f64>());
}

#[test]
fn gates_select_distribute_and_switch() {
    let [a, b] = [4.0, 2.5].map(|number| Tensor::from(number).tracked());
    let upstream = Tensor::from(2.0);
    let of = |y: Tensor| {
        let gradients = y.backward_with(&upstream);
        [&a, &b].map(|input| gradients.of(input).item::<f64>())
    };
    assert_eq!(of(a.maximum(&b)), [2.0, 0.0]); // max selects
    assert_eq!(of(&a + &b), [2.0, 2.0]); // add distributes
    assert_eq!(of(&a * &b), [5.0, 8.0]); // multiply switches
}

#[test]
fn rectifier_passes_where_it_was_open() {
    let x = Tensor::from(vec![-1.0, 2.0, 0.0, 3.0]).tracked();
    let y = x.relu();
    assert_eq!(y.to_vec::<f64>(), [0.0, 2.0, 0.0, 3.0]);
    let upstream = Tensor::from(vec![10.0, 20.0, 30.0, 40.0]);
    let gradient = y.backward_with(&upstream).of(&x);
    assert_eq!(gradient.to_vec::<f64>(), [0.0, 20.0, 0.0, 40.0]);
}

#[test]
#[expect(non_snake_case, reason = "the lecture's names")]
fn recurrent_snippet() {
    let generator = Generator::new(11);
    let drawn = |shape: [usize; 2]| generator.normal(shape, 0.0, 0.5).cast(DType::F64).tracked();
    let (W_x, W_h, x, prev_h) = (
        drawn([20, 10]),
        drawn([20, 20]),
        drawn([1, 10]),
        drawn([1, 20]),
    );

    let i2h = W_x.mm(x.t());
    let h2h = W_h.mm(prev_h.t());
    let next_h = (&i2h + &h2h).tanh();
    let gradients = next_h.backward_with(Tensor::ones([20, 1]).cast(DType::F64));

    let slope = untracked(|| 1.0 - next_h.square());
    assert_close(&gradients.of(&i2h), &slope.to_vec::<f64>());
    assert_close(&gradients.of(&h2h), &slope.to_vec::<f64>());
    let close = |actual: Tensor, expected: Tensor| {
        assert_eq!(actual.shape(), expected.shape());
        assert!(
            actual
                .is_close(expected, 1e-12, 1e-12)
                .all(..)
                .item::<bool>()
        );
    };
    untracked(|| {
        close(gradients.of(&W_x), slope.mm(&x));
        close(gradients.of(&W_h), slope.mm(&prev_h));
        close(gradients.of(&x), slope.t().mm(&W_x));
        close(gradients.of(&prev_h), slope.t().mm(&W_h));
    });
}

/// The lecture's gate, as in the README.
struct MultiplyGate;

impl Gate for MultiplyGate {
    fn name(&self) -> &'static str {
        "multiply_gate"
    }
    fn forward(&self, inputs: &[Tensor]) -> Tensor {
        &inputs[0] * &inputs[1]
    }
    fn backward(&self, x: &[Tensor], _y: &Tensor, dz: &Tensor) -> Vec<Option<Tensor>> {
        vec![Some(&x[1] * dz), Some(&x[0] * dz)]
    }
}

#[test]
fn multiply_gate() {
    let [x, y] = [3.0, -4.0].map(|number| Tensor::from(number).tracked());
    let z = Tensor::custom(MultiplyGate, &[&x, &y]);
    assert_eq!(z.item::<f64>(), -12.0);
    let gradients = z.backward();
    assert_eq!(gradients.of(&x).item::<f64>(), -4.0);
    assert_eq!(gradients.of(&y).item::<f64>(), 3.0);
}
