//! The derivative at a point as a linear map that can be applied again and again.

use super::jvp::{check_direction, pushed};
use super::record::{Recorded, Running};
use super::vjp::{check_cotangents, pulled};
use crate::error::or_raise;
use crate::graph::without_evaluation;
use crate::tensor::Tensor;
use crate::tree::{Tree, leaves, mapped, rebuilt};

/// The value of `f` at `at`, and its derivative there as a linear map: directions to tangents of the output.
///
/// `f` runs once; each use of the map costs about as much as `f` itself. Use it for many directions at one point, as
/// iterative solvers do; for all directions at once there is [`jacfwd`](crate::jacfwd).
///
/// ```
/// use chainrule_core::{linearize, tensor, Tensor};
/// let (value, derivative) = linearize(|x: &Tensor| x.square(), &tensor![1.0, 3.0]);
/// assert_eq!(value.to_vec::<f32>(), [1.0, 9.0]);
/// assert_eq!(derivative(&tensor![1.0, 0.0]).to_vec::<f32>(), [2.0, 0.0]);
/// assert_eq!(derivative(&tensor![0.0, 1.0]).to_vec::<f32>(), [0.0, 6.0]);
/// ```
///
/// # Panics
/// The map panics when a direction has another structure or other shapes than the argument, or when every path to the
/// result passes an operation without a derivative.
#[track_caller]
pub fn linearize<P: Tree, O: Tree, F: Fn(&P) -> O>(
    f: F,
    at: &P,
) -> (O, impl Fn(&P) -> O + use<P, O, F>) {
    let running = Running::start();
    let inputs = running.fresh(&leaves(at));
    let output = f(&rebuilt(at, &inputs));
    let outputs: Vec<Tensor> = leaves(&output).into_iter().cloned().collect();
    let recorded = Recorded::between(inputs, outputs);
    running.finish(&recorded.walk);
    let value = rebuilt(&output, &recorded.outputs);
    let map = move |direction: &P| {
        let directions = leaves(direction);
        check_direction(
            "linearize",
            &recorded.inputs.iter().collect::<Vec<_>>(),
            &directions,
        );
        let tangents = or_raise(without_evaluation(|| {
            pushed(&recorded, &directions, "linearize")
        }));
        rebuilt(&output, &tangents)
    };
    (value, map)
}

/// The value of `f` at `at`, and its derivative there transposed: cotangents of the output to those of the argument.
///
/// The mirror of [`linearize`]: `f` runs once, and each use of the map is one backward pass.
///
/// ```
/// use chainrule_core::{pullback, tensor, Tensor};
/// let (value, pull) = pullback(|x: &Tensor| x.square(), &tensor![1.0, 3.0]);
/// assert_eq!(value.to_vec::<f32>(), [1.0, 9.0]);
/// assert_eq!(pull(&tensor![1.0, 1.0]).to_vec::<f32>(), [2.0, 6.0]);
/// ```
///
/// # Panics
/// The map panics when a cotangent has another structure or other shapes than the result, or when every path from the
/// argument passes an operation without a derivative.
#[track_caller]
pub fn pullback<P: Tree, O: Tree, F: Fn(&P) -> O>(
    f: F,
    at: &P,
) -> (O, impl Fn(&O) -> P + use<P, O, F>) {
    let at = mapped(at, Tensor::clone);
    let running = Running::start();
    let inputs = running.fresh(&leaves(&at));
    let output = f(&rebuilt(&at, &inputs));
    let outputs: Vec<Tensor> = leaves(&output).into_iter().cloned().collect();
    let recorded = Recorded::between(inputs, outputs);
    running.finish(&recorded.walk);
    let map = move |cotangent: &O| {
        let cotangents = leaves(cotangent);
        check_cotangents("pullback", &recorded.outputs, &cotangents);
        let pulled = or_raise(without_evaluation(|| {
            pulled(&recorded, &cotangents, "pullback")
        }));
        rebuilt(&at, &pulled)
    };
    (output, map)
}
