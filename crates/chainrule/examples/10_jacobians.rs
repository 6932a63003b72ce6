//! Whole Jacobians and Hessians, higher orders in one pass, memory for time, and derivatives through a solver.

use chainrule::prelude::*;

fn main() {
    jacobians();
    hessians();
    higher_orders();
    memory_for_time();
    through_a_solver();
}

/// Forward mode makes a column for each input, reverse mode a row for each output, in one batch.
fn jacobians() {
    let w = tensor![[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]];
    let layer = |x: &Tensor| w.matmul(x).tanh();
    let x = tensor![1.0, -1.0, 0.5];
    println!("Jacobian of a layer, [out, in]:\n{:.4}", jacfwd(layer)(&x));
    println!("and by reverse mode:\n{:.4}", jacrev(layer)(&x));

    // Of a loss by a weight matrix it has the matrix' shape; trees in, trees out.
    let loss = |(w, b): &(Tensor, Tensor)| (w.matmul(&x) + b).square().sum(..);
    let (by_w, by_b) = jacrev(loss)(&(w.clone(), tensor![0.0, 1.0]));
    println!("dL/dW {}, dL/db {}", by_w.shape(), by_b.shape());
}

fn hessians() {
    let rosenbrock = |x: &Tensor| {
        let (a, b) = (x.index(0), x.index(1));
        (1.0 - &a).square() + (b - a.square()).square() * 100.0
    };
    let x = Tensor::from(vec![1.0, 1.0]);
    println!("Hessian at the minimum:\n{}", hessian(rosenbrock)(&x));
    let direction = Tensor::from(vec![1.0, 2.0]);
    println!(
        "times a vector, without the matrix: {}",
        hvp(rosenbrock, &x, &direction)
    );
}

/// All derivatives along a line, at a cost that is quadratic in the order.
fn higher_orders() {
    let (value, derivatives) = taylor(Tensor::sin, &Tensor::from(0.0), &Tensor::from(1.0), 7);
    let numbers: Vec<f64> = derivatives
        .iter()
        .map(|derivative| derivative.item())
        .collect();
    println!("sin at 0: {value}, derivatives {numbers:?}");
}

/// A checkpointed function is computed again in the backward pass instead of being remembered.
fn memory_for_time() {
    let block = |x: &Tensor| (0..10).fold(x.clone(), |x, _| x.sin() + 0.1);
    let x = Tensor::full(1 << 16, 0.5);
    let peak = |work: &dyn Fn(&Tensor) -> Tensor| {
        memory::reset_peak();
        let before = memory::live_bytes();
        evaluate(&[&grad(|x: &Tensor| work(x).sum(..))(&x)]);
        (memory::peak_bytes() - before) >> 10
    };
    let plain = peak(&|x| (0..10).fold(x.clone(), |x, _| block(&x)));
    let segments = peak(&|x| (0..10).fold(x.clone(), |x, _| checkpoint(block)(&x)));
    println!("gradient of 100 steps: {plain} KB, with checkpoints {segments} KB");
}

/// The derivative of a solution comes from the equation it solves, whatever the solver did.
fn through_a_solver() {
    // Kepler's equation: E - e sin(E) = M.
    let anomaly = |eccentricity: &Tensor| {
        root(
            |e: &Tensor, eccentricity: &Tensor| e - eccentricity * e.sin() - 1.0,
            |eccentricity| {
                (0..100).fold(eccentricity.ones_like(), |e, _| {
                    eccentricity * e.sin() + 1.0
                })
            },
            eccentricity,
        )
    };
    let eccentricity = Tensor::from(0.3);
    println!(
        "Kepler's E = {:.6}, dE/de = {:.6}, second derivative {:.6}",
        anomaly(&eccentricity).item::<f64>(),
        grad(anomaly)(&eccentricity).item::<f64>(),
        grad(grad(anomaly))(&eccentricity).item::<f64>()
    );
}
