//! Linear algebra against its defining equations and PyTorch 2's numbers.

use chainrule_core::{MatrixNorm, Tensor, attempt, evaluate, grad, tensor, vmap};

fn matrix() -> Tensor {
    let elements: Vec<f64> = (1..=9).map(|i| (f64::from(i * i) * 1.7).sin()).collect();
    Tensor::from_vec(elements, [3, 3])
}

#[track_caller]
fn same(actual: &Tensor, expected: &Tensor) {
    assert_eq!(actual.shape(), expected.shape());
    let error = (actual - expected).abs().max(..).item::<f64>();
    assert!(error < 1e-12, "{error}: {actual} against {expected}");
}

#[test]
fn solutions_solve() {
    let (a, b) = (
        matrix(),
        Tensor::from_vec(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [3, 2]),
    );
    same(&a.matmul(a.solve(&b)), &b);
    same(&a.solve(&b), &a.inv().matmul(&b));
    let vector = b.index((.., 0));
    same(&a.matmul(a.solve(&vector)), &vector);
}

#[track_caller]
fn near(actual: &Tensor, expected: &[f64]) {
    let actual = actual.to_vec::<f64>();
    let equal = |(a, e): (&f64, &f64)| (a - e).abs() < 1e-11 * e.abs().max(1.0);
    assert!(
        actual.len() == expected.len() && actual.iter().zip(expected).all(equal),
        "{actual:?}"
    );
}

fn positive() -> Tensor {
    matrix().matmul(matrix().t()) + Tensor::eye(3).cast(chainrule_core::DType::F64)
}

#[test]
fn numbers_of_matrices() {
    let a = matrix();
    near(&a.det(), &[1.846194414891]);
    near(&a.slogdet().0, &[1.0]);
    near(&a.slogdet().1, &[0.613126447378]);
    near(
        &a.svd().1,
        &[1.815436741798, 1.591612474823, 0.638938382072],
    );
    near(
        &a.eigh().0,
        &[-1.307159444418, -0.632262789831, 1.429400974563],
    );
    near(&a.matrix_norm(MatrixNorm::Spectral), &[1.815436741798]);
    let exponential = [
        44.779123344631,
        11.156306968002,
        3.712306198843,
        5.24745497042,
        1.239673788543,
        0.36810692268,
        27.536053282765,
        6.892593453821,
        2.243244734792,
    ];
    near(&(&a * 3.0).matrix_exp(), &exponential);
    near(
        &a.narrow(0, 0, 2).narrow(1, 0, 1).kron(&a.index((0, ..2))),
        &[
            0.98339909629,
            0.489994822699,
            0.871944154018,
            0.434460559058,
        ],
    );
}

#[test]
fn factors_multiply_to_the_matrix() {
    let l = positive().cholesky();
    let expected = [
        1.54432839203,
        0.0,
        0.0,
        -0.010513812486,
        1.939452397574,
        0.0,
        0.80429853356,
        0.247425054089,
        1.543577492695,
    ];
    near(&l, &expected);
    let ones = Tensor::ones([3, 1]).cast(l.dtype());
    near(
        &l.cholesky_solve(&ones),
        &[0.34432187146, 0.248882687508, 0.147210681005],
    );
    let (q, r) = matrix().qr();
    near(
        &r.index(0),
        &[-1.659589594048, -0.318279032737, 0.596064939779],
    );
    same(&q.matmul(&r), &matrix());
    for a in [
        matrix().narrow(0, 0, 2),
        matrix().narrow(1, 0, 2),
        &matrix() * 0.0,
    ] {
        let (q, r) = a.qr();
        same(&q.matmul(&r), &a);
        let (u, s, vt) = a.svd();
        same(&(&u * s.unsqueeze(-2)).matmul(&vt), &a);
        let identity = Tensor::eye(s.elements()).cast(a.dtype());
        same(&u.t().matmul(&u), &identity);
        same(&vt.matmul(vt.t()), &identity);
    }
    let (values, vectors) = positive().eigh();
    same(
        &(&vectors * values.unsqueeze(-2)).matmul(vectors.t()),
        &positive(),
    );
}

#[test]
fn least_squares_by_the_pseudoinverse() {
    let tall = matrix().narrow(1, 0, 2);
    let expected = [
        0.330499117328,
        0.432490197557,
        0.292312481063,
        0.15408892635,
        -0.590496569587,
        0.366822052514,
    ];
    near(&tall.pinv(None), &expected);
    let ones = Tensor::ones([3, 1]).cast(tall.dtype());
    near(&tall.lstsq(&ones), &[1.055301795948, -0.069585590723]);
}

#[test]
fn derivatives_of_composed_functions_agree_with_finite_differences() {
    let functions: [fn(&Tensor) -> Tensor; 7] = [
        |a| {
            a.matmul(a.t())
                .cholesky()
                .solve_triangular(&a.index(0), false, false)
                .sum(..)
        },
        |a| a.qr().1.square().sum(..) + a.narrow(0, 0, 2).qr().1.sum(..),
        |a| a.matrix_power(-3).sum(..),
        |a| a.matrix_norm(MatrixNorm::Nuclear) + a.matrix_norm(MatrixNorm::Rows),
        |a| a.kron(a).tensordot(a, &[], &[]).square().sum(..).sqrt(),
        |a| a.eigh().0.index(0) * a.logdet(),
        |a| a.narrow(1, 0, 2).pinv(None).square().sum(..),
    ];
    for (number, f) in functions.into_iter().enumerate() {
        // A directional derivative of the gradient, so that first and second order are seen.
        let slope = |x: &Tensor| grad(f)(x).square().sum(..);
        let second = grad(slope)(&matrix()).to_vec::<f64>();
        let first = grad(f)(&matrix()).to_vec::<f64>();
        let x = matrix().to_vec::<f64>();
        for place in [0, 5, 7] {
            let moved = |step: f64| {
                let mut x = x.clone();
                x[place] += step;
                Tensor::from_vec(x, [3, 3])
            };
            let (up, down) = (moved(1e-6), moved(-1e-6));
            let difference = (f(&up).item::<f64>() - f(&down).item::<f64>()) / 2e-6;
            let scale = difference.abs().max(1.0);
            assert!(
                (first[place] - difference).abs() < 1e-6 * scale,
                "function {number}, {place}"
            );
            let difference = (slope(&up).item::<f64>() - slope(&down).item::<f64>()) / 2e-6;
            let scale = difference.abs().max(1.0);
            assert!(
                (second[place] - difference).abs() < 1e-6 * scale,
                "second {number}, {place}"
            );
        }
    }
}

#[test]
fn batches_and_single_precision() {
    let stack = Tensor::stack(&[matrix(), positive()], 0);
    let inverses = vmap(|a: &Tensor| a.inv())(&stack);
    same(&inverses, &stack.inv());
    same(&stack.solve(&Tensor::eye(3).cast(stack.dtype())), &inverses);
    let single = matrix().cast(chainrule_core::DType::F32);
    assert_eq!(single.det().dtype(), chainrule_core::DType::F32);
    assert!((single.det().item::<f32>() - 1.846_194_4).abs() < 1e-5);
    assert_eq!(stack.matrix_rank(None).to_vec::<i64>(), [3, 3]);
}

#[test]
fn what_cannot_be_done_is_said() {
    let singular = tensor![[1.0, 2.0], [2.0, 4.0]];
    let message = |run: &dyn Fn() -> Tensor| {
        attempt(|| evaluate(&[&run()]))
            .unwrap_err()
            .message()
            .to_owned()
    };
    let text = message(&|| singular.inv());
    assert!(text.contains("solve: the matrix is singular"), "{text}");
    let text = message(&|| (-&singular).cholesky());
    assert!(
        text.contains("cholesky: the matrix is not positive definite"),
        "{text}"
    );
    let text = message(&|| Tensor::zeros([2, 3]).det());
    assert!(
        text.starts_with("det: the matrix must be square, not 2×3"),
        "{text}"
    );
    let text = message(&|| singular.solve(&Tensor::zeros([3, 1])));
    assert!(
        text.starts_with("solve: the right side has 3 rows, the matrix 2"),
        "{text}"
    );
    let text = message(&|| tensor![1.0].qr().0);
    assert!(text.starts_with("qr: there are no two axes"), "{text}");
}
