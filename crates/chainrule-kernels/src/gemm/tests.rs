use super::*;
use crate::random::{fill_integers, fill_uniform_f64};

/// The values of a strided matrix that fills a slice in one of several layouts.
fn layout(choice: i64, rows: usize, columns: usize) -> (usize, isize, isize) {
    let (r, c) = (rows.max(1) as isize, columns.max(1) as isize);
    match choice {
        0 => (0, c, 1),
        1 => (0, 1, r),
        2 => ((r * c - 1) as usize, -c, -1),
        _ => (1, 2 * c + 1, 2),
    }
}

fn numbers<T>(key: u64, count: usize, from: impl Fn(f64) -> T) -> Vec<T> {
    let mut values = vec![0.0; count];
    fill_uniform_f64(key, 0, &mut values);
    values
        .iter()
        .map(|&value| from(value * 2.0 - 1.0))
        .collect()
}

fn check<T: GemmElement>(
    key: u64,
    [m, n, k]: [usize; 3],
    batch: usize,
    tolerance: f64,
    from: impl Fn(f64) -> T,
    to: impl Fn(T) -> f64,
) {
    let mut choices = [0; 6];
    fill_integers(key, 1, 0, 4, &mut choices);
    let room = |rows: usize, columns: usize| 4 * rows * columns + 4 * rows + 4;
    let shared_b = choices[3] == 0;
    let a = numbers(key, batch * room(m, k), &from);
    let b = numbers(key + 1, batch * room(k, n), &from);
    let mut c = numbers(key + 2, batch * room(m, n), &from);
    let (a_offset, a_row, a_column) = layout(choices[0], m, k);
    let (b_offset, b_row, b_column) = layout(choices[1], k, n);
    let (c_offset, c_row, c_column) = layout(choices[2], m, n);
    let a_batch = if choices[0] == 0 { m * k } else { room(m, k) } as isize;
    let b_batch = if shared_b { 0 } else { room(k, n) as isize };
    let c_batch = if choices[2] == 0 { m * n } else { room(m, n) } as isize;
    let accumulate = choices[4] % 2 == 0;
    let mut expected: Vec<f64> = c.iter().map(|&x| to(x)).collect();
    for item in 0..batch as isize {
        for i in 0..m as isize {
            for j in 0..n as isize {
                let at = (c_offset as isize + item * c_batch + i * c_row + j * c_column) as usize;
                let mut sum = if accumulate { to(c[at]) } else { 0.0 };
                for d in 0..k as isize {
                    let a =
                        a[(a_offset as isize + item * a_batch + i * a_row + d * a_column) as usize];
                    let b =
                        b[(b_offset as isize + item * b_batch + d * b_row + j * b_column) as usize];
                    sum += to(a) * to(b);
                }
                expected[at] = sum;
            }
        }
    }
    let a = Matrix {
        data: &a[..],
        offset: a_offset,
        row_stride: a_row,
        column_stride: a_column,
        batch_strides: &[a_batch],
    };
    let b = Matrix {
        data: &b[..],
        offset: b_offset,
        row_stride: b_row,
        column_stride: b_column,
        batch_strides: &[b_batch],
    };
    let target = MatrixMut {
        data: &mut c[..],
        offset: c_offset,
        row_stride: c_row,
        column_stride: c_column,
        batch_strides: &[c_batch],
    };
    batched_gemm(&[batch], m, n, k, a, b, target, accumulate);
    for (index, (&got, &expected)) in c.iter().zip(&expected).enumerate() {
        let error = (to(got) - expected).abs();
        assert!(
            error <= tolerance * (1.0 + expected.abs()),
            "{m} {n} {k} batch {batch} layouts {choices:?} at {index}: {} against {expected}",
            to(got)
        );
    }
}

const SHAPES: [[usize; 3]; 22] = [
    [8, 8, 8],
    [32, 32, 32],
    [1, 1, 1],
    [1, 17, 33],
    [17, 1, 33],
    [5, 7, 0],
    [0, 3, 2],
    [3, 0, 2],
    [1, 1, 300],
    [13, 2, 5],
    [33, 31, 17],
    [64, 48, 100],
    [2, 200, 3],
    [200, 2, 3],
    [100, 90, 1],
    [65, 130, 70],
    [7, 300, 260],
    [150, 9, 600],
    [96, 96, 96],
    [31, 5, 2],
    [3, 1000, 3],
    [130, 129, 128],
];

#[test]
fn products_of_every_type() {
    let mut key = 0;
    for round in 0..4 {
        for shape in SHAPES {
            for batch in [1, 3] {
                key += 10;
                check::<f64>(key, shape, batch, 1e-12, |x| x, |x| x);
                check::<f32>(key, shape, batch, 2e-4, |x| x as f32, f64::from);
                if round == 0 {
                    check::<bf16>(key, shape, batch, 1e-2, bf16::from_f64, |x| x.to_f64());
                    check::<f16>(key, shape, batch, 2e-3, f16::from_f64, |x| x.to_f64());
                    check::<i64>(key, shape, batch, 0.0, |x| (x * 99.0) as i64, |x| x as f64);
                    check::<i32>(key, shape, batch, 0.0, |x| (x * 99.0) as i32, f64::from);
                }
            }
        }
    }
}

#[test]
fn integers_wrap() {
    let mut c = [1u8];
    gemm(
        1,
        1,
        2,
        Matrix::row_major(&[16, 2], 2),
        Matrix::row_major(&[16, 3], 1),
        MatrixMut::row_major(&mut c, 1),
        true,
    );
    assert_eq!(c, [7]);
}

#[test]
fn infinities_and_nan_are_not_lost() {
    let a = [0.0, f32::INFINITY, 1.0, 2.0];
    let b = [f32::NAN, 1.0, 1.0, 1.0];
    let mut c = [0.0; 4];
    gemm(
        2,
        2,
        2,
        Matrix::row_major(&a, 2),
        Matrix::row_major(&b, 2),
        MatrixMut::row_major(&mut c, 2),
        false,
    );
    assert!(c[0].is_nan() && c[1] == f32::INFINITY && c[2].is_nan() && c[3] == 3.0);
}

#[test]
fn old_content_is_not_read() {
    for size in [4, 100] {
        let ones = vec![1f32; size * size];
        let mut c = vec![f32::NAN; size * size];
        gemm(
            size,
            size,
            size,
            Matrix::row_major(&ones, size),
            Matrix::row_major(&ones, size),
            MatrixMut::row_major(&mut c, size),
            false,
        );
        assert!(c.iter().all(|&x| x == size as f32));
        c.fill(f32::NAN);
        gemm::<f32>(
            size,
            size,
            0,
            Matrix::row_major(&[], 0),
            Matrix::row_major(&[], size),
            MatrixMut::row_major(&mut c, size),
            false,
        );
        assert!(c.iter().all(|&x| x == 0.0));
    }
}

#[test]
#[should_panic(expected = "gemm b: the batch [] of [3, 2]")]
fn a_short_operand_is_refused() {
    gemm(
        2,
        2,
        3,
        Matrix::row_major(&[0.0; 6], 3),
        Matrix::row_major(&[0.0; 5], 2),
        MatrixMut::row_major(&mut [0.0; 4], 2),
        false,
    );
}

#[test]
#[should_panic(expected = "may share a place")]
fn an_overlapping_result_is_refused() {
    let c = MatrixMut {
        data: &mut [0.0; 4],
        offset: 0,
        row_stride: 1,
        column_stride: 1,
        batch_strides: &[],
    };
    gemm(
        2,
        2,
        1,
        Matrix::row_major(&[0.0; 2], 1),
        Matrix::row_major(&[0.0; 2], 2),
        c,
        false,
    );
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    use crate::threads::with_threads;
    for (m, n, k) in [
        (100, 70, 300),
        (1, 3000, 500),
        (3000, 1, 500),
        (3, 4000, 64),
        (4000, 2, 90),
        (520, 130, 1000),
        (64, 5, 5000),
        (9, 9, 40_000),
    ] {
        let (a, b) = (
            numbers(1, m * k, |x| x as f32),
            numbers(2, k * n, |x| x as f32),
        );
        for turned in [false, true] {
            let product = |threads: usize| {
                let mut c = vec![0f32; m * n];
                let (a, b) = if turned {
                    (
                        Matrix::new(&a, 1, m as isize),
                        Matrix::new(&b, 1, k as isize),
                    )
                } else {
                    (Matrix::row_major(&a, k), Matrix::row_major(&b, n))
                };
                with_threads(threads, || {
                    gemm(m, n, k, a, b, MatrixMut::row_major(&mut c, n), false);
                });
                c
            };
            let alone = product(1);
            for threads in [2, 3, 4, 7] {
                let differing = product(threads)
                    .iter()
                    .zip(&alone)
                    .filter(|(a, b)| a.to_bits() != b.to_bits())
                    .count();
                assert_eq!(
                    differing, 0,
                    "{m} x {n} x {k}, turned: {turned}, {threads} threads"
                );
            }
        }
    }
}
