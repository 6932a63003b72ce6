//! The functions of the language, by the names of the tensors' methods.

use super::arguments::{Arguments, pair};
use super::problem::Problem;
use super::value::Value;
use chainrule::Tensor;

/// One function.
pub struct Function {
    pub name: &'static str,
    /// How it is used, for messages.
    pub usage: &'static str,
    pub apply: Apply,
}

/// How a function's value is recorded.
#[derive(Clone, Copy)]
pub enum Apply {
    /// Each element by itself.
    One(fn(&Tensor) -> Tensor),
    /// The elements of two operands by pairs.
    Two(fn(&Tensor, &Tensor) -> Tensor),
    /// Anything else.
    Arguments(fn(&mut Arguments<'_>) -> Result<Tensor, Problem>),
}

/// The function called `name`.
pub fn find(name: &str) -> Option<&'static Function> {
    ALL.iter()
        .flat_map(|family| family.iter())
        .find(|function| function.name == name)
}

/// All names.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter()
        .flat_map(|family| family.iter())
        .map(|function| function.name)
}

static ALL: [&[Function]; 3] = [ELEMENTWISE, PAIRS, OTHERS];

macro_rules! elementwise {
    ($($name:ident)*) => {
        &[$(Function {
            name: stringify!($name),
            usage: concat!(stringify!($name), "(x)"),
            apply: Apply::One(|x| x.$name()),
        }),*]
    };
}

macro_rules! pairs {
    ($($name:ident)*) => {
        &[$(Function {
            name: stringify!($name),
            usage: concat!(stringify!($name), "(x, y)"),
            apply: Apply::Two(|x, y| x.$name(y)),
        }),*]
    };
}

macro_rules! others {
    ($($name:literal, $usage:literal, |$arguments:ident| $body:expr;)*) => {
        &[$(Function {
            name: $name,
            usage: $usage,
            apply: Apply::Arguments(|$arguments| Ok($body)),
        }),*]
    };
}

static ELEMENTWISE: &[Function] = elementwise! {
    abs sign neg square reciprocal sqrt rsqrt
    exp exp2 expm1 log log2 log10 log1p
    sin cos tan asin acos atan sinc deg2rad rad2deg
    sinh cosh tanh asinh acosh atanh
    erf erfc erfinv ndtri lgamma digamma i0 i1 floor ceil round trunc frac
    sigmoid logit log_sigmoid softplus relu relu6 silu gelu gelu_tanh selu mish softsign tanhshrink hardsigmoid hardswish
    is_nan is_inf is_finite stop_gradient
};

static PAIRS: &[Function] = pairs! {
    add sub mul div pow rem fmod floor_divide
    maximum minimum fmax fmin hypot atan2 copysign heaviside
    xlogy xlog1py logaddexp logaddexp2
    eq ne lt le gt ge
};

static OTHERS: &[Function] = others! {
    "sum", "sum(x, axis=0)", |a| a.operand()?.tensor().sum(a.axes()?);
    "mean", "mean(x, axis=0)", |a| a.operand()?.tensor().mean(a.axes()?);
    "prod", "prod(x, axis=0)", |a| a.operand()?.tensor().prod(a.axes()?);
    "max", "max(x, axis=0) or max(x, y)", |a| extremum(a, Tensor::maximum, |x, axes| x.max(axes))?;
    "min", "min(x, axis=0) or min(x, y)", |a| extremum(a, Tensor::minimum, |x, axes| x.min(axes))?;
    "logsumexp", "logsumexp(x, axis=0)", |a| a.operand()?.tensor().logsumexp(a.axes()?);
    "norm", "norm(x, order=2, axis=0)", |a| {
        let x = a.operand()?.tensor();
        let order = a.number("order", 2.0)?;
        x.norm(order, a.axes()?)
    };
    "var", "var(x, axis=0, correction=0)", |a| {
        let x = a.operand()?.tensor();
        let axes = a.axes()?;
        x.var(axes, a.number("correction", 0.0)?)
    };
    "std", "std(x, axis=0, correction=0)", |a| {
        let x = a.operand()?.tensor();
        let axes = a.axes()?;
        x.std(axes, a.number("correction", 0.0)?)
    };
    "softmax", "softmax(x, axis=-1)", |a| with_axis(a, Tensor::softmax)?;
    "log_softmax", "log_softmax(x, axis=-1)", |a| with_axis(a, Tensor::log_softmax)?;
    "cumsum", "cumsum(x, axis=-1)", |a| with_axis(a, Tensor::cumsum)?;
    "cumprod", "cumprod(x, axis=-1)", |a| with_axis(a, Tensor::cumprod)?;
    "where", "where(condition, x, y)", |a| choose(a)?;
    "clamp", "clamp(x, low, high)", |a| {
        let x = a.operand()?;
        let (low, high) = (a.operand()?, a.operand()?);
        x.tensor().clamp(low.beside(&x), high.beside(&x))
    };
    "lerp", "lerp(start, end, weight)", |a| {
        let start = a.operand()?;
        let (end, weight) = (a.operand()?, a.operand()?);
        start.beside(&end).lerp(end.beside(&start), weight.beside(&start))
    };
    "leaky_relu", "leaky_relu(x, slope=0.01)", |a| a.operand()?.tensor().leaky_relu(a.number("slope", 0.01)?);
    "elu", "elu(x, alpha=1)", |a| a.operand()?.tensor().elu(a.number("alpha", 1.0)?);
    "matmul", "matmul(A, B)", |a| a.operand()?.tensor().matmul(a.operand()?.tensor());
    "dot", "dot(x, y)", |a| a.operand()?.tensor().dot(a.operand()?.tensor());
    "outer", "outer(x, y)", |a| a.operand()?.tensor().outer(&a.operand()?.tensor());
    "trace", "trace(A)", |a| a.operand()?.tensor().trace();
    "flatten", "flatten(A)", |a| a.operand()?.tensor().reshape([-1]);
    "reshape", "reshape(x, [2, 3])", |a| {
        let x = a.operand()?.tensor();
        x.reshape(&a.extents()?[..])
    };
    "transpose", "transpose(A) or transpose(A, 0, 1)", |a| {
        let x = a.operand()?.tensor();
        match a.positional() {
            0 => x.t(),
            _ => x.transpose(a.integer("first", 0)?, a.integer("second", 1)?),
        }
    };
};

/// `max(x, axis=0)` over axes; `max(0, h)` of operands, element by element.
fn extremum(
    arguments: &mut Arguments<'_>,
    of_two: fn(&Tensor, Tensor) -> Tensor,
    over: fn(&Tensor, chainrule::Axes) -> Tensor,
) -> Result<Tensor, Problem> {
    let mut greatest = arguments.operand()?;
    if arguments.positional() == 0 {
        return Ok(over(&greatest.tensor(), arguments.axes()?));
    }
    while arguments.positional() > 0 {
        let (left, right) = pair(&greatest, &arguments.operand()?);
        greatest = Value::Tensor(of_two(&left, right));
    }
    Ok(greatest.tensor())
}

fn with_axis(
    arguments: &mut Arguments<'_>,
    apply: fn(&Tensor, isize) -> Tensor,
) -> Result<Tensor, Problem> {
    let x = arguments.operand()?.tensor();
    Ok(apply(&x, arguments.axis(-1)?))
}

/// `where(condition, x, y)`: a number as condition is true unless it is zero.
fn choose(arguments: &mut Arguments<'_>) -> Result<Tensor, Problem> {
    let condition = arguments.operand()?;
    let (chosen, other) = (arguments.operand()?, arguments.operand()?);
    let partner = [&chosen, &other, &condition]
        .into_iter()
        .max_by_key(|value| value.shape().elements())
        .unwrap_or(&condition)
        .clone();
    let condition = condition.beside(&partner);
    let condition = if condition.dtype() == chainrule::DType::Bool {
        condition
    } else {
        condition.ne(0.0)
    };
    Ok(condition.where_(chosen.beside(&partner), other.beside(&partner)))
}

/// Whether all arguments without a name are operands, not axes or shapes.
pub fn of_operands(name: &str) -> bool {
    matches!(
        name,
        "max" | "min" | "where" | "clamp" | "lerp" | "matmul" | "dot" | "outer"
    )
}
