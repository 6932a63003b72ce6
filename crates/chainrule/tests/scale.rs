//! A graph of a million nodes is built, differentiated, evaluated, printed and dropped.

use chainrule::prelude::*;

/// Runs `work` on a stack too small to recurse over the nodes.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(256 << 10);
    let outcome = thread.spawn(work).expect("a thread starts").join();
    assert!(outcome.is_ok(), "the work panicked");
}

#[test]
fn a_chain_of_a_million_nodes() {
    on_a_small_stack(|| {
        let growth = 1.0f64 + 1e-7;
        let (x, c) = (Tensor::from(0.5).tracked(), Tensor::from(growth).tracked());
        let y = (0..1_000_000).fold(x.clone(), |y, _| y * &c);
        let gradients = y.backward();
        let (by_x, by_c) = (gradients.of(&x), gradients.of(&c));
        evaluate(&[&y, &by_x, &by_c]);
        let power = growth.powi(1_000_000);
        let close = |actual: &Tensor, expected: f64| {
            let actual = actual.item::<f64>();
            assert!(
                (actual / expected - 1.0).abs() < 1e-9,
                "{actual} is not {expected}"
            );
        };
        close(&y, 0.5 * power);
        close(&by_x, power);
        close(&by_c, 0.5 * 1e6 * power / growth);
        assert!(y.to_string().starts_with("0.55"), "{y}");
        assert!(format!("{by_c:?}").contains("f64"));
    });
}

#[test]
fn a_transform_over_a_long_chain() {
    on_a_small_stack(|| {
        let f = |x: &Tensor| (0..100_000).fold(x.clone(), |y, _| y + x * 1e-5);
        let x = Tensor::from(2.0);
        let (value, slope) = value_and_grad(f)(&x);
        assert!((value.item::<f64>() - 4.0).abs() < 1e-6);
        assert!((slope.item::<f64>() - 2.0).abs() < 1e-6);
        let (_, forward) = jvp(f, &x, &Tensor::from(1.0));
        assert!((forward.item::<f64>() - 2.0).abs() < 1e-6);
    });
}

#[test]
fn an_unevaluated_graph_is_dropped() {
    on_a_small_stack(|| {
        // The sum is never looked at, and the terms share one another.
        let x = tensor![1.0, 2.0].tracked();
        let y = (0..300_000).fold(x.clone(), |y, _| &y + &y * &x);
        assert_eq!(y.shape().to_vec(), [2]);
    });
}
