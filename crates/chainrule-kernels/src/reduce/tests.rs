use super::*;
use crate::random::fill_uniform_f64;
use crate::threads::with_threads;
use half::{bf16, f16};

const EXTENTS: [[usize; 3]; 20] = [
    [1, 1, 1],
    [3, 5, 1],
    [3, 5, 4],
    [1, 1000, 1],
    [2, 3000, 1],
    [1, 64, 64],
    [4, 63, 65],
    [0, 3, 2],
    [3, 0, 2],
    [2, 3, 0],
    [1, 300_000, 1],
    [2, 150_000, 3],
    [1, 2, 70_000],
    [500, 7, 33],
    [40_000, 4, 1],
    [1, 129, 300],
    [7, 1, 5],
    [3, 1025, 2],
    [5, 100, 257],
    [1, 5000, 40],
];

fn numbers(key: u64, count: usize) -> Vec<f64> {
    let mut values = vec![0.0; count];
    fill_uniform_f64(key, 0, &mut values);
    values
}

/// The same logical view laid out with the axes in the order `order`, outermost first.
fn laid_out(extents: [usize; 3], order: [usize; 3]) -> [isize; 3] {
    let mut strides = [0; 3];
    let mut step = 1;
    for &axis in order.iter().rev() {
        strides[axis] = step;
        step *= extents[axis].max(1) as isize;
    }
    strides
}

fn check<T: ReduceElement>(tolerance: f64, from: impl Fn(f64) -> T, to: impl Fn(T) -> f64) {
    for (case, extents) in EXTENTS.into_iter().enumerate() {
        let [outer, reduced, inner] = extents;
        let values = numbers(case as u64, outer * reduced * inner);
        for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
            let strides = laid_out(extents, order);
            let data: Vec<T> = values.iter().map(|&x| from(x)).collect();
            let input = Reduced {
                data: &data[..],
                offset: 0,
                extents,
                strides,
            };
            let element = |o: usize, r: usize, i: usize| {
                let at =
                    o as isize * strides[0] + r as isize * strides[1] + i as isize * strides[2];
                to(data[at as usize])
            };
            let mut out = vec![from(0.5); outer * inner];
            for reduction in [
                Reduction::Sum,
                Reduction::Maximum,
                Reduction::Minimum,
                Reduction::Product,
            ] {
                reduce(reduction, input, &mut out);
                for (index, &result) in out.iter().enumerate() {
                    let (o, i) = (index / inner, index % inner);
                    let row = (0..reduced).map(|r| element(o, r, i));
                    let expected = match reduction {
                        Reduction::Sum => row.sum::<f64>(),
                        Reduction::Product => row.product(),
                        Reduction::Maximum => row.fold(to(T::from_lane(T::Lane::LEAST)), f64::max),
                        Reduction::Minimum => {
                            row.fold(to(T::from_lane(T::Lane::GREATEST)), f64::min)
                        }
                    };
                    // Terms of a sum may cancel.
                    let sums = reduction == Reduction::Sum;
                    let cancelled = if sums {
                        tolerance
                    } else {
                        tolerance * tolerance
                    };
                    let error = (to(result) - expected).abs();
                    assert!(
                        error <= tolerance * expected.abs() + cancelled || to(result) == expected,
                        "{reduction:?} {extents:?} {order:?} at {index}: {} against {expected}",
                        to(result)
                    );
                }
            }
            if reduced > 0 {
                let mut places = vec![-1; outer * inner];
                argmax(input, &mut places);
                let mut least = vec![-1; outer * inner];
                argmin(input, &mut least);
                for index in 0..outer * inner {
                    let (o, i) = (index / inner, index % inner);
                    let mut best = (0, 0);
                    for r in 0..reduced {
                        if element(o, r, i) > element(o, best.0, i) {
                            best.0 = r;
                        }
                        if element(o, r, i) < element(o, best.1, i) {
                            best.1 = r;
                        }
                    }
                    assert_eq!(
                        (places[index], least[index]),
                        (best.0 as i64, best.1 as i64)
                    );
                }
            }
        }
    }
}

#[test]
fn floats() {
    check::<f64>(1e-12, |x| x - 0.3, |x| x);
    check::<f32>(1e-5, |x| x as f32, f64::from);
}

#[test]
fn halves() {
    check::<bf16>(1e-2, bf16::from_f64, |x| x.to_f64());
    check::<f16>(2e-3, |x| f16::from_f64(x * 0.02), |x| x.to_f64());
}

#[test]
fn integers() {
    // Zeros and ones: products and sums stay exact.
    check::<i64>(0.0, |x| (x * 1.9) as i64, |x| x as f64);
    check::<i32>(0.0, |x| (x * 1.9) as i32, f64::from);
    let mut sum = [0u8];
    reduce(
        Reduction::Sum,
        Reduced::contiguous(&[200, 100], [1, 2, 1]),
        &mut sum,
    );
    assert_eq!(sum, [44]);
}

#[test]
fn nan_wins() {
    for inner in [1, 3] {
        for place in [0, 5, 99] {
            let mut data = numbers(1, 100 * inner);
            data[place * inner] = f64::NAN;
            let input = Reduced::contiguous(&data, [1, 100, inner]);
            let mut out = vec![0.0; inner];
            let mut places = vec![0; inner];
            for reduction in [Reduction::Maximum, Reduction::Minimum, Reduction::Sum] {
                reduce(reduction, input, &mut out);
                assert!(out[0].is_nan() && out[1..].iter().all(|x| !x.is_nan()));
            }
            argmax(input, &mut places);
            assert_eq!(places[0], place as i64);
            argmin(input, &mut places);
            assert_eq!(places[0], place as i64);
        }
    }
}

#[test]
fn infinities_are_found() {
    let data = [f32::NEG_INFINITY; 4];
    let mut places = [7; 2];
    argmax(Reduced::contiguous(&data, [1, 2, 2]), &mut places);
    assert_eq!(places, [0, 0]);
}

#[test]
fn long_sums_are_accurate() {
    let data = vec![0.1f32; 10_000_000];
    let mut sum = [0.0];
    reduce(
        Reduction::Sum,
        Reduced::contiguous(&data, [1, 10_000_000, 1]),
        &mut sum,
    );
    assert!((f64::from(sum[0]) / (10_000_000.0 * f64::from(0.1f32)) - 1.0).abs() < 1e-6);
    let mut sums = [0.0; 10];
    reduce(
        Reduction::Sum,
        Reduced::contiguous(&data, [1, 1_000_000, 10]),
        &mut sums,
    );
    for sum in sums {
        assert!((f64::from(sum) / (1_000_000.0 * f64::from(0.1f32)) - 1.0).abs() < 1e-6);
    }
}

#[test]
fn thread_count_does_not_matter() {
    let data: Vec<f32> = numbers(3, 1_200_000)
        .iter()
        .map(|&x| x as f32 - 0.5)
        .collect();
    let sums = || {
        let mut all = Vec::new();
        for extents in [
            [1, 1_200_000, 1],
            [2, 200_000, 3],
            [100, 12_000, 1],
            [3, 100, 4000],
        ] {
            let mut out = vec![0f32; extents[0] * extents[2]];
            reduce(
                Reduction::Sum,
                Reduced::contiguous(&data, extents),
                &mut out,
            );
            all.extend(out.iter().map(|x| x.to_bits()));
        }
        all
    };
    assert_eq!(with_threads(1, sums), with_threads(3, sums));
}

#[test]
fn truth_values() {
    let mut out = [9; 2];
    let data = [0, 1, 0, 0];
    any(Reduced::contiguous(&data, [2, 2, 1]), &mut out);
    assert_eq!(out, [1, 0]);
    all(Reduced::contiguous(&[1, 1, 1, 0], [2, 2, 1]), &mut out);
    assert_eq!(out, [1, 0]);
    any(Reduced::contiguous(&[], [2, 0, 1]), &mut out);
    assert_eq!(out, [0, 0]);
    all(Reduced::contiguous(&[], [2, 0, 1]), &mut out);
    assert_eq!(out, [1, 1]);
}

#[test]
#[should_panic(expected = "argmax: the reduced axis of extents [1, 0, 1] is empty")]
fn position_in_nothing_is_refused() {
    argmax::<f32>(Reduced::contiguous(&[], [1, 0, 1]), &mut [0]);
}

#[test]
fn rows_are_reduced_as_programs_reduce_them() {
    let data: Vec<f32> = numbers(5, 200_000)
        .iter()
        .map(|&x| x as f32 - 0.5)
        .collect();
    for length in [1, 31, 33, 255, 257, 16_385, 200_000] {
        let mut sum = [0.0];
        reduce(
            Reduction::Sum,
            Reduced::contiguous(&data[..length], [1, length, 1]),
            &mut sum,
        );
        assert_eq!(
            sum[0].to_bits(),
            reduce_row(Reduction::Sum, &data[..length]).to_bits()
        );
        let every_other = Reduced {
            data: &data[..],
            offset: 0,
            extents: [1, length / 2, 1],
            strides: [0, 2, 1],
        };
        let gathered: Vec<f32> = data.iter().copied().step_by(2).take(length / 2).collect();
        reduce(Reduction::Sum, every_other, &mut sum);
        assert_eq!(
            sum[0].to_bits(),
            reduce_row(Reduction::Sum, &gathered).to_bits()
        );
    }
}
