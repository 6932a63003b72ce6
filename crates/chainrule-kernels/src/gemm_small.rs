//! Products too small for packing: the result's tiles stay in registers, operands are read where they lie.

use crate::real::Real;
use crate::vectorised::vectorised;

/// The products that [`small`] is made for: up to this many multiplications.
pub(crate) const MOST: usize = 8 * 8 * 8;
/// The most elements of `b` that are copied to rows of consecutive elements.
const PACKED: usize = 2048;

/// One product's operands: pointers to the first element and strides in elements, `c = a b` or `c += a b`.
#[derive(Clone, Copy)]
pub(crate) struct Product<T> {
    pub m: usize,
    pub n: usize,
    pub k: usize,
    pub a: *const T,
    pub a_row: isize,
    pub a_column: isize,
    pub b: *const T,
    pub b_row: isize,
    pub b_column: isize,
    pub c: *mut T,
    pub c_row: isize,
    pub c_column: isize,
    pub accumulate: bool,
}

impl<T> Product<T> {
    /// The same product read as `c^T = b^T a^T`.
    pub(crate) fn transposed(self) -> Self {
        Product {
            m: self.n,
            n: self.m,
            k: self.k,
            a: self.b,
            a_row: self.b_column,
            a_column: self.b_row,
            b: self.a,
            b_row: self.a_column,
            b_column: self.a_row,
            c: self.c,
            c_row: self.c_column,
            c_column: self.c_row,
            accumulate: self.accumulate,
        }
    }
}

vectorised! {
    /// Computes a product of at most [`MOST`] multiplications in f32.
    ///
    /// # Safety
    /// Every element that the product names is inside its allocation; `c` overlaps neither operand.
    pub(crate) unsafe fn small_f32(product: Product<f32>) = body_f32;
    /// Computes a product of at most [`MOST`] multiplications in f64.
    ///
    /// # Safety
    /// As [`small_f32`].
    pub(crate) unsafe fn small_f64(product: Product<f64>) = body_f64;
}

#[inline(always)]
unsafe fn body_f32<const FUSED: bool>(product: Product<f32>) {
    // SAFETY: the caller keeps the contract.
    unsafe { small::<FUSED, f32>(product) }
}

#[inline(always)]
unsafe fn body_f64<const FUSED: bool>(product: Product<f64>) {
    // SAFETY: the caller keeps the contract.
    unsafe { small::<FUSED, f64>(product) }
}

/// # Safety
/// As [`small_f32`].
#[inline(always)]
unsafe fn small<const FUSED: bool, T: Real>(product: Product<T>) {
    // Rows of the result should be contiguous.
    let product = if product.c_column != 1 && product.c_row == 1 {
        product.transposed()
    } else {
        product
    };
    let (m, n, k) = (product.m, product.n, product.k);
    let mut packed = [std::mem::MaybeUninit::<T>::uninit(); PACKED];
    let (b, b_row) = if product.b_column == 1 {
        (product.b, product.b_row)
    } else if n * k <= PACKED {
        let packed = packed.as_mut_ptr().cast::<T>();
        for row in 0..k {
            for column in 0..n {
                // SAFETY: `k` rows of `n` elements fit (checked above); elements of `b` by the caller's promise.
                unsafe {
                    let at = row as isize * product.b_row + column as isize * product.b_column;
                    *packed.add(row * n + column) = *product.b.offset(at);
                }
            }
        }
        (packed.cast_const(), n as isize)
    } else {
        // SAFETY: the caller keeps the contract.
        unsafe { plain::<FUSED, T>(product) };
        return;
    };
    let mut column = 0;
    while column < n {
        let rest = n - column;
        let mut row = 0;
        while row < m {
            // SAFETY: the tile's rows and columns are inside the product; `b` has `k` rows of `n` elements.
            unsafe {
                let b = b.add(column);
                row += match (m - row, rest) {
                    (4.., 16..) => tile::<FUSED, T, 4, 16>(&product, row, column, b, b_row),
                    (_, 16..) => tile::<FUSED, T, 1, 16>(&product, row, column, b, b_row),
                    (4.., 8..) => tile::<FUSED, T, 4, 8>(&product, row, column, b, b_row),
                    (_, 8..) => tile::<FUSED, T, 1, 8>(&product, row, column, b, b_row),
                    (4.., 4..) => tile::<FUSED, T, 4, 4>(&product, row, column, b, b_row),
                    (_, 4..) => tile::<FUSED, T, 1, 4>(&product, row, column, b, b_row),
                    (4.., _) => tile::<FUSED, T, 4, 1>(&product, row, column, b, b_row),
                    (_, _) => tile::<FUSED, T, 1, 1>(&product, row, column, b, b_row),
                };
            }
        }
        column += match rest {
            16.. => 16,
            8.. => 8,
            4.. => 4,
            _ => 1,
        };
    }
}

/// Computes `R` rows of the result in columns `column..column + W` and returns `R`.
///
/// # Safety
/// As [`small_f32`]; `b` points to `k` rows of at least `W` readable elements, `b_row` apart.
#[inline(always)]
unsafe fn tile<const FUSED: bool, T: Real, const R: usize, const W: usize>(
    product: &Product<T>,
    row: usize,
    column: usize,
    b: *const T,
    b_row: isize,
) -> usize {
    let mut sums = [[T::ZERO; W]; R];
    // SAFETY: every access is to elements that the caller vouches for.
    unsafe {
        let a = product.a.offset(row as isize * product.a_row);
        for depth in 0..product.k as isize {
            let b = &*b.offset(depth * b_row).cast::<[T; W]>();
            let a = a.offset(depth * product.a_column);
            for i in 0..R {
                let factor = *a.offset(i as isize * product.a_row);
                for j in 0..W {
                    sums[i][j] = b[j].multiply_add::<FUSED>(factor, sums[i][j]);
                }
            }
        }
        for i in 0..R {
            let c = product
                .c
                .offset((row + i) as isize * product.c_row + column as isize * product.c_column);
            if product.c_column == 1 {
                let c = &mut *c.cast::<[T; W]>();
                for j in 0..W {
                    c[j] = if product.accumulate {
                        c[j] + sums[i][j]
                    } else {
                        sums[i][j]
                    };
                }
            } else {
                for j in 0..W {
                    let c = c.offset(j as isize * product.c_column);
                    *c = if product.accumulate {
                        *c + sums[i][j]
                    } else {
                        sums[i][j]
                    };
                }
            }
        }
    }
    R
}

/// Any product, an element at a time.
///
/// # Safety
/// As [`small_f32`].
#[inline(always)]
unsafe fn plain<const FUSED: bool, T: Real>(product: Product<T>) {
    for row in 0..product.m as isize {
        for column in 0..product.n as isize {
            let mut sum = T::ZERO;
            // SAFETY: every access is to elements that the caller vouches for.
            unsafe {
                for depth in 0..product.k as isize {
                    let a = *product
                        .a
                        .offset(row * product.a_row + depth * product.a_column);
                    let b = *product
                        .b
                        .offset(depth * product.b_row + column * product.b_column);
                    sum = a.multiply_add::<FUSED>(b, sum);
                }
                let c = product
                    .c
                    .offset(row * product.c_row + column * product.c_column);
                *c = if product.accumulate { *c + sum } else { sum };
            }
        }
    }
}
