//! Functions of single elements.

use super::{Table, outputs};
use crate::call::{Call, NotSupported, Outputs};
use crate::case::Argument;
use chainrule::{DType, Tensor};

macro_rules! unary {
    ($($name:literal => $method:ident),* $(,)?) => {
        &[$(($name, |call| outputs([call.tensor(0, "input")?.$method()]))),*]
    };
}

fn pair(call: &mut Call) -> Result<(Tensor, Tensor), NotSupported> {
    let first = call.tensor(0, "input")?;
    let second = call.operand(1, "other", &first)?;
    Ok((first, second))
}

macro_rules! binary {
    ($($name:literal => $method:ident),* $(,)?) => {
        &[$(($name, |call| { let (a, b) = pair(call)?; outputs([a.$method(&b)]) })),*]
    };
}

const UNARY: Table = unary! {
    "abs" => abs, "acos" => acos, "acosh" => acosh, "asin" => asin, "asinh" => asinh, "atan" => atan, "atanh" => atanh,
    "ceil" => ceil, "cos" => cos, "cosh" => cosh, "deg2rad" => deg2rad, "erf" => erf, "erfc" => erfc, "exp" => exp,
    "exp2" => exp2, "expm1" => expm1, "floor" => floor, "frac" => frac, "isfinite" => is_finite, "isinf" => is_inf,
    "isnan" => is_nan, "log" => log, "log10" => log10, "log1p" => log1p, "log2" => log2, "logical_not" => logical_not,
    "neg" => neg, "rad2deg" => rad2deg, "reciprocal" => reciprocal, "rsqrt" => rsqrt, "sgn" => sign, "sigmoid" => sigmoid,
    "sign" => sign, "signbit" => signbit, "sin" => sin, "sinc" => sinc, "sinh" => sinh, "sqrt" => sqrt,
    "square" => square, "tan" => tan, "tanh" => tanh, "trunc" => trunc, "positive" => clone,
    "lgamma" => lgamma, "digamma" => digamma, "erfinv" => erfinv, "special.ndtri" => ndtri, "i0" => i0,
    "nn.functional.relu" => relu, "nn.functional.relu6" => relu6, "nn.functional.hardsigmoid" => hardsigmoid,
    "nn.functional.hardswish" => hardswish, "nn.functional.logsigmoid" => log_sigmoid, "nn.functional.mish" => mish,
    "nn.functional.selu" => selu, "nn.functional.silu" => silu, "nn.functional.softsign" => softsign,
    "nn.functional.tanhshrink" => tanhshrink, "nn.functional.tanh" => tanh, "nn.functional.sigmoid" => sigmoid,
};

const BINARY: Table = binary! {
    "mul" => mul, "true_divide" => div, "atan2" => atan2, "copysign" => copysign, "eq" => eq, "ne" => ne, "lt" => lt,
    "le" => le, "gt" => gt, "ge" => ge, "fmax" => fmax, "fmin" => fmin, "fmod" => fmod, "remainder" => rem,
    "floor_divide" => floor_divide, "hypot" => hypot, "heaviside" => heaviside, "logaddexp" => logaddexp,
    "logaddexp2" => logaddexp2, "logical_and" => logical_and, "logical_or" => logical_or, "logical_xor" => logical_xor,
    "maximum" => maximum, "minimum" => minimum, "xlogy" => xlogy, "special.xlog1py" => xlog1py, "pow" => pow,
    "clamp_min" => clamp_min, "clamp_max" => clamp_max,
};

const OTHER: Table = &[
    ("add", add),
    ("sub", sub),
    ("rsub", rsub),
    ("div", div),
    ("clamp", clamp),
    ("lerp", lerp),
    ("round", round),
    ("logit", logit),
    ("nan_to_num", |call| {
        outputs([call.tensor(0, "input")?.nan_to_num(0.0, f64::MAX, f64::MIN)])
    }),
    ("addcmul", addcmul),
    ("addcdiv", addcdiv),
    ("ldexp", |call| {
        let (x, exponent) = pair(call)?;
        outputs([x * exponent.exp2()])
    }),
    ("float_power", |call| {
        let (x, exponent) = pair(call)?;
        outputs([x.cast(DType::F64).pow(exponent.cast(DType::F64))])
    }),
    ("isclose", isclose),
    ("where", |call| {
        let (x, condition, other) = (
            call.tensor(0, "input")?,
            call.tensor(1, "condition")?,
            call.tensor(2, "other")?,
        );
        outputs([condition.where_(&x, &other)])
    }),
    ("polygamma", |call| {
        let (x, order) = (call.tensor(0, "input")?, call.integer(1, "n")?);
        outputs([x.polygamma(order as u32)])
    }),
    ("mvlgamma", |call| {
        let (x, dimension) = (call.tensor(0, "input")?, call.integer(1, "p")?);
        outputs([x.mvlgamma(dimension as u32)])
    }),
    ("zero_", |call| {
        outputs([call.tensor(0, "input")?.zeros_like()])
    }),
    ("zeros_like", |call| {
        call.ignore_float64()?;
        outputs([call.tensor(0, "input")?.zeros_like()])
    }),
    ("full_like", |call| {
        call.ignore_float64()?;
        let (x, number) = (call.tensor(0, "input")?, call.number(1, "fill_value")?);
        outputs([x.ones_like() * number])
    }),
    ("bernoulli", |call| {
        let p = call.tensor(0, "input")?;
        outputs([Tensor::bernoulli(p.shape(), &p).cast(p.dtype())])
    }),
    ("special.entr", |call| {
        let x = call.tensor(0, "input")?;
        let inside = -(x.xlogy(&x));
        outputs([x.lt(0.0).where_(f64::NEG_INFINITY, inside)])
    }),
];

/// All in one table would need a macro for concatenation; the parts are searched one after the other.
pub(super) const TABLE: Table = concatenated();

const fn concatenated() -> Table {
    const ALL: [(&str, super::Operation); UNARY.len() + BINARY.len() + OTHER.len()] = {
        let mut all = [OTHER[0]; UNARY.len() + BINARY.len() + OTHER.len()];
        let mut at = 0;
        while at < all.len() {
            all[at] = if at < UNARY.len() {
                UNARY[at]
            } else if at < UNARY.len() + BINARY.len() {
                BINARY[at - UNARY.len()]
            } else {
                OTHER[at - UNARY.len() - BINARY.len()]
            };
            at += 1;
        }
        all
    };
    &ALL
}

fn scaled(call: &mut Call, b: Tensor) -> Result<Tensor, NotSupported> {
    match call.number_or(usize::MAX, "alpha", 1.0)? {
        1.0 => Ok(b),
        alpha => Ok(b * alpha),
    }
}

fn add(call: &mut Call) -> Outputs {
    let (a, b) = pair(call)?;
    outputs([a + scaled(call, b)?])
}

fn sub(call: &mut Call) -> Outputs {
    let (a, b) = pair(call)?;
    outputs([a - scaled(call, b)?])
}

fn rsub(call: &mut Call) -> Outputs {
    let (a, b) = pair(call)?;
    let a = scaled(call, a)?;
    outputs([b - a])
}

fn div(call: &mut Call) -> Outputs {
    let (a, b) = pair(call)?;
    match call.take(usize::MAX, "rounding_mode") {
        None | Some(Argument::None) => outputs([a / b]),
        Some(Argument::Text(mode)) if mode == "trunc" => outputs([(a / b).trunc()]),
        Some(Argument::Text(mode)) if mode == "floor" => outputs([a.floor_divide(&b)]),
        _ => Err(NotSupported),
    }
}

fn clamp(call: &mut Call) -> Outputs {
    let x = call.tensor(0, "input")?;
    let (low, high) = (
        call.optional_tensor(1, "min")?,
        call.optional_tensor(2, "max")?,
    );
    outputs([match (low, high) {
        (Some(low), Some(high)) => x.clamp(&low, &high),
        (Some(low), None) => x.clamp_min(&low),
        (None, Some(high)) => x.clamp_max(&high),
        (None, None) => return Err(NotSupported),
    }])
}

fn lerp(call: &mut Call) -> Outputs {
    let (a, b) = (call.tensor(0, "input")?, call.tensor(1, "end")?);
    let weight = call.operand(2, "weight", &a)?;
    outputs([a.lerp(&b, &weight)])
}

fn round(call: &mut Call) -> Outputs {
    let x = call.tensor(0, "input")?;
    match call.integer_or(usize::MAX, "decimals", 0)? {
        0 => outputs([x.round()]),
        decimals => outputs([x.round_to(decimals as i32)]),
    }
}

fn logit(call: &mut Call) -> Outputs {
    let x = call.tensor(0, "input")?;
    match call.take(1, "eps") {
        None | Some(Argument::None) => outputs([x.logit()]),
        Some(Argument::Number(limit)) if limit < 0.5 => {
            outputs([x.clamp(limit, 1.0 - limit).logit()])
        }
        _ => Err(NotSupported),
    }
}

fn addcmul(call: &mut Call) -> Outputs {
    let (x, a, b) = (
        call.tensor(0, "input")?,
        call.tensor(1, "tensor1")?,
        call.tensor(2, "tensor2")?,
    );
    outputs([x + a * b * call.number_or(usize::MAX, "value", 1.0)?])
}

fn addcdiv(call: &mut Call) -> Outputs {
    let (x, a, b) = (
        call.tensor(0, "input")?,
        call.tensor(1, "tensor1")?,
        call.tensor(2, "tensor2")?,
    );
    outputs([x + a / b * call.number_or(usize::MAX, "value", 1.0)?])
}

fn isclose(call: &mut Call) -> Outputs {
    let (a, b) = pair(call)?;
    let relative = call.number_or(usize::MAX, "rtol", 1e-5)?;
    let absolute = call.number_or(usize::MAX, "atol", 1e-8)?;
    let equal_nan = call.truth_or(usize::MAX, "equal_nan", false)?;
    let near = (&a - &b).abs().le(b.abs() * relative + absolute);
    let close = a.eq(&b) | (near & b.is_finite());
    outputs([if equal_nan {
        close | (a.is_nan() & b.is_nan())
    } else {
        close
    }])
}
