//! Jacobian-vector products: forward mode.

use super::Side;
use super::forward::push_all;
use super::record::{Recorded, Running, missing_derivative};
use crate::error::{Error, ErrorKind, or_raise, raise};
use crate::graph::without_evaluation;
use crate::tensor::Tensor;
use crate::tree::{Tree, leaves, rebuilt};

/// The value of `f` at `at` and its derivative in `direction`: the Jacobian-vector product, by forward mode.
///
/// `direction` has the structure of `at`; leaves of integers and truth values are ignored. One pass, at about twice to
/// three times the cost of `f`, whatever the number of outputs.
///
/// ```
/// use chainrule_core::{jvp, Tensor};
/// let (y, slope) = jvp(|x: &Tensor| x.sin(), &Tensor::from(0.0), &Tensor::from(2.0));
/// assert_eq!((y.item::<f64>(), slope.item::<f64>()), (0.0, 2.0));
/// ```
///
/// # Panics
/// When `direction` has another structure or other shapes than `at`, or when every path from the inputs passes an
/// operation without a derivative.
#[track_caller]
pub fn jvp<P: Tree, O: Tree>(f: impl Fn(&P) -> O, at: &P, direction: &P) -> (O, O) {
    let (value, tangent, ()) = jvp_aux(|inputs| (f(inputs), ()), at, direction);
    (value, tangent)
}

/// Like [`jvp`], for a function that also returns something which is not differentiated.
///
/// # Panics
/// As [`jvp`].
#[track_caller]
pub fn jvp_aux<P: Tree, O: Tree, A: Tree>(
    f: impl Fn(&P) -> (O, A),
    at: &P,
    direction: &P,
) -> (O, O, A) {
    let at_leaves = leaves(at);
    let directions = leaves(direction);
    check_direction("jvp", &at_leaves, &directions);
    let running = Running::start();
    let inputs = running.fresh(&at_leaves);
    // Long functions are not evaluated on the way: that would keep every value for a backward pass.
    let (output, aux) = without_evaluation(|| f(&rebuilt(at, &inputs)));
    let outputs: Vec<Tensor> = leaves(&output).into_iter().cloned().collect();
    let recorded = Recorded::between(inputs, outputs);
    let tangents = or_raise(without_evaluation(|| pushed(&recorded, &directions, "jvp")));
    let tangents = rebuilt(&output, &tangents);
    running.finish(&recorded.walk);
    (output, tangents, aux)
}

/// The tangents of the recorded outputs; an error where every path passes an operation without a derivative.
pub(crate) fn pushed(
    recorded: &Recorded,
    directions: &[&Tensor],
    name: &str,
) -> Result<Vec<Tensor>, Error> {
    let mut tangents = Side::over(&recorded.walk);
    for (input, direction) in recorded.inputs.iter().zip(directions) {
        if input.dtype().is_floating() && !direction.is_absent() {
            tangents.set(input, direction.cast(input.dtype()));
        }
    }
    push_all(&recorded.walk, &mut tangents);
    let found: Vec<Option<&Tensor>> = recorded
        .outputs
        .iter()
        .map(|output| tangents.get(output))
        .collect();
    if !recorded.outputs.is_empty() && found.iter().all(Option::is_none) {
        let error = recorded
            .inputs
            .iter()
            .find_map(|input| missing_derivative(input, &recorded.outputs, name));
        if let Some(error) = error {
            return Err(error);
        }
    }
    let tangents = found.into_iter().zip(&recorded.outputs);
    Ok(tangents
        .map(|(tangent, output)| tangent.cloned().unwrap_or_else(|| Tensor::absent(output)))
        .collect())
}

#[track_caller]
pub(crate) fn check_direction(name: &str, at: &[&Tensor], direction: &[&Tensor]) {
    if at.len() != direction.len() {
        let message = format!(
            "{name}: there are {} inputs and {} directions",
            at.len(),
            direction.len()
        );
        raise(Error::new(ErrorKind::Argument, message));
    }
    for (position, (input, direction)) in at.iter().zip(direction).enumerate() {
        if input.shape() != direction.shape() {
            let message = format!(
                "{name}: direction {position} has shape {}, its input has {}",
                direction.shape(),
                input.shape()
            );
            raise(Error::new(ErrorKind::Shape, message));
        }
    }
}
