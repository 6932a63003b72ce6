//! Reductions over the middle axis of an `[outer, reduced, inner]` view: sum, product, extrema and where they lie.
//!
//! The order in which elements are combined depends on the extents and on which axis is contiguous, never on the number
//! of threads. Without an inner axis it is the order of [`reduce_row`], so that a fused program's trailing reduction gives
//! the same bits. Along an inner axis, neighbouring results are computed together, short runs of rows in the elements'
//! own type, their results in `f64`.

use crate::combine::{Combine, Lane, Max, Min, Product, Reducible, Sum};
use crate::copy::check_view;
use crate::element::Element;
use crate::program::reduction::{SEGMENT, Steps, Total, segment_total, write_total};
use crate::threads::{Shared, divide_rows, fork_join};
use crate::vectorised::vectorised;

pub use crate::program::reduction::{Reduction, reduce_row};

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

    /// Where the elements of flat result `index` start, from the view's start.
    fn at(&self, index: usize) -> isize {
        let inner = self.extents[2];
        (index / inner) as isize * self.strides[0] + (index % inner) as isize * self.strides[2]
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

/// Rows that are combined in their own type, where the inner axis is the vector, before the results are widened.
const ROWS: usize = 64;
/// Inner elements whose partial results are kept at a time.
const COLUMNS: usize = 256;
/// Elements that one task takes at least.
const GRAIN: usize = 1 << 15;
/// Elements of a block of columns beyond which a reduced axis is divided.
const LONG: usize = 1 << 16;

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
    /// # Safety
    /// All elements of the rows are inside their allocation; `partial` has at most [`COLUMNS`] elements.
    unsafe fn combine_columns[T: Reducible, O: Combine](
        start: *const T,
        rows: usize,
        stride: isize,
        partial: &mut [Wide<T>],
    ) = columns_body;
}

/// The total of a segment: `length`, at most [`SEGMENT`], elements, `stride` apart.
///
/// # Safety
/// They are inside their allocation.
unsafe fn strided_total<T: Element>(
    steps: &Steps,
    start: *const T,
    length: usize,
    stride: isize,
    gathered: &mut Vec<T>,
) -> Total {
    // SAFETY: elements of the segment, by the caller's promise.
    unsafe {
        if stride == 1 {
            return segment_total(steps, std::slice::from_raw_parts(start, length));
        }
        gathered.clear();
        gathered.extend((0..length as isize).map(|index| *start.offset(index * stride)));
    }
    segment_total(steps, gathered)
}

/// The total of a row of any length.
///
/// # Safety
/// Its elements are inside their allocation.
unsafe fn row_total<T: Element>(
    steps: &Steps,
    start: *const T,
    length: usize,
    stride: isize,
    gathered: &mut Vec<T>,
) -> Total {
    let mut total = steps.identity();
    for first in (0..length).step_by(SEGMENT) {
        let count = SEGMENT.min(length - first);
        // SAFETY: a segment of the row.
        let segment = unsafe {
            strided_total(
                steps,
                start.offset(first as isize * stride),
                count,
                stride,
                gathered,
            )
        };
        total = steps.combine(total, segment);
    }
    total
}

fn finished<T: Element>(total: Total) -> T {
    let mut result = T::ZERO;
    // SAFETY: `result` is one element of the dtype.
    unsafe { write_total(T::DTYPE, total, (&raw mut result).cast(), 0) };
    result
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
    let [_, reduced, inner] = input.extents;
    if out.is_empty() {
        return;
    }
    if inner == 1 || input.strides[2] != 1 || reduced == 0 {
        return reduce_rows(&Steps::of(reduction, T::DTYPE), input, out);
    }
    match reduction {
        Reduction::Sum => reduce_columns::<T, Sum>(input, out),
        Reduction::Product => reduce_columns::<T, Product>(input, out),
        Reduction::Maximum => reduce_columns::<T, Max>(input, out),
        Reduction::Minimum => reduce_columns::<T, Min>(input, out),
    }
}

/// Reduces row by row, each in the order of [`reduce_row`].
fn reduce_rows<T: ReduceElement>(steps: &Steps, input: Reduced<'_, T>, out: &mut [T]) {
    let [_, reduced, _] = input.extents;
    let stride = input.strides[1];
    let start = Start(input.data.as_ptr().wrapping_add(input.offset));
    let segments = reduced.div_ceil(SEGMENT);
    if segments < 4 || out.len() >= 64 {
        return divide_rows(out, 1, (GRAIN / reduced.max(1)).max(1), &|first, out| {
            let mut gathered = Vec::new();
            for (index, out) in out.iter_mut().enumerate() {
                let at = start.offset(input.at(first + index));
                // SAFETY: one result's elements; the view was checked.
                *out = finished(unsafe { row_total(steps, at, reduced, stride, &mut gathered) });
            }
        });
    }
    // Few long rows: their segments are divided, and combined in order.
    let mut totals = vec![steps.identity(); out.len() * segments];
    divide_rows(&mut totals, 1, GRAIN.div_ceil(SEGMENT), &|first, totals| {
        let mut gathered = Vec::new();
        for (index, total) in totals.iter_mut().enumerate() {
            let (row, segment) = ((first + index) / segments, (first + index) % segments);
            let from = segment * SEGMENT;
            let count = SEGMENT.min(reduced - from);
            let at = start.offset(input.at(row) + from as isize * stride);
            // SAFETY: a segment of one result's elements; the view was checked.
            *total = unsafe { strided_total(steps, at, count, stride, &mut gathered) };
        }
    });
    for (out, totals) in out.iter_mut().zip(totals.chunks_exact(segments)) {
        let total = totals
            .iter()
            .fold(steps.identity(), |total, &next| steps.combine(total, next));
        *out = finished(total);
    }
}

/// Reduces with neighbouring results together; the inner axis is contiguous.
fn reduce_columns<T: ReduceElement, O: Combine>(input: Reduced<'_, T>, out: &mut [T]) {
    let [outer, reduced, inner] = input.extents;
    let start = Start(input.data.as_ptr().wrapping_add(input.offset));
    // A long reduced axis with few results is divided too, at places that depend on the extents alone.
    let results = outer * inner;
    let segment = (LONG / inner.min(COLUMNS)).max(ROWS).next_multiple_of(ROWS);
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
    let unit = COLUMNS.min(inner);
    divide_rows(out, unit, grain, &|first, out| {
        let mut partial = [O::identity::<Wide<T>>(); COLUMNS];
        for (index, out) in out.chunks_mut(COLUMNS).enumerate() {
            let partial = &mut partial[..out.len()];
            partial.fill(O::identity());
            combine_part::<T, O>(
                &input,
                &start,
                reduced,
                first * unit + index * COLUMNS,
                partial,
            );
            for (out, &wide) in out.iter_mut().zip(partial.iter()) {
                *out = T::from_lane(T::Lane::narrow(wide));
            }
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
    let mut done = 0;
    while done < partial.len() {
        let column = (first + done) % inner;
        let count = COLUMNS.min(inner - column).min(partial.len() - done);
        let partial = &mut partial[done..done + count];
        // SAFETY: results `first + done..` up to the end of their inner axis; the view was checked.
        unsafe {
            combine_columns::<T, O>(
                start.offset(input.at(first + done)),
                length,
                input.strides[1],
                partial,
            );
        }
        done += count;
    }
}

/// Whether any element of the middle axis is true; elements are 0 or 1. Of nothing: 0.
///
/// # Panics
/// As [`reduce`].
pub fn any(input: Reduced<'_, u8>, out: &mut [u8]) {
    reduce(Reduction::Maximum, input, out);
}

/// Whether all elements of the middle axis are true; elements are 0 or 1. Of nothing: 1.
///
/// # Panics
/// As [`reduce`].
pub fn all(input: Reduced<'_, u8>, out: &mut [u8]) {
    reduce(Reduction::Minimum, input, out);
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
    position::<T, Max>("argmax", Reduction::Maximum, input, out);
}

/// The position along the middle axis of the least element: the first of equals, the first NaN if there is one.
///
/// # Panics
/// As [`argmax`].
pub fn argmin<T: ReduceElement>(input: Reduced<'_, T>, out: &mut [i64]) {
    input.check("argmin", out.len());
    position::<T, Min>("argmin", Reduction::Minimum, input, out);
}

/// Whether `element` displaces the best so far: strictly better, or the first NaN.
#[inline(always)]
fn displaces<L: Lane, O: Combine>(element: L, best: L) -> bool {
    let strictly = O::combine(element, best) == element && element != best;
    strictly || (element.is_nan() && !best.is_nan())
}

fn position<T: ReduceElement, O: Combine>(
    what: &str,
    reduction: Reduction,
    input: Reduced<'_, T>,
    out: &mut [i64],
) {
    let [_, reduced, inner] = input.extents;
    let [_, stride, inner_stride] = input.strides;
    if out.is_empty() {
        return;
    }
    assert!(
        reduced > 0,
        "{what}: the reduced axis of extents {:?} is empty",
        input.extents
    );
    let start = Start(input.data.as_ptr().wrapping_add(input.offset));
    let steps = Steps::of(reduction, T::DTYPE);
    divide_rows(out, 1, (GRAIN / reduced).max(1), &|first, out| {
        let mut gathered = Vec::new();
        let mut done = 0;
        while done < out.len() {
            let column = (first + done) % inner;
            let at = start.offset(input.at(first + done));
            if inner > 1 && inner_stride == 1 {
                let count = COLUMNS.min(inner - column).min(out.len() - done);
                // SAFETY: results up to the end of their inner axis; the view was checked.
                unsafe {
                    position_columns::<T, O>(at, reduced, stride, &mut out[done..done + count])
                };
                done += count;
            } else {
                // SAFETY: one result's elements; the view was checked.
                out[done] = unsafe { position_row(&steps, at, reduced, stride, &mut gathered) };
                done += 1;
            }
        }
    });
}

/// # Safety
/// The row's elements are inside their allocation; there is one at least.
unsafe fn position_row<T: ReduceElement>(
    steps: &Steps,
    start: *const T,
    length: usize,
    stride: isize,
    gathered: &mut Vec<T>,
) -> i64 {
    // SAFETY: all elements of the row.
    let best = finished::<T>(unsafe { row_total(steps, start, length, stride, gathered) }).lane();
    // SAFETY: an element of the row.
    let at = |index: usize| unsafe { *start.offset(index as isize * stride) }.lane();
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
