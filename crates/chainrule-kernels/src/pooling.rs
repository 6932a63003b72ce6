//! Max and average pooling over one to three spatial axes, forward and backward.
//!
//! `planes` is batch times channels; a plane is contiguous. Halves compute in `f32` and round once.

use crate::element::Element;
use crate::real::{Real, RealElement};
use crate::threads::{Shared, divide_range, divide_rows};
use crate::window::Window;

/// Elements that one task takes at least.
const GRAIN: usize = 1 << 13;

/// The element types that can be pooled: the floating ones.
pub trait PoolElement: RealElement {}
impl<T: RealElement> PoolElement for T {}

fn check(what: &str, window: &Window, planes: usize, x: usize, outs: &[usize]) {
    window.check(what);
    assert!(
        x == planes * window.input_size(),
        "{what}: {x} elements for {planes} planes of {:?}",
        window.input
    );
    assert!(
        outs.iter().all(|&out| out == planes * window.output_size()),
        "{what}: {outs:?} elements for {planes} planes of results {:?}",
        window.output
    );
}

/// Writes the greatest element of every window, NaN if there is one, and where it lies in its plane: the first of equals.
///
/// Padding is never chosen. A window wholly in padding has negative infinity and position -1.
///
/// # Panics
/// When a slice's length does not fit the window.
pub fn max_pool<T: PoolElement>(
    window: &Window,
    planes: usize,
    x: &[T],
    out: &mut [T],
    positions: &mut [i64],
) {
    check(
        "max pool",
        window,
        planes,
        x.len(),
        &[out.len(), positions.len()],
    );
    let (input, results) = (window.input_size(), window.output_size());
    let taps = Taps::new(window);
    let (out, positions) = (Shared::new(out), Shared::new(positions));
    divide_range(planes, GRAIN.div_ceil(results.max(1)), &|range| {
        for plane in range {
            let x = &x[plane * input..][..input];
            let at = plane * results..(plane + 1) * results;
            // SAFETY (both): each plane has its own results.
            let (out, positions) = unsafe { (out.range(at.clone()), positions.range(at)) };
            taps.each_window(|result, window| {
                let mut best = T::Real::NEG_INFINITY;
                let mut place = -1;
                #[allow(clippy::eq_op)] // NaN is what differs from itself
                window.each_position(|at| {
                    let value = x[at].to_real();
                    if value > best || place < 0 || value != value && best == best {
                        best = value;
                        place = at as i64;
                    }
                });
                out[result] = T::from_real(best);
                positions[result] = place;
            });
        }
    });
}

/// Adds every result's cotangent to the element that [`max_pool`] chose; `grad` is overwritten.
///
/// # Panics
/// When a slice's length does not fit the window, or a position lies outside its plane.
pub fn max_pool_backward<T: PoolElement>(
    window: &Window,
    planes: usize,
    positions: &[i64],
    ct: &[T],
    grad: &mut [T],
) {
    check(
        "max pool backward",
        window,
        planes,
        grad.len(),
        &[ct.len(), positions.len()],
    );
    let (input, results) = (window.input_size(), window.output_size());
    each_plane(input, grad, &|plane, grad| {
        let at = plane * results..(plane + 1) * results;
        for (&ct, &position) in ct[at.clone()].iter().zip(&positions[at]) {
            if position >= 0 {
                grad[position as usize] += ct.to_real();
            }
        }
    });
}

/// Writes the mean of every window. Padding counts as zeros where `count_padding`, otherwise not at all.
///
/// A window wholly in padding gives 0.
///
/// # Panics
/// When a slice's length does not fit the window.
pub fn average_pool<T: PoolElement>(
    window: &Window,
    planes: usize,
    count_padding: bool,
    x: &[T],
    out: &mut [T],
) {
    check("average pool", window, planes, x.len(), &[out.len()]);
    let (input, results) = (window.input_size(), window.output_size());
    let taps = Taps::new(window);
    let scales = scales::<T::Real>(window, &taps, count_padding);
    divide_rows(out, results, GRAIN, &|first, out| {
        for (offset, out) in out.chunks_exact_mut(results).enumerate() {
            let x = &x[(first + offset) * input..][..input];
            taps.each_window(|result, window| {
                let mut sum = T::Real::ZERO;
                window.each_position(|at| sum += x[at].to_real());
                out[result] = T::from_real(sum * scales[result]);
            });
        }
    });
}

/// Spreads every result's cotangent over the elements that [`average_pool`] averaged; `grad` is overwritten.
///
/// # Panics
/// When a slice's length does not fit the window.
pub fn average_pool_backward<T: PoolElement>(
    window: &Window,
    planes: usize,
    count_padding: bool,
    ct: &[T],
    grad: &mut [T],
) {
    check(
        "average pool backward",
        window,
        planes,
        grad.len(),
        &[ct.len()],
    );
    let results = window.output_size();
    let taps = Taps::new(window);
    let scales = scales::<T::Real>(window, &taps, count_padding);
    each_plane(window.input_size(), grad, &|plane, grad| {
        let ct = &ct[plane * results..][..results];
        taps.each_window(|result, window| {
            let share = ct[result].to_real() * scales[result];
            window.each_position(|at| grad[at] += share);
        });
    });
}

/// Work on one plane's gradient.
type PlaneWork<'a, R> = dyn Fn(usize, &mut [R]) + Sync + 'a;

/// Calls `work(plane, gradient)` for every plane of `grad`, with a zeroed gradient in the type it is computed in.
fn each_plane<T: RealElement>(input: usize, grad: &mut [T], work: &PlaneWork<'_, T::Real>) {
    divide_rows(grad, input, GRAIN, &|first, planes| {
        let mut sums = vec![T::Real::ZERO; input];
        for (offset, grad) in planes.chunks_exact_mut(input).enumerate() {
            sums.fill(T::Real::ZERO);
            work(first + offset, &mut sums);
            for (grad, &sum) in grad.iter_mut().zip(&sums) {
                *grad = T::from_real(sum);
            }
        }
    });
}

/// What every window's sum is multiplied by.
fn scales<R: Real>(window: &Window, taps: &Taps, count_padding: bool) -> Vec<R> {
    // Along an axis, elements of the window up to the end of the padding behind the input.
    let padded = |axis: usize, position: usize| {
        let room = window.input[axis] as isize + window.padding[axis] as isize
            - window.start(axis, position);
        (room.max(0) as usize)
            .div_ceil(window.dilation[axis])
            .min(window.kernel[axis])
    };
    let mut scales = Vec::with_capacity(window.output_size());
    for a in 0..window.output[0] {
        for b in 0..window.output[1] {
            for c in 0..window.output[2] {
                let count = if count_padding {
                    padded(0, a) * padded(1, b) * padded(2, c)
                } else {
                    taps.axes[0][a].count * taps.axes[1][b].count * taps.axes[2][c].count
                };
                scales.push(R::ONE / R::from_f64(count.max(1) as f64));
            }
        }
    }
    scales
}

/// Coordinates `first, first + step, ..` along one axis of a window.
#[derive(Clone, Copy)]
struct Steps {
    first: usize,
    count: usize,
    step: usize,
}

/// Along every axis, for every output position, the input's coordinates in its window.
struct Taps {
    axes: [Vec<Steps>; 3],
    input: [usize; 3],
}

impl Taps {
    fn new(window: &Window) -> Taps {
        let axis = |axis: usize| {
            let steps = |position: usize| {
                let taps = window.taps(axis, position);
                let step = window.dilation[axis];
                let first = window.start(axis, position) + (taps.start * step) as isize;
                Steps {
                    first: first.max(0) as usize,
                    count: taps.len(),
                    step,
                }
            };
            (0..window.output[axis]).map(steps).collect()
        };
        Taps {
            axes: [axis(0), axis(1), axis(2)],
            input: window.input,
        }
    }

    /// Calls `visit` for every window, in the order of the results.
    #[inline(always)]
    fn each_window(&self, mut visit: impl FnMut(usize, &Place)) {
        let [planes, rows, columns] = &self.axes;
        let mut result = 0;
        for &plane in planes {
            for &row in rows {
                for &column in columns {
                    let axes = [plane, row, column];
                    visit(
                        result,
                        &Place {
                            axes,
                            input: self.input,
                        },
                    );
                    result += 1;
                }
            }
        }
    }
}

/// One window's place in the plane.
struct Place {
    axes: [Steps; 3],
    input: [usize; 3],
}

impl Place {
    /// Calls `visit` with the position of every element of the window, in ascending order.
    #[inline(always)]
    fn each_position(&self, mut visit: impl FnMut(usize)) {
        let [plane, row, column] = self.axes;
        for p in 0..plane.count {
            for r in 0..row.count {
                let above =
                    (plane.first + p * plane.step) * self.input[1] + row.first + r * row.step;
                let start = above * self.input[2] + column.first;
                for c in 0..column.count {
                    visit(start + c * column.step);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
