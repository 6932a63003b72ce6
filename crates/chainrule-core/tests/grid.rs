//! The Jacobian of a discretised partial differential equation: 65,536 unknowns, never a dense matrix.

use chainrule_core::{DType, Tensor, evaluate, jvp, memory, sparse_jacobian};

/// -Δu + u³ on a square grid with zero boundary values, by five-point differences.
fn residual(u: &Tensor, size: isize) -> Tensor {
    let u = u.reshape([size, size]);
    let row = Tensor::zeros([1, size as usize]).cast(DType::F64);
    let column = Tensor::zeros([size as usize, 1]).cast(DType::F64);
    let inner = size as usize - 1;
    let up = Tensor::concat(&[&u.narrow(0, 1, inner), &row], 0);
    let down = Tensor::concat(&[&row, &u.narrow(0, 0, inner)], 0);
    let left = Tensor::concat(&[&u.narrow(1, 1, inner), &column], 1);
    let right = Tensor::concat(&[&column, &u.narrow(1, 0, inner)], 1);
    &u * 4.0 - up - down - left - right + &u * &u * &u
}

#[test]
fn a_grid_of_256_by_256() {
    let size = 256;
    let count = (size * size) as usize;
    let u = Tensor::from(
        (0..count)
            .map(|i| (i as f64 * 0.01).sin())
            .collect::<Vec<f64>>(),
    );
    memory::reset_peak();
    let start = std::time::Instant::now();
    let jacobian = sparse_jacobian(|u: &Tensor| residual(u, size), &u);
    evaluate(&[jacobian.values()]);
    println!(
        "{jacobian:?}: {:?}, tensors at most {} MB",
        start.elapsed(),
        memory::peak_bytes() >> 20
    );
    assert_eq!(jacobian.pattern().entries(), 5 * count - 4 * size as usize);
    assert_eq!(jacobian.colouring().count(), 5);
    let v = u.cos();
    let expected = jvp(|u: &Tensor| residual(u, size), &u, &v)
        .1
        .to_vec::<f64>();
    let product = jacobian.matvec(&v).to_vec::<f64>();
    for (a, b) in product.iter().zip(&expected) {
        assert!((a - b).abs() < 1e-12, "{a} is not {b}");
    }
}
