//! The PyTorch habit: mark what to differentiate by, compute, and call `backward`.
//!
//! Gradients come back as a value of their own, for leaves and intermediate results alike. Nothing accumulates in the
//! tensors, so nothing has to be zeroed.

use chainrule::prelude::*;

fn main() {
    // f(x, y, z) = (x + y) z, the first circuit of every lecture on backpropagation.
    let x = Tensor::from(-2.0).tracked();
    let y = Tensor::from(5.0).tracked();
    let z = Tensor::from(-4.0).tracked();
    let q = &x + &y;
    let f = &q * &z;
    let gradients = f.backward();
    println!("f = {f:#}");
    for (name, tensor) in [("x", &x), ("y", &y), ("z", &z), ("q = x + y", &q)] {
        println!("df/d({name}) = {:#}", gradients.of(tensor));
    }

    // Backward, more computation on the same tensors, backward again.
    let g = (&f * 0.1).tanh() + &x;
    println!("dg/dx = {:#}", g.backward().of(&x));

    // A result with several elements needs a weight for each: here all ones, which is the gradient of the sum.
    let weight = tensor![[0.1, 0.5], [-0.3, 0.8]].tracked();
    let hidden = weight.matmul(tensor![0.2, 0.4]).tanh();
    let gradients = hidden.backward_with(hidden.ones_like());
    println!("d(sum of hidden)/d(weight) =\n{:#}", gradients.of(&weight));

    // What the result does not depend on has an absent gradient: it reads as zeros, and says so.
    let unused = Tensor::from(1.0).tracked();
    let gradient = f.backward().of(&unused);
    println!("unused: {gradient:#}, absent: {}", gradient.is_absent());
}
