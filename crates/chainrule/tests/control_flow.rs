//! Any control flow of Rust, each against finite differences.

use chainrule::prelude::*;

/// Holds the gradient of `f` at `x` against central differences.
fn check(f: impl Fn(&Tensor) -> Tensor, x: Vec<f64>) {
    let at = |x: &[f64]| f(&Tensor::from(x.to_vec())).item::<f64>();
    let gradient = grad(&f)(&Tensor::from(x.clone())).to_vec::<f64>();
    for axis in 0..x.len() {
        let h = 1e-6;
        let [above, below] = [h, -h].map(|step| {
            let mut shifted = x.clone();
            shifted[axis] += step;
            at(&shifted)
        });
        let slope = (above - below) / (2.0 * h);
        assert!(
            (gradient[axis] - slope).abs() < 1e-6 * (1.0 + slope.abs()),
            "axis {axis}: gradient {}, finite difference {slope}",
            gradient[axis]
        );
    }
}

#[test]
fn while_loop_whose_count_depends_on_a_value() {
    let doubled = |x: &Tensor| {
        let mut y = x * 1.0;
        let mut count = 0;
        while y.norm(2.0, ..).item::<f64>() < 1000.0 {
            y = &y * 2.0 + x.sin();
            count += 1;
        }
        y.sum(..) * f64::from(count)
    };
    check(doubled, vec![0.3, -0.7, 1.1]);
    check(doubled, vec![40.0, 3.0, -90.0]);
}

enum Expression {
    Leaf(usize),
    Sine(Box<Expression>),
    Product(Box<Expression>, Box<Expression>),
}

impl Expression {
    /// A tree with every leaf used several times.
    fn of_depth(depth: usize, seed: usize) -> Expression {
        match (depth, seed % 3) {
            (0, _) => Expression::Leaf(seed % 3),
            (_, 0) => Expression::Sine(Box::new(Expression::of_depth(depth - 1, seed * 7 + 1))),
            _ => Expression::Product(
                Box::new(Expression::of_depth(depth - 1, seed * 5 + 1)),
                Box::new(Expression::of_depth(depth - 1, seed * 3 + 2)),
            ),
        }
    }

    fn value(&self, x: &Tensor) -> Tensor {
        match self {
            Expression::Leaf(index) => x.narrow(0, *index, 1).sum(..),
            Expression::Sine(inner) => inner.value(x).sin(),
            Expression::Product(left, right) => left.value(x) * right.value(x),
        }
    }
}

#[test]
fn recursion_over_a_tree() {
    for seed in 1..6 {
        let expression = Expression::of_depth(5, seed);
        check(|x: &Tensor| expression.value(x), vec![0.9, 1.2, -0.8]);
    }
}

#[test]
fn early_return() {
    fn piecewise(x: &Tensor) -> Tensor {
        for power in 1..10 {
            let value = x.pow(f64::from(power)).sum(..);
            if value.item::<f64>() > 5.0 {
                return value;
            }
        }
        x.sum(..)
    }
    check(piecewise, vec![1.3, 0.4]); // returns from the loop
    check(piecewise, vec![0.3, 0.4]); // runs to its end
}

#[test]
fn backward_then_more_nodes_then_backward_again() {
    let value = |numbers: [f64; 2]| {
        let [x, w] = numbers;
        let first = (x * w).sin();
        (first, first.exp() * x)
    };
    let (x, w) = (0.7, -1.3);
    let [tx, tw] = [x, w].map(|number| Tensor::from(number).tracked());
    let first = (&tx * &tw).sin();
    let of_first = first.backward();
    let second = first.exp() * &tx;
    let of_second = second.backward();
    let again = first.backward();
    let h = 1e-6;
    for (tensor, step) in [(&tx, [h, 0.0]), (&tw, [0.0, h])] {
        let (above, below) = (
            value([x + step[0], w + step[1]]),
            value([x - step[0], w - step[1]]),
        );
        let slopes = (
            (above.0 - below.0) / (2.0 * h),
            (above.1 - below.1) / (2.0 * h),
        );
        assert!((of_first.of(tensor).item::<f64>() - slopes.0).abs() < 1e-8);
        assert!((of_second.of(tensor).item::<f64>() - slopes.1).abs() < 1e-8);
        assert_eq!(
            again.of(tensor).item::<f64>(),
            of_first.of(tensor).item::<f64>()
        );
    }
}

#[test]
fn gradient_inside_a_loss() {
    let potential = |x: &Tensor| (x.square() * x.cos()).sum(..);
    // The penalty on a gradient, once by a transform and once by `backward`.
    check(
        |x: &Tensor| potential(x) + grad(potential)(x).square().sum(..) * 0.1,
        vec![0.4, 1.0, -0.6],
    );
    let numbers = vec![0.4, 1.0, -0.6];
    let x = Tensor::from(numbers.clone()).tracked();
    let value = potential(&x);
    let penalised = &value + value.backward().of(&x).square().sum(..) * 0.1;
    let expected = grad(|x: &Tensor| potential(x) + grad(potential)(x).square().sum(..) * 0.1)(
        &Tensor::from(numbers),
    );
    let gradient = penalised.backward().of(&x);
    assert!(
        gradient
            .is_close(expected, 1e-12, 1e-12)
            .all(..)
            .item::<bool>()
    );
}

#[test]
fn branches_taken_in_a_nested_derivative() {
    let f = |x: &Tensor| match x.item::<f64>() > 0.0 {
        true => x.square() * x,
        false => x.sin(),
    };
    let at = |number: f64| grad(grad(f))(&Tensor::from(number)).item::<f64>();
    assert!((at(2.0) - 12.0).abs() < 1e-12);
    assert!((at(-1.0) - 1.0f64.sin()).abs() < 1e-12);
}
