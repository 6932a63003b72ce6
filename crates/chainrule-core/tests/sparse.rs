//! Sparsity patterns, colourings and compressed derivatives, against dense ones.

use chainrule_core::{
    Colouring, Compression, DType, Directions, Pattern, Tensor, attempt, grad, hessian,
    hessian_sparsity, jacfwd, sparse_hessian, sparse_jacobian, sparsity, sparsity_along_path,
    sparsity_at,
};

fn ramp(shape: &[isize]) -> Tensor {
    let count = shape.iter().product::<isize>();
    let values: Vec<f64> = (0..count).map(|i| (i as f64 * 0.37 + 0.2).sin()).collect();
    Tensor::from(values).reshape(shape.to_vec())
}

#[track_caller]
fn assert_close(actual: &Tensor, expected: &Tensor) {
    assert_eq!(actual.shape(), expected.shape());
    for (a, b) in actual
        .to_vec::<f64>()
        .into_iter()
        .zip(expected.to_vec::<f64>())
    {
        assert!((a - b).abs() <= 1e-11 * b.abs().max(1.0), "{a} is not {b}");
    }
}

/// The pattern covers the dense Jacobian, is equal to it if `tight`, and the compressed Jacobian is the dense one.
#[track_caller]
fn agrees(f: impl Fn(&Tensor) -> Tensor, x: &Tensor, tight: bool) {
    let dense = jacfwd(&f)(x);
    let [rows, columns] = [f(x).elements(), x.elements()];
    let flat = dense.reshape([rows as isize, columns as isize]);
    let values = flat.to_vec::<f64>();
    let pattern = sparsity(&f, x);
    assert_eq!(pattern.shape(), [rows, columns]);
    for row in 0..rows {
        for column in 0..columns {
            let nonzero = values[row * columns + column] != 0.0;
            let listed = pattern.contains(row, column);
            assert!(listed || !nonzero, "({row}, {column}) is missed");
            assert!(
                !tight || listed == nonzero,
                "({row}, {column}) is listed for nothing"
            );
        }
    }
    let sparse = sparse_jacobian(&f, x);
    assert_close(&sparse.to_dense(), &flat);
    for colouring in [
        Colouring::columns(&pattern),
        Colouring::rows(&pattern),
        Colouring::both(&pattern),
    ] {
        let directions = colouring.directions();
        let sparse = Compression::new(pattern.clone(), colouring).jacobian(&f, x);
        assert_close(&sparse.to_dense(), &flat);
        assert_eq!(sparse.colouring().directions(), directions);
    }
}

#[test]
fn structured_operations_are_tight() {
    let x = ramp(&[12]);
    agrees(|x| x.sin() * x, &x, true);
    agrees(|x| x.narrow(0, 1, 11) * x.narrow(0, 0, 11), &x, true);
    agrees(|x| x.reshape([3, 4]).sum(1), &x, true);
    agrees(|x| x.reshape([3, 4]).transpose(0, 1).exp(), &x, true);
    agrees(|x| x.cumsum(0), &x, true);
    agrees(
        |x| x.index_select(0, &Tensor::from(vec![3i64, 3, 0])),
        &x,
        true,
    );
    agrees(
        |x| {
            x.zeros_like()
                .scatter_add(0, &Tensor::from(vec![1i64, 1, 5]), &x.narrow(0, 0, 3))
        },
        &x,
        true,
    );
    agrees(
        |x| Tensor::concat(&[&x.flip(0), &(x * 2.0).roll(1, 0)], 0),
        &x,
        true,
    );
    agrees(|x| padded(x, 2, 1), &x, true);
    let kernel = Tensor::from(vec![1.0, 0.0, -2.0]).reshape([1, 1, 3]);
    agrees(
        |x| x.reshape([1, 1, 12]).conv1d(&kernel, Default::default()),
        &x,
        true,
    );
    let w = ramp(&[5, 12]) * Tensor::from(vec![0.0, 1.0]).expand([6, 2]).reshape([12]);
    agrees(|x| w.matmul(x), &x, true);
    agrees(|x| x.reshape([3, 4]).matmul(x.reshape([4, 3])), &x, true);
    agrees(
        |x| Tensor::einsum("ij,jk->i", &[&x.reshape([3, 4]), &ramp(&[4, 2])]),
        &x,
        true,
    );
}

fn padded(x: &Tensor, before: usize, after: usize) -> Tensor {
    let zeros = |count: usize| Tensor::zeros([count]).cast(DType::F64);
    Tensor::concat(&[&zeros(before), x, &zeros(after)], 0)
}

#[test]
fn nothing_is_missed_where_values_choose() {
    let x = ramp(&[12]);
    agrees(|x| x.relu(), &x, false);
    agrees(|x| x.reshape([3, 4]).max(1), &x, false);
    agrees(|x| x.sort(0, false).0, &x, false);
    agrees(|x| x.gt(0.1).where_(x.exp(), x.roll(1, 0)), &x, false);
    agrees(|x| x.reshape([3, 4]).softmax(1), &x, true);
    agrees(|x| x.reshape([3, 4]).cumprod(1), &x, true);
    agrees(|x| x.reshape([3, 4]).layer_norm(None, None, 1e-5), &x, true);
    let global = sparsity(|x: &Tensor| x.gt(0.1).where_(x.exp(), x.roll(1, 0)), &x);
    let local = sparsity_at(|x: &Tensor| x.gt(0.1).where_(x.exp(), x.roll(1, 0)), &x);
    assert_eq!(global.entries(), 24);
    assert_eq!(local.entries(), 12);
    // Each row of the maximum may choose its own four elements only.
    assert_eq!(
        sparsity(|x: &Tensor| x.reshape([3, 4]).max(1), &x).entries(),
        12
    );
    assert_eq!(
        sparsity_at(|x: &Tensor| x.reshape([3, 4]).max(1), &x).entries(),
        3
    );
}

#[test]
fn trees_are_laid_side_by_side() {
    let f = |(w, x): &(Tensor, Tensor)| (w.matmul(x), x.square());
    let at = (ramp(&[2, 3]), ramp(&[3]));
    let pattern = sparsity(f, &at);
    assert_eq!(pattern.shape(), [5, 9]);
    assert_eq!(
        pattern.to_string(),
        "×××···×××\n···××××××\n······×··\n·······×·\n········×\n"
    );
    let sparse = sparse_jacobian(f, &at).to_dense();
    let ((ww, wx), (_, xx)) = jacfwd(f)(&at);
    let top = Tensor::concat(&[&ww.reshape([2, 6]), &wx], 1);
    assert_close(&sparse.narrow(0, 0, 2), &top);
    assert_close(&sparse.narrow(0, 2, 3).narrow(1, 6, 3), &xx);
}

#[test]
fn the_lectures_sparse_jacobians() {
    // A ReLU layer: only diagonal values can be other than zero, so one product finds them all.
    let x = ramp(&[50]);
    let relu = sparse_jacobian(|x: &Tensor| x.relu(), &x);
    assert_eq!(relu.colouring().count(), 1);
    assert_eq!(relu.pattern().entries(), 50);
    // A linear layer by its weights: each output is affected by the corresponding row only.
    let input = ramp(&[6]);
    let layer = sparse_jacobian(|w: &Tensor| w.matmul(&input), &ramp(&[4, 6]));
    assert_eq!(layer.pattern().row(1), [6, 7, 8, 9, 10, 11]);
    assert_eq!(layer.colouring().directions(), Directions::Rows);
    assert_eq!(layer.colouring().count(), 1);
}

#[test]
fn hessians_of_local_functions() {
    let x = ramp(&[20]);
    let chain = |x: &Tensor| {
        let (left, right) = (x.narrow(0, 0, 19), x.narrow(0, 1, 19));
        ((&right - left.square()).square() * 100.0 + (1.0 - &left).square()).sum(..)
    };
    let sparse = sparse_hessian(chain, &x);
    assert_eq!(sparse.colouring().count(), 3);
    assert_close(&sparse.to_dense(), &hessian(chain)(&x));
    let flat = |x: &Tensor| (x.relu() + x.abs()).sum(..);
    assert_eq!(hessian_sparsity(flat, &x).entries(), 0);
    let arrow = |x: &Tensor| (x * x.narrow(0, 0, 1)).sin().sum(..);
    let sparse = sparse_hessian(arrow, &x);
    assert_eq!(sparse.colouring().count(), 2);
    assert_close(&sparse.to_dense(), &hessian(arrow)(&x));
}

/// Neighbours on a grid by a stencil of offsets.
fn grid(size: i64, stencil: &[(i64, i64)]) -> Pattern {
    let rows = (0..size * size).map(|cell| {
        let (row, column) = (cell / size, cell % size);
        let inside = move |&(down, right): &(i64, i64)| {
            let (row, column) = (row + down, column + right);
            let fits = (0..size).contains(&row) && (0..size).contains(&column);
            fits.then_some((row * size + column) as u32)
        };
        stencil.iter().filter_map(inside).collect::<Vec<u32>>()
    });
    Pattern::from_rows((size * size) as usize, rows)
}

#[test]
fn known_numbers_of_colours() {
    let five = grid(20, &[(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)]);
    let nine: Vec<(i64, i64)> = (0..9).map(|i| (i / 3 - 1, i % 3 - 1)).collect();
    let nine = grid(20, &nine);
    assert_eq!(Colouring::columns(&nine).count(), 9);
    assert_eq!(Colouring::columns(&five).count(), 5);
    let banded = |below: i64, above: i64| {
        let row = |row: i64| {
            (row - below..=row + above)
                .filter(|column| (0..40).contains(column))
                .map(|column| column as u32)
        };
        Pattern::from_rows(40, (0..40).map(row))
    };
    assert_eq!(Colouring::columns(&banded(1, 1)).count(), 3);
    assert_eq!(Colouring::columns(&banded(2, 3)).count(), 6);
    assert_eq!(Colouring::symmetric(&banded(1, 1)).count(), 3);
    let arrow = Pattern::from_rows(
        30,
        (0..30u32).map(|row| {
            if row == 0 {
                (0..30).collect()
            } else {
                vec![0, row]
            }
        }),
    );
    assert_eq!(Colouring::columns(&arrow).count(), 30);
    assert_eq!(Colouring::rows(&arrow).count(), 30);
    assert_eq!(Colouring::symmetric(&arrow).count(), 2);
    let both = Colouring::fewest(&arrow);
    assert_eq!((both.directions(), both.count()), (Directions::Both, 3));
}

#[test]
fn a_path_that_depends_on_values_is_refused() {
    let f = |x: &Tensor| match x.sum(..).item::<f64>() > 0.0 {
        true => x.square(),
        false => x.flip(0),
    };
    let x = ramp(&[4]);
    let text = attempt(|| sparsity(f, &x))
        .expect_err("refused")
        .to_string();
    assert!(
        text.contains("`sum` made at") && text.contains("sparsity_along_path"),
        "{text}"
    );
    assert_eq!(sparsity_along_path(f, &x).entries(), 4);
    assert_eq!(sparsity_at(f, &x).entries(), 4);
}

#[test]
fn sparse_values_can_be_differentiated() {
    let x = ramp(&[6]);
    let f = |x: &Tensor| x.narrow(0, 1, 5) * x.narrow(0, 0, 5).square();
    let through = grad(|x: &Tensor| sparse_jacobian(f, x).values().square().sum(..))(&x);
    let dense = grad(|x: &Tensor| jacfwd(f)(x).square().sum(..))(&x);
    assert_close(&through, &dense);
    let v = ramp(&[6]) + 1.0;
    assert_close(
        &sparse_jacobian(f, &x).matvec(&v),
        &jacfwd(f)(&x).matmul(&v),
    );
}
