//! Loops run at constant memory in both styles, and depth costs nothing without tracking.

use chainrule::prelude::*;
use std::sync::{Mutex, MutexGuard};

/// The counters are global, so tests take turns, from their first tensor on.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(|broken| broken.into_inner())
}

/// Live nodes and bytes must be the same after 1,000 and after 100,000 steps.
fn assert_constant(mut step: impl FnMut()) {
    let mut after_warm_up = None;
    for number in 1..=100_000 {
        step();
        if number == 1000 {
            after_warm_up = Some((memory::live_nodes(), memory::live_bytes()));
        }
    }
    let at_the_end = Some((memory::live_nodes(), memory::live_bytes()));
    assert_eq!(at_the_end, after_warm_up);
}

#[test]
fn plain_tensors_and_value_and_grad() {
    let _turn = turn();
    let (x, y) = (tensor![[1.0, 2.0], [3.0, -1.0]], tensor![0.5, -0.2]);
    let mut w = tensor![0.3, 0.2];
    assert_constant(|| {
        let error = |w: &Tensor| (x.matmul(w) - &y).square().mean(..);
        let (loss, gradient) = value_and_grad(error)(&w);
        w = &w - 0.01 * gradient;
        loss.item::<f32>();
    });
}

#[test]
fn a_plain_number_and_value_and_grad() {
    let _turn = turn();
    let mut w = Tensor::from(3.0);
    assert_constant(|| {
        let (loss, gradient) = value_and_grad(|w: &Tensor| (w - 1.0).square())(&w);
        w = &w - 0.01 * gradient;
        loss.item::<f64>();
    });
}

#[test]
fn parameters_and_backward() {
    let _turn = turn();
    let (x, y) = (tensor![[1.0, 2.0], [3.0, -1.0]], tensor![0.5, -0.2]);
    let mut w = Parameter::new(tensor![0.3, 0.2]);
    let mut b = Parameter::new(Tensor::scalar(0.1));
    assert_constant(|| {
        let loss = (x.matmul(&w) + &b - &y).square().mean(..);
        let gradients = loss.backward();
        w -= 0.01 * gradients.of(&w);
        b -= 0.01 * gradients.of(&b);
        loss.item::<f32>();
    });
}

/// Pending work is bounded: a loop that reads nothing saws between nothing and the bound.
fn assert_bounded(mut step: impl FnMut()) {
    let mut most = (0, 0);
    for number in 0..100_000 {
        step();
        let now = (memory::live_nodes(), memory::live_bytes());
        if number < 10_000 {
            most = (most.0.max(now.0), most.1.max(now.1));
        } else {
            assert!(
                now.0 <= most.0 + most.0 / 10 && now.1 <= most.1 + most.1 / 10,
                "{now:?} at step {number}, {most:?} in the first ten thousand"
            );
        }
    }
}

#[test]
fn plain_tensors_and_nothing_is_read() {
    let _turn = turn();
    let mut w = Tensor::from(3.0);
    assert_bounded(|| {
        let (_, gradient) = value_and_grad(|w: &Tensor| (w - 1.0).square())(&w);
        w = &w - 0.01 * gradient;
    });
    let value = w.item::<f64>();
    assert!((value - 1.0).abs() < 1e-9, "{value}");
}

#[test]
fn parameters_and_nothing_is_read() {
    let _turn = turn();
    let mut w = Parameter::new(Tensor::from(3.0));
    assert_bounded(|| {
        let loss = (&w - 1.0).square();
        w -= 0.01 * loss.backward().of(&w);
    });
    assert!((w.item::<f64>() - 1.0).abs() < 1e-9);
}

#[test]
fn a_held_loss_does_not_hold_earlier_steps() {
    let _turn = turn();
    let x = tensor![[1.0, 2.0], [3.0, -1.0]];
    let nodes_after = |steps: usize| {
        let before = memory::live_nodes();
        let mut w = Parameter::new(tensor![0.3, 0.2]);
        let mut b = Parameter::new(Tensor::scalar(0.1));
        let mut last = None;
        for _ in 0..steps {
            let loss = (x.matmul(&w) + &b).square().mean(..);
            let gradients = loss.backward();
            w -= 0.01 * gradients.of(&w);
            b -= 0.01 * gradients.of(&b);
            last = Some(loss);
        }
        evaluate(&[&w, &b]);
        let nodes = memory::live_nodes() - before;
        drop(last);
        nodes
    };
    assert_eq!(nodes_after(5), nodes_after(50));
}

#[test]
fn untracked_depth_costs_no_memory() {
    let _turn = turn();
    let layer = Linear::new(256, 256);
    let x = Tensor::ones([128, 256]);
    let peak_of = |layers: usize| {
        memory::reset_peak();
        let before = memory::live_bytes();
        untracked(|| (0..layers).fold(x.clone(), |x, _| layer.forward(x).tanh()))
            .sum(..)
            .item::<f32>();
        memory::peak_bytes() - before
    };
    peak_of(2);
    assert_eq!(peak_of(20), peak_of(200));
}
