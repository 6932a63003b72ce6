//! Gradients of scalar functions.

use super::record::{Recorded, Running};
use super::vjp::pulled;
use crate::error::{Error, ErrorKind, raise};
use crate::graph::without_evaluation;
use crate::tensor::Tensor;
use crate::tree::{Tree, leaves, rebuilt};
use std::panic::Location;

/// The gradient of `f`, a function of a tree of tensors with one number as its result.
///
/// The gradient has the structure of the argument. It is a function again, so `grad(grad(f))` is the second derivative.
/// A closure needs its argument's type: `|x: &Tensor|`, `|(a, b): &(Tensor, Tensor)|`.
///
/// ```
/// use chainrule_core::{grad, Tensor};
/// let cube = |x: &Tensor| x * x * x;
/// let x = Tensor::from(2.0);
/// assert_eq!(grad(cube)(&x).item::<f64>(), 12.0);
/// assert_eq!(grad(grad(cube))(&x).item::<f64>(), 12.0);
/// assert_eq!(grad(grad(grad(cube)))(&x).item::<f64>(), 6.0);
/// ```
///
/// # Panics
/// The returned function panics when the result is not a single floating-point number, when the argument has no
/// floating-point leaf, or when every path from a leaf passes an operation without a derivative.
#[track_caller]
pub fn grad<P: Tree>(f: impl Fn(&P) -> Tensor) -> impl Fn(&P) -> P {
    let caller = Location::caller();
    move |at| differentiated(&|inputs| (f(inputs), ()), at, caller).1
}

/// The gradient of the first part of the result, and the second part as it is.
///
/// # Panics
/// As [`grad`].
#[track_caller]
pub fn grad_aux<P: Tree, A: Tree>(f: impl Fn(&P) -> (Tensor, A)) -> impl Fn(&P) -> (P, A) {
    let caller = Location::caller();
    move |at| {
        let (_, gradient, aux) = differentiated(&f, at, caller);
        (gradient, aux)
    }
}

/// The value of `f` and its gradient, from one pass.
///
/// ```
/// use chainrule_core::{value_and_grad, Tensor};
/// let (value, (da, db)) = value_and_grad(|(a, b): &(Tensor, Tensor)| a * b)(&(Tensor::from(3.0), Tensor::from(4.0)));
/// assert_eq!(value.item::<f64>(), 12.0);
/// assert_eq!((da.item::<f64>(), db.item::<f64>()), (4.0, 3.0));
/// ```
///
/// # Panics
/// As [`grad`].
#[track_caller]
pub fn value_and_grad<P: Tree>(f: impl Fn(&P) -> Tensor) -> impl Fn(&P) -> (Tensor, P) {
    let caller = Location::caller();
    move |at| {
        let (value, gradient, ()) = differentiated(&|inputs| (f(inputs), ()), at, caller);
        (value, gradient)
    }
}

/// The value of the first part of the result, its gradient, and the second part as it is.
///
/// # Panics
/// As [`grad`].
#[track_caller]
pub fn value_and_grad_aux<P: Tree, A: Tree>(
    f: impl Fn(&P) -> (Tensor, A),
) -> impl Fn(&P) -> (Tensor, P, A) {
    let caller = Location::caller();
    move |at| differentiated(&f, at, caller)
}

/// Value, gradient and the rest; mistakes are reported for the line that asked for the gradient.
fn differentiated<P: Tree, A: Tree>(
    f: &impl Fn(&P) -> (Tensor, A),
    at: &P,
    caller: &'static Location<'static>,
) -> (Tensor, P, A) {
    let at_leaves = leaves(at);
    if !at_leaves.iter().any(|leaf| leaf.dtype().is_floating()) {
        let message = "grad: the argument has no floating-point tensor to differentiate by\n    help: pass numbers as \
                       tensors: `Tensor::from(2.0)`";
        raise(Error::new(ErrorKind::Derivative, message).at(caller));
    }
    let running = Running::start();
    let inputs = running.fresh(&at_leaves);
    let (value, aux) = f(&rebuilt(at, &inputs));
    if let Err(error) = check_scalar(&value, "grad: the function must return") {
        raise(error.at(caller));
    }
    let recorded = Recorded::between(inputs, vec![value]);
    let seed = recorded.outputs[0].ones_like();
    let gradients = without_evaluation(|| pulled(&recorded, &[&seed], "grad"));
    let gradients = match gradients {
        Ok(gradients) => rebuilt(at, &gradients),
        Err(error) => raise(error.at(caller)),
    };
    running.finish(&recorded.walk);
    let value = recorded
        .outputs
        .into_iter()
        .next()
        .expect("the value was stored above");
    (value, gradients, aux)
}

/// The error of a result that is not a single floating-point number, begun with `what`.
pub(crate) fn check_scalar(value: &Tensor, what: &str) -> Result<(), Error> {
    if value.elements() == 1 && value.dtype().is_floating() {
        return Ok(());
    }
    let message = format!(
        "{what} one floating-point number, not shape {} of {}, from `{}` at {}\n    help: reduce it, for example with \
         `.sum(..)`, or give a cotangent of its shape to `vjp` or `backward_with`",
        value.shape(),
        value.dtype(),
        value.operation_name(),
        value.place()
    );
    Err(Error::new(ErrorKind::Derivative, message))
}
