//! Training loops in both styles: they learn, and they run at constant memory.

use chainrule::prelude::*;
use std::sync::{Mutex, MutexGuard};

#[derive(Clone, Module)]
struct Mlp {
    hidden: Linear,
    output: Linear,
    slope: f64,
}

impl Mlp {
    fn new(seed: u64) -> Mlp {
        let generator = Generator::new(seed);
        Mlp {
            hidden: Linear::from_generator(2, 16, &generator),
            output: Linear::from_generator(16, 2, &generator),
            slope: 0.1,
        }
    }

    fn forward(&self, x: &Tensor) -> Tensor {
        self.output
            .forward(self.hidden.forward(x).leaky_relu(self.slope))
    }
}

/// Four points that no line separates.
fn exclusive_or() -> (Tensor, Tensor) {
    (
        tensor![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]],
        tensor![0, 1, 1, 0],
    )
}

/// The memory counters are global, so tests take turns, from their first tensor on.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(|broken| broken.into_inner())
}

fn assert_constant(steps: usize, mut step: impl FnMut()) {
    let mut after_warm_up = None;
    for number in 1..=steps {
        step();
        if number == 1000 {
            after_warm_up = Some((memory::live_nodes(), memory::live_bytes()));
        }
    }
    assert_eq!(
        Some((memory::live_nodes(), memory::live_bytes())),
        after_warm_up
    );
}

#[test]
fn names_follow_the_fields() {
    let _turn = turn();
    let names: Vec<String> = Mlp::new(1)
        .named_parameters()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        names,
        [
            "hidden.weight",
            "hidden.bias",
            "output.weight",
            "output.bias"
        ]
    );
    assert_eq!(Mlp::new(1).parameter_count(), 2 * 16 + 16 + 16 * 2 + 2);
}

#[test]
fn functional_style_learns_at_constant_memory() {
    let _turn = turn();
    let (x, labels) = exclusive_or();
    let mut model = Mlp::new(2);
    let mut adam = Adam::new(0.01);
    let mut last = f32::NAN;
    assert_constant(3000, || {
        let (loss, gradients) =
            value_and_grad(|model: &Mlp| model.forward(&x).cross_entropy(&labels))(&model);
        adam.update(&mut model, &gradients).unwrap();
        last = loss.item();
    });
    assert!(last < 1e-2, "the loss is still {last}");
}

#[test]
fn backward_style_learns_at_constant_memory() {
    let _turn = turn();
    let (x, labels) = exclusive_or();
    let mut model = Mlp::new(3);
    let mut sgd = Sgd::new(0.1).momentum(0.9);
    let mut last = f32::NAN;
    assert_constant(3000, || {
        let loss = model.forward(&x).cross_entropy(&labels);
        sgd.update_from(&mut model, &loss.backward()).unwrap();
        last = loss.item();
    });
    assert!(last < 1e-2, "the loss is still {last}");
}

#[test]
fn a_scalar_parameter_runs_a_hundred_thousand_steps() {
    let _turn = turn();
    let mut w = Parameter::new(Tensor::from(3.0));
    assert_constant(100_000, || {
        let loss = (&w - 1.0).square();
        w -= loss.backward().of(&w) * 0.1;
        loss.item::<f64>();
    });
    assert!((w.item::<f64>() - 1.0).abs() < 1e-9);
}

#[test]
fn missing_gradients_are_named() {
    let _turn = turn();
    let (x, _) = exclusive_or();
    let mut model = Mlp::new(4);
    let (_, gradients) = value_and_grad(|model: &Mlp| model.hidden.forward(&x).sum(..))(&model);
    let error = Adam::new(0.1).update(&mut model, &gradients).unwrap_err();
    assert_eq!(error.names, ["output.weight", "output.bias"]);
    assert!(
        error
            .to_string()
            .starts_with("output.weight got no gradient")
    );
}
