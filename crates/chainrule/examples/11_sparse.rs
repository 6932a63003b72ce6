//! Sparse derivatives: where a Jacobian can have entries, and all of them from a few products.

use chainrule::prelude::*;

fn main() {
    // Each output of a ReLU layer depends on its own input only, so one product finds the whole Jacobian.
    let x = tensor![1.0, -2.0, 3.0, -4.0];
    let relu = sparse_jacobian(|x: &Tensor| x.relu(), &x);
    println!(
        "ReLU, {} product:\n{}",
        relu.colouring().count(),
        relu.pattern()
    );

    // Each output of a linear layer is affected by the corresponding row of weights.
    let input = tensor![1.0, 2.0, 3.0];
    let linear = |w: &Tensor| w.matmul(&input);
    println!(
        "a linear layer by its weights:\n{}",
        sparsity(linear, &Tensor::zeros([2, 3]))
    );

    // A residual of neighbours: the Jacobian is banded, and its colours are as many as the band is wide.
    let heat = |u: &Tensor| {
        let inner = u.narrow(0, 1, 8);
        let (left, right) = (u.narrow(0, 0, 8), u.narrow(0, 2, 8));
        left - &inner * 2.0 + right + inner.square()
    };
    let u = Tensor::from((0..10).map(|i| f64::from(i) * 0.1).collect::<Vec<f64>>());
    let jacobian = sparse_jacobian(heat, &u);
    println!(
        "heat equation, {} colours for {} entries:\n{}",
        jacobian.colouring().count(),
        jacobian.pattern().entries(),
        jacobian.pattern()
    );
    let (rows, columns, values) = jacobian.coo();
    println!(
        "first entries: rows {}, columns {}, values {}",
        rows.narrow(0, 0, 3),
        columns.narrow(0, 0, 3),
        values.narrow(0, 0, 3)
    );

    // A Hessian whose variables meet their neighbours only.
    let chain = |x: &Tensor| {
        (x.narrow(0, 1, 9) - x.narrow(0, 0, 9).square())
            .square()
            .sum(..)
    };
    let hessian = sparse_hessian(chain, &u);
    println!(
        "a chain's Hessian, {} products:\n{}",
        hessian.colouring().count(),
        hessian.pattern()
    );
}
