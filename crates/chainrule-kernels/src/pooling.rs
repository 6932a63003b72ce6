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
/// When a slice's length does not fit the window.
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
    let columns = Columns::new(window);
    let positions = Shared::new(positions);
    each_plane(planes, results, &|plane, starts| {
        // SAFETY: each plane has its own results.
        let positions = unsafe { positions.range(plane * results..(plane + 1) * results) };
        choose_plane(
            window,
            &columns,
            &x[plane * input..][..input],
            starts,
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
    each_plane(planes, results, &|plane, sums| {
        // SAFETY: each plane has its own results.
        let out = unsafe { out.range(plane * results..(plane + 1) * results) };
        sum_plane(window, &columns, &x[plane * input..][..input], sums, out);
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
    each_plane(planes, input, &|plane, sums| {
        // SAFETY: each plane has its own elements.
        let out = unsafe { out.range(plane * input..(plane + 1) * input) };
        spread_plane(
            window,
            &columns,
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

/// The windows along the last axis.
struct Columns {
    taps: Vec<Tap>,
}

impl Columns {
    fn new(window: &Window) -> Columns {
        let tap = |tap: usize| {
            let windows = window.positions(2, tap);
            let first = windows.start * window.stride[2] + tap * window.dilation[2];
            let first = first.saturating_sub(window.padding[2]);
            Tap { windows, first }
        };
        Columns {
            taps: (0..window.kernel[2]).map(tap).collect(),
        }
    }

    /// The windows that lie wholly inside the input.
    fn whole(&self) -> Range<usize> {
        let (first, last) = (
            &self.taps[0].windows,
            &self.taps[self.taps.len() - 1].windows,
        );
        first.start..last.end.max(first.start)
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
    starts: &mut Vec<usize>,
    positions: &mut [i64],
) {
    let width = window.output[2];
    // Windows in front of these or behind them reach into the padding.
    let whole = columns.whole();
    each_row(window, |result, lines| {
        let positions = &mut positions[result..][..width];
        starts.clear();
        starts.extend(lines);
        let row = Row {
            x,
            lines: starts,
            step: window.dilation[2],
        };
        let cut = |column: usize| {
            let taps = window.taps(2, column);
            let first = column * window.stride[2] + taps.start * window.dilation[2];
            row.greatest(first.saturating_sub(window.padding[2]), taps.len())
        };
        for column in 0..whole.start {
            positions[column] = cut(column);
        }
        for column in whole.end..width {
            positions[column] = cut(column);
        }
        if whole.is_empty() {
            return;
        }
        let first = whole.start * window.stride[2] - window.padding[2];
        let whole = &mut positions[whole.clone()];
        // With the window's extents known, its loops are unrolled.
        match (row.lines.len(), window.kernel[2]) {
            (2, 2) => row.choose::<2, 2>(first, window.stride[2], whole),
            (3, 3) => row.choose::<3, 3>(first, window.stride[2], whole),
            (_, count) => {
                for (i, position) in whole.iter_mut().enumerate() {
                    *position = row.greatest(first + i * window.stride[2], count);
                }
            }
        }
    });
}

/// A row of windows: the rows of the plane that they cover, by where those start, and the step between columns.
struct Row<'a, T> {
    x: &'a [T],
    lines: &'a [usize],
    step: usize,
}

impl<T: RealElement> Row<'_, T> {
    /// Where the greatest element stands among `count` columns from `first` on; 0 of nothing.
    #[inline(always)]
    fn greatest(&self, first: usize, count: usize) -> i64 {
        if count == 0 || self.lines.is_empty() {
            return 0;
        }
        let mut place = self.lines[0] + first;
        let mut best = self.x[place].to_real();
        for line in self.lines {
            for column in 0..count {
                let at = line + first + column * self.step;
                choose(&mut best, &mut place, self.x[at].to_real(), at);
            }
        }
        place as i64
    }

    /// The same for windows of `LINES` rows and `COUNT` columns that start at `first`, `stride` apart.
    #[inline(always)]
    fn choose<const LINES: usize, const COUNT: usize>(
        &self,
        first: usize,
        stride: usize,
        positions: &mut [i64],
    ) {
        let lines: [usize; LINES] = std::array::from_fn(|line| self.lines[line] + first);
        let last = (positions.len() - 1) * stride + (COUNT - 1) * self.step;
        assert!(lines.iter().all(|line| line + last < self.x.len()));
        for (i, position) in positions.iter_mut().enumerate() {
            // SAFETY: no window reaches beyond the last one, which is inside, as asserted above.
            let element = |at: usize| unsafe { self.x.get_unchecked(at) }.to_real();
            let mut place = lines[0] + i * stride;
            let mut best = element(place);
            for line in lines {
                for column in 0..COUNT {
                    let at = line + i * stride + column * self.step;
                    choose(&mut best, &mut place, element(at), at);
                }
            }
            *position = place as i64;
        }
    }
}

/// Takes the element at `at` if it is greater than the best so far, or the first NaN.
#[inline(always)]
#[allow(clippy::eq_op, clippy::neg_cmp_op_on_partial_ord)] // NaN is what differs from itself
fn choose<R: Real>(best: &mut R, place: &mut usize, value: R, at: usize) {
    let better = !(value <= *best) & (*best == *best);
    *best = if better { value } else { *best };
    *place = if better { at } else { *place };
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
                along(x, first, window.stride[2], sums.len(), |i, value| {
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
        columns: &Columns,
        x: &[T],
        starts: &mut Vec<usize>,
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
