//! A point on a line that satisfies the strong Wolfe conditions: bracketing, then zooming by cubic interpolation (Nocedal,
//! Wright 2006, section 3.5), with the safeguards of Schmidt's minFunc.

use chainrule_core::Tensor;

/// The least decrease, as a share of what the slope at the beginning promises.
const DECREASE: f64 = 1e-4;
/// The largest slope left, as a share of that at the beginning.
const CURVATURE: f64 = 0.9;

/// A point of the line, with the loss there and its slope along the line.
#[derive(Clone)]
pub(crate) struct Point {
    pub(crate) length: f64,
    pub(crate) value: f64,
    pub(crate) gradient: Tensor,
    pub(crate) slope: f64,
}

/// The point found and the number of evaluations, of which there are at most `most_trials` after the first. `size` is the
/// largest entry of the direction.
pub(crate) fn strong_wolfe(
    evaluated: &dyn Fn(f64) -> Point,
    start: Point,
    length: f64,
    size: f64,
    tolerance: f64,
    most_trials: usize,
) -> (Point, usize) {
    let falls_short =
        |point: &Point| point.value > start.value + DECREASE * point.length * start.slope;
    let is_flat = |point: &Point| point.slope.abs() <= -CURVATURE * start.slope;
    let (mut previous, mut new) = (start.clone(), evaluated(length));
    let mut evaluations = 1;
    let mut trials = 0;
    let mut bracket = loop {
        if trials == most_trials {
            break [start.clone(), new];
        }
        if falls_short(&new) || (trials > 1 && new.value >= previous.value) {
            break [previous, new];
        }
        if is_flat(&new) {
            return (new, evaluations);
        }
        if new.slope >= 0.0 {
            break [previous, new];
        }
        let bounds = (
            new.length + 0.01 * (new.length - previous.length),
            new.length * 10.0,
        );
        let next = interpolated(&previous, &new, bounds);
        previous = new;
        new = evaluated(next);
        evaluations += 1;
        trials += 1;
    };
    bracket.sort_by(|a, b| a.value.total_cmp(&b.value));
    let [mut low, mut high] = bracket;
    let mut was_slow = false;
    while trials < most_trials && (high.length - low.length).abs() * size >= tolerance {
        let (least, most) = (low.length.min(high.length), low.length.max(high.length));
        let mut length = interpolated(&low, &high, (least, most));
        let margin = 0.1 * (most - least);
        let is_slow = (most - length).min(length - least) < margin;
        if is_slow && (was_slow || length >= most || length <= least) {
            // Twice near the end of the bracket, or on it: the interpolation does not shrink it.
            let is_upper = (length - most).abs() < (length - least).abs();
            length = if is_upper {
                most - margin
            } else {
                least + margin
            };
            was_slow = false;
        } else {
            was_slow = is_slow;
        }
        let new = evaluated(length);
        evaluations += 1;
        trials += 1;
        if falls_short(&new) || new.value >= low.value {
            high = new;
            if high.value < low.value {
                std::mem::swap(&mut low, &mut high);
            }
            continue;
        }
        if is_flat(&new) {
            return (new, evaluations);
        }
        if new.slope * (high.length - low.length) >= 0.0 {
            high = low;
        }
        low = new;
    }
    (low, evaluations)
}

/// Where the cubic through two points with their slopes has its minimum, within bounds; their middle if it has none.
fn interpolated(a: &Point, b: &Point, (least, most): (f64, f64)) -> f64 {
    let (a, b) = if a.length <= b.length { (a, b) } else { (b, a) };
    let mean = a.slope + b.slope - 3.0 * (a.value - b.value) / (a.length - b.length);
    let square = mean * mean - a.slope * b.slope;
    if square < 0.0 || square.is_nan() {
        return (least + most) / 2.0;
    }
    let root = square.sqrt();
    let share = (b.slope + root - mean) / (b.slope - a.slope + 2.0 * root);
    // Python's order of comparisons, which decides where the share is not a number.
    (b.length - (b.length - a.length) * share)
        .max(least)
        .min(most)
}
