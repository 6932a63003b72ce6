//! Derivatives of derivatives, and the forward direction: transforms nest in any order.

use chainrule::prelude::*;

fn energy(x: &Tensor) -> Tensor {
    (x.square() * x.sin()).sum(..)
}

fn main() {
    // Derivatives of any order of a function of one number.
    let f = |x: &Tensor| x.sin();
    let x = Tensor::from(1.0);
    println!("sin    at 1: {:#}", f(&x));
    println!("sin'   at 1: {:#}", grad(f)(&x));
    println!("sin''  at 1: {:#}", grad(grad(f))(&x));
    println!("sin''' at 1: {:#}", grad(grad(grad(f)))(&x));

    // Forward mode: the value and how it changes along one direction, in one pass.
    let point = Tensor::from(vec![0.5, 1.0, 1.5]);
    let direction = Tensor::from(vec![1.0, 0.0, -1.0]);
    let (value, slope) = jvp(energy, &point, &direction);
    println!("energy {value:#}, slope along the direction {slope:#}");

    // A Hessian times a vector is the slope of the gradient: forward over reverse, no matrix is made.
    let (_, product) = jvp(grad(energy), &point, &direction);
    println!("Hessian times direction: {product:#}");

    // The whole Hessian: the same product for every unit vector at once.
    let column = |unit: &Tensor| jvp(grad(energy), &point, unit).1;
    let hessian = vmap(column)(&Tensor::eye(3).cast(DType::F64));
    println!("Hessian:\n{hessian:#}");

    // Reverse mode for several outputs: pull a weight for each of them back through the function.
    let pair = |x: &Tensor| Tensor::stack(&[x.sum(..), x.square().sum(..)], 0);
    let weights = Tensor::from(vec![1.0, 10.0]);
    let (outputs, pulled) = vjp(pair, &point, |_| weights.clone());
    println!("outputs {outputs:#}, pulled back {pulled:#}");

    // A gradient for each example of a batch, written for one.
    let weight = Tensor::from(vec![0.1, 0.2]);
    let examples = Tensor::from_vec(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [3, 2]);
    let of_one = |example: &Tensor| {
        let example = example.clone();
        grad(move |w: &Tensor| w.dot(&example).square())(&weight)
    };
    println!(
        "a gradient for each example:\n{:#}",
        vmap(of_one)(&examples)
    );
}
