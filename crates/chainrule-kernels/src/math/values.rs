//! Special values, integers, and that a value does not depend on where it stands.

use super::*;
use crate::element::{DType, Element};
use crate::lane::Compute;
use crate::leaf::Kernel;
use crate::simd::{Level, level};

fn levels() -> impl Iterator<Item = Level> {
    Level::ALL.into_iter().filter(|level| level.is_supported())
}

/// The leaf's value of each set of operands, `T` in, `T` or a truth value out.
fn apply<T: Element, O: Copy + Default>(leaf: &Leaf, level: Level, operands: [&[T]; 2]) -> Vec<O> {
    let kernel = leaf.kernel(T::DTYPE, level).expect("supported");
    run(kernel, leaf, operands[0], operands[1])
}

fn run<T: Copy, O: Copy + Default>(kernel: Kernel, leaf: &Leaf, a: &[T], b: &[T]) -> Vec<O> {
    let mut out = vec![O::default(); a.len()];
    let b = b.as_ptr().cast();
    // SAFETY: the slices are equally long (the second may be unused), `O` has the size of the result.
    unsafe {
        kernel(
            out.as_mut_ptr().cast(),
            a.as_ptr().cast(),
            b,
            b,
            a.len(),
            leaf,
        )
    };
    out
}

const SPECIAL: [f64; 40] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    2.0,
    -2.0,
    3.0,
    -3.0,
    2.5,
    -2.5,
    1.5,
    -1.5,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    1e-45,
    -1e-45,
    1e-40,
    -1e-40,
    1e-320,
    -1e-320,
    3.4e38,
    -3.4e38,
    1e308,
    -1e308,
    16777216.0,
    16777215.0,
    1e6,
    1.1e6,
    1e22,
    -1e22,
    88.8,
    -104.5,
    709.9,
    -745.2,
    0.99999994,
    1.0000001,
    9007199254740993.0,
];

fn pairs() -> (Vec<f64>, Vec<f64>) {
    SPECIAL
        .iter()
        .flat_map(|&a| SPECIAL.iter().map(move |&b| (a, b)))
        .unzip()
}

fn same32(a: f32, b: f32) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

fn same64(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

#[test]
fn direct_calls_equal_the_kernels_at_every_position() {
    let (a, b) = pairs();
    let (a32, b32): (Vec<f32>, Vec<f32>) = a
        .iter()
        .zip(&b)
        .map(|(&a, &b)| (a as f32, b as f32))
        .unzip();
    for leaf in ALL
        .iter()
        .filter(|leaf| leaf.arity() < 3 && leaf.supports(DType::F32))
    {
        for skip in [0, 5] {
            let (a, b, a32, b32) = (&a[skip..], &b[skip..], &a32[skip..], &b32[skip..]);
            let predicate = leaf.result(DType::F32) == DType::Bool;
            let (narrow, wide): (Vec<f32>, Vec<f64>) = if predicate {
                let truths: Vec<u8> = apply(leaf, level(), [a32, b32]);
                let wide: Vec<u8> = apply(leaf, level(), [a, b]);
                (
                    truths.iter().map(|&t| t as f32).collect(),
                    wide.iter().map(|&t| t as f64).collect(),
                )
            } else {
                (
                    apply(leaf, level(), [a32, b32]),
                    apply(leaf, level(), [a, b]),
                )
            };
            for i in 0..a.len() {
                let arity = leaf.arity();
                let direct = leaf.call_f32(&[a32[i], b32[i]][..arity]);
                assert!(
                    same32(direct, narrow[i]),
                    "{} f32 {} {}: {direct} {}",
                    leaf.name(),
                    a32[i],
                    b32[i],
                    narrow[i]
                );
                let direct = leaf.call_f64(&[a[i], b[i]][..arity]);
                assert!(
                    same64(direct, wide[i]),
                    "{} f64 {} {}: {direct} {}",
                    leaf.name(),
                    a[i],
                    b[i],
                    wide[i]
                );
            }
        }
    }
    assert_eq!(SELECT.call_f32(&[1.0, 2.0, 3.0]), 2.0);
    assert_eq!(SELECT.call_f64(&[0.0, 2.0, 3.0]), 3.0);
}

#[test]
fn odd_functions_keep_the_sign_of_zero_and_of_the_smallest_numbers() {
    let leaves = [
        &NEG, &EXPM1, &LOG1P, &SINH, &TANH, &ASINH, &ATANH, &ERF, &FLOOR, &CEIL, &ROUND, &TRUNC,
        &SQRT, &SIN, &TAN, &ASIN, &ATAN,
    ];
    for leaf in leaves {
        let sign = if leaf.name() == "neg" { -1.0 } else { 1.0 };
        for level in levels() {
            let y: Vec<f64> = apply(leaf, level, [&[-0.0f64, 0.0], &[]]);
            assert!(
                same64(y[0], -0.0 * sign) && same64(y[1], 0.0 * sign),
                "{} {y:?}",
                leaf.name()
            );
            let y: Vec<f32> = apply(leaf, level, [&[-0.0f32, 0.0], &[]]);
            assert!(
                same32(y[0], -0.0 * sign as f32) && same32(y[1], 0.0 * sign as f32),
                "{} {y:?}",
                leaf.name()
            );
        }
    }
    for leaf in [
        &EXPM1, &LOG1P, &SINH, &TANH, &ASINH, &ATANH, &SIN, &TAN, &ASIN, &ATAN,
    ] {
        for level in levels() {
            let x = [5e-324, -5e-324, 3e-310, 1e-200];
            let y: Vec<f64> = apply(leaf, level, [&x, &[]]);
            assert_eq!(y, x, "{} {level:?}", leaf.name());
            let x = [1e-45f32, -1e-45, 3e-39, -2e-30];
            let y: Vec<f32> = apply(leaf, level, [&x, &[]]);
            assert_eq!(y, x, "{} {level:?}", leaf.name());
        }
    }
}

#[test]
fn two_operands_against_the_standard_library() {
    type Exact = fn(f64, f64) -> f64;
    let floor_rem: Exact = |a, b| {
        let rest = a % b;
        if rest != 0.0 && (rest < 0.0) != (b < 0.0) {
            rest + b
        } else {
            rest
        }
    };
    let maximum: Exact = |a, b| {
        if a.is_nan() || b.is_nan() {
            f64::NAN
        } else {
            a.max(b)
        }
    };
    let minimum: Exact = |a, b| {
        if a.is_nan() || b.is_nan() {
            f64::NAN
        } else {
            a.min(b)
        }
    };
    let table: [(&Leaf, Exact, f64); 9] = [
        (&ADD, |a, b| a + b, 0.0),
        (&SUB, |a, b| a - b, 0.0),
        (&MUL, |a, b| a * b, 0.0),
        (&POW, f64::powf, 2.0),
        (&ATAN2, f64::atan2, 4.0),
        (&HYPOT, f64::hypot, 2.0),
        (&REM, floor_rem, 0.0),
        (&MAXIMUM, maximum, 0.0),
        (&MINIMUM, minimum, 0.0),
    ];
    let (a, b) = pairs();
    for (leaf, exact, ulps) in table {
        for level in levels() {
            let wide: Vec<f64> = apply(leaf, level, [&a, &b]);
            let (a32, b32): (Vec<f32>, Vec<f32>) = a
                .iter()
                .zip(&b)
                .map(|(&a, &b)| (a as f32, b as f32))
                .unzip();
            let narrow: Vec<f32> = apply(leaf, level, [&a32, &b32]);
            for i in 0..a.len() {
                let expected = exact(a[i], b[i]);
                let close = (wide[i] - expected).abs() <= ulps * f64::EPSILON * expected.abs();
                let zero =
                    expected != 0.0 || wide[i].is_sign_negative() == expected.is_sign_negative();
                let signless = matches!(leaf.name(), "maximum" | "minimum");
                assert!(
                    same64(wide[i], expected) || close && (zero || signless),
                    "{} {level:?} {} {}: {} instead of {expected}",
                    leaf.name(),
                    a[i],
                    b[i],
                    wide[i]
                );
                let expected = exact(a32[i] as f64, b32[i] as f64) as f32;
                let tolerance = 2.0 * f32::EPSILON * expected.abs();
                let close = (narrow[i] - expected).abs() <= tolerance.max(f32::from_bits(1))
                    && leaf.name() != "rem";
                let equal = narrow[i] == expected && (signless || same32(narrow[i], expected));
                assert!(
                    equal || same32(narrow[i], expected) || close && expected != 0.0,
                    "{} {level:?} {} {}: {} instead of {expected}",
                    leaf.name(),
                    a32[i],
                    b32[i],
                    narrow[i]
                );
            }
        }
    }
}

#[test]
fn one_operand_at_special_values() {
    let nan = f64::NAN;
    let (inf, ninf) = (f64::INFINITY, f64::NEG_INFINITY);
    let table: [(&Leaf, &[(f64, f64)]); 16] = [
        (
            &EXP,
            &[
                (inf, inf),
                (ninf, 0.0),
                (nan, nan),
                (0.0, 1.0),
                (1e308, inf),
                (-1e308, 0.0),
            ],
        ),
        (
            &EXP2,
            &[
                (inf, inf),
                (ninf, 0.0),
                (nan, nan),
                (10.0, 1024.0),
                (-1.0, 0.5),
                (127.0, 2f64.powi(127)),
            ],
        ),
        (&EXPM1, &[(inf, inf), (ninf, -1.0), (nan, nan)]),
        (
            &LOG,
            &[
                (inf, inf),
                (0.0, ninf),
                (-0.0, ninf),
                (-1.0, nan),
                (ninf, nan),
                (nan, nan),
                (1.0, 0.0),
            ],
        ),
        (
            &LOG2,
            &[
                (inf, inf),
                (0.0, ninf),
                (-1.0, nan),
                (8.0, 3.0),
                (0.25, -2.0),
            ],
        ),
        (&LOG1P, &[(inf, inf), (-1.0, ninf), (-2.0, nan), (nan, nan)]),
        (&SIGMOID, &[(inf, 1.0), (ninf, 0.0), (nan, nan), (0.0, 0.5)]),
        (
            &SOFTPLUS,
            &[(inf, inf), (ninf, 0.0), (nan, nan), (1e30, 1e30f32 as f64)],
        ),
        (&SIN, &[(inf, nan), (ninf, nan), (nan, nan)]),
        (&TANH, &[(inf, 1.0), (ninf, -1.0), (nan, nan)]),
        (&ATANH, &[(1.0, inf), (-1.0, ninf), (2.0, nan)]),
        (&ERFC, &[(inf, 0.0), (ninf, 2.0), (nan, nan)]),
        (&SIGN, &[(-0.0, 0.0), (3.0, 1.0), (ninf, -1.0), (nan, nan)]),
        (&ROUND, &[(2.5, 2.0), (3.5, 4.0), (-0.5, -0.0), (nan, nan)]),
        (&RELU, &[(-1.0, 0.0), (2.0, 2.0), (-0.0, 0.0), (nan, nan)]),
        (&RSQRT, &[(0.0, inf), (-0.0, ninf), (inf, 0.0), (-1.0, nan)]),
    ];
    for (leaf, cases) in table {
        for level in levels() {
            for &(x, y) in cases {
                let wide: Vec<f64> = apply(leaf, level, [&[x], &[]]);
                let narrow: Vec<f32> = apply(leaf, level, [&[x as f32], &[]]);
                let skip = x == 1e30;
                assert!(
                    skip || same64(wide[0], y),
                    "{} {level:?} {x}: {}",
                    leaf.name(),
                    wide[0]
                );
                assert!(
                    same32(narrow[0], y as f32),
                    "{} {level:?} {x}: {}",
                    leaf.name(),
                    narrow[0]
                );
            }
        }
    }
}

#[test]
fn integers_wrap_round_down_and_never_trap() {
    let a = [7i64, -7, 7, -7, i64::MIN, 5, i64::MAX, 0];
    let b = [2i64, 2, -2, -2, -1, 0, 1, 3];
    let expect = |leaf: &Leaf, expected: [i64; 8]| {
        for level in levels() {
            assert_eq!(
                apply::<i64, i64>(leaf, level, [&a, &b]),
                expected,
                "{} {level:?}",
                leaf.name()
            );
        }
    };
    expect(&DIV, [3, -4, -4, 3, i64::MIN, 0, i64::MAX, 0]);
    expect(&REM, [1, 1, -1, -1, 0, 0, 0, 0]);
    expect(&ADD, [9, -5, 5, -9, i64::MAX, 5, i64::MIN, 3]);
    expect(&POW, [49, 49, 0, 0, 0, 1, i64::MAX, 0]);
    let bytes = [250u8, 7, 0];
    let others = [10u8, 0, 3];
    for level in levels() {
        assert_eq!(apply::<u8, u8>(&ADD, level, [&bytes, &others]), [4, 7, 3]);
        assert_eq!(apply::<u8, u8>(&DIV, level, [&bytes, &others]), [25, 0, 0]);
        assert_eq!(apply::<u8, u8>(&REM, level, [&bytes, &others]), [0, 0, 0]);
        assert_eq!(apply::<u8, u8>(&NOT, level, [&bytes, &[]]), [5, 248, 255]);
        assert_eq!(apply::<u8, u8>(&LT, level, [&bytes, &others]), [0, 0, 1]);
        assert_eq!(
            apply::<i32, i32>(&POW, level, [&[-1, -1, 2, 3], &[-3, -2, -1, 40]]),
            [-1, 1, 0, 3i32.wrapping_pow(40)]
        );
        assert_eq!(
            apply::<i32, i32>(&ABS, level, [&[i32::MIN, -4], &[]]),
            [i32::MIN, 4]
        );
    }
}

#[test]
fn casts_saturate_and_test_for_zero() {
    for level in levels() {
        let convert = |from: Compute, to: Compute| super::cast::conversion(from, to, level);
        let floats = [1.9f32, -1.9, f32::NAN, 1e20, -1e20, 300.0, -0.0];
        let to_i32: Vec<i32> = run(convert(Compute::F32, Compute::I32), &NEG, &floats, &[]);
        assert_eq!(to_i32, [1, -1, 0, i32::MAX, i32::MIN, 300, 0]);
        let to_u8: Vec<u8> = run(convert(Compute::F32, Compute::U8), &NEG, &floats, &[]);
        assert_eq!(to_u8, [1, 0, 0, 255, 0, 255, 0]);
        let to_truth: Vec<u8> = run(convert(Compute::F32, Compute::Truth), &NEG, &floats, &[]);
        assert_eq!(to_truth, [1, 1, 1, 1, 1, 1, 0]);
        let to_f64: Vec<f64> = run(
            convert(Compute::I64, Compute::F64),
            &NEG,
            &[i64::MAX, -3],
            &[],
        );
        assert_eq!(to_f64, [9223372036854775807.0, -3.0]);
        let low: Vec<i32> = run(
            convert(Compute::I64, Compute::I32),
            &NEG,
            &[(1i64 << 32) + 5, -1],
            &[],
        );
        assert_eq!(low, [5, -1]);
    }
}
