//! Derivatives nest in any order, and each agrees with the calculus.

use chainrule_core::{Reduction, Tensor, grad, jvp, tensor, value_and_grad, vjp, vmap};

fn close(actual: f64, expected: f64) {
    assert!(
        (actual - expected).abs() <= 1e-12 * expected.abs().max(1.0),
        "{actual} is not {expected}"
    );
}

#[test]
fn gradient_of_a_composition() {
    let x = Tensor::from(0.7);
    let slope = grad(|x: &Tensor| (x * x).sin())(&x).item::<f64>();
    close(slope, 1.4 * 0.49f64.cos());
}

#[test]
fn gradients_nest() {
    let x = Tensor::from(0.7);
    close(grad(grad(Tensor::sin))(&x).item(), -0.7f64.sin());
    close(grad(grad(grad(Tensor::exp)))(&x).item(), 0.7f64.exp());
}

#[test]
fn inner_and_outer_variables_are_not_confused() {
    // d/dx [x * d/dy (x + y)] = 1
    let slope =
        grad(|x: &Tensor| x * grad(|y: &Tensor| x + y)(&Tensor::from(5.0)))(&Tensor::from(3.0));
    close(slope.item(), 1.0);
}

#[test]
fn forward_over_reverse_and_reverse_over_forward_agree() {
    let f = |x: &Tensor| (x * x * x).sin().sum(..);
    let x = Tensor::from(vec![0.3, -0.4]);
    let v = Tensor::from(vec![1.0, 2.0]);
    let (_, forward) = jvp(grad(f), &x, &v);
    let reverse = grad(|x: &Tensor| jvp(f, x, &v).1)(&x);
    for (a, b) in forward
        .to_vec::<f64>()
        .into_iter()
        .zip(reverse.to_vec::<f64>())
    {
        close(a, b);
    }
}

#[test]
fn gradient_under_vmap() {
    let x = Tensor::from(vec![0.1, 0.2, 0.3]);
    let slopes = vmap(grad(|x: &Tensor| x.sin() * x))(&x).to_vec::<f64>();
    for (slope, x) in slopes.into_iter().zip([0.1f64, 0.2, 0.3]) {
        close(slope, x.sin() + x * x.cos());
    }
}

#[test]
fn vmap_under_gradient() {
    let x = Tensor::from(vec![0.1, 0.2]);
    let slopes = grad(|x: &Tensor| vmap(Tensor::exp)(x).sum(..))(&x).to_vec::<f64>();
    close(slopes[0], 0.1f64.exp());
    close(slopes[1], 0.2f64.exp());
}

#[test]
fn matrix_gradients_have_the_matrix_shape() {
    let w = tensor![[0.1, 0.5], [-0.3, 0.8]];
    let x = tensor![0.2, 0.4];
    let (value, slope) = value_and_grad(|w: &Tensor| w.matmul(&x).square().sum(..))(&w);
    assert!((value.item::<f64>() - 0.116).abs() < 1e-6);
    assert_eq!(slope.shape().to_string(), "[2, 2]");
    for (a, b) in slope
        .to_vec::<f64>()
        .into_iter()
        .zip([0.088, 0.176, 0.104, 0.208])
    {
        assert!((a - b).abs() < 1e-6);
    }
}

#[test]
fn backward_reaches_intermediates_and_can_be_repeated() {
    let x = Tensor::from(2.0).tracked();
    let a = &x * 3.0;
    let y = a.sin() + &x;
    for _ in 0..2 {
        let gradients = y.backward();
        close(gradients.of(&a).item(), 6.0f64.cos());
        close(gradients.of(&x).item(), 3.0 * 6.0f64.cos() + 1.0);
    }
    let second = y.backward().of(&x).backward().of(&x);
    close(second.item(), -9.0 * 6.0f64.sin());
}

#[test]
fn cotangents_of_vectors() {
    let x = Tensor::from(vec![1.0, 2.0]);
    let (_, pulled) = vjp(Tensor::square, &x, |y| y * 3.0);
    assert_eq!(pulled.to_vec::<f64>(), [6.0, 48.0]);
}

#[test]
fn values_may_be_read_inside() {
    let f = |x: &Tensor| {
        if x.item::<f64>() > 0.0 {
            x.square()
        } else {
            -x
        }
    };
    close(grad(f)(&Tensor::from(3.0)).item(), 6.0);
    close(grad(f)(&Tensor::from(-3.0)).item(), -1.0);
}

#[test]
fn a_factor_that_happens_to_be_one_keeps_its_derivative() {
    let (x, w) = (Tensor::from(3.0).tracked(), Tensor::from(1.0).tracked());
    let slope = (&x * &w).backward().of(&x);
    close(slope.item(), 1.0);
    close(slope.backward().of(&w).item(), 1.0);
    let cotangent = Tensor::from(1.0).tracked();
    let slope = x.sin().backward_with(&cotangent).of(&x);
    close(slope.backward().of(&cotangent).item(), 3f64.cos());
}

#[test]
fn kinks_are_those_of_pytorch() {
    let zero = Tensor::from(0.0);
    close(grad(Tensor::relu)(&zero).item(), 0.0);
    close(grad(Tensor::abs)(&zero).item(), 0.0);
    close(grad(|x: &Tensor| x.elu(1.0))(&zero).item(), 1.0);
    close(
        grad(|x: &Tensor| x.selu())(&zero).item(),
        1.758_099_340_847_376_6,
    );
    close(grad(|x: &Tensor| x.maximum(0.0))(&zero).item(), 0.5);
    let shared = grad(|x: &Tensor| x.max(..))(&Tensor::from(vec![2.0, 2.0, 1.0]));
    assert_eq!(shared.to_vec::<f64>(), [0.5, 0.5, 0.0]);
    let chosen = grad(|x: &Tensor| x.max_with_indices(0).0)(&Tensor::from(vec![2.0, 2.0, 1.0]));
    assert_eq!(chosen.to_vec::<f64>(), [1.0, 0.0, 0.0]);
    let certain = grad(|p: &Tensor| p.binary_cross_entropy(&Tensor::from(1.0), Reduction::Mean))(
        &Tensor::from(1.0),
    );
    close(certain.item(), -1.0);
}
