//! Solutions of equations by any solver, differentiated at the solution.

use chainrule_core::{DType, Tensor, attempt, grad, jacfwd, jacrev, jvp, root, untracked};

fn newton_square_root(p: &Tensor) -> Tensor {
    root(
        |x: &Tensor, p: &Tensor| x * x - p,
        |p| {
            let mut x = p.ones_like();
            while (&x * &x - p).abs().max(..).item::<f64>() > 1e-14 {
                x = (&x + p / &x) * 0.5;
            }
            x
        },
        p,
    )
}

#[test]
fn every_order_and_mode_of_a_square_root() {
    let p = Tensor::from(2.0);
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-10, "{a} is not {b}");
    let root2 = 2f64.sqrt();
    close(newton_square_root(&p).item(), root2);
    close(grad(newton_square_root)(&p).item(), 0.5 / root2);
    close(
        grad(grad(newton_square_root))(&p).item(),
        -0.25 / (2.0 * root2),
    );
    close(
        grad(grad(grad(newton_square_root)))(&p).item(),
        0.375 / (4.0 * root2),
    );
    let one = Tensor::from(1.0);
    close(jvp(newton_square_root, &p, &one).1.item(), 0.5 / root2);
    close(
        jvp(grad(newton_square_root), &p, &one).1.item(),
        -0.25 / (2.0 * root2),
    );
    close(
        grad(|p: &Tensor| jvp(newton_square_root, p, &one).1)(&p).item(),
        -0.25 / (2.0 * root2),
    );
}

/// A ring of `n` unknowns, each tied to its neighbours: x = tanh(a x + b x_left + c x_right + p).
fn step(x: &Tensor, p: &Tensor) -> Tensor {
    (x * 0.3 + x.roll(1, 0) * 0.4 - x.roll(-1, 0) * 0.2 + p).tanh()
}

fn equilibrium(p: &Tensor) -> Tensor {
    root(
        |x: &Tensor, p: &Tensor| step(x, p) - x,
        |p| (0..200).fold(p.zeros_like(), |x, _| step(&x, p)),
        p,
    )
}

#[test]
fn a_thousand_unknowns() {
    let n = 1000;
    let p = Tensor::from((0..n).map(|i| (i as f64 * 0.1).sin()).collect::<Vec<f64>>());
    let loss = |p: &Tensor| equilibrium(p).square().sum(..);
    let gradient = grad(loss)(&p).to_vec::<f64>();
    for probe in [0, 137, 999] {
        let moved = |by: f64| {
            let unit = Tensor::from(vec![probe as i64])
                .one_hot(n)
                .cast(DType::F64)
                .squeeze(0)
                * by;
            untracked(|| loss(&(&p + unit))).item::<f64>()
        };
        let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
        let error = (gradient[probe] - difference).abs();
        assert!(
            error < 1e-8,
            "element {probe}: {} is not {difference}",
            gradient[probe]
        );
    }
    let v = p.cos();
    let forward = jvp(loss, &p, &v).1.item::<f64>();
    let reverse = (Tensor::from(gradient) * v).sum(..).item::<f64>();
    assert!(
        (forward - reverse).abs() < 1e-9 * reverse.abs(),
        "{forward} is not {reverse}"
    );
}

#[test]
fn jacobians_of_fixed_points() {
    let p = Tensor::from(vec![0.2, -0.1, 0.4]);
    let forward = jacfwd(equilibrium)(&p);
    let reverse = jacrev(equilibrium)(&p);
    for (a, b) in forward
        .to_vec::<f64>()
        .into_iter()
        .zip(reverse.to_vec::<f64>())
    {
        assert!((a - b).abs() < 1e-11);
    }
}

#[test]
fn a_singular_equation_is_an_error() {
    let flat =
        |p: &Tensor| root(|x: &Tensor, p: &Tensor| (x - p).square(), Tensor::clone, p).sum(..);
    let error = attempt(|| grad(flat)(&Tensor::from(vec![1.0, 2.0])).to_vec::<f64>())
        .expect_err("singular");
    assert!(error.to_string().contains("must be invertible"), "{error}");
}
