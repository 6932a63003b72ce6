//! Gradients of tensors that are used many times: their cotangents are summed in one operation.

use chainrule_core::{Tensor, evaluate, grad, jacfwd, memory};

fn numbers(shape: [usize; 2]) -> Tensor {
    Tensor::from(
        (0..shape[0] * shape[1])
            .map(|i| (i as f64 * 0.7).sin())
            .collect::<Vec<f64>>(),
    )
    .reshape(shape.map(|extent| extent as isize))
}

/// Reverse mode, where sums are made, against forward mode, where there are none.
fn check(f: impl Fn(&Tensor) -> Tensor, at: &Tensor) {
    let (reverse, forward) = (grad(&f)(at), jacfwd(&f)(at));
    let difference = (reverse - forward).abs().max(..).item::<f64>();
    assert!(difference < 1e-12, "{difference}");
}

#[test]
fn slices_side_by_side() {
    check(
        |x| {
            x.unbind(0)
                .iter()
                .map(|row| row.square().sum(..))
                .reduce(|sum, row| sum + row * 2.0)
                .unwrap()
        },
        &numbers([6, 3]),
    );
    check(
        |x| {
            let parts = x.chunk(3, 1);
            (&parts[0] * &parts[1]).sum(..) + (&parts[2] * &parts[0]).sum(..)
        },
        &numbers([4, 6]),
    );
}

#[test]
fn slices_that_overlap_or_leave_gaps() {
    check(
        |x| {
            let windows =
                (0..5).map(|start| x.narrow(0, start, 3).square().sum(..) * (start as f64 + 1.0));
            windows.reduce(|sum, window| sum + window).unwrap()
        },
        &numbers([7, 2]),
    );
    check(
        |x| {
            let corners = [(0, 0), (0, 3), (3, 0), (3, 3)]
                .map(|(row, column)| x.narrow(0, row, 2).narrow(1, column, 2));
            (&corners[0] * &corners[1] * &corners[2]).sum(..)
                + x.flip(0).narrow(0, 1, 2).square().sum(..)
                + x.sum(..)
        },
        &numbers([6, 6]),
    );
}

#[test]
fn a_weight_used_at_every_step() {
    let x = numbers([12, 4]);
    let recurrent = |weight: &Tensor| {
        let mut hidden = Tensor::zeros([2, 8]).cast(chainrule_core::DType::F64);
        for step in x.split(2, 0) {
            hidden = (hidden.matmul(weight) + Tensor::concat(&[&step, &step], 1)).tanh();
        }
        hidden.sum(..)
    };
    check(recurrent, &(numbers([8, 8]) * 0.3));
    // Wide factors are not joined: adding the products is cheaper.
    check(
        |weight| {
            (numbers([50, 3]).matmul(weight).tanh() * numbers([50, 3]).matmul(weight.square()))
                .sum(..)
        },
        &numbers([3, 2]),
    );
}

#[test]
fn second_derivatives_pass_through_sums() {
    let f = |x: &Tensor| {
        x.unbind(0)
            .into_iter()
            .reduce(|product, row| product * row)
            .unwrap()
            .sum(..)
    };
    let x = numbers([5, 2]);
    let reverse = chainrule_core::jacrev(grad(f))(&x);
    let forward = jacfwd(grad(f))(&x);
    assert!((reverse - forward).abs().max(..).item::<f64>() < 1e-12);
}

#[test]
fn the_gradient_of_a_sequence_takes_the_memory_of_a_sequence() {
    let x = Tensor::ones([400, 1000]);
    evaluate(&[&x]);
    let sines = |x: &Tensor| {
        let rows = x.unbind(0);
        let sum = rows.iter().map(Tensor::sin).reduce(|sum, row| sum + row);
        sum.expect("there are rows").sum(..)
    };
    memory::reset_peak();
    let before = memory::peak_bytes();
    evaluate(&[&grad(sines)(&x)]);
    // Each of the 400 cotangents at full size would be 640 MB.
    assert!(
        memory::peak_bytes() - before < 20_000_000,
        "{}",
        memory::peak_bytes() - before
    );
}
