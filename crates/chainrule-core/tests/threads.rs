//! Graphs shared between threads: recorded, differentiated, evaluated and dropped by several at once.

use chainrule_core::{Tensor, evaluate, value_and_grad};
use std::sync::Barrier;
use std::thread;

const THREADS: usize = 4;

/// Runs `work` on several threads that start together.
fn together(work: impl Fn(usize) + Sync) {
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (start, work) = (&start, &work);
            scope.spawn(move || {
                start.wait();
                work(number);
            });
        }
    });
}

#[test]
fn one_pending_graph_evaluated_by_all() {
    for round in 0..200 {
        let x = Tensor::from(1.0 + f64::from(round));
        let chain: Vec<Tensor> = (0..60)
            .scan(x, |y, _| {
                *y = &*y * 0.5 + 1.0;
                Some(y.clone())
            })
            .collect();
        let expected = |length: i32| 2.0 + (f64::from(round) - 1.0) * 0.5f64.powi(length);
        together(|number| {
            let reached = 60 - 7 * number;
            let value = chain[reached - 1].item::<f64>();
            assert!((value - expected(reached as i32)).abs() < 1e-12);
        });
        assert!((chain[20].item::<f64>() - expected(21)).abs() < 1e-12);
    }
}

#[test]
fn one_tracked_graph_differentiated_by_all() {
    for _ in 0..100 {
        let w = Tensor::from(vec![0.3, 0.2]).tracked();
        let hidden = (0..20).fold(w.clone(), |y, _| y.sin());
        let loss = (&hidden * &hidden).sum(..);
        let (mut y, mut slope) = (0.3f64, 1.0);
        for _ in 0..20 {
            (y, slope) = (y.sin(), slope * y.cos());
        }
        together(|number| {
            if number % 2 == 0 {
                loss.item::<f64>();
            }
            let gradient = loss.backward().of(&w);
            evaluate(&[&gradient, &hidden]);
            assert!((gradient.to_vec::<f64>()[0] - 2.0 * y * slope).abs() < 1e-12);
        });
    }
}

#[test]
fn transforms_of_a_captured_graph() {
    for _ in 0..100 {
        let shared = (0..20).fold(Tensor::from(0.4), |y, _| y.cos());
        let value = (0..20).fold(0.4f64, |y, _| y.cos());
        together(|number| {
            let at = Tensor::from(number as f64);
            let (product, slope) = value_and_grad(|x: &Tensor| x * x * &shared)(&at);
            assert!((slope.item::<f64>() - 2.0 * number as f64 * value).abs() < 1e-12);
            assert!((product.item::<f64>() - (number * number) as f64 * value).abs() < 1e-12);
        });
    }
}
