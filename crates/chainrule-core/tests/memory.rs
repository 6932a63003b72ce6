//! Loops run at constant memory: history ends by itself.

use chainrule_core::memory::{live_bytes, live_nodes};
use chainrule_core::{Tensor, evaluate, untracked, value_and_grad};
use std::sync::{Mutex, MutexGuard};

/// The counters are global, so tests take turns, from their first tensor on.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(|broken| broken.into_inner())
}

/// Nodes and bytes alive after 1,000 and after `steps` steps must be the same.
fn assert_constant(steps: usize, mut step: impl FnMut()) {
    let mut after_warm_up = None;
    for number in 1..=steps {
        step();
        if number == 1000 {
            after_warm_up = Some((live_nodes(), live_bytes()));
        }
    }
    assert_eq!(Some((live_nodes(), live_bytes())), after_warm_up);
}

fn loss(w: &Tensor) -> Tensor {
    (w.sin() - 0.5).square().sum(..)
}

#[test]
fn functional_steps_that_read_the_loss() {
    let _turn = turn();
    let mut w = Tensor::from(vec![0.3, 0.2, 0.1]);
    assert_constant(5_000, || {
        let (value, gradient) = value_and_grad(loss)(&w);
        w = &w - gradient * 0.1;
        value.item::<f64>();
    });
}

#[test]
fn functional_steps_that_read_nothing() {
    let _turn = turn();
    for start in [Tensor::from(0.3), Tensor::from(vec![0.3; 20_000])] {
        let mut w = start;
        // The bound on pending work evaluates now and then: compare at multiples of its period.
        let mut most = 0;
        for number in 0..10_000 {
            let (_, gradient) = value_and_grad(loss)(&w);
            w = &w - gradient * 0.1;
            if number < 5_000 {
                most = most.max(live_nodes());
            }
            assert!(
                number < 5_000 || live_nodes() <= most + 64,
                "nodes pile up: {} > {most}",
                live_nodes()
            );
        }
    }
}

#[test]
fn tracked_steps_with_backward() {
    let _turn = turn();
    let mut w = Tensor::from(vec![0.3, 0.2]).tracked();
    assert_constant(5_000, || {
        let value = loss(&w);
        let gradients = value.backward();
        w = untracked(|| &w - gradients.of(&w) * 0.1).tracked();
        value.item::<f64>();
    });
}

#[test]
fn tracked_steps_without_untracked_end_history_at_the_new_leaf() {
    let _turn = turn();
    let mut w = Tensor::from(vec![0.3, 0.2]).tracked();
    assert_constant(5_000, || {
        let value = loss(&w);
        w = (&w - value.backward().of(&w) * 0.1).tracked();
        evaluate(&[&value]);
    });
}

#[test]
fn accumulated_metrics_do_not_keep_graphs() {
    let _turn = turn();
    let w = Tensor::from(vec![0.3, 0.2]);
    let mut total = Tensor::from(0.0);
    let mut steps = 0;
    assert_constant(20_000, || {
        let (value, _) = value_and_grad(loss)(&w);
        total += value;
        steps += 1;
        if steps % 50 == 0 {
            evaluate(&[&total]);
        }
    });
}

#[test]
fn untracked_depth_costs_no_memory() {
    let _turn = turn();
    let w = Tensor::from_vec(vec![0.01f32; 64 * 64], [64, 64]).tracked();
    let peak_of = |layers: usize| {
        chainrule_core::memory::reset_peak();
        let before = live_bytes();
        let output = untracked(|| {
            let x = Tensor::from_vec(vec![0.5f32; 32 * 64], [32, 64]);
            (0..layers).fold(x, |x, _| x.matmul(&w).sin())
        });
        evaluate(&[&output]);
        chainrule_core::memory::peak_bytes() - before
    };
    peak_of(5);
    assert_eq!(peak_of(20), peak_of(200));
}

/// A loss that is evaluated with its gradient keeps nothing for a second backward pass; one that is evaluated by itself
/// keeps what the backward pass to come will read.
#[test]
fn a_gradient_in_the_same_task_leaves_nothing_behind() {
    let _turn = turn();
    let w = Tensor::from(vec![0.3; 10_000]).tracked();
    evaluate(&[&w]);
    let deep = |w: &Tensor| (0..20).fold(w.clone(), |x, _| x.sin()).sum(..);
    let before = live_bytes();
    let loss = deep(&w);
    let gradients = loss.backward();
    let gradient = gradients.of(&w);
    evaluate(&[&loss, &gradient]);
    assert_eq!(live_bytes() - before, 80_000, "the gradient alone");
    let expected = gradient.to_vec::<f64>();
    // A second pass through the same history computes again what was not kept.
    assert_eq!(loss.backward().of(&w).to_vec::<f64>(), expected);

    let before = live_bytes();
    let alone = deep(&w);
    alone.item::<f64>();
    assert!(
        live_bytes() - before >= 19 * 80_000,
        "the operands of 19 sines"
    );
}

/// The gradient of a gradient's size, read before its own backward pass.
#[test]
fn a_penalty_on_a_gradient_keeps_its_own_residuals() {
    let _turn = turn();
    let w = Tensor::from(vec![0.3, -0.2, 0.7]).tracked();
    let penalty = |w: &Tensor| chainrule_core::grad(loss)(w).square().sum(..);
    let read = penalty(&w);
    read.item::<f64>();
    let unread = penalty(&w);
    assert_eq!(
        read.backward().of(&w).to_vec::<f64>(),
        unread.backward().of(&w).to_vec::<f64>()
    );
}
