//! Taylor mode against nested derivatives and known series.

use chainrule_core::{Tensor, grad, jvp, taylor};

fn nested(f: &dyn Fn(&Tensor) -> Tensor, x: &Tensor, v: &Tensor, order: usize) -> Tensor {
    match order {
        0 => f(x),
        _ => jvp(|x: &Tensor| nested(f, x, v, order - 1), x, v).1,
    }
}

#[track_caller]
fn agrees(f: impl Fn(&Tensor) -> Tensor, x: &[f64], order: usize) {
    let x = Tensor::from(x.to_vec());
    let v = Tensor::from(
        (0..x.elements())
            .map(|i| 0.8 - 0.3 * i as f64)
            .collect::<Vec<f64>>(),
    );
    let (value, derivatives) = taylor(&f, &x, &v, order);
    assert_eq!(value.to_vec::<f64>(), f(&x).to_vec::<f64>());
    for (k, derivative) in derivatives.iter().enumerate() {
        let expected = nested(&f, &x, &v, k + 1);
        for (a, b) in derivative
            .to_vec::<f64>()
            .into_iter()
            .zip(expected.to_vec::<f64>())
        {
            assert!(
                (a - b).abs() <= 1e-9 * b.abs().max(1.0),
                "order {}: {a} is not {b}",
                k + 1
            );
        }
    }
}

#[test]
fn elementwise_series() {
    let x = [0.3, 0.7, 1.2];
    agrees(Tensor::sin, &x, 5);
    agrees(Tensor::tan, &x, 4);
    agrees(Tensor::tanh, &x, 5);
    agrees(|x| x.exp().log() * x.sqrt(), &x, 4);
    agrees(|x| x.pow(2.5) + x.pow(3.0), &x, 5);
    agrees(|x| x.sigmoid() / (x.square() + 1.0), &x, 5);
    agrees(|x| x.erf() * x.atan(), &x, 4);
    agrees(|x| x.gelu() + x.relu() + (-x).relu(), &x, 4);
}

#[test]
fn series_through_structure() {
    let x = [0.3, 0.7, 1.2, -0.4];
    agrees(
        |x| x.reshape([2, 2]).matmul(x.reshape([2, 2]).sin()).sum(1),
        &x,
        4,
    );
    agrees(|x| x.softmax(0) * x.logsumexp(0), &x, 4);
    agrees(|x| x.sin().max(0) * x.cumsum(0), &x, 4);
    agrees(
        |x| Tensor::concat(&[&x.narrow(0, 1, 2), &x.exp()], 0).prod(0),
        &x,
        3,
    );
    agrees(|x| x.std(0, 1.0) * x.layer_norm(None, None, 1e-5), &x, 3);
}

#[test]
fn known_derivatives() {
    let (_, exponential) = taylor(Tensor::exp, &Tensor::from(0.0), &Tensor::from(1.0), 12);
    assert!(
        exponential
            .iter()
            .all(|derivative| (derivative.item::<f64>() - 1.0).abs() < 1e-12)
    );
    // 1 / (1 - x) has k! as its k-th derivative at 0.
    let (_, geometric) = taylor(
        |x: &Tensor| 1.0 / (1.0 - x),
        &Tensor::from(0.0),
        &Tensor::from(1.0),
        8,
    );
    let numbers: Vec<f64> = geometric
        .iter()
        .map(|derivative| derivative.item())
        .collect();
    assert_eq!(
        numbers,
        [1.0, 2.0, 6.0, 24.0, 120.0, 720.0, 5040.0, 40320.0]
    );
    // Polynomials end, also at zero.
    let (_, cube) = taylor(
        |x: &Tensor| x.pow(3.0),
        &Tensor::from(0.0),
        &Tensor::from(1.0),
        5,
    );
    let numbers: Vec<f64> = cube.iter().map(|derivative| derivative.item()).collect();
    assert_eq!(numbers, [0.0, 0.0, 6.0, 0.0, 0.0]);
}

#[test]
fn the_cost_is_quadratic_in_the_order() {
    let nodes = |order: usize| {
        let first = Tensor::from(0.5);
        let (_, derivatives) = taylor(
            |x: &Tensor| x.sin().exp().tanh(),
            &first,
            &Tensor::from(1.0),
            order,
        );
        derivatives.last().expect("an order").id() - first.id()
    };
    let (ten, twenty) = (nodes(10), nodes(20));
    assert!(
        twenty < 5 * ten,
        "{ten} nodes for order 10, {twenty} for order 20"
    );
}

#[test]
fn taylor_composes_with_the_other_transforms() {
    let x = Tensor::from(0.4);
    let second = |x: &Tensor| taylor(Tensor::sin, x, &Tensor::from(1.0), 2).1[1].clone();
    assert!((grad(second)(&x).item::<f64>() + 0.4f64.cos()).abs() < 1e-12);
    let inner = |x: &Tensor| grad(|y: &Tensor| (x * y).sin())(x);
    let (_, mixed) = taylor(inner, &x, &Tensor::from(1.0), 2);
    let expected = nested(&inner, &x, &Tensor::from(1.0), 2).item::<f64>();
    assert!((mixed[1].item::<f64>() - expected).abs() < 1e-10);
}
