//! The elementary functions against references of higher precision, over their whole range, on every level.

use super::*;
use crate::element::DType;
use crate::simd::Level;

/// Runs a kernel over `xs` (and `ys`), in blocks and a rest.
fn kernel<T: Copy + Default>(
    leaf: &Leaf,
    dtype: DType,
    level: Level,
    xs: &[T],
    ys: &[T],
) -> Vec<T> {
    let mut out = vec![T::default(); xs.len()];
    let run = leaf.kernel(dtype, level).expect("supported");
    let (x, y) = (xs.as_ptr().cast::<u8>(), ys.as_ptr().cast::<u8>());
    // SAFETY: three slices of equal length; the level was found to be supported.
    unsafe { run(out.as_mut_ptr().cast(), x, y, y, xs.len(), leaf) };
    out
}

fn levels() -> impl Iterator<Item = Level> {
    Level::ALL.into_iter().filter(|level| level.is_supported())
}

/// The distance of `value` from `exact` in units of the last place of `exact` as an `f32`.
fn ulps32(value: f32, exact: f64) -> f64 {
    let rounded = exact as f32;
    if value == rounded || value.is_nan() && exact.is_nan() {
        return 0.0;
    }
    if value.is_nan() || exact.is_nan() || value.is_infinite() {
        // Overflow beyond the largest number may round either way within the bound.
        let nearly = exact.abs() >= f32::MAX as f64 * (1.0 - 1e-7) && value.is_infinite();
        return if nearly && value.is_sign_negative() == exact.is_sign_negative() {
            1.0
        } else {
            f64::INFINITY
        };
    }
    let size = (exact.abs() as f32).clamp(f32::MIN_POSITIVE, f32::MAX);
    let exponent = ((size.to_bits() >> 23) as i32) - 127 - 23;
    (value as f64 - exact).abs() / 2f64.powi(exponent)
}

fn ulps64(value: f64, reference: f64) -> f64 {
    if value == reference || value.is_nan() && reference.is_nan() {
        return 0.0;
    }
    if !value.is_finite() || !reference.is_finite() {
        let nearly = value.abs().min(reference.abs()) >= f64::MAX * (1.0 - 1e-15);
        return if nearly { 1.0 } else { f64::INFINITY };
    }
    (value.to_bits() as i64)
        .wrapping_sub(reference.to_bits() as i64)
        .unsigned_abs() as f64
}

type Reference = fn(f64) -> f64;

fn elementary() -> Vec<(&'static Leaf, Reference)> {
    vec![
        (&EXP, f64::exp),
        (&EXP2, f64::exp2),
        (&EXPM1, f64::exp_m1),
        (&LOG, f64::ln),
        (&LOG2, f64::log2),
        (&LOG10, f64::log10),
        (&LOG1P, f64::ln_1p),
        (&SIGMOID, |x| {
            if x < 0.0 {
                x.exp() / (1.0 + x.exp())
            } else {
                1.0 / (1.0 + (-x).exp())
            }
        }),
        (&SOFTPLUS, |x| {
            (-x.abs()).exp().ln_1p() + if x < 0.0 { 0.0 } else { x }
        }),
        (&SIN, f64::sin),
        (&COS, f64::cos),
        (&TAN, f64::tan),
        (&ASIN, f64::asin),
        (&ACOS, f64::acos),
        (&ATAN, f64::atan),
        (&SINH, f64::sinh),
        (&COSH, f64::cosh),
        (&TANH, f64::tanh),
        (&ASINH, asinh),
        (&ACOSH, acosh),
        (&ATANH, |x| {
            (0.5 * ((2.0 * x.abs()) / (1.0 - x.abs())).ln_1p()).copysign(x)
        }),
        (&ERF, libm::erf),
        (&ERFC, libm::erfc),
        (&SQRT, f64::sqrt),
        (&RSQRT, |x| 1.0 / x.sqrt()),
        (&RECIPROCAL, |x| 1.0 / x),
    ]
}

fn asinh(x: f64) -> f64 {
    let a = x.abs();
    let y = if a > 1e150 {
        a.ln() + std::f64::consts::LN_2
    } else {
        (a + a * a / (1.0 + a.hypot(1.0))).ln_1p()
    };
    y.copysign(x)
}

fn acosh(x: f64) -> f64 {
    let t = x - 1.0;
    match x {
        _ if x < 1.0 => f64::NAN,
        _ if x > 1e150 => x.ln() + std::f64::consts::LN_2,
        _ => (t + (t * (x + 1.0)).sqrt()).ln_1p(),
    }
}

#[test]
fn f32_within_2_5_ulps_over_every_331st_bit_pattern() {
    let xs: Vec<f32> = (0..=u32::MAX).step_by(331).map(f32::from_bits).collect();
    let mut failures = Vec::new();
    for (leaf, reference) in elementary() {
        let exact: Vec<f64> = xs.iter().map(|&x| reference(x as f64)).collect();
        for level in levels() {
            let ours = kernel(leaf, DType::F32, level, &xs, &xs);
            let (worst, at) = worst(
                xs.iter()
                    .zip(&ours)
                    .zip(&exact)
                    .map(|((&x, &y), &e)| (ulps32(y, e), x as f64)),
            );
            println!(
                "{:>10} f32 {:>8}: {worst:.2} ulp at {at:e}",
                leaf.name(),
                level.name()
            );
            if worst > 2.5 {
                failures.push(format!(
                    "{} {}: {worst} ulp at {at:e}",
                    leaf.name(),
                    level.name()
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

fn worst(errors: impl Iterator<Item = (f64, f64)>) -> (f64, f64) {
    errors.fold(
        (0.0, 0.0),
        |worst, this| if this.0 > worst.0 { this } else { worst },
    )
}

/// Arguments over all magnitudes, and densely over the range where the functions are neither trivial nor infinite.
fn arguments(count: usize) -> Vec<f64> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..count)
        .map(|index| {
            let bits = next();
            let unit = (bits >> 11) as f64 / (1u64 << 53) as f64;
            let sign = if bits & 1 == 0 { 1.0 } else { -1.0 };
            match index % 6 {
                0 => f64::from_bits(bits),
                1 => sign * unit,
                2 => sign * unit * 10.0,
                3 => sign * unit * 750.0,
                4 => sign * 10f64.powf(unit * 14.0 - 8.0),
                _ => 1.0 + sign * 10f64.powf(-16.0 * unit),
            }
        })
        .collect()
}

/// `CHAINRULE_ACCURACY_ARGUMENTS=10000000` makes this the long test.
#[test]
fn f64_within_4_ulps_of_the_standard_library() {
    let count = std::env::var("CHAINRULE_ACCURACY_ARGUMENTS").ok();
    let count = count
        .and_then(|count| count.parse().ok())
        .unwrap_or(200_000);
    let xs = arguments(count);
    let mut failures = Vec::new();
    for (leaf, reference) in elementary() {
        let exact: Vec<f64> = xs.iter().map(|&x| reference(x)).collect();
        for level in levels() {
            let ours = kernel(leaf, DType::F64, level, &xs, &xs);
            let (worst, at) = worst(
                xs.iter()
                    .zip(&ours)
                    .zip(&exact)
                    .map(|((&x, &y), &e)| (ulps64(y, e), x)),
            );
            println!(
                "{:>10} f64 {:>8}: {worst} ulp at {at:e}",
                leaf.name(),
                level.name()
            );
            if worst > 4.0 {
                failures.push(format!(
                    "{} {}: {worst} ulp at {at:e}",
                    leaf.name(),
                    level.name()
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}
