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
/// When a slice's length does not fit the window, or a plane has 2^32 elements or more.
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
        u32::try_from(input).is_ok(),
        "max pool positions: a plane of {input} elements"
    );
    let places = Places::new(window);
    let positions = Shared::new(positions);
    each_plane(planes, results, &|plane, line| {
        // SAFETY: each plane has its own results.
        let positions = unsafe { positions.range(plane * results..(plane + 1) * results) };
        let x = &x[plane * input..][..input];
        if size_of::<T::Real>() == size_of::<f32>() {
            choose_plane(window, &places, x, line, positions);
        } else {
            choose_wide(window, &places, x, positions);
        }
    });
}

/// Writes the sum of the elements of every window; padding adds nothing.
///
/// # Panics
/// When a slice's length does not fit the window.
pub fn window_sum<T: PoolElement>(window: &Window, planes: usize, x: &[T], out: &mut [T]) {
    check("window sum", window, planes, x.len(), out.len());
    let (input, results) = (window.input_size(), window.output_size());
    let places = Places::new(window);
    let out = Shared::new(out);
    each_plane(planes, results, &|plane, sums| {
        // SAFETY: each plane has its own results.
        let out = unsafe { out.range(plane * results..(plane + 1) * results) };
        sum_plane(window, &places, &x[plane * input..][..input], sums, out);
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
    let places = Places::new(window);
    let out = Shared::new(out);
    each_plane(planes, input, &|plane, sums| {
        // SAFETY: each plane has its own elements.
        let out = unsafe { out.range(plane * input..(plane + 1) * input) };
        spread_plane(
            window,
            &places,
            &results[plane * windows..][..windows],
            sums,
            out,
        );
    });
}

/// Calls `work(plane, scratch)` for every plane, over the threads; a thread's planes share the scratch.
fn each_plane<S>(planes: usize, elements: usize, work: &(dyn Fn(usize, &mut Vec<S>) + Sync)) {
    divide_range(planes, GRAIN.div_ceil(elements.max(1)), &|range| {
        let mut scratch = Vec::new();
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

/// Where the windows of a plane lie, the same for every plane.
struct Places {
    /// The elements of windows along the last axis.
    taps: Vec<Tap>,
    /// Where the rows of the input start that some row of windows covers, row of windows after row of windows.
    starts: Vec<usize>,
    /// Those of each row of windows.
    rows: Vec<Range<usize>>,
}

impl Places {
    fn new(window: &Window) -> Places {
        let tap = |tap: usize| {
            let windows = window.positions(2, tap);
            let first = windows.start * window.stride[2] + tap * window.dilation[2];
            let first = first.saturating_sub(window.padding[2]);
            Tap { windows, first }
        };
        let coordinate = |axis: usize, position: usize, tap: usize| {
            position * window.stride[axis] + tap * window.dilation[axis] - window.padding[axis]
        };
        let (mut starts, mut rows) = (Vec::new(), Vec::new());
        for plane in 0..window.output[0] {
            for row in 0..window.output[1] {
                let first = starts.len();
                for outer in window.taps(0, plane) {
                    let plane = coordinate(0, plane, outer) * window.input[1];
                    for inner in window.taps(1, row) {
                        starts.push((plane + coordinate(1, row, inner)) * window.input[2]);
                    }
                }
                rows.push(first..starts.len());
            }
        }
        Places {
            taps: (0..window.kernel[2]).map(tap).collect(),
            starts,
            rows,
        }
    }

    /// For every row of `width` windows the number of its first window and where the rows start that it covers.
    fn rows(&self, width: usize) -> impl Iterator<Item = (usize, &[usize])> {
        let rows = self.rows.iter().enumerate();
        rows.map(move |(row, starts)| (row * width, &self.starts[starts.clone()]))
    }

    /// The windows along the last axis that lie wholly inside the input.
    fn whole(&self) -> Range<usize> {
        let (first, last) = (
            &self.taps[0].windows,
            &self.taps[self.taps.len() - 1].windows,
        );
        first.start..last.end.max(first.start)
    }
}

/// Numbers that order as `value` does and, of equal values, the other way round as `position` does: NaN counts as
/// greatest, -0 as 0. Never the least number.
#[inline(always)]
#[allow(clippy::eq_op)] // NaN is what differs from itself
fn ranked(value: f32, position: usize) -> i64 {
    let bits = (value + 0.0).to_bits() as i32;
    // Negative numbers order backwards.
    let ordered = bits ^ (((bits >> 31) as u32) >> 1) as i32;
    let ordered = if value != value { i32::MAX } else { ordered };
    i64::from(ordered) << 32 | i64::from(!(position as u32))
}

/// The position in a number of [`ranked`]; 0 of nothing.
#[inline(always)]
fn position_in(ranked: i64) -> i64 {
    if ranked == i64::MIN {
        0
    } else {
        i64::from(!(ranked as u32))
    }
}

/// In single precision: element and position become one integer, so that a choice is a maximum, first over the rows that
/// a row of windows covers, then along it.
#[inline(always)]
fn choose_body<const FUSED: bool, T: RealElement>(
    window: &Window,
    places: &Places,
    x: &[T],
    line: &mut Vec<i64>,
    positions: &mut [i64],
) {
    let (columns, stride) = (window.input[2], window.stride[2]);
    // Windows in front of these or behind them reach into the padding.
    let whole = places.whole();
    for (result, starts) in places.rows(window.output[2]) {
        let positions = &mut positions[result..][..window.output[2]];
        line.clear();
        line.resize(columns, i64::MIN);
        for &start in starts {
            let row = &x[start..start + columns];
            for (column, (best, value)) in line.iter_mut().zip(row).enumerate() {
                let value = value.to_real().to_f64() as f32;
                *best = (*best).max(ranked(value, start + column));
            }
        }
        let cut = |column: usize| {
            let greatest = places
                .taps
                .iter()
                .filter(|tap| tap.windows.contains(&column))
                .map(|tap| line[tap.first + (column - tap.windows.start) * stride]);
            position_in(greatest.fold(i64::MIN, i64::max))
        };
        for column in (0..whole.start).chain(whole.end..positions.len()) {
            positions[column] = cut(column);
        }
        if whole.is_empty() {
            continue;
        }
        let line = &line[whole.start * stride - window.padding[2]..];
        let whole = &mut positions[whole.clone()];
        // With the window's extent known, the loop is unrolled.
        match (window.kernel[2], stride) {
            (2, 2) => greatest_along::<2>(line, 2, window.dilation[2], whole),
            (3, 2) => greatest_along::<3>(line, 2, window.dilation[2], whole),
            (3, _) => greatest_along::<3>(line, stride, window.dilation[2], whole),
            (_, _) => {
                for (i, position) in whole.iter_mut().enumerate() {
                    let taps = (0..window.kernel[2]).map(|tap| tap * window.dilation[2]);
                    let greatest = taps.map(|tap| line[i * stride + tap]);
                    *position = position_in(greatest.fold(i64::MIN, i64::max));
                }
            }
        }
    }
}

/// The positions in the greatest of `COUNT` numbers, `step` apart, from every `stride`-th one on.
#[inline(always)]
fn greatest_along<const COUNT: usize>(
    line: &[i64],
    stride: usize,
    step: usize,
    positions: &mut [i64],
) {
    assert!((positions.len() - 1) * stride + (COUNT - 1) * step < line.len());
    for (i, position) in positions.iter_mut().enumerate() {
        // SAFETY: no window reaches beyond the last one, which is inside, as asserted above.
        let at = |tap: usize| unsafe { *line.get_unchecked(i * stride + tap * step) };
        let greatest = (1..COUNT).fold(at(0), |best, tap| best.max(at(tap)));
        *position = position_in(greatest);
    }
}

/// In double precision.
fn choose_wide<T: RealElement>(window: &Window, places: &Places, x: &[T], positions: &mut [i64]) {
    for (result, starts) in places.rows(window.output[2]) {
        for (column, position) in positions[result..][..window.output[2]]
            .iter_mut()
            .enumerate()
        {
            let taps = window.taps(2, column);
            let first = column * window.stride[2] + taps.start * window.dilation[2];
            let mut best: Option<(usize, T::Real)> = None;
            for start in starts {
                for tap in 0..taps.len() {
                    let at = start + first - window.padding[2] + tap * window.dilation[2];
                    let value = x[at].to_real();
                    #[allow(clippy::eq_op, clippy::neg_cmp_op_on_partial_ord)]
                    // NaN is what differs from itself
                    let better = best.is_none_or(|(_, best)| !(value <= best) && best == best);
                    if better {
                        best = Some((at, value));
                    }
                }
            }
            *position = best.map_or(0, |(at, _)| at as i64);
        }
    }
}

#[inline(always)]
fn sum_body<const FUSED: bool, T: RealElement>(
    window: &Window,
    places: &Places,
    x: &[T],
    sums: &mut Vec<T::Real>,
    out: &mut [T],
) {
    let width = window.output[2];
    sums.resize(width, T::Real::ZERO);
    for (result, starts) in places.rows(width) {
        sums.fill(T::Real::ZERO);
        for line in starts {
            for tap in &places.taps {
                let sums = &mut sums[tap.windows.clone()];
                let first = line + tap.first;
                along(x, first, window.stride[2], sums.len(), |i, value| {
                    sums[i] += value.to_real();
                });
            }
        }
        for (out, &sum) in out[result..][..width].iter_mut().zip(&*sums) {
            *out = T::from_real(sum);
        }
    }
}

#[inline(always)]
fn spread_body<const FUSED: bool, T: RealElement>(
    window: &Window,
    places: &Places,
    results: &[T],
    sums: &mut Vec<T::Real>,
    out: &mut [T],
) {
    sums.clear();
    sums.resize(out.len(), T::Real::ZERO);
    for (result, starts) in places.rows(window.output[2]) {
        for line in starts {
            // Backwards, so that every element takes its windows in ascending order.
            for tap in places.taps.iter().rev() {
                let results = &results[result..][tap.windows.clone()];
                let first = line + tap.first;
                let sums = &mut sums[..];
                for (i, value) in results.iter().enumerate() {
                    sums[first + i * window.stride[2]] += value.to_real();
                }
            }
        }
    }
    for (out, &sum) in out.iter_mut().zip(&*sums) {
        *out = T::from_real(sum);
    }
}

/// Calls `visit(i, element)` for `count` elements of `x` from `first` on, `stride` apart.
#[inline(always)]
fn along<T: Copy>(x: &[T], first: usize, stride: usize, count: usize, visit: impl FnMut(usize, T)) {
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
    mut visit: impl FnMut(usize, T),
) {
    if count == 0 {
        return;
    }
    assert!(first + (count - 1) * stride < x.len());
    for i in 0..count {
        // SAFETY: the last position is inside, as asserted above.
        visit(i, unsafe { *x.get_unchecked(first + i * stride) });
    }
}

vectorised! {
    fn choose_plane[T: RealElement](
        window: &Window,
        places: &Places,
        x: &[T],
        line: &mut Vec<i64>,
        positions: &mut [i64],
    ) = choose_body;
    fn sum_plane[T: RealElement](
        window: &Window,
        places: &Places,
        x: &[T],
        sums: &mut Vec<<T as RealElement>::Real>,
        out: &mut [T],
    ) = sum_body;
    fn spread_plane[T: RealElement](
        window: &Window,
        places: &Places,
        results: &[T],
        sums: &mut Vec<<T as RealElement>::Real>,
        out: &mut [T],
    ) = spread_body;
}

#[cfg(test)]
mod tests;
