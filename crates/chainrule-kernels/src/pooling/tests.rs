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

/// Positions of the elements of the window at `result`, and how many it has with padding, by brute force.
fn elements(window: &Window, result: usize) -> (Vec<usize>, usize) {
    let mut rest = result;
    let mut at = [0; 3];
    for axis in (0..3).rev() {
        at[axis] = rest % window.output[axis];
        rest /= window.output[axis];
    }
    let mut positions = Vec::new();
    let mut padded = 0;
    for tap in 0..window.kernel_size() {
        let mut rest = tap;
        let mut position = 0;
        let (mut inside, mut inside_padding) = (true, true);
        let mut coordinates = [0; 3];
        for axis in (0..3).rev() {
            let tap = rest % window.kernel[axis];
            rest /= window.kernel[axis];
            let coordinate = (at[axis] * window.stride[axis] + tap * window.dilation[axis])
                as isize
                - window.padding[axis] as isize;
            inside &= coordinate >= 0 && coordinate < window.input[axis] as isize;
            inside_padding &= coordinate < (window.input[axis] + window.padding[axis]) as isize;
            coordinates[axis] = coordinate;
        }
        for axis in 0..3 {
            position = position * window.input[axis] as isize + coordinates[axis];
        }
        padded += usize::from(inside_padding);
        if inside {
            positions.push(position as usize);
        }
    }
    (positions, padded)
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
        let (x, ct) = (
            numbers(case, planes * input),
            numbers(case + 1000, planes * results),
        );
        let mut out = ct.clone();
        let mut places = vec![0; planes * results];
        let (mut grad, mut average_grad) = (x.clone(), x.clone());
        max_pool(&window, planes, &x, &mut out, &mut places);
        max_pool_backward(&window, planes, &places, &ct, &mut grad);
        let count_padding = case % 2 == 0;
        let mut average = ct.clone();
        average_pool(&window, planes, count_padding, &x, &mut average);
        average_pool_backward(&window, planes, count_padding, &ct, &mut average_grad);
        let (mut grad_2, mut average_grad_2) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        for plane in 0..planes {
            for result in 0..results {
                let at = plane * results + result;
                let (positions, padded) = elements(&window, result);
                let value = |position: usize| to(x[plane * input + position]);
                let best = positions
                    .iter()
                    .map(|&p| value(p))
                    .fold(f64::NEG_INFINITY, f64::max);
                let first = positions.iter().find(|&&p| value(p) == best);
                assert_eq!(to(out[at]), best);
                assert_eq!(places[at], first.map_or(-1, |&p| p as i64));
                if let Some(&first) = first {
                    grad_2[plane * input + first] += to(ct[at]);
                }
                let count = if count_padding {
                    padded
                } else {
                    positions.len()
                };
                let count = count.max(1) as f64;
                let mean = positions.iter().map(|&p| value(p)).sum::<f64>() / count;
                assert!((to(average[at]) - mean).abs() <= tolerance, "{window:?}");
                for position in positions {
                    average_grad_2[plane * input + position] += to(ct[at]) / count;
                }
            }
        }
        for (got, expected) in grad
            .iter()
            .zip(grad_2)
            .chain(average_grad.iter().zip(average_grad_2))
        {
            assert!((to(*got) - expected).abs() <= tolerance * (1.0 + expected.abs()));
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
    let window = Window::new(&[4], &[2], &[2], &[0], &[1]);
    let (mut out, mut places) = ([0f32; 2], [0; 2]);
    let x = [f32::NEG_INFINITY, f32::NEG_INFINITY, f32::NAN, 1.0];
    max_pool(&window, 1, &x, &mut out, &mut places);
    assert_eq!((out[0], places), (f32::NEG_INFINITY, [0, 2]));
    assert!(out[1].is_nan());
}

#[test]
#[should_panic(expected = "max pool: 3 elements for 1 planes of [1, 1, 4]")]
fn a_short_input_is_refused() {
    let window = Window::new(&[4], &[2], &[2], &[0], &[1]);
    max_pool(&window, 1, &[0f32; 3], &mut [0.0; 2], &mut [0; 2]);
}

#[test]
#[should_panic(expected = "is longer than the input [4]")]
fn a_window_longer_than_the_input_is_refused() {
    Window::new(&[4], &[3], &[1], &[0], &[2]);
}
