//! Vector-Jacobian products: reverse mode.

use super::Side;
use super::record::{Recorded, Running, missing_derivative};
use super::reverse::pull_all;
use crate::error::{Error, ErrorKind, or_raise, raise};
use crate::graph::without_evaluation;
use crate::tensor::Tensor;
use crate::tree::{Tree, leaves, rebuilt};

/// The value of `f` at `at`, and the cotangents of the inputs that belong to `cotangent`, a cotangent of the output: the
/// vector-Jacobian product, by reverse mode.
///
/// `cotangent` is given as a function of the output, so that it can have its shape: `|y| y.ones_like()`. One pass, at
/// two to four times the cost of `f`, whatever the number of inputs. Inputs that the output does not depend on get an
/// absent cotangent, which reads as zeros.
///
/// ```
/// use chainrule_core::{tensor, vjp, Tensor};
/// let x = tensor![1.0, 2.0];
/// let (_, slope) = vjp(|x: &Tensor| x.square(), &x, |y: &Tensor| y.ones_like());
/// assert_eq!(slope.to_vec::<f32>(), [2.0, 4.0]);
/// ```
///
/// # Panics
/// When the cotangent has another structure or other shapes than the output, or when every path from the inputs passes
/// an operation without a derivative.
#[track_caller]
pub fn vjp<P: Tree, O: Tree>(
    f: impl Fn(&P) -> O,
    at: &P,
    cotangent: impl FnOnce(&O) -> O,
) -> (O, P) {
    let (value, pulled, ()) = vjp_aux(|inputs| (f(inputs), ()), at, cotangent);
    (value, pulled)
}

/// Like [`vjp`], for a function that also returns something which is not differentiated.
///
/// # Panics
/// As [`vjp`].
#[track_caller]
pub fn vjp_aux<P: Tree, O: Tree, A: Tree>(
    f: impl Fn(&P) -> (O, A),
    at: &P,
    cotangent: impl FnOnce(&O) -> O,
) -> (O, P, A) {
    let at_leaves = leaves(at);
    let running = Running::start();
    let inputs = running.fresh(&at_leaves);
    let (output, aux) = f(&rebuilt(at, &inputs));
    let cotangent = cotangent(&output);
    let outputs: Vec<Tensor> = leaves(&output).into_iter().cloned().collect();
    let recorded = Recorded::between(inputs, outputs);
    let cotangents = leaves(&cotangent);
    check_cotangents("vjp", &recorded.outputs, &cotangents);
    let pulled = or_raise(without_evaluation(|| pulled(&recorded, &cotangents, "vjp")));
    let pulled = rebuilt(at, &pulled);
    running.finish(&recorded.walk);
    (output, pulled, aux)
}

/// The cotangents of the recorded inputs; an error where every path passes an operation without a derivative.
pub(crate) fn pulled(
    recorded: &Recorded,
    cotangents: &[&Tensor],
    name: &str,
) -> Result<Vec<Tensor>, Error> {
    let mut table = Side::over(&recorded.walk);
    for (output, cotangent) in recorded.outputs.iter().zip(cotangents) {
        if output.dtype().is_floating() && !cotangent.is_absent() {
            table.accumulate(output, cotangent.cast(output.dtype()));
        }
    }
    pull_all(&recorded.walk, &mut table);
    recorded
        .inputs
        .iter()
        .map(|input| match table.get(input) {
            Some(cotangent) => Ok(cotangent.clone()),
            None => {
                if input.dtype().is_floating()
                    && let Some(error) = missing_derivative(input, &recorded.outputs, name)
                {
                    return Err(error);
                }
                Ok(Tensor::absent(input))
            }
        })
        .collect()
}

#[track_caller]
pub(crate) fn check_cotangents(name: &str, outputs: &[Tensor], cotangents: &[&Tensor]) {
    if outputs.len() != cotangents.len() {
        let message = format!(
            "{name}: there are {} outputs and {} cotangents",
            outputs.len(),
            cotangents.len()
        );
        raise(Error::new(ErrorKind::Argument, message));
    }
    for (position, (output, cotangent)) in outputs.iter().zip(cotangents).enumerate() {
        if output.shape() != cotangent.shape() {
            let message = format!(
                "{name}: cotangent {position} has shape {}, its output has {}",
                cotangent.shape(),
                output.shape()
            );
            raise(Error::new(ErrorKind::Shape, message));
        }
    }
}
