//! A gate of one's own: forward and backward written by hand.
//!
//! Needed rarely, since any tensor code has its derivatives already; useful where the derivative has a better form than
//! the one that follows from the code, or where another one is wanted.

use chainrule::prelude::*;

/// The lecture's gate: it multiplies, and its backward switches the inputs.
struct MultiplyGate;

impl Gate for MultiplyGate {
    fn name(&self) -> &'static str {
        "multiply_gate"
    }
    fn forward(&self, inputs: &[Tensor]) -> Tensor {
        &inputs[0] * &inputs[1]
    }
    fn backward(&self, x: &[Tensor], _y: &Tensor, dz: &Tensor) -> Vec<Option<Tensor>> {
        vec![Some(&x[1] * dz), Some(&x[0] * dz)]
    }
}

/// Rounds, and lets the gradient pass as if it had not: the straight-through estimator (Bengio and others 2013).
struct RoundStraightThrough;

impl Gate for RoundStraightThrough {
    fn name(&self) -> &'static str {
        "round_straight_through"
    }
    fn forward(&self, inputs: &[Tensor]) -> Tensor {
        inputs[0].round()
    }
    fn backward(&self, _x: &[Tensor], _y: &Tensor, dz: &Tensor) -> Vec<Option<Tensor>> {
        vec![Some(dz.clone())]
    }
}

fn main() {
    let (x, y) = (Tensor::from(3.0), Tensor::from(-4.0));
    let gate = |(x, y): &(Tensor, Tensor)| Tensor::custom(MultiplyGate, &[x, y]);
    let (product, (by_x, by_y)) = value_and_grad(gate)(&(x.clone(), y.clone()));
    println!("x y = {product:#}, by x {by_x:#}, by y {by_y:#}");

    // The backward is tensor code, so the gate has derivatives of every order, and the forward direction too.
    let square = |x: &Tensor| Tensor::custom(MultiplyGate, &[x, x]);
    println!("second derivative of x x: {:#}", grad(grad(square))(&x));
    println!("forward mode: {:#}", jvp(square, &x, &Tensor::from(1.0)).1);

    // Quantised weights that still learn: find integers w with w . input = 7.
    let input = tensor![1.0, 2.0, 0.5];
    let mut w = tensor![0.2, 0.3, 0.1];
    let output = |w: &Tensor| Tensor::custom(RoundStraightThrough, &[w]).dot(&input);
    for _ in 0..20 {
        let error = |w: &Tensor| (output(w) - 7.0).square();
        w -= grad(error)(&w) * 0.05;
    }
    println!("rounded weights {:#} give {:#}", w.round(), output(&w));
}
