//! A training loop by hand, twice: with plain tensors and `value_and_grad`, and with `Parameter` and `backward`.
//!
//! Both run at constant memory for as long as one likes, without `detach`, `zero_grad` or `clone`.

use chainrule::prelude::*;

/// 200 noisy points of y = 2 x₀ - 3 x₁ + 1.
fn points() -> (Tensor, Tensor) {
    let generator = Generator::new(7);
    let x = generator.uniform([200, 2], -1.0, 1.0);
    let y = x.matmul(tensor![2.0, -3.0]) + 1.0 + generator.normal([200], 0.0, 0.05);
    (x, y)
}

fn main() {
    let (x, y) = points();
    let learning_rate = 0.2;

    // Functional: the weights are a tuple of tensors, and so are their gradients.
    let mut weights = (Tensor::zeros([2]), Tensor::scalar(0.0));
    let mut last = Tensor::scalar(0.0);
    for _ in 0..200 {
        let error = |(w, b): &(Tensor, Tensor)| (x.matmul(w) + b - &y).square().mean(..);
        let (loss, (dw, db)) = value_and_grad(error)(&weights);
        weights = (
            weights.0 - learning_rate * dw,
            weights.1 - learning_rate * db,
        );
        last = loss;
    }
    println!(
        "value_and_grad: w {:#}, b {:#}, loss {last:#}",
        weights.0, weights.1
    );

    // The PyTorch habit: assigning to a parameter ends its history.
    let mut w = Parameter::new(Tensor::zeros([2]));
    let mut b = Parameter::new(Tensor::scalar(0.0));
    for _ in 0..200 {
        let loss = (x.matmul(&w) + &b - &y).square().mean(..);
        let gradients = loss.backward();
        w -= learning_rate * gradients.of(&w);
        b -= learning_rate * gradients.of(&b);
        last = loss;
    }
    println!("backward:       w {w:#}, b {b:#}, loss {last:#}");
    println!(
        "nodes alive: {}, bytes alive: {}",
        memory::live_nodes(),
        memory::live_bytes()
    );
}
