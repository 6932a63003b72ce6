//! Matrix products: strided operands, batches, any element type.
//!
//! A product is divided into blocks of its result, each computed by the single-threaded kernels of the `gemm` crates
//! (transposes are strides, never copies); the smallest products have a kernel of their own.

use crate::copy::check_view;
use crate::element::Element;
use crate::gemm_small::{self, Product, small_f32, small_f64};
use crate::threads::{fork_join, share, thread_count};
use half::{bf16, f16};
use smallvec::SmallVec;

/// A matrix in a slice, or (with batch strides) one for every index of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, T> {
    /// The elements.
    pub data: &'a [T],
    /// Where the first matrix starts.
    pub offset: usize,
    /// From an element to the one below it.
    pub row_stride: isize,
    /// From an element to the one right of it.
    pub column_stride: isize,
    /// From a matrix to the next along each batch axis; 0 repeats it. Empty for [`gemm`].
    pub batch_strides: &'a [isize],
}

impl<'a, T> Matrix<'a, T> {
    /// A matrix whose rows of `columns` elements follow each other.
    pub fn row_major(data: &'a [T], columns: usize) -> Matrix<'a, T> {
        Matrix::new(data, columns as isize, 1)
    }

    /// A matrix with the given strides that starts at the first element.
    pub fn new(data: &'a [T], row_stride: isize, column_stride: isize) -> Matrix<'a, T> {
        Matrix {
            data,
            offset: 0,
            row_stride,
            column_stride,
            batch_strides: &[],
        }
    }

    /// The transposed matrix: the same elements, strides exchanged.
    pub fn transposed(self) -> Matrix<'a, T> {
        Matrix {
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// The result of a product, as [`Matrix`].
#[derive(Debug)]
pub struct MatrixMut<'a, T> {
    /// The elements.
    pub data: &'a mut [T],
    /// Where the first matrix starts.
    pub offset: usize,
    /// From an element to the one below it.
    pub row_stride: isize,
    /// From an element to the one right of it.
    pub column_stride: isize,
    /// From a matrix to the next along each batch axis. Empty for [`gemm`].
    pub batch_strides: &'a [isize],
}

impl<'a, T> MatrixMut<'a, T> {
    /// A matrix whose rows of `columns` elements follow each other.
    pub fn row_major(data: &'a mut [T], columns: usize) -> MatrixMut<'a, T> {
        MatrixMut {
            data,
            offset: 0,
            row_stride: columns as isize,
            column_stride: 1,
            batch_strides: &[],
        }
    }
}

mod sealed {
    use super::Product;

    /// The single-threaded product of a type.
    pub trait Multiply: Copy {
        /// # Safety
        /// Every element that the product names is inside its allocation; `c` overlaps neither operand.
        #[allow(private_interfaces)]
        unsafe fn multiply(product: Product<Self>);
    }
}
use sealed::Multiply;

/// The element types that matrices can be multiplied in.
///
/// `bf16` and `f16` compute in `f32` and round once; integers wrap.
pub trait GemmElement: Element + Multiply {}
impl<T: Element + Multiply> GemmElement for T {}

/// The product `c = a b`, or `c += a b` where `accumulate`: `a` is `m` by `k`, `b` is `k` by `n`, `c` is `m` by `n`.
///
/// With `k == 0` the product is zero.
///
/// # Panics
/// When a matrix reaches outside its slice, when it has batch strides, or when elements of `c` may share a place.
///
/// ```
/// use chainrule_kernels::gemm::{gemm, Matrix, MatrixMut};
/// let (a, b, mut c) = ([1.0, 2.0, 3.0, 4.0], [1.0, 10.0], [0.0; 2]);
/// gemm(2, 1, 2, Matrix::row_major(&a, 2), Matrix::row_major(&b, 1), MatrixMut::row_major(&mut c, 1), false);
/// assert_eq!(c, [21.0, 43.0]);
/// ```
pub fn gemm<T: GemmElement>(
    m: usize,
    n: usize,
    k: usize,
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    c: MatrixMut<'_, T>,
    accumulate: bool,
) {
    batched_gemm(&[], m, n, k, a, b, c, accumulate);
}

/// As [`gemm`] for every index of a batch, each operand with a stride for every batch axis.
///
/// # Panics
/// When an operand has another number of batch strides than there are batch axes, when a matrix reaches outside its
/// slice, or when elements of `c` may share a place.
#[allow(clippy::too_many_arguments)]
pub fn batched_gemm<T: GemmElement>(
    batch: &[usize],
    m: usize,
    n: usize,
    k: usize,
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    c: MatrixMut<'_, T>,
    accumulate: bool,
) {
    check(
        "gemm a",
        a.data.len(),
        batch,
        [m, k],
        a.offset,
        a.batch_strides,
        [a.row_stride, a.column_stride],
    );
    check(
        "gemm b",
        b.data.len(),
        batch,
        [k, n],
        b.offset,
        b.batch_strides,
        [b.row_stride, b.column_stride],
    );
    let c_strides = [c.row_stride, c.column_stride];
    check(
        "gemm c",
        c.data.len(),
        batch,
        [m, n],
        c.offset,
        c.batch_strides,
        c_strides,
    );
    if m == 0 || n == 0 || batch.contains(&0) {
        return;
    }
    check_apart(batch, [m, n], c.batch_strides, c_strides);
    // With k == 0 the operands may be empty: their pointers are then never used.
    let start = |data: &[T], offset: usize| data.as_ptr().wrapping_add(offset);
    let product = Product {
        m,
        n,
        k,
        a: start(a.data, a.offset),
        a_row: a.row_stride,
        a_column: a.column_stride,
        b: start(b.data, b.offset),
        b_row: b.row_stride,
        b_column: b.column_stride,
        c: c.data.as_mut_ptr().wrapping_add(c.offset),
        c_row: c.row_stride,
        c_column: c.column_stride,
        accumulate,
    };
    let mut axes: BatchAxes = SmallVec::new();
    for axis in 0..batch.len() {
        if batch[axis] > 1 {
            let strides = [
                a.batch_strides[axis],
                b.batch_strides[axis],
                c.batch_strides[axis],
            ];
            axes.push((batch[axis], strides));
        }
    }
    let product = fold_batch(&mut axes, product);
    // SAFETY: the checks above showed that all elements are inside their slices and that those of `c` are distinct; `c`
    // is borrowed mutably, so it overlaps no operand.
    unsafe { run(&axes, product) };
}

/// Extent and strides (of a, b, c) of the batch axes.
type BatchAxes = SmallVec<[(usize, [isize; 3]); 4]>;

fn check(
    what: &str,
    length: usize,
    batch: &[usize],
    extents: [usize; 2],
    offset: usize,
    batch_strides: &[isize],
    strides: [isize; 2],
) {
    assert!(
        batch.len() == batch_strides.len(),
        "{what}: {} batch strides for the batch {batch:?}",
        batch_strides.len()
    );
    let shape: SmallVec<[usize; 8]> = batch.iter().copied().chain(extents).collect();
    let strides: SmallVec<[isize; 8]> = batch_strides.iter().copied().chain(strides).collect();
    check_view(what, length, &shape, offset, &strides);
}

fn check_apart(batch: &[usize], extents: [usize; 2], batch_strides: &[isize], strides: [isize; 2]) {
    let mut axes: SmallVec<[(usize, usize); 8]> = batch
        .iter()
        .copied()
        .chain(extents)
        .zip(batch_strides.iter().copied().chain(strides))
        .filter(|&(extent, _)| extent > 1)
        .map(|(extent, stride)| (stride.unsigned_abs(), extent))
        .collect();
    axes.sort_unstable();
    let mut reach = 0;
    for (stride, extent) in axes {
        assert!(
            stride > reach,
            "gemm c: elements of the batch {batch:?} of {extents:?} with strides {batch_strides:?}, {strides:?} may share a \
             place"
        );
        reach += (extent - 1) * stride;
    }
}

/// Takes batch axes into the rows (or columns) where all matrices of an axis are multiplied with the same other one.
fn fold_batch<T>(axes: &mut BatchAxes, mut product: Product<T>) -> Product<T> {
    while let Some(&(extent, [a, b, c])) = axes.last() {
        let (rows, columns) = (product.m as isize, product.n as isize);
        if b == 0 && a == rows * product.a_row && c == rows * product.c_row {
            product.m *= extent;
        } else if a == 0 && b == columns * product.b_column && c == columns * product.c_column {
            product.n *= extent;
        } else {
            break;
        }
        axes.pop();
    }
    product
}

/// Multiplications below which a product stays on one thread.
const GRAIN: usize = 1 << 18;
/// Blocks of the result are multiples of this many rows or columns, so that vector kernels see few remainders.
const UNIT: usize = 48;

/// # Safety
/// As [`Multiply::multiply`] for every index of the batch; elements of `c` are distinct.
unsafe fn run<T: GemmElement>(axes: &BatchAxes, product: Product<T>) {
    let count: usize = axes.iter().map(|axis| axis.0).product();
    let size = product.m * product.n * product.k.max(1);
    let threads = thread_count();
    if threads == 1 || size.saturating_mul(count) < 2 * GRAIN {
        for index in 0..count {
            // SAFETY: the caller keeps the contract.
            unsafe { T::multiply(batch_item(axes, index, product)) };
        }
        return;
    }
    let (row_blocks, column_blocks) = if count >= 2 * threads || size < 2 * GRAIN {
        (1, 1)
    } else {
        blocks(product.m, product.n, size, threads)
    };
    let blocks = row_blocks * column_blocks;
    let units = count * blocks;
    let tasks = if blocks > 1 {
        units
    } else {
        units.min(threads * 4)
    };
    let product = SharedProduct(product);
    fork_join(tasks, &|task| {
        for unit in share(units, tasks, task, 1) {
            let mut product = batch_item(axes, unit / blocks, product.get());
            let block = unit % blocks;
            let rows = share(product.m, row_blocks, block / column_blocks, UNIT);
            let columns = share(product.n, column_blocks, block % column_blocks, UNIT);
            if rows.is_empty() || columns.is_empty() {
                continue;
            }
            let (row, column) = (rows.start as isize, columns.start as isize);
            product.m = rows.len();
            product.n = columns.len();
            product.a = product.a.wrapping_offset(row * product.a_row);
            product.b = product.b.wrapping_offset(column * product.b_column);
            product.c = product
                .c
                .wrapping_offset(row * product.c_row + column * product.c_column);
            // SAFETY: a block of the result with its operands' rows and columns; blocks of one product are disjoint.
            unsafe { T::multiply(product) };
        }
    });
}

/// Into how many blocks of rows and of columns to divide one product for `threads` threads.
fn blocks(m: usize, n: usize, size: usize, threads: usize) -> (usize, usize) {
    // Large products get more blocks than threads, so that a thread that was held up does not hold up the others.
    let wanted = if size >= 1 << 27 {
        2 * threads
    } else {
        threads
    };
    let wanted = wanted.min(size / GRAIN);
    if m >= n {
        let rows = wanted.min(m.div_ceil(UNIT));
        (rows, (wanted / rows.max(1)).clamp(1, n.div_ceil(UNIT)))
    } else {
        let columns = wanted.min(n.div_ceil(UNIT));
        (
            (wanted / columns.max(1)).clamp(1, m.div_ceil(UNIT)),
            columns,
        )
    }
}

/// A product that tasks read.
struct SharedProduct<T>(Product<T>);
// SAFETY: tasks write disjoint blocks of `c` and only read the operands.
unsafe impl<T: Sync> Sync for SharedProduct<T> {}

impl<T: Copy> SharedProduct<T> {
    fn get(&self) -> Product<T> {
        self.0
    }
}

/// The product at flat index `index` of the batch.
fn batch_item<T: Copy>(axes: &BatchAxes, index: usize, product: Product<T>) -> Product<T> {
    let mut item = product;
    let mut rest = index;
    for &(extent, [a, b, c]) in axes.iter().rev() {
        let position = (rest % extent) as isize;
        rest /= extent;
        item.a = item.a.wrapping_offset(position * a);
        item.b = item.b.wrapping_offset(position * b);
        item.c = item.c.wrapping_offset(position * c);
    }
    item
}

macro_rules! multiply_real {
    ($type:ident, $crate_name:ident, $small:ident) => {
        impl Multiply for $type {
            #[allow(private_interfaces)]
            unsafe fn multiply(product: Product<$type>) {
                let vector = product.m == 1 || product.n == 1;
                if product.m * product.n * product.k <= gemm_small::MOST && !vector {
                    // SAFETY: the caller keeps the contract.
                    return unsafe { $small(product) };
                }
                // The crate's kernels write columns of the result: where its rows are contiguous, compute the transpose.
                let product = if product.c_column.abs() <= product.c_row.abs() || product.m == 1 {
                    product.transposed()
                } else {
                    product
                };
                // SAFETY: the caller keeps the contract. The crate computes dst = alpha * dst + beta * lhs * rhs and
                // does not read dst when told so.
                unsafe {
                    $crate_name::gemm::$type::get_gemm_fn()(
                        product.m,
                        product.n,
                        product.k,
                        product.c,
                        product.c_column,
                        product.c_row,
                        product.accumulate,
                        product.a,
                        product.a_column,
                        product.a_row,
                        product.b,
                        product.b_column,
                        product.b_row,
                        1.0,
                        1.0,
                        false,
                        false,
                        false,
                        gemm_common::Parallelism::None,
                    );
                }
            }
        }
    };
}

multiply_real!(f32, gemm_f32, small_f32);
multiply_real!(f64, gemm_f64, small_f64);

/// Rows of the result that a product of halves computes at a time.
const HALF_ROWS: usize = 256;

macro_rules! multiply_half {
    ($($type:ty)*) => {$(
        impl Multiply for $type {
            #[allow(private_interfaces)]
            unsafe fn multiply(product: Product<$type>) {
                let Product { m, n, k, .. } = product;
                let widened = |rows: usize, columns: usize, start: *const $type, row: isize, column: isize| {
                    let mut wide = Vec::with_capacity(rows * columns);
                    for i in 0..rows as isize {
                        for j in 0..columns as isize {
                            // SAFETY: an element of an operand, by the caller's promise.
                            wide.push(unsafe { *start.offset(i * row + j * column) }.to_f32());
                        }
                    }
                    wide
                };
                let b = widened(k, n, product.b, product.b_row, product.b_column);
                let mut c = vec![0f32; m.min(HALF_ROWS) * n];
                for first in (0..m).step_by(HALF_ROWS) {
                    let rows = HALF_ROWS.min(m - first);
                    let start = product.a.wrapping_offset(first as isize * product.a_row);
                    let a = widened(rows, k, start, product.a_row, product.a_column);
                    let wide = Product {
                        m: rows,
                        n,
                        k,
                        a: a.as_ptr(),
                        a_row: k as isize,
                        a_column: 1,
                        b: b.as_ptr(),
                        b_row: n as isize,
                        b_column: 1,
                        c: c.as_mut_ptr(),
                        c_row: n as isize,
                        c_column: 1,
                        accumulate: false,
                    };
                    // SAFETY: the three vectors hold the contiguous matrices that `wide` describes.
                    unsafe { f32::multiply(wide) };
                    for i in 0..rows {
                        for j in 0..n {
                            let at = (first + i) as isize * product.c_row + j as isize * product.c_column;
                            // SAFETY: an element of the result, by the caller's promise.
                            let out = unsafe { &mut *product.c.offset(at) };
                            let sum = c[i * n + j];
                            *out = <$type>::from_f32(if product.accumulate { out.to_f32() + sum } else { sum });
                        }
                    }
                }
            }
        }
    )*};
}

multiply_half!(bf16 f16);

macro_rules! multiply_integer {
    ($($type:ty)*) => {$(
        impl Multiply for $type {
            #[allow(private_interfaces)]
            unsafe fn multiply(product: Product<$type>) {
                for row in 0..product.m as isize {
                    for column in 0..product.n as isize {
                        // SAFETY: elements of the three matrices, by the caller's promise.
                        unsafe {
                            let c = product.c.offset(row * product.c_row + column * product.c_column);
                            let mut sum: $type = if product.accumulate { *c } else { 0 };
                            for depth in 0..product.k as isize {
                                let a = *product.a.offset(row * product.a_row + depth * product.a_column);
                                let b = *product.b.offset(depth * product.b_row + column * product.b_column);
                                sum = sum.wrapping_add(a.wrapping_mul(b));
                            }
                            *c = sum;
                        }
                    }
                }
            }
        }
    )*};
}

multiply_integer!(i64 i32 u8);

#[cfg(test)]
mod tests {
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
                    let at =
                        (c_offset as isize + item * c_batch + i * c_row + j * c_column) as usize;
                    let mut sum = if accumulate { to(c[at]) } else { 0.0 };
                    for d in 0..k as isize {
                        let a = a[(a_offset as isize + item * a_batch + i * a_row + d * a_column)
                            as usize];
                        let b = b[(b_offset as isize + item * b_batch + d * b_row + j * b_column)
                            as usize];
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
    #[should_panic(expected = "gemm b: the view of shape [3, 2]")]
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
}
