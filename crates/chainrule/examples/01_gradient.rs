//! The gradient of a function, and the direction in which it climbs.
//!
//! A function over tensors is ordinary Rust; `grad` turns it into the function that computes its gradient.

use chainrule::prelude::*;

/// Rosenbrock's valley: a long, curved, flat-floored valley with its lowest point, 0, at (1, 1).
fn valley(point: &Tensor) -> Tensor {
    let (x, y) = (point.narrow(0, 0, 1), point.narrow(0, 1, 1));
    ((1.0 - &x).square() + 100.0 * (y - x.square()).square()).sum(..)
}

fn main() {
    let point = Tensor::from(vec![-1.2, 1.0]);
    println!("f{point:#} = {:#}", valley(&point));
    println!("its gradient there: {:#}", grad(valley)(&point));

    // Value and gradient together cost one forward pass.
    let (value, gradient) = value_and_grad(valley)(&point);
    let step = &point - &gradient * 1e-3;
    println!("one step downhill: from {value:#} to {:#}", valley(&step));

    // The gradient agrees with finite differences, the definition of the derivative.
    let h = 1e-6;
    for axis in 0..2i64 {
        let shift = Tensor::arange(2).eq(axis as i32).cast(DType::F64) * h;
        let slope = (valley(&(&point + &shift)) - valley(&(&point - &shift))) / (2.0 * h);
        println!("finite difference along axis {axis}: {slope:#}");
    }

    // A number is a tensor without axes, and a method is a function as well.
    let x = Tensor::from(0.5);
    println!(
        "sin'({x:#}) = {:#}, cos({x:#}) = {:#}",
        grad(Tensor::sin)(&x),
        x.cos()
    );
}
