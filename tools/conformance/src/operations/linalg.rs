//! Linear algebra. Decompositions are turned to the signs of the reference.

use super::{Table, outputs};
use crate::call::{Call, NotSupported};
use crate::case::Argument;
use chainrule::{MatrixNorm, Tensor, keep};

pub(super) const TABLE: Table = &[
    ("linalg.solve", |call| {
        let (a, b) = (call.tensor(0, "A")?, call.tensor(1, "B")?);
        if !call.truth_or(usize::MAX, "left", true)? {
            return Err(NotSupported);
        }
        outputs([a.solve(&b)])
    }),
    ("linalg.solve_triangular", |call| {
        let (a, b) = (call.tensor(0, "A")?, call.tensor(1, "B")?);
        let upper = call.truth_or(usize::MAX, "upper", false)?;
        let unit = call.truth_or(usize::MAX, "unitriangular", false)?;
        outputs([if call.truth_or(usize::MAX, "left", true)? {
            a.solve_triangular(&b, upper, unit)
        } else {
            let turned = turned(&a).solve_triangular(&turned(&b), !upper, unit);
            turned.transpose(-1, -2)
        }])
    }),
    ("triangular_solve", |call| {
        let (b, a) = (call.tensor(0, "b")?, call.tensor(1, "A")?);
        let upper = call.truth_or(2, "upper", true)?;
        outputs([a.solve_triangular(&b, upper, false), a])
    }),
    ("linalg.inv", |call| outputs([call.tensor(0, "A")?.inv()])),
    ("linalg.det", |call| outputs([call.tensor(0, "A")?.det()])),
    ("logdet", |call| outputs([call.tensor(0, "A")?.logdet()])),
    ("linalg.slogdet", |call| {
        let (sign, logarithm) = call.tensor(0, "A")?.slogdet();
        outputs([sign, logarithm])
    }),
    ("linalg.cholesky", |call| {
        let l = call.tensor(0, "A")?.cholesky();
        let upper = call.truth_or(usize::MAX, "upper", false)?;
        outputs([if upper { turned(&l) } else { l }])
    }),
    ("cholesky_solve", |call| {
        let (b, l) = (call.tensor(0, "B")?, call.tensor(1, "L")?);
        let l = lower(call, l)?;
        outputs([l.cholesky_solve(&b)])
    }),
    ("cholesky_inverse", |call| {
        let l = call.tensor(0, "L")?;
        let l = lower(call, l)?;
        let extent = l.shape()[l.rank() - 1];
        let identity = Tensor::eye(extent).cast(l.dtype());
        outputs([l.cholesky_solve(&identity.expand(l.shape()))])
    }),
    ("linalg.qr", |call| {
        let a = call.tensor(0, "A")?;
        if call.text_or(usize::MAX, "mode", "reduced")? != "reduced" {
            return Err(NotSupported);
        }
        let (q, r) = a.qr();
        outputs([q, r])
    }),
    ("linalg.eigh", |call| {
        let (values, vectors) = symmetric(call)?.eigh();
        let vectors = &vectors * signs(&vectors, call.reference(1)?);
        outputs([values, vectors])
    }),
    ("linalg.eigvalsh", |call| {
        outputs([symmetric(call)?.eigh().0])
    }),
    ("linalg.svd", |call| {
        let a = call.tensor(0, "A")?;
        let full = call.truth_or(usize::MAX, "full_matrices", true)?;
        let (u, s, vt) = svd(call, &a, full)?;
        outputs([u, s, vt])
    }),
    ("svd", |call| {
        let a = call.tensor(0, "input")?;
        let some = call.truth_or(usize::MAX, "some", true)?;
        let (u, s, vt) = svd(call, &a, !some)?;
        outputs([u, s, turned(&vt)])
    }),
    ("linalg.svdvals", |call| {
        outputs([call.tensor(0, "A")?.svd().1])
    }),
    ("linalg.cond", |call| {
        let s = call.tensor(0, "A")?.svd().1;
        outputs([s.max(-1) / s.min(-1)])
    }),
    ("linalg.matrix_rank", |call| {
        let a = call.tensor(0, "A")?;
        let _ = (call.take(usize::MAX, "hermitian"), no_tolerance(call)?);
        outputs([a.matrix_rank(None)])
    }),
    ("linalg.pinv", |call| {
        let a = call.tensor(0, "A")?;
        if let Some(Argument::Tensor(b)) = call.clone().take(1, "") {
            let _ = call.take(1, ""); // the matrix of low rank A Bᵀ
            return outputs([a.matmul(turned(&b)).pinv(None)]);
        }
        if call.truth_or(usize::MAX, "hermitian", false)? {
            // PyTorch's gradient is then that of an eigendecomposition, different outside of symmetric matrices.
            return if a.elements() == 0 {
                outputs([a.pinv(None)])
            } else {
                Err(NotSupported)
            };
        }
        match call.take(usize::MAX, "rtol") {
            None | Some(Argument::None) => {}
            _ if a.elements() == 0 => {}
            Some(Argument::Number(relative)) => return outputs([a.pinv(Some(relative))]),
            _ => return Err(NotSupported),
        }
        outputs([a.pinv(None)])
    }),
    ("pinverse", |call| {
        outputs([call.tensor(0, "A")?.pinv(Some(1e-15))])
    }),
    ("matrix_exp", |call| {
        outputs([call.tensor(0, "A")?.matrix_exp()])
    }),
    ("linalg.matrix_power", |call| {
        let (a, power) = (call.tensor(0, "A")?, call.integer(1, "n")?);
        if power == 0 {
            return Err(NotSupported); // the identity does not depend on the matrix
        }
        outputs([a.matrix_power(power as i32)])
    }),
    ("linalg.vander", |call| {
        let x = call.tensor(0, "x")?;
        let extent = x.shape()[x.rank() - 1] as i64;
        outputs([x.vander(call.integer_or(usize::MAX, "N", extent)? as usize)])
    }),
    ("linalg.tensorinv", |call| {
        let (a, split) = (call.tensor(0, "A")?, call.integer(1, "ind")? as usize);
        let rows: usize = a.shape()[..split].iter().product();
        let shape: Vec<usize> = [&a.shape()[split..], &a.shape()[..split]].concat();
        outputs([a
            .reshape([rows as isize, -1])
            .inv()
            .reshape(chainrule::Shape::from(shape))])
    }),
    ("linalg.tensorsolve", |call| {
        let (a, b) = (call.tensor(0, "A")?, call.tensor(1, "B")?);
        let a = match call.integers(2, "dims")? {
            None => a,
            Some(axes) => {
                let others = (0..a.rank() as i64).filter(|axis| !axes.contains(axis));
                let order = others.chain(axes.iter().copied());
                a.permute(order.map(|axis| axis as isize).collect::<Vec<_>>())
            }
        };
        let rest = chainrule::Shape::from(&a.shape()[b.rank()..]);
        let square = a.reshape([b.elements() as isize, -1]);
        outputs([square.solve(&b.reshape([-1])).reshape(&rest)])
    }),
    ("linalg.lstsq", |call| {
        let (a, b) = (call.tensor(0, "A")?, call.tensor(1, "B")?);
        let _ = call.take(usize::MAX, "driver");
        let rank = a.rank();
        // The residuals, which full rank and more columns than rows leave empty.
        if a.shape()[rank - 2] > a.shape()[rank - 1] || call.reference(2).is_ok() {
            return Err(NotSupported);
        }
        let x = a.lstsq(&b);
        outputs([x.clone(), x.reshape([-1]).narrow(0, 0, 0)])
    }),
    ("linalg.matrix_norm", |call| {
        let x = call.tensor(0, "A")?;
        let order = call.take(1, "ord");
        let axes = call.integers(2, "dim")?.unwrap_or(vec![-2, -1]);
        let [first, second] = axes[..] else {
            return Err(NotSupported);
        };
        let kept = call.truth_or(3, "keepdim", false)?;
        outputs([matrix_norm(&x, order, [first, second], kept)?])
    }),
    ("linalg.norm", |call| {
        let x = call.tensor(0, "A")?;
        let order = call.take(1, "ord");
        if call.gives(2, "dim") {
            return Err(NotSupported);
        }
        let kept = call.truth_or(3, "keepdim", false)?;
        let over = if kept { keep(..) } else { (..).into() };
        // PyTorch's second derivative of a norm at 0 is NaN, ours is 0.
        if x.rank() == 1 && x.elements() > 0 && !x.any(..).item::<bool>() {
            return Err(NotSupported);
        }
        match order {
            None | Some(Argument::None) => outputs([x.norm(2.0, over)]),
            Some(Argument::Integer(order)) if x.rank() == 1 => {
                outputs([x.norm(order as f64, over)])
            }
            Some(Argument::Number(order)) if x.rank() == 1 => outputs([x.norm(order, over)]),
            order if x.rank() == 2 => outputs([matrix_norm(&x, order, [0, 1], kept)?]),
            _ => Err(NotSupported),
        }
    }),
];

fn turned(x: &Tensor) -> Tensor {
    x.transpose(-1, -2)
}

/// The function of `x` with the value `value` and derivative 1.
fn at(x: &Tensor, value: &Tensor) -> Tensor {
    x + (value - x).stop_gradient()
}

/// The symmetric matrix with one of the triangles of `x`.
fn mirrored(x: &Tensor, upper: bool) -> Tensor {
    if upper {
        x.triu(0) + turned(&x.triu(1))
    } else {
        x.tril(0) + turned(&x.tril(-1))
    }
}

/// PyTorch reads one triangle, and gives the derivative along symmetric matrices.
fn symmetric(call: &mut Call) -> Result<Tensor, NotSupported> {
    let x = call.tensor(0, "A")?;
    let upper = call.text_or(1, "UPLO", "L")? == "U";
    Ok(at(&x, &mirrored(&x, upper)))
}

/// 1 or -1 for each column, as it points along the reference or against it.
fn signs(columns: &Tensor, reference: &Tensor) -> Tensor {
    (columns * reference).sum(keep(-2)).stop_gradient().sign()
}

fn svd(call: &Call, a: &Tensor, full: bool) -> Result<(Tensor, Tensor, Tensor), NotSupported> {
    let rank = a.rank();
    if full && a.shape()[rank - 2] != a.shape()[rank - 1] {
        return Err(NotSupported);
    }
    let (u, s, vt) = a.svd();
    let signs = signs(&u, call.reference(0)?);
    Ok((&u * &signs, s, vt * turned(&signs)))
}

/// A Cholesky factor as the lower one. PyTorch's gradient also has the triangle that is not read, so only empty ones can be
/// compared.
fn lower(call: &mut Call, factor: Tensor) -> Result<Tensor, NotSupported> {
    if factor.elements() > 0 {
        return Err(NotSupported);
    }
    Ok(match call.truth_or(2, "upper", false)? {
        true => turned(&factor),
        false => factor,
    })
}

fn no_tolerance(call: &mut Call) -> Result<(), NotSupported> {
    for name in ["atol", "rtol"] {
        match call.take(usize::MAX, name) {
            None | Some(Argument::None) => {}
            _ => return Err(NotSupported),
        }
    }
    Ok(())
}

fn matrix_norm(
    x: &Tensor,
    order: Option<Argument>,
    [rows, columns]: [i64; 2],
    kept: bool,
) -> Result<Tensor, NotSupported> {
    let order = match order {
        None | Some(Argument::None) => MatrixNorm::Frobenius,
        Some(Argument::Text(name)) if name == "fro" => MatrixNorm::Frobenius,
        Some(Argument::Text(name)) if name == "nuc" => MatrixNorm::Nuclear,
        Some(Argument::Integer(2)) => MatrixNorm::Spectral,
        Some(Argument::Integer(-2)) => MatrixNorm::LeastSingular,
        Some(Argument::Integer(1)) => MatrixNorm::Columns,
        Some(Argument::Integer(-1)) => MatrixNorm::LeastColumn,
        Some(Argument::Number(f64::INFINITY)) => MatrixNorm::Rows,
        Some(Argument::Number(f64::NEG_INFINITY)) => MatrixNorm::LeastRow,
        _ => return Err(NotSupported),
    };
    let rank = x.rank() as i64;
    let (rows, columns) = (rows.rem_euclid(rank), columns.rem_euclid(rank));
    let others = (0..rank).filter(|axis| *axis != rows && *axis != columns);
    let axes: Vec<isize> = others
        .chain([rows, columns])
        .map(|axis| axis as isize)
        .collect();
    let norm = x.permute(axes).matrix_norm(order);
    let extent = |axis: i64| {
        if axis == rows || axis == columns {
            1
        } else {
            x.shape()[axis as usize]
        }
    };
    Ok(if kept {
        norm.reshape((0..rank).map(extent).collect::<chainrule::Shape>())
    } else {
        norm
    })
}
