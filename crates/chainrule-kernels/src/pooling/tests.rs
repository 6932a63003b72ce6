use super::*;
use crate::random::{fill_integers, fill_normal_f64};
use half::{bf16, f16};

/// A random window over up to three axes.
fn random_window(case: u64) -> Window {
    let mut choices = [0; 16];
    fill_integers(7, case * 16, 0, 60, &mut choices);
    let pick = |at: usize, count: i64| (choices[at] % count) as usize;
    let rank = 1 + pick(0, 3);
    let kernel: Vec<usize> = (0..rank).map(|axis| 1 + pick(1 + axis, 3)).collect();
    let stride: Vec<usize> = (0..rank).map(|axis| 1 + pick(4 + axis, 3)).collect();
    let dilation: Vec<usize> = (0..rank).map(|axis| 1 + pick(7 + axis, 2)).collect();
    let padding: Vec<usize> = (0..rank)
        .map(|axis| pick(10 + axis, 2).min(kernel[axis] / 2))
        .collect();
    let input: Vec<usize> = (0..rank)
        .map(|axis| (kernel[axis] - 1) * dilation[axis] + 1 + pick(13 + axis, 5))
        .collect();
    let mut window = Window::new(&input, &kernel, &stride, &padding, &dilation);
    if case.is_multiple_of(5) {
        // As with rounding up: a last window that reaches beyond the padding.
        window.output[2] += 1;
    }
    window
}

/// Positions of the elements of the window at `result`, by brute force.
fn elements(window: &Window, result: usize) -> Vec<usize> {
    let mut rest = result;
    let mut at = [0; 3];
    for axis in (0..3).rev() {
        at[axis] = rest % window.output[axis];
        rest /= window.output[axis];
    }
    let mut positions = Vec::new();
    for tap in 0..window.kernel_size() {
        let mut rest = tap;
        let mut position = 0;
        let mut inside = true;
        let mut coordinates = [0; 3];
        for axis in (0..3).rev() {
            let tap = rest % window.kernel[axis];
            rest /= window.kernel[axis];
            let coordinate = (at[axis] * window.stride[axis] + tap * window.dilation[axis])
                as isize
                - window.padding[axis] as isize;
            inside &= coordinate >= 0 && coordinate < window.input[axis] as isize;
            coordinates[axis] = coordinate;
        }
        for axis in 0..3 {
            position = position * window.input[axis] as isize + coordinates[axis];
        }
        if inside {
            positions.push(position as usize);
        }
    }
    positions
}

fn check_type<T: PoolElement>(tolerance: f64, cases: u64) {
    let to = |x: T| x.to_real().to_f64();
    for case in 0..cases {
        let window = random_window(case);
        let planes = (case % 4) as usize;
        let (input, results) = (window.input_size(), window.output_size());
        let numbers = |key, count| {
            let mut values = vec![0.0; count];
            fill_normal_f64(key, 0, &mut values);
            values
                .iter()
                .map(|&x| T::from_real(T::Real::from_f64(x)))
                .collect::<Vec<T>>()
        };
        let (x, y) = (
            numbers(case, planes * input),
            numbers(case + 1000, planes * results),
        );
        let mut places = vec![7; planes * results];
        let (mut sums, mut spread) = (y.clone(), x.clone());
        max_pool_positions(&window, planes, &x, &mut places);
        window_sum(&window, planes, &x, &mut sums);
        window_spread(&window, planes, &y, &mut spread);
        let mut expected_spread = vec![0.0; x.len()];
        for plane in 0..planes {
            for result in 0..results {
                let at = plane * results + result;
                let positions = elements(&window, result);
                let value = |position: usize| to(x[plane * input + position]);
                let best = positions
                    .iter()
                    .map(|&p| value(p))
                    .fold(f64::NEG_INFINITY, f64::max);
                let first = positions.iter().find(|&&p| value(p) == best);
                assert_eq!(places[at], first.map_or(0, |&p| p as i64), "{window:?}");
                let sum = positions.iter().map(|&p| value(p)).sum::<f64>();
                let scale = 1.0 + sum.abs();
                assert!(
                    (to(sums[at]) - sum).abs() <= tolerance * scale,
                    "{window:?}"
                );
                for position in positions {
                    expected_spread[plane * input + position] += to(y[at]);
                }
            }
        }
        for (got, expected) in spread.iter().zip(expected_spread) {
            let scale = 1.0 + expected.abs();
            assert!(
                (to(*got) - expected).abs() <= tolerance * scale,
                "{window:?}"
            );
        }
    }
}

#[test]
fn random_windows_against_brute_force() {
    check_type::<f64>(1e-13, 300);
    check_type::<f32>(1e-5, 200);
    check_type::<bf16>(2e-2, 40);
    check_type::<f16>(2e-3, 40);
}

#[test]
fn nan_wins_and_negative_infinity_is_chosen() {
    let window = Window::new(&[6], &[2], &[2], &[0], &[1]);
    let mut places = [0; 3];
    let x = [
        f32::NEG_INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        1.0,
        f32::NAN,
        f32::NAN,
    ];
    max_pool_positions(&window, 1, &x, &mut places);
    assert_eq!(places, [0, 2, 4]);
    let x = [-0.0, 0.0, 0.0, -0.0, f32::INFINITY, -f32::NAN];
    max_pool_positions(&window, 1, &x, &mut places);
    assert_eq!(places, [0, 2, 5]);
    max_pool_positions(&window, 1, &x.map(f64::from), &mut places);
    assert_eq!(places, [0, 2, 5]);
}

#[test]
fn sums_of_a_column_are_in_ascending_order() {
    // (1e8 - 1e8) + 1 and 1e8 + (-1e8 + 1) differ in single precision.
    let window = Window::new(&[3], &[3], &[1], &[0], &[1]);
    let mut out = [0.0];
    window_sum(&window, 1, &[1e8f32, -1e8, 1.0], &mut out);
    assert_eq!(out, [1.0]);
    let window = Window::new(&[3], &[3], &[1], &[2], &[1]);
    let mut out = [0.0; 3];
    window_spread(&window, 1, &[1e8f32, -1e8, 1.0, 0.0, 0.0], &mut out);
    assert_eq!(out[0], 1.0);
}

#[test]
#[should_panic(expected = "max pool positions: 3 elements for 1 planes of [1, 1, 4]")]
fn a_short_input_is_refused() {
    let window = Window::new(&[4], &[2], &[2], &[0], &[1]);
    max_pool_positions(&window, 1, &[0f32; 3], &mut [0; 2]);
}

#[test]
#[should_panic(expected = "is longer than the input [4]")]
fn a_window_longer_than_the_input_is_refused() {
    Window::new(&[4], &[3], &[1], &[0], &[2]);
}
