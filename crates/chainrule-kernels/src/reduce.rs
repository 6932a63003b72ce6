//! Reductions over the middle axis of an `[outer, reduced, inner]` view: sum, product, extrema and where they lie.
//!
//! The order in which elements are combined depends on the extents and on which axis is contiguous, never on the number
//! of threads. Sums and products of floats go in short runs of their own type whose results meet in `f64`.

use crate::combine::{Combine, Lane, Max, Min, Product, Reducible, Sum};
use crate::copy::check_view;
use crate::element::Element;
use crate::threads::{Shared, divide_rows, fork_join};
use crate::vectorised::vectorised;

/// What a reduction combines its elements by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// The sum; integers wrap. Of nothing: 0.
    Sum,
    /// The product; integers wrap. Of nothing: 1.
    Product,
    /// The greatest element; NaN if one is NaN. Of nothing: negative infinity, or the type's least value.
    Max,
    /// The least element; NaN if one is NaN. Of nothing: infinity, or the type's greatest value.
    Min,
}

/// The input of a reduction: an `[outer, reduced, inner]` view of a slice.
#[derive(Clone, Copy, Debug)]
pub struct Reduced<'a, T> {
    /// The elements.
    pub data: &'a [T],
    /// Where the view starts.
    pub offset: usize,
    /// Extents of the outer, the reduced and the inner axis.
    pub extents: [usize; 3],
    /// Their strides, in elements.
    pub strides: [isize; 3],
}

impl<'a, T> Reduced<'a, T> {
    /// The view of a slice that is contiguous in row-major order.
    pub fn contiguous(data: &'a [T], extents: [usize; 3]) -> Reduced<'a, T> {
        let [_, reduced, inner] = extents;
        Reduced {
            data,
            offset: 0,
            extents,
            strides: [(reduced * inner) as isize, inner as isize, 1],
        }
    }

    fn check(&self, what: &str, results: usize) {
        check_view(
            what,
            self.data.len(),
            &self.extents,
            self.offset,
            &self.strides,
        );
        let [outer, _, inner] = self.extents;
        assert!(
            results == outer * inner,
            "{what}: {results} results for extents {:?}, which need {outer} x {inner}",
            self.extents
        );
    }
}

/// The element types that can be reduced: all of them.
pub trait ReduceElement: Element + Reducible {}
impl<T: Element + Reducible> ReduceElement for T {}

pub(crate) type Wide<T> = <<T as Reducible>::Lane as Lane>::Wide;

/// Elements of a row that are combined in their own type before the result is widened.
const RUN: usize = 1024;
/// Rows that are combined in their own type, where the inner axis is the vector, before the results are widened.
const ROWS: usize = 64;
/// Inner elements whose partial results are kept at a time.
const COLUMNS: usize = 256;
/// Elements that one task takes at least.
const GRAIN: usize = 1 << 15;
/// Elements of a long reduced axis that are combined apart from the others.
const SEGMENT: usize = 1 << 16;

/// Combines `run`, at most [`RUN`] elements, lane by lane.
#[inline(always)]
fn run_body<const FUSED: bool, T: Reducible, O: Combine>(run: &[T]) -> T::Lane {
    let mut total = O::identity();
    let mut rest = run;
    if run.len() >= 64 {
        let mut lanes = [O::identity(); 64];
        let blocks = run.chunks_exact(64);
        rest = blocks.remainder();
        for block in blocks {
            for lane in 0..64 {
                lanes[lane] = O::combine(lanes[lane], block[lane].lane());
            }
        }
        let mut width = 32;
        while width > 0 {
            for lane in 0..width {
                lanes[lane] = O::combine(lanes[lane], lanes[lane + width]);
            }
            width /= 2;
        }
        total = lanes[0];
    }
    for &element in rest {
        total = O::combine(total, element.lane());
    }
    total
}

/// Combines `rows` rows of `partial.len()` neighbouring elements, `stride` apart, into `partial`.
#[inline(always)]
unsafe fn columns_body<const FUSED: bool, T: Reducible, O: Combine>(
    start: *const T,
    rows: usize,
    stride: isize,
    partial: &mut [Wide<T>],
) {
    let mut first = 0;
    while first < rows {
        let count = ROWS.min(rows - first);
        let mut lanes = [O::identity::<T::Lane>(); COLUMNS];
        let lanes = &mut lanes[..partial.len()];
        for row in first..first + count {
            // SAFETY: the caller vouches for every row.
            let row = unsafe {
                std::slice::from_raw_parts(start.offset(row as isize * stride), lanes.len())
            };
            for (lane, element) in lanes.iter_mut().zip(row) {
                *lane = O::combine(*lane, element.lane());
            }
        }
        for (wide, &lane) in partial.iter_mut().zip(lanes.iter()) {
            *wide = O::combine(*wide, lane.widen());
        }
        first += count;
    }
}

vectorised! {
    fn combine_run[T: Reducible, O: Combine](run: &[T]) -> <T as Reducible>::Lane = run_body;
    /// # Safety
    /// All elements of the rows are inside their allocation; `partial` has at most [`COLUMNS`] elements.
    unsafe fn combine_columns[T: Reducible, O: Combine](
        start: *const T,
        rows: usize,
        stride: isize,
        partial: &mut [Wide<T>],
    ) = columns_body;
}

/// Combines `length` elements, `stride` apart.
///
/// # Safety
/// They are inside their allocation.
unsafe fn combine_row<T: Reducible, O: Combine>(
    start: *const T,
    length: usize,
    stride: isize,
) -> Wide<T> {
    let mut total = O::identity::<Wide<T>>();
    let mut gathered = Vec::new();
    let mut first = 0;
    while first < length {
        let count = RUN.min(length - first);
        // SAFETY: elements of the row, by the caller's promise.
        let run = unsafe {
            let start = start.offset(first as isize * stride);
            if stride == 1 {
                std::slice::from_raw_parts(start, count)
            } else {
                gathered.clear();
                gathered.extend((0..count as isize).map(|index| *start.offset(index * stride)));
                &gathered[..]
            }
        };
        let lane = combine_run::<T, O>(run).widen();
        total = if first == 0 {
            lane
        } else {
            O::combine(total, lane)
        };
        first += count;
    }
    total
}

/// A source pointer that tasks share.
struct Start<T>(*const T);
// SAFETY: tasks only read through it.
unsafe impl<T: Sync> Sync for Start<T> {}

impl<T> Start<T> {
    fn offset(&self, by: isize) -> *const T {
        self.0.wrapping_offset(by)
    }
}

/// Reduces the middle axis of `input`; `out` is contiguous `[outer, inner]`.
///
/// # Panics
/// When the view reaches outside its slice or `out` has not `outer * inner` elements.
///
/// ```
/// use chainrule_kernels::reduce::{reduce, Reduced, Reduction};
/// let mut sums = [0.0; 2];
/// reduce(Reduction::Sum, Reduced::contiguous(&[1.0, 2.0, 3.0, 4.0], [2, 2, 1]), &mut sums);
/// assert_eq!(sums, [3.0, 7.0]);
/// ```
pub fn reduce<T: ReduceElement>(reduction: Reduction, input: Reduced<'_, T>, out: &mut [T]) {
    input.check("reduce", out.len());
    match reduction {
        Reduction::Sum => reduce_by::<T, Sum>(input, out),
        Reduction::Product => reduce_by::<T, Product>(input, out),
        Reduction::Max => reduce_by::<T, Max>(input, out),
        Reduction::Min => reduce_by::<T, Min>(input, out),
    }
}

fn reduce_by<T: ReduceElement, O: Combine>(input: Reduced<'_, T>, out: &mut [T]) {
    let [outer, reduced, inner] = input.extents;
    if out.is_empty() {
        return;
    }
    if reduced == 0 {
        return out.fill(T::from_lane(O::identity()));
    }
    let start = Start(input.data.as_ptr().wrapping_add(input.offset));
    // A long reduced axis with few results is divided too, at places that depend on the extents alone.
    let results = outer * inner;
    let segment = (SEGMENT / inner.min(COLUMNS))
        .max(ROWS)
        .next_multiple_of(RUN);
    if reduced >= 2 * segment && results < 1024 {
        let segments = reduced.div_ceil(segment);
        let mut partial = vec![O::identity::<Wide<T>>(); segments * results];
        let shared = Shared::new(&mut partial);
        fork_join(segments, &|index| {
            let first = index * segment;
            let length = segment.min(reduced - first);
            // SAFETY: each segment has its own partial results.
            let partial = unsafe { shared.range(index * results..(index + 1) * results) };
            let start = Start(start.offset(first as isize * input.strides[1]));
            combine_part::<T, O>(&input, &start, length, 0, partial);
        });
        for (result, out) in out.iter_mut().enumerate() {
            let parts = partial.iter().skip(result).step_by(results);
            let total = parts
                .copied()
                .reduce(O::combine)
                .expect("two segments at least");
            *out = T::from_lane(T::Lane::narrow(total));
        }
        return;
    }
    let grain = (GRAIN / reduced).max(1);
    let unit = if inner > 1 { COLUMNS.min(inner) } else { 1 };
    divide_rows(out, unit, grain, &|first, out| {
        let mut partial = [O::identity::<Wide<T>>(); COLUMNS];
        let mut done = 0;
        while done < out.len() {
            let count = COLUMNS.min(out.len() - done);
            let partial = &mut partial[..count];
            partial.fill(O::identity());
            combine_part::<T, O>(&input, &start, reduced, first * unit + done, partial);
            for (out, &wide) in out[done..].iter_mut().zip(partial.iter()) {
                *out = T::from_lane(T::Lane::narrow(wide));
            }
            done += count;
        }
    });
}

/// Combines `length` elements of the reduced axis for the results from flat index `first` on.
fn combine_part<T: ReduceElement, O: Combine>(
    input: &Reduced<'_, T>,
    start: &Start<T>,
    length: usize,
    first: usize,
    partial: &mut [Wide<T>],
) {
    let inner = input.extents[2];
    let [outer_stride, stride, inner_stride] = input.strides;
    let by_columns = inner > 1 && inner_stride == 1;
    let mut done = 0;
    while done < partial.len() {
        let (row, column) = ((first + done) / inner, (first + done) % inner);
        let at = row as isize * outer_stride + column as isize * inner_stride;
        if by_columns {
            let count = COLUMNS.min(inner - column).min(partial.len() - done);
            // SAFETY: results `first + done..` up to the end of their inner axis; the view was checked.
            unsafe {
                combine_columns::<T, O>(
                    start.offset(at),
                    length,
                    stride,
                    &mut partial[done..done + count],
                );
            }
            done += count;
        } else {
            // SAFETY: one result's elements; the view was checked.
            let wide = unsafe { combine_row::<T, O>(start.offset(at), length, stride) };
            partial[done] = wide;
            done += 1;
        }
    }
}

/// Whether any element of the middle axis is true; elements are 0 or 1. Of nothing: 0.
///
/// # Panics
/// As [`reduce`].
pub fn any(input: Reduced<'_, u8>, out: &mut [u8]) {
    reduce(Reduction::Max, input, out);
}

/// Whether all elements of the middle axis are true; elements are 0 or 1. Of nothing: 1.
///
/// # Panics
/// As [`reduce`].
pub fn all(input: Reduced<'_, u8>, out: &mut [u8]) {
    reduce(Reduction::Min, input, out);
    if input.extents[1] == 0 {
        out.fill(1);
    }
}

/// The position along the middle axis of the greatest element: the first of equals, the first NaN if there is one.
///
/// # Panics
/// As [`reduce`]; also when there are results but the middle axis is empty.
pub fn argmax<T: ReduceElement>(input: Reduced<'_, T>, out: &mut [i64]) {
    input.check("argmax", out.len());
    position::<T, Max>("argmax", input, out);
}

/// The position along the middle axis of the least element: the first of equals, the first NaN if there is one.
///
/// # Panics
/// As [`argmax`].
pub fn argmin<T: ReduceElement>(input: Reduced<'_, T>, out: &mut [i64]) {
    input.check("argmin", out.len());
    position::<T, Min>("argmin", input, out);
}

/// Whether `element` displaces the best so far: strictly better, or the first NaN.
#[inline(always)]
fn displaces<L: Lane, O: Combine>(element: L, best: L) -> bool {
    let strictly = O::combine(element, best) == element && element != best;
    strictly || (element.is_nan() && !best.is_nan())
}

fn position<T: ReduceElement, O: Combine>(what: &str, input: Reduced<'_, T>, out: &mut [i64]) {
    let [_, reduced, inner] = input.extents;
    let [outer_stride, stride, inner_stride] = input.strides;
    if out.is_empty() {
        return;
    }
    assert!(
        reduced > 0,
        "{what}: the reduced axis of extents {:?} is empty",
        input.extents
    );
    let start = Start(input.data.as_ptr().wrapping_add(input.offset));
    divide_rows(out, 1, (GRAIN / reduced).max(1), &|first, out| {
        let mut done = 0;
        while done < out.len() {
            let (row, column) = ((first + done) / inner, (first + done) % inner);
            let at = start.offset(row as isize * outer_stride + column as isize * inner_stride);
            if inner > 1 && inner_stride == 1 {
                let count = COLUMNS.min(inner - column).min(out.len() - done);
                // SAFETY: results up to the end of their inner axis; the view was checked.
                unsafe {
                    position_columns::<T, O>(at, reduced, stride, &mut out[done..done + count])
                };
                done += count;
            } else {
                // SAFETY: one result's elements; the view was checked.
                out[done] = unsafe { position_row::<T, O>(at, reduced, stride) };
                done += 1;
            }
        }
    });
}

/// # Safety
/// The row's elements are inside their allocation; there is one at least.
unsafe fn position_row<T: Reducible, O: Combine>(
    start: *const T,
    length: usize,
    stride: isize,
) -> i64 {
    // SAFETY (both): elements of the row.
    let at = |index: usize| unsafe { *start.offset(index as isize * stride) }.lane();
    let best = unsafe { combine_row::<T, O>(start, length, stride) };
    let best = T::Lane::narrow(best);
    (0..length)
        .find(|&index| at(index) == best || (best.is_nan() && at(index).is_nan()))
        .expect("the best element is one of the row") as i64
}

/// # Safety
/// Rows of `out.len()`, at most [`COLUMNS`], elements are inside their allocation; there is one row at least.
#[inline(always)]
unsafe fn position_columns_body<const FUSED: bool, T: Reducible, O: Combine>(
    start: *const T,
    rows: usize,
    stride: isize,
    out: &mut [i64],
) {
    let mut best = [O::identity::<T::Lane>(); COLUMNS];
    for row in 0..rows {
        // SAFETY: the caller vouches for every row.
        let elements =
            unsafe { std::slice::from_raw_parts(start.offset(row as isize * stride), out.len()) };
        for column in 0..out.len() {
            let element = elements[column].lane();
            let better = row == 0 || displaces::<_, O>(element, best[column]);
            best[column] = if better { element } else { best[column] };
            out[column] = if better { row as i64 } else { out[column] };
        }
    }
}

vectorised! {
    /// # Safety
    /// As [`position_columns_body`].
    unsafe fn position_columns[T: Reducible, O: Combine](
        start: *const T,
        rows: usize,
        stride: isize,
        out: &mut [i64],
    ) = position_columns_body;
}

#[cfg(test)]
mod tests;
