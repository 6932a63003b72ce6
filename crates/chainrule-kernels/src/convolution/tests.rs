use super::*;
use crate::random::{fill_integers, fill_normal_f64};

fn random_shape(case: u64) -> Convolution {
    let mut choices = [0; 24];
    fill_integers(11, case * 12, 0, 60, &mut choices);
    let pick = |at: usize, count: i64| (choices[at] % count) as usize;
    let rank = 1 + pick(0, 3);
    let axes = |first: usize, low: usize, count: i64| -> Vec<usize> {
        (0..rank)
            .map(|axis| low + pick(first + axis, count))
            .collect()
    };
    let (kernel, stride, dilation, padding) =
        (axes(1, 1, 4), axes(4, 1, 3), axes(7, 1, 2), axes(10, 0, 3));
    let input: Vec<usize> = (0..rank)
        .map(|axis| (kernel[axis] - 1) * dilation[axis] + 1 + pick(13 + axis, 6))
        .collect();
    let mut window = Window::new(&input, &kernel, &stride, &padding, &dilation);
    if case.is_multiple_of(4) {
        window.output[2] += 1 + pick(16, 2);
    }
    if case.is_multiple_of(7) {
        window.output[1] = window.output[1].saturating_sub(1);
    }
    let groups = 1 + pick(17, 3);
    Convolution {
        batch: pick(18, 4),
        groups,
        channels_in: groups * (1 + pick(19, 4)),
        channels_out: groups * (1 + pick(20, 4)),
        window,
    }
}

/// Calls `visit(result, weight, input)` for every product that the convolution sums.
fn each_product(shape: &Convolution, mut visit: impl FnMut(usize, usize, usize)) {
    let w = &shape.window;
    let split = |flat: usize, extents: [usize; 3]| {
        [
            flat / (extents[1] * extents[2]),
            flat / extents[2] % extents[1],
            flat % extents[2],
        ]
    };
    for b in 0..shape.batch {
        for o in 0..shape.channels_out {
            for p in 0..w.output_size() {
                for i in 0..shape.group_in() {
                    for t in 0..w.kernel_size() {
                        let (at, tap) = (split(p, w.output), split(t, w.kernel));
                        let mut source = 0;
                        let mut inside = true;
                        for axis in 0..3 {
                            let x = (at[axis] * w.stride[axis] + tap[axis] * w.dilation[axis])
                                as isize
                                - w.padding[axis] as isize;
                            inside &= x >= 0 && x < w.input[axis] as isize;
                            source = source * w.input[axis] as isize + x;
                        }
                        if inside {
                            let channel = o / shape.group_out() * shape.group_in() + i;
                            let result = (b * shape.channels_out + o) * w.output_size() + p;
                            let weight = (o * shape.group_in() + i) * w.kernel_size() + t;
                            let plane = b * shape.channels_in + channel;
                            visit(result, weight, plane * w.input_size() + source as usize);
                        }
                    }
                }
            }
        }
    }
}

fn check<T: ConvolutionElement>(shape: &Convolution, tolerance: f64) {
    let numbers = |key, count| {
        let mut values = vec![0.0; count];
        fill_normal_f64(key, 0, &mut values);
        values.into_iter().map(T::from_f64).collect::<Vec<T>>()
    };
    let (x, w) = (
        numbers(1, shape.input_size()),
        numbers(2, shape.weight_size()),
    );
    let ct = numbers(3, shape.output_size());
    let (mut y, mut grad_x, mut grad_w) = (ct.clone(), x.clone(), w.clone());
    convolve(shape, &x, &w, &mut y);
    convolve_grad_input(shape, &w, &ct, &mut grad_x);
    convolve_grad_weight(shape, &x, &ct, &mut grad_w);
    let mut expected = [vec![0.0; y.len()], vec![0.0; x.len()], vec![0.0; w.len()]];
    each_product(shape, |result, weight, input| {
        expected[0][result] += w[weight].to_f64() * x[input].to_f64();
        expected[1][input] += w[weight].to_f64() * ct[result].to_f64();
        expected[2][weight] += x[input].to_f64() * ct[result].to_f64();
    });
    for (got, expected) in [y, grad_x, grad_w].iter().zip(&expected) {
        for (got, expected) in got.iter().zip(expected) {
            let error = (got.to_f64() - expected).abs();
            assert!(
                error <= tolerance * (1.0 + expected.abs()),
                "{shape:?}: {} {expected}",
                got.to_f64()
            );
        }
    }
}

#[test]
fn random_shapes_against_a_plain_loop() {
    for case in 0..300 {
        let shape = random_shape(case);
        check::<f64>(&shape, 1e-11);
        check::<f32>(&shape, 1e-4);
    }
}

#[test]
fn larger_shapes_against_a_plain_loop() {
    let shape = |batch, groups, channels_in, channels_out, window| Convolution {
        batch,
        groups,
        channels_in,
        channels_out,
        window,
    };
    let window = |extent: usize, kernel, stride, padding| {
        Window::new(
            &[extent, extent + 3],
            &[kernel; 2],
            &[stride; 2],
            &[padding; 2],
            &[1; 2],
        )
    };
    for shape in [
        shape(2, 1, 32, 64, window(14, 3, 1, 1)),
        shape(1, 1, 3, 16, window(40, 5, 2, 2)),
        shape(20, 1, 1, 8, window(12, 3, 1, 0)),
        shape(3, 8, 8, 8, window(15, 3, 1, 1)),
        shape(1, 1, 130, 70, window(6, 3, 1, 1)),
        shape(2, 1, 40, 24, window(9, 1, 1, 0)),
    ] {
        check::<f32>(&shape, 1e-3);
        check::<f64>(&shape, 1e-11);
    }
}

#[test]
#[should_panic(expected = "3 groups do not divide 4 channels in")]
fn groups_must_divide_channels() {
    let window = Window::new(&[4], &[2], &[1], &[0], &[1]);
    let shape = Convolution {
        batch: 1,
        groups: 3,
        channels_in: 4,
        channels_out: 3,
        window,
    };
    convolve::<f32>(&shape, &[], &[], &mut []);
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    use crate::threads::with_threads;
    for (batch, channels_in, channels_out, extent, kernel) in [
        (1, 3, 2, 5, 3),
        (1, 1, 1, 9, 2),
        (2, 16, 24, 13, 3),
        (1, 128, 96, 6, 3),
        (5, 8, 8, 30, 1),
    ] {
        let shape = Convolution {
            batch,
            groups: 1,
            channels_in,
            channels_out,
            window: Window::new(&[extent; 2], &[kernel; 2], &[1; 2], &[1; 2], &[1; 2]),
        };
        let numbers = |key: u64, count: usize| {
            let mut values = vec![0f32; count];
            crate::random::fill_normal_f32(key, 0, &mut values);
            values
        };
        let (input, weight) = (
            numbers(1, shape.input_size()),
            numbers(2, shape.weight_size()),
        );
        let ct = numbers(3, shape.output_size());
        let results = |threads: usize| {
            let mut all = [ct.clone(), input.clone(), weight.clone()];
            with_threads(threads, || {
                convolve(&shape, &input, &weight, &mut all[0]);
                convolve_grad_input(&shape, &weight, &ct, &mut all[1]);
                convolve_grad_weight(&shape, &input, &ct, &mut all[2]);
            });
            all.map(|values| values.into_iter().map(f32::to_bits).collect::<Vec<_>>())
        };
        let alone = results(1);
        for threads in [2, 3, 4, 7] {
            assert!(results(threads) == alone, "{shape:?}, {threads} threads");
        }
    }
}
