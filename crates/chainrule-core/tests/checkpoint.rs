//! Recomputation changes no derivative and does save memory.

use chainrule_core::{
    Tensor, checkpoint, evaluate, grad, hessian, jacrev, jvp, memory, value_and_grad, vmap,
};

fn ramp(count: usize) -> Tensor {
    Tensor::from(
        (0..count)
            .map(|i| (i as f64 * 0.7).sin())
            .collect::<Vec<f64>>(),
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
        assert!((a - b).abs() <= 1e-12 * b.abs().max(1.0), "{a} is not {b}");
    }
}

fn block(x: &Tensor) -> Tensor {
    (x.sin() * x.sum(..)).exp().tanh()
}

#[test]
fn derivatives_are_those_of_the_function() {
    let x = ramp(4);
    let plain = |x: &Tensor| block(&block(x)).square().sum(..);
    let again = |x: &Tensor| checkpoint(block)(&checkpoint(block)(x)).square().sum(..);
    assert_close(&grad(again)(&x), &grad(plain)(&x));
    assert_close(&hessian(again)(&x), &hessian(plain)(&x));
    assert_close(&grad(grad_sum(again))(&x), &grad(grad_sum(plain))(&x));
    let v = ramp(4) * 2.0;
    assert_close(&jvp(again, &x, &v).1, &jvp(plain, &x, &v).1);
    assert_close(&jacrev(checkpoint(block))(&x), &jacrev(block)(&x));
    let many = Tensor::stack(&[&x, &v], 0);
    assert_close(&vmap(grad(again))(&many), &vmap(grad(plain))(&many));
}

fn grad_sum(f: impl Fn(&Tensor) -> Tensor) -> impl Fn(&Tensor) -> Tensor {
    let gradient = grad(f);
    move |x| gradient(x).sum(..)
}

#[test]
fn what_the_function_uses_besides_its_argument_is_differentiated() {
    let w = ramp(3).tracked();
    let f = |x: &Tensor| (x * &w).sin();
    let loss = checkpoint(f)(&ramp(3)).sum(..);
    let plain = f(&ramp(3)).sum(..);
    assert_close(&loss.backward().of(&w), &plain.backward().of(&w));
    // The variable of an enclosing transform, too.
    let outer = grad(|w: &Tensor| checkpoint(|x: &Tensor| x * w)(&ramp(3)).sum(..))(&ramp(3));
    assert_close(&outer, &ramp(3));
}

#[test]
fn control_flow_by_values_and_trees_are_fine() {
    let f = |(a, b): &(Tensor, Tensor)| {
        let sum = a + b;
        match sum.item::<f64>() > 0.0 {
            true => (sum.exp(), a.clone()),
            false => (sum, b * 2.0),
        }
    };
    let at = (Tensor::from(0.5), Tensor::from(0.25));
    let product = |(x, y): (Tensor, Tensor)| x * y;
    let (a, b) = grad(|at| product(f(at)))(&at);
    let (c, d) = grad(|at| product(checkpoint(f)(at)))(&at);
    assert_close(&a, &c);
    assert_close(&b, &d);
}

/// The most bytes held while `steps` blocks with states of 1 MB are differentiated.
fn peak(steps: usize, checkpointed: bool) -> usize {
    let x = Tensor::from(vec![0.5f64; 1 << 17]);
    let segment = |x: &Tensor| (0..10).fold(x.clone(), |x, _| (x.sin() + 0.1).tanh().exp() * 0.3);
    memory::reset_peak();
    let before = memory::live_bytes();
    let (value, slope) = value_and_grad(|x: &Tensor| {
        let last = (0..steps).fold(x.clone(), |x, _| match checkpointed {
            true => checkpoint(segment)(&x),
            false => segment(&x),
        });
        last.sum(..)
    })(&x);
    evaluate(&[&value, &slope]);
    memory::peak_bytes() - before
}

#[test]
fn memory_is_that_of_the_states_between_segments() {
    let (kept, recomputed) = (peak(20, false), peak(20, true));
    assert!(
        recomputed * 3 < kept,
        "{recomputed} bytes with checkpoint, {kept} without"
    );
}
