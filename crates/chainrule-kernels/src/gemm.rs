//! Matrix products: strided operands, batches, any element type.
//!
//! A product is divided into blocks of its result, each computed by the single-threaded kernels of the `gemm` crates
//! (transposes are strides, never copies); the smallest products have a kernel of their own.

use crate::buffer::workspace;
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
pub(crate) use sealed::Multiply;

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

/// Panics unless all elements lie inside the slice. Small products are too short for anything that allocates here.
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
    let (mut low, mut high) = (offset as i128, offset as i128);
    let mut extend = |extent: usize, stride: isize| {
        let reach = (extent as i128 - 1) * stride as i128;
        low += reach.min(0);
        high += reach.max(0);
        extent == 0
    };
    let mut empty = extend(extents[0], strides[0]) | extend(extents[1], strides[1]);
    for (&extent, &stride) in batch.iter().zip(batch_strides) {
        empty |= extend(extent, stride);
    }
    assert!(
        empty || low >= 0 && high < length as i128,
        "{what}: the batch {batch:?} of {extents:?} with strides {batch_strides:?}, {strides:?} and offset {offset} reaches \
         elements {low}..={high} of a slice of {length}"
    );
}

/// Panics unless every element of the result has a place of its own.
fn check_apart(batch: &[usize], extents: [usize; 2], batch_strides: &[isize], strides: [isize; 2]) {
    let [row, column] = strides.map(isize::unsigned_abs);
    // The common case: rows of consecutive elements, matrices one behind the other.
    let mut reach = extents[1];
    let mut ordered = column == 1 && (row >= reach || extents[0] == 1);
    reach = (extents[0] - 1) * row + extents[1];
    for (&extent, &stride) in batch.iter().zip(batch_strides).rev() {
        ordered &= extent == 1 || stride.unsigned_abs() >= reach;
        reach += (extent - 1) * stride.unsigned_abs();
    }
    if ordered {
        return;
    }
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
    if count == 1 && size < 2 * GRAIN {
        // SAFETY: the caller keeps the contract; batch axes of extent 1 were left out.
        return unsafe { T::multiply(product) };
    }
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
                let widen = |wide: &mut [f32], columns: usize, start: *const $type, row: isize, column: isize| {
                    for (i, wide) in wide.chunks_exact_mut(columns.max(1)).enumerate() {
                        for (j, wide) in wide.iter_mut().enumerate() {
                            // SAFETY: an element of an operand, by the caller's promise.
                            *wide = unsafe { *start.offset(i as isize * row + j as isize * column) }.to_f32();
                        }
                    }
                };
                let most = m.min(HALF_ROWS);
                let (mut a, mut b, mut c) =
                    (workspace::<f32>(most * k), workspace::<f32>(k * n), workspace::<f32>(most * n));
                let (a, b, c) = (a.as_mut_slice(), b.as_mut_slice(), c.as_mut_slice::<f32>());
                widen(b, n, product.b, product.b_row, product.b_column);
                for first in (0..m).step_by(HALF_ROWS) {
                    let rows = HALF_ROWS.min(m - first);
                    let start = product.a.wrapping_offset(first as isize * product.a_row);
                    widen(&mut a[..rows * k], k, start, product.a_row, product.a_column);
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
                    // SAFETY: the three workspaces hold the contiguous matrices that `wide` describes.
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
mod tests;
