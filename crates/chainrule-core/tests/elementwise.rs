//! Elementwise functions: values against the standard library, derivatives against finite differences, and the points
//! where a function has a kink, a pole or no value.

use chainrule_core::{DType, Tensor, attempt, grad, jvp, tensor};

type Unary = fn(&Tensor) -> Tensor;
type Binary = fn(&Tensor, &Tensor) -> Tensor;
/// A name, the function, its reference and points to try it at.
type UnaryCase = (&'static str, Unary, fn(f64) -> f64, [f64; 3]);
type BinaryCase = (&'static str, Binary, fn(f64, f64) -> f64, [(f64, f64); 3]);

fn slope(f: impl Fn(&Tensor) -> Tensor, at: f64) -> f64 {
    grad(|x: &Tensor| f(x))(&Tensor::from(at)).item()
}

fn close(got: f64, wanted: f64, tolerance: f64, what: &str) {
    let error = (got - wanted).abs() / wanted.abs().max(1.0);
    assert!(error <= tolerance, "{what}: {got} against {wanted}");
}

#[test]
fn unary_values_and_first_and_second_derivatives() {
    let cases: [UnaryCase; 33] = [
        ("abs", |x| x.abs(), f64::abs, [-1.5, 0.3, 2.0]),
        ("square", |x| x.square(), |x| x * x, [-1.5, 0.3, 2.0]),
        ("exp2", |x| x.exp2(), f64::exp2, [-1.5, 0.3, 2.0]),
        ("expm1", |x| x.expm1(), f64::exp_m1, [-1.5, 0.3, 2.0]),
        ("log2", |x| x.log2(), f64::log2, [0.2, 0.9, 7.0]),
        ("log10", |x| x.log10(), f64::log10, [0.2, 0.9, 7.0]),
        ("log1p", |x| x.log1p(), f64::ln_1p, [-0.7, 0.1, 7.0]),
        ("sinh", |x| x.sinh(), f64::sinh, [-1.5, 0.3, 2.0]),
        ("cosh", |x| x.cosh(), f64::cosh, [-1.5, 0.3, 2.0]),
        ("tanh", |x| x.tanh(), f64::tanh, [-1.5, 0.3, 2.0]),
        ("asinh", |x| x.asinh(), f64::asinh, [-1.5, 0.3, 2.0]),
        ("acosh", |x| x.acosh(), f64::acosh, [1.2, 2.0, 9.0]),
        ("atanh", |x| x.atanh(), f64::atanh, [-0.8, 0.1, 0.6]),
        (
            "sigmoid",
            |x| x.sigmoid(),
            |x| 1.0 / (1.0 + (-x).exp()),
            [-3.0, 0.3, 2.0],
        ),
        (
            "softplus",
            |x| x.softplus(),
            |x| x.exp().ln_1p(),
            [-3.0, 0.3, 2.0],
        ),
        ("relu", |x| x.relu(), |x| x.max(0.0), [-3.0, 0.3, 2.0]),
        ("ceil", |x| x.ceil(), f64::ceil, [-1.5, 0.3, 2.2]),
        ("round", |x| x.round(), f64::round, [-1.6, 0.3, 2.2]),
        ("trunc", |x| x.trunc(), f64::trunc, [-1.6, 0.3, 2.2]),
        ("frac", |x| x.frac(), f64::fract, [-1.6, 0.3, 2.2]),
        (
            "round_to",
            |x| x.round_to(1),
            |x| (x * 10.0).round() / 10.0,
            [-1.62, 0.33, 2.28],
        ),
        ("sign", |x| x.sign(), f64::signum, [-1.6, 0.3, 2.2]),
        (
            "logit",
            |x| x.logit(),
            |x| (x / (1.0 - x)).ln(),
            [0.1, 0.5, 0.8],
        ),
        (
            "sinc",
            |x| x.sinc(),
            |x| (x * std::f64::consts::PI).sin() / (x * std::f64::consts::PI),
            [-1.6, 0.3, 2.2],
        ),
        (
            "deg2rad",
            |x| x.deg2rad(),
            f64::to_radians,
            [-1.6, 0.3, 2.2],
        ),
        (
            "rad2deg",
            |x| x.rad2deg(),
            f64::to_degrees,
            [-1.6, 0.3, 2.2],
        ),
        ("pow 3", |x| x.pow(3.0), |x| x.powi(3), [-1.6, 0.3, 2.2]),
        ("pow 2", |x| x.pow(2), |x| x * x, [-1.6, 0.3, 2.2]),
        (
            "pow -1.5",
            |x| x.pow(-1.5),
            |x| x.powf(-1.5),
            [0.6, 1.3, 2.2],
        ),
        (
            "1.7 pow x",
            |x| Tensor::from(1.7).pow(x),
            |x| 1.7f64.powf(x),
            [-1.6, 0.3, 2.2],
        ),
        (
            "clamp",
            |x| x.clamp(-1.0, 1.0),
            |x| x.clamp(-1.0, 1.0),
            [-1.6, 0.3, 2.2],
        ),
        (
            "maximum",
            |x| x.maximum(0.5),
            |x| x.max(0.5),
            [-1.6, 0.3, 2.2],
        ),
        (
            "minimum",
            |x| x.minimum(0.5),
            |x| x.min(0.5),
            [-1.6, 0.3, 2.2],
        ),
    ];
    let step = 1e-5;
    for (name, f, reference, points) in cases {
        for x in points {
            close(f(&Tensor::from(x)).item(), reference(x), 1e-14, name);
            let first = slope(f, x);
            close(
                first,
                (reference(x + step) - reference(x - step)) / (2.0 * step),
                1e-8,
                name,
            );
            let second = slope(|x| grad(|x: &Tensor| f(x))(x), x);
            let difference = (slope(f, x + step) - slope(f, x - step)) / (2.0 * step);
            close(second, difference, 1e-7, name);
            let (_, tangent) = jvp(|x: &Tensor| f(x), &Tensor::from(x), &Tensor::from(1.0));
            close(tangent.item(), first, 1e-14, name);
        }
    }
}

#[test]
fn the_error_function_has_known_values_and_slopes() {
    for (x, value) in [
        (0.1, 0.1124629160182849),
        (1.0, 0.8427007929497149),
        (-2.0, -0.9953222650189527),
    ] {
        let point = Tensor::from(x);
        close(point.erf().item(), value, 1e-14, "erf");
        close(point.erfc().item(), 1.0 - value, 1e-14, "erfc");
        let exact = 2.0 / std::f64::consts::PI.sqrt() * f64::exp(-x * x);
        close(slope(|x| x.erf(), x), exact, 1e-14, "erf'");
        close(slope(|x| x.erfc(), x), -exact, 1e-14, "erfc'");
        close(
            slope(|x| grad(|x: &Tensor| x.erf())(x), x),
            -2.0 * x * exact,
            1e-14,
            "erf''",
        );
    }
    close(
        Tensor::from(5.0).erfc().item::<f64>() / 1.5374597944280347e-12,
        1.0,
        1e-13,
        "erfc far out",
    );
}

#[test]
fn binary_values_and_derivatives_by_both_operands() {
    let cases: [BinaryCase; 12] = [
        (
            "pow",
            |a, b| a.pow(b),
            f64::powf,
            [(0.5, 2.5), (3.0, -1.2), (1.5, 0.0)],
        ),
        (
            "hypot",
            |a, b| a.hypot(b),
            f64::hypot,
            [(3.0, 4.0), (-1.0, 0.5), (0.1, -7.0)],
        ),
        (
            "maximum",
            |a, b| a.maximum(b),
            f64::max,
            [(3.0, 4.0), (-1.0, -1.5), (0.1, -7.0)],
        ),
        (
            "minimum",
            |a, b| a.minimum(b),
            f64::min,
            [(3.0, 4.0), (-1.0, -1.5), (0.1, -7.0)],
        ),
        (
            "fmax",
            |a, b| a.fmax(b),
            f64::max,
            [(3.0, 4.0), (-1.0, -1.5), (0.1, -7.0)],
        ),
        (
            "fmin",
            |a, b| a.fmin(b),
            f64::min,
            [(3.0, 4.0), (-1.0, -1.5), (0.1, -7.0)],
        ),
        (
            "fmod",
            |a, b| a.fmod(b),
            |a, b| a % b,
            [(7.2, 2.0), (-7.3, 2.1), (5.5, -3.1)],
        ),
        (
            "floor_divide",
            |a, b| a.floor_divide(b),
            |a, b| (a / b).floor(),
            [(7.2, 2.0), (-7.3, 2.1), (5.5, -3.1)],
        ),
        (
            "copysign",
            |a, b| a.copysign(b),
            f64::copysign,
            [(7.2, 2.0), (-7.3, 2.1), (5.5, -3.1)],
        ),
        (
            "xlogy",
            |a, b| a.xlogy(b),
            |a, b| a * b.ln(),
            [(0.5, 2.5), (-3.0, 1.2), (1.5, 0.4)],
        ),
        (
            "xlog1py",
            |a, b| a.xlog1py(b),
            |a, b| a * b.ln_1p(),
            [(0.5, 2.5), (-3.0, 1.2), (1.5, -0.4)],
        ),
        (
            "logaddexp",
            |a, b| a.logaddexp(b),
            |a, b| (a.exp() + b.exp()).ln(),
            [(0.5, 2.5), (-3.0, 1.2), (1.5, 1.5)],
        ),
    ];
    let step = 1e-6;
    for (name, f, reference, points) in cases {
        for (a, b) in points {
            let pair = (Tensor::from(a), Tensor::from(b));
            close(f(&pair.0, &pair.1).item(), reference(a, b), 1e-13, name);
            let (by_a, by_b) = grad(|(a, b): &(Tensor, Tensor)| f(a, b))(&pair);
            let expected_a = (reference(a + step, b) - reference(a - step, b)) / (2.0 * step);
            let expected_b = (reference(a, b + step) - reference(a, b - step)) / (2.0 * step);
            close(by_a.item(), expected_a, 1e-7, name);
            close(by_b.item(), expected_b, 1e-7, name);
        }
    }
}

#[test]
fn logaddexp_is_smooth_where_its_arguments_meet() {
    let f = |x: &Tensor| x.logaddexp(Tensor::from(1.5));
    close(slope(f, 1.5), 0.5, 1e-14, "first");
    close(slope(|x| grad(f)(x), 1.5), 0.25, 1e-14, "second");
    let infinite = Tensor::from(f64::INFINITY);
    assert_eq!(infinite.logaddexp(&infinite).item::<f64>(), f64::INFINITY);
    let nothing = -&infinite;
    assert_eq!(nothing.logaddexp(&nothing).item::<f64>(), f64::NEG_INFINITY);
    assert_eq!(nothing.logaddexp(2.0).item::<f64>(), 2.0);
    close(
        Tensor::from(3.0).logaddexp2(3.0).item(),
        4.0,
        1e-15,
        "logaddexp2",
    );
}

#[test]
fn kinks_are_pytorchs() {
    assert_eq!(slope(|x| x.abs(), 0.0), 0.0);
    assert_eq!(slope(|x| x.relu(), 0.0), 0.0);
    assert!(Tensor::from(f64::NAN).relu().item::<f64>().is_nan());
    assert_eq!(slope(|x| x.maximum(1.0), 1.0), 0.5);
    assert_eq!(slope(|x| x.minimum(1.0), 1.0), 0.5);
    assert_eq!(slope(|x| x.fmax(1.0), 1.0), 1.0);
    for (x, expected) in [(0.0, 0.0), (1.0, 0.0), (0.5, 1.0), (-0.1, 0.0), (1.1, 0.0)] {
        assert_eq!(slope(|x| x.clamp(0.0, 1.0), x), expected, "clamp at {x}");
    }
    assert_eq!(slope(|x| x.clamp_min(1.0), 1.0), 0.0);
    assert_eq!(slope(|x| x.clamp_max(1.0), 1.0), 0.0);
    let low = Tensor::from(2.0);
    let (_, by_low) =
        grad(|(x, low): &(Tensor, Tensor)| x.clamp(low, 5.0))(&(Tensor::from(1.0), low));
    assert_eq!(by_low.item::<f64>(), 1.0);
    // What is not a number is not swallowed, and passes the derivative as PyTorch's pieces do.
    let pieces: [Unary; 6] = [
        |x| x.hardshrink(0.5),
        |x| x.softshrink(0.5),
        |x| x.threshold(0.5, 2.0),
        |x| x.hardtanh(-1.0, 1.0),
        |x| x.elu(0.5),
        |x| x.celu(0.5),
    ];
    for piece in pieces {
        assert!(piece(&Tensor::from(f64::NAN)).item::<f64>().is_nan());
        assert_eq!(slope(piece, f64::NAN), 1.0);
    }
    assert_eq!(slope(|x| x.sinc(), 0.0), 0.0);
    assert_eq!(slope(|x| x.fmod(2.0), 0.0), 1.0);
    assert_eq!(slope(|x| x.copysign(-1.0), 0.0), 0.0);
}

#[test]
fn powers_of_zero_have_finite_slopes() {
    let by_both = |a: f64, b: f64| {
        let (by_a, by_b) =
            grad(|(a, b): &(Tensor, Tensor)| a.pow(b))(&(Tensor::from(a), Tensor::from(b)));
        (by_a.item::<f64>(), by_b.item::<f64>())
    };
    assert_eq!(by_both(0.0, 2.0), (0.0, 0.0));
    assert_eq!(by_both(0.0, 0.0), (0.0, 0.0));
    assert_eq!(by_both(0.0, 1.0), (1.0, 0.0));
    assert_eq!(slope(|x| x.pow(0.0), 0.0), 0.0);
    assert_eq!(slope(|x| x.pow(1), 0.0), 1.0);
    let second = slope(|b| grad(|b: &Tensor| Tensor::from(0.0).pow(b))(b), 2.0);
    assert_eq!(second, 0.0);
    let at_zero = grad(|x: &Tensor| x.xlogy(0.0))(&Tensor::from(0.0));
    assert_eq!(at_zero.item::<f64>(), 0.0);
    let integers = tensor![2, -3].pow(3);
    assert_eq!(
        (integers.dtype(), integers.to_vec::<i64>()),
        (DType::I64, vec![8, -27])
    );
    let error = attempt(|| tensor![2].pow(-1)).unwrap_err();
    assert!(error.to_string().contains("negative exponent"), "{error}");
}

#[test]
fn special_values() {
    let odd = Tensor::from(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 1.0]);
    assert_eq!(
        odd.is_nan().to_vec::<bool>(),
        [true, false, false, false, false]
    );
    assert_eq!(
        odd.is_inf().to_vec::<bool>(),
        [false, true, true, false, false]
    );
    assert_eq!(
        odd.is_finite().to_vec::<bool>(),
        [false, false, false, true, true]
    );
    assert_eq!(
        odd.signbit().to_vec::<bool>(),
        [false, false, true, true, false]
    );
    assert_eq!(tensor![1, 2].is_finite().to_vec::<bool>(), [true, true]);
    assert!(odd.maximum(0.0).to_vec::<f64>()[0].is_nan());
    assert!(odd.clamp(0.0, 1.0).to_vec::<f64>()[0].is_nan());
    assert_eq!(
        odd.fmax(0.5).to_vec::<f64>(),
        [0.5, f64::INFINITY, 0.5, 0.5, 1.0]
    );
    assert_eq!(
        odd.nan_to_num(7.0, 8.0, 9.0).to_vec::<f64>(),
        [7.0, 8.0, 9.0, 0.0, 1.0]
    );
    assert_eq!(
        grad(|x: &Tensor| x.nan_to_num(7.0, 8.0, 9.0).sum(..))(&odd).to_vec::<f64>(),
        [0.0, 0.0, 0.0, 1.0, 1.0]
    );
    let quotients = Tensor::from(vec![-5.0, 5.0]).floor_divide(f64::INFINITY);
    assert_eq!(quotients.to_vec::<f64>(), [-1.0, 0.0]);
    assert_eq!(
        Tensor::from(1.0).floor_divide(0.0).item::<f64>(),
        f64::INFINITY
    );
    assert!(
        Tensor::from(-0.0)
            .fmod(3.0)
            .item::<f64>()
            .is_sign_negative()
    );
    let close = odd.is_close(&odd, 1e-5, 1e-8);
    assert_eq!(close.to_vec::<bool>(), [false, true, true, true, true]);
}

#[test]
fn integers_keep_their_dtype_where_that_is_meaningful() {
    let x = Tensor::from(vec![-7i32, 0, 7]);
    for (result, expected) in [
        (x.abs(), [7, 0, 7]),
        (x.sign(), [-1, 0, 1]),
        (x.relu(), [0, 0, 7]),
        (x.round(), [-7, 0, 7]),
        (x.clamp(-1, 2), [-1, 0, 2]),
        (x.maximum(3), [3, 3, 7]),
        (x.floor_divide(2), [-4, 0, 3]),
        (x.fmod(4), [-3, 0, 3]),
        (&x % 4, [1, 0, 3]),
        (&x & 3, [1, 0, 3]),
        (&x | 1, [-7, 1, 7]),
        (&x ^ 1, [-8, 1, 6]),
        (!&x, [6, -1, -8]),
    ] {
        assert_eq!(result.dtype(), DType::I32, "{}", result.operation_name());
        assert_eq!(
            result.to_vec::<i32>(),
            expected,
            "{}",
            result.operation_name()
        );
    }
    assert_eq!(x.tanh().dtype(), DType::F32);
    assert_eq!(x.logical_not().to_vec::<bool>(), [false, true, false]);
    let error = attempt(|| tensor![1.0] & tensor![true]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("bitwise_and: not defined for f32"),
        "{error}"
    );
}

#[test]
fn where_takes_the_dtype_of_its_tensor_beside_a_number() {
    let condition = tensor![true, false];
    let exact = Tensor::from(vec![1.0f64, 1.0]);
    assert_eq!(condition.where_(&exact, 0.1).to_vec::<f64>(), [1.0, 0.1]);
    assert_eq!(condition.where_(0.1, &exact).to_vec::<f64>(), [0.1, 1.0]);
    let half = exact.cast(DType::BF16);
    assert_eq!(condition.where_(&half, 0).dtype(), DType::BF16);
    assert_eq!(condition.where_(tensor![1, 2], 0).dtype(), DType::I64);
    assert_eq!(condition.where_(1, 0).dtype(), DType::I64);
    assert_eq!(condition.where_(1.0, 0.0).dtype(), DType::F32);
}

#[test]
fn a_sum_of_a_sum_is_not_fused_twice() {
    let x = Tensor::from(vec![1.0, 2.0, 3.0, 4.0]).reshape([2, 2]);
    assert_eq!((&x * 2.0).sum(1).sum(0).item::<f64>(), 20.0);
}
