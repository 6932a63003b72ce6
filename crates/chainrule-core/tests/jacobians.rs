//! Whole Jacobians, Hessians and linear maps: their shapes, and each against the others and the calculus.

use chainrule_core::{
    Tensor, grad, hessian, hvp, jacfwd, jacrev, jvp, linearize, pullback, vjp, vmap, vmap_axes,
};

fn ramp(shape: &[usize]) -> Tensor {
    let count = shape.iter().product::<usize>();
    let values: Vec<f64> = (0..count).map(|i| (i as f64 * 0.37 + 0.2).sin()).collect();
    Tensor::from(values).reshape(
        shape
            .iter()
            .map(|&extent| extent as isize)
            .collect::<Vec<isize>>(),
    )
}

#[track_caller]
fn assert_close(actual: &Tensor, expected: &Tensor) {
    assert_eq!(actual.shape(), expected.shape());
    for (a, b) in actual
        .to_vec::<f64>()
        .into_iter()
        .zip(expected.to_vec::<f64>())
    {
        assert!((a - b).abs() <= 1e-10 * b.abs().max(1.0), "{a} is not {b}");
    }
}

fn layer((w, x): &(Tensor, Tensor)) -> Tensor {
    w.matmul(x).tanh()
}

#[test]
fn shapes_are_those_of_output_and_input() {
    let (w, x) = (ramp(&[3, 4]), ramp(&[4]));
    let (dw, dx) = jacfwd(layer)(&(w.clone(), x.clone()));
    assert_eq!(dw.shape().to_string(), "[3, 3, 4]");
    assert_eq!(dx.shape().to_string(), "[3, 4]");
    let (rw, rx) = jacrev(layer)(&(w.clone(), x.clone()));
    assert_close(&dw, &rw);
    assert_close(&dx, &rx);
    let y = layer(&(w.clone(), x));
    let expected = (y.square() - 1.0).unsqueeze(-1) * -&w;
    assert_close(&dx, &expected);
}

#[test]
fn a_loss_has_a_gradient_of_the_shape_of_its_weights() {
    let x = ramp(&[4]);
    let loss = |w: &Tensor| w.matmul(&x).square().sum(..);
    let w = ramp(&[3, 4]);
    assert_close(&jacrev(loss)(&w), &grad(loss)(&w));
    assert_close(&jacfwd(loss)(&w), &grad(loss)(&w));
}

#[test]
fn the_jacobian_of_relu_is_diagonal() {
    let x = ramp(&[12]);
    let expected = Tensor::eye(12).cast(chainrule_core::DType::F64)
        * x.gt(0.0).cast(chainrule_core::DType::F64);
    assert_close(&jacrev(Tensor::relu)(&x), &expected);
}

#[test]
fn results_may_be_trees() {
    let f = |x: &Tensor| (x.sin(), vec![x.sum(..), x.square()]);
    let x = ramp(&[3]);
    let (sine, rest) = jacfwd(f)(&x);
    let (sine_r, rest_r) = jacrev(f)(&x);
    assert_close(&sine, &sine_r);
    assert_eq!(rest[0].shape().to_string(), "[3]");
    assert_close(&rest[1], &rest_r[1]);
}

#[test]
fn integers_take_no_part() {
    let f = |(x, index): &(Tensor, Tensor)| x.index_select(0, index);
    let at = (ramp(&[3]), Tensor::from(vec![2i64, 0]));
    let (by_x, by_index) = jacrev(f)(&at);
    assert_eq!(by_x.to_vec::<f64>(), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    assert_eq!(by_index.shape().to_string(), "[2, 2]");
    assert_eq!(
        by_index.cast(chainrule_core::DType::F64).to_vec::<f64>(),
        [0.0; 4]
    );
}

#[test]
fn hessians_of_trees_have_blocks() {
    let f = |(a, b): &(Tensor, Tensor)| (a.outer_product(b).sin()).sum(..) + (a * a * a).sum(..);
    let at = (ramp(&[2]), ramp(&[3]));
    let ((aa, ab), (ba, bb)) = hessian(f)(&at);
    assert_eq!(aa.shape().to_string(), "[2, 2]");
    assert_eq!(ab.shape().to_string(), "[2, 3]");
    assert_close(&ab, &ba.transpose(0, 1));
    assert_eq!(bb.shape().to_string(), "[3, 3]");
    let direction = (ramp(&[2]) * 2.0, ramp(&[3]) - 1.0);
    let (first, second) = hvp(f, &at, &direction);
    assert_close(&first, &(aa.matmul(&direction.0) + ab.matmul(&direction.1)));
    assert_close(
        &second,
        &(ba.matmul(&direction.0) + bb.matmul(&direction.1)),
    );
}

trait Outer {
    fn outer_product(&self, other: &Tensor) -> Tensor;
}

impl Outer for Tensor {
    fn outer_product(&self, other: &Tensor) -> Tensor {
        self.unsqueeze(1) * other.unsqueeze(0)
    }
}

#[test]
fn jacobians_nest_in_any_order() {
    let f = |x: &Tensor| (x * x.sum(..)).sin() * x.exp();
    let x = ramp(&[3]);
    let reference = jacfwd(jacfwd(f))(&x);
    assert_eq!(reference.shape().to_string(), "[3, 3, 3]");
    assert_close(&jacrev(jacrev(f))(&x), &reference);
    assert_close(&jacfwd(jacrev(f))(&x), &reference);
    assert_close(&jacrev(jacfwd(f))(&x), &reference);
    let many = ramp(&[2, 3]);
    let batched = vmap(hessian(|x: &Tensor| f(x).sum(..)))(&many);
    for example in 0..2 {
        let one = hessian(|x: &Tensor| f(x).sum(..))(&many.narrow(0, example, 1).squeeze(0));
        assert_close(&batched.narrow(0, example, 1).squeeze(0), &one);
    }
    let through = grad(|x: &Tensor| jacrev(f)(x).square().sum(..))(&x);
    let and_forward = jacfwd(|x: &Tensor| jacfwd(f)(x).square().sum(..))(&x);
    assert_close(&through, &and_forward);
}

#[test]
fn linear_maps_can_be_used_again() {
    let f = |x: &Tensor| x.sin() * x.sum(..);
    let x = ramp(&[4]);
    let (value, push) = linearize(f, &x);
    let (_, pull) = pullback(f, &x);
    assert_close(&value, &f(&x));
    for scale in [1.0, -0.5] {
        let v = ramp(&[4]) * scale;
        assert_close(&push(&v), &jvp(f, &x, &v).1);
        assert_close(&pull(&v), &vjp(f, &x, |_| v.clone()).1);
    }
    // Differentiable through the point at which the map was made.
    let second = grad(|x: &Tensor| linearize(f, x).1(&ramp(&[4])).sum(..))(&x);
    let expected = grad(|x: &Tensor| jvp(f, x, &ramp(&[4])).1.sum(..))(&x);
    assert_close(&second, &expected);
}

#[test]
fn axes_of_vmap_are_chosen() {
    let (w, columns) = (ramp(&[3, 4]), ramp(&[4, 5]));
    let product = vmap_axes(layer, [None, Some(-1)], 1)(&(w.clone(), columns.clone()));
    assert_close(&product, &w.matmul(&columns).tanh());
    let both = vmap_axes(|(a, b): &(Tensor, Tensor)| a.dot(b), [Some(1), Some(0)], 0);
    let rows = ramp(&[5, 4]);
    assert_close(
        &both(&(columns.clone(), rows.clone())),
        &(columns.transpose(0, 1) * rows).sum(1),
    );
    // Nested: every pair of rows.
    let kernel = |(a, b): &(Tensor, Tensor)| (a - b).square().sum(..);
    let pairs = vmap_axes(vmap_axes(kernel, [None, Some(0)], 0), [Some(0), None], 0);
    let (a, b) = (ramp(&[3, 2]), ramp(&[4, 2]) * 0.5);
    let expected = (a.unsqueeze(1) - b.unsqueeze(0)).square().sum(2);
    assert_close(&pairs(&(a, b)), &expected);
}

#[test]
fn wrong_axes_are_refused() {
    let f = |(a, b): &(Tensor, Tensor)| a * b;
    let at = (ramp(&[2]), ramp(&[2]));
    let text = |axes: Vec<Option<isize>>| {
        chainrule_core::attempt(|| vmap_axes(f, axes, 0)(&at))
            .expect_err("refused")
            .to_string()
    };
    assert!(text(vec![Some(0)]).contains("the argument has 2 elements and in_axes 1 entries"));
    assert!(text(vec![None, None]).contains("vmap_axes: the argument has no tensor"));
    assert!(
        text(vec![Some(3), None]).contains("axis 3"),
        "{}",
        text(vec![Some(3), None])
    );
}
