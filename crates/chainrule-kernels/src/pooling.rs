//! Pooling over one to three spatial axes: where the greatest element of each window stands, sums of windows, and the
//! transpose of those sums.
//!
//! `planes` is batch times channels; a plane is contiguous. Halves compute in `f32` and round once. Every window takes
//! its elements in ascending order, so results do not depend on the number of threads.

use crate::element::Element;
use crate::real::{Real, RealElement};
use crate::threads::{Shared, divide_range};
use crate::vectorised::vectorised;
use crate::window::Window;
use std::ops::Range;

/// Elements that one task takes at least.
const GRAIN: usize = 1 << 13;

/// The element types that can be pooled: the floating ones.
pub trait PoolElement: RealElement {}
impl<T: RealElement> PoolElement for T {}

fn check(what: &str, window: &Window, planes: usize, inputs: usize, results: usize) {
    window.check(what);
    assert!(
        inputs == planes * window.input_size(),
        "{what}: {inputs} elements for {planes} planes of {:?}",
        window.input
    );
    assert!(
        results == planes * window.output_size(),
        "{what}: {results} results for {planes} planes of windows {:?}",
        window.output
    );
}

/// Writes where the greatest element of every window stands in its plane: the first of equals, NaN if there is one.
///
/// Padding is never chosen; a window wholly in padding has position 0.
///
/// # Panics
/// When a slice's length does not fit the window, or a plane has more than 2^31 - 1 elements.
///
/// ```
/// use chainrule_kernels::{pooling::max_pool_positions, window::Window};
/// let window = Window::new(&[4], &[2], &[2], &[0], &[1]);
/// let mut positions = [0; 2];
/// max_pool_positions(&window, 1, &[1.0f32, 3.0, 2.0, 2.0], &mut positions);
/// assert_eq!(positions, [1, 2]);
/// ```
pub fn max_pool_positions<T: PoolElement>(
    window: &Window,
    planes: usize,
    x: &[T],
    positions: &mut [i64],
) {
    check(
        "max pool positions",
        window,
        planes,
        x.len(),
        positions.len(),
    );
    let (input, results) = (window.input_size(), window.output_size());
    assert!(
        i32::try_from(input).is_ok(),
        "max pool positions: a plane of {input} elements"
    );
    let columns = Columns::new(window);
    let positions = Shared::new(positions);
    each_plane(planes, results, &|plane, row| {
        // SAFETY: each plane has its own results.
        let positions = unsafe { positions.range(plane * results..(plane + 1) * results) };
        choose_plane(
            window,
            &columns,
            &x[plane * input..][..input],
            row,
            positions,
        );
    });
}

/// Writes the sum of the elements of every window; padding adds nothing.
///
/// # Panics
/// When a slice's length does not fit the window.
pub fn window_sum<T: PoolElement>(window: &Window, planes: usize, x: &[T], out: &mut [T]) {
    check("window sum", window, planes, x.len(), out.len());
    let (input, results) = (window.input_size(), window.output_size());
    let columns = Columns::new(window);
    let out = Shared::new(out);
    each_plane(planes, results, &|plane, row| {
        // SAFETY: each plane has its own results.
        let out = unsafe { out.range(plane * results..(plane + 1) * results) };
        sum_plane(
            window,
            &columns,
            &x[plane * input..][..input],
            &mut row.values,
            out,
        );
    });
}

/// The transpose of [`window_sum`]: writes for every element of the input the sum of the `results` of the windows that
/// hold it.
///
/// # Panics
/// When a slice's length does not fit the window.
pub fn window_spread<T: PoolElement>(window: &Window, planes: usize, results: &[T], out: &mut [T]) {
    check("window spread", window, planes, out.len(), results.len());
    let (input, windows) = (window.input_size(), window.output_size());
    let columns = Columns::new(window);
    let out = Shared::new(out);
    each_plane(planes, input, &|plane, row| {
        // SAFETY: each plane has its own elements.
        let out = unsafe { out.range(plane * input..(plane + 1) * input) };
        spread_plane(
            window,
            &columns,
            &results[plane * windows..][..windows],
            &mut row.values,
            out,
        );
    });
}

/// Memory for a row of results, or a plane of elements.
struct Scratch<R> {
    values: Vec<R>,
    places: Vec<i32>,
}

/// Calls `work(plane, scratch)` for every plane, over the threads.
fn each_plane<R: Real>(
    planes: usize,
    elements: usize,
    work: &(dyn Fn(usize, &mut Scratch<R>) + Sync),
) {
    divide_range(planes, GRAIN.div_ceil(elements.max(1)), &|range| {
        let (values, places) = (Vec::new(), Vec::new());
        let mut scratch = Scratch { values, places };
        for plane in range {
            work(plane, &mut scratch);
        }
    });
}

/// One element of every window along the last axis.
struct Tap {
    /// The windows in which it lies inside the input.
    windows: Range<usize>,
    /// Its coordinate in the first of those.
    first: usize,
}

/// The windows along the last axis.
struct Columns {
    taps: Vec<Tap>,
    /// The coordinate of each window's first element inside the input, or -1.
    starts: Vec<i32>,
}

impl Columns {
    fn new(window: &Window) -> Columns {
        let tap = |tap: usize| {
            let windows = window.positions(2, tap);
            let first = windows.start * window.stride[2] + tap * window.dilation[2];
            let first = first.saturating_sub(window.padding[2]);
            Tap { windows, first }
        };
        let start = |position: usize| {
            let inside = window.taps(2, position);
            let first = inside.start * window.dilation[2] + position * window.stride[2];
            match inside.is_empty() {
                true => -1,
                false => (first - window.padding[2]) as i32,
            }
        };
        Columns {
            taps: (0..window.kernel[2]).map(tap).collect(),
            starts: (0..window.output[2]).map(start).collect(),
        }
    }
}

/// Calls `visit(row of windows, where it starts in the plane of results, the input's rows it covers)`, the last as
/// where each starts in the plane.
#[inline(always)]
fn each_row(window: &Window, mut visit: impl FnMut(usize, &mut dyn Iterator<Item = usize>)) {
    let coordinate = |axis: usize, position: usize, tap: usize| {
        position * window.stride[axis] + tap * window.dilation[axis] - window.padding[axis]
    };
    let mut result = 0;
    for plane in 0..window.output[0] {
        for row in 0..window.output[1] {
            let mut lines = window.taps(0, plane).flat_map(|outer| {
                let plane = coordinate(0, plane, outer) * window.input[1];
                let taps = window.taps(1, row);
                taps.map(move |inner| (plane + coordinate(1, row, inner)) * window.input[2])
            });
            visit(result, &mut lines);
            result += window.output[2];
        }
    }
}

#[inline(always)]
fn choose_body<const FUSED: bool, T: RealElement>(
    window: &Window,
    columns: &Columns,
    x: &[T],
    row: &mut Scratch<T::Real>,
    positions: &mut [i64],
) {
    let width = window.output[2];
    row.values.resize(width, T::Real::ZERO);
    row.places.resize(width, 0);
    let (best, places) = (&mut row.values[..], &mut row.places[..]);
    each_row(window, |result, lines| {
        let mut first_line = None;
        for line in lines {
            if first_line.is_none() {
                // What is not greater than negative infinity leaves the first element chosen.
                first_line = Some(line);
                best.fill(T::Real::NEG_INFINITY);
                for (place, &start) in places.iter_mut().zip(&columns.starts) {
                    *place = line as i32 + start;
                }
            }
            for tap in &columns.taps {
                let (best, places) = (
                    &mut best[tap.windows.clone()],
                    &mut places[tap.windows.clone()],
                );
                let first = line + tap.first;
                #[allow(clippy::eq_op)] // NaN is what differs from itself
                along(x, first, window.stride[2], best.len(), |i, at, value| {
                    let value = value.to_real();
                    let better = value > best[i] || value != value && best[i] == best[i];
                    best[i] = if better { value } else { best[i] };
                    places[i] = if better { at as i32 } else { places[i] };
                });
            }
        }
        let positions = &mut positions[result..][..width];
        match first_line {
            None => positions.fill(0),
            Some(_) => {
                for ((position, &place), &start) in
                    positions.iter_mut().zip(&*places).zip(&columns.starts)
                {
                    *position = if start < 0 { 0 } else { place.into() };
                }
            }
        }
    });
}

#[inline(always)]
fn sum_body<const FUSED: bool, T: RealElement>(
    window: &Window,
    columns: &Columns,
    x: &[T],
    sums: &mut Vec<T::Real>,
    out: &mut [T],
) {
    let width = window.output[2];
    sums.resize(width, T::Real::ZERO);
    each_row(window, |result, lines| {
        sums.fill(T::Real::ZERO);
        for line in lines {
            for tap in &columns.taps {
                let sums = &mut sums[tap.windows.clone()];
                let first = line + tap.first;
                along(x, first, window.stride[2], sums.len(), |i, _, value| {
                    sums[i] += value.to_real();
                });
            }
        }
        for (out, &sum) in out[result..][..width].iter_mut().zip(&*sums) {
            *out = T::from_real(sum);
        }
    });
}

#[inline(always)]
fn spread_body<const FUSED: bool, T: RealElement>(
    window: &Window,
    columns: &Columns,
    results: &[T],
    sums: &mut Vec<T::Real>,
    out: &mut [T],
) {
    sums.clear();
    sums.resize(out.len(), T::Real::ZERO);
    each_row(window, |result, lines| {
        for line in lines {
            // Backwards, so that every element takes its windows in ascending order.
            for tap in columns.taps.iter().rev() {
                let results = &results[result..][tap.windows.clone()];
                let first = line + tap.first;
                let sums = &mut sums[..];
                for (i, value) in results.iter().enumerate() {
                    sums[first + i * window.stride[2]] += value.to_real();
                }
            }
        }
    });
    for (out, &sum) in out.iter_mut().zip(&*sums) {
        *out = T::from_real(sum);
    }
}

/// Calls `visit(i, position, element)` for `count` elements of `x` from `first` on, `stride` apart.
#[inline(always)]
fn along<T: Copy>(
    x: &[T],
    first: usize,
    stride: usize,
    count: usize,
    visit: impl FnMut(usize, usize, T),
) {
    // With the step known, the loop is vectorised.
    match stride {
        1 => stepping::<T>(x, first, 1, count, visit),
        2 => stepping::<T>(x, first, 2, count, visit),
        _ => stepping::<T>(x, first, stride, count, visit),
    }
}

#[inline(always)]
fn stepping<T: Copy>(
    x: &[T],
    first: usize,
    stride: usize,
    count: usize,
    mut visit: impl FnMut(usize, usize, T),
) {
    if count == 0 {
        return;
    }
    assert!(first + (count - 1) * stride < x.len());
    for i in 0..count {
        let at = first + i * stride;
        // SAFETY: the last position is inside, as asserted above.
        visit(i, at, unsafe { *x.get_unchecked(at) });
    }
}

vectorised! {
    fn choose_plane[T: RealElement](
        window: &Window,
        columns: &Columns,
        x: &[T],
        row: &mut Scratch<<T as RealElement>::Real>,
        positions: &mut [i64],
    ) = choose_body;
    fn sum_plane[T: RealElement](
        window: &Window,
        columns: &Columns,
        x: &[T],
        sums: &mut Vec<<T as RealElement>::Real>,
        out: &mut [T],
    ) = sum_body;
    fn spread_plane[T: RealElement](
        window: &Window,
        columns: &Columns,
        results: &[T],
        sums: &mut Vec<<T as RealElement>::Real>,
        out: &mut [T],
    ) = spread_body;
}

#[cfg(test)]
mod tests;
