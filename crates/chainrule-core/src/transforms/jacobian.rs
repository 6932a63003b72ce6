//! Whole Jacobians and Hessians, all directions at once.

use super::batch::vmap;
use super::grad::grad;
use super::jvp::{jvp, pushed};
use super::record::{Recorded, Running};
use super::vjp::pulled;
use crate::error::{Error, ErrorKind, raise};
use crate::graph::{with_due, without_evaluation};
use crate::shape::Shape;
use crate::tensor::Tensor;
use crate::tree::{Blocks, Tree, leaves, rebuilt};
use std::panic::Location;

/// The Jacobian of `f` by forward mode: one direction for each element of the argument, all in one batch.
///
/// Every block has the shape of the output followed by that of the input: `[out, in]` for a function of a vector with a
/// vector as its result, the input's own shape for one with a single number. The cost grows with the number of *input*
/// elements; with more inputs than outputs use [`jacrev`]. With trees in and out the result has the structure of the
/// output with that of the argument at each leaf (see [`Blocks`]).
///
/// ```
/// use chainrule_core::{jacfwd, tensor, Tensor};
/// let w = tensor![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
/// let jacobian = jacfwd(|x: &Tensor| w.matmul(x))(&tensor![0.1, 0.2, 0.3]);
/// assert_eq!(jacobian.to_vec::<f32>(), w.to_vec::<f32>());
/// ```
///
/// # Panics
/// The returned function panics when the argument has no floating-point leaf, or when every path from the argument passes
/// an operation without a derivative.
#[track_caller]
pub fn jacfwd<P: Blocks, O: Blocks>(f: impl Fn(&P) -> O) -> impl Fn(&P) -> O::Each<P> {
    let caller = Location::caller();
    move |at| {
        let running = Running::start();
        let (recorded, output) = recorded("jacfwd", &running, &f, at, caller);
        let columns: Vec<Vec<Tensor>> = without_evaluation(|| {
            (0..recorded.inputs.len())
                .map(|input| columns_of(&recorded, input, caller))
                .collect()
        });
        running.finish(&recorded.walk);
        let mut position = 0;
        output.each(&mut |_| {
            let row: Vec<Tensor> = columns
                .iter()
                .map(|column| column[position].clone())
                .collect();
            position += 1;
            rebuilt(at, &row)
        })
    }
}

/// The Jacobian of `f` by reverse mode: one cotangent for each element of the result, all in one batch.
///
/// The same result as [`jacfwd`], at a cost that grows with the number of *output* elements.
///
/// ```
/// use chainrule_core::{jacrev, tensor, Tensor};
/// let x = tensor![1.0, -2.0, 3.0];
/// let jacobian = jacrev(|x: &Tensor| x.relu())(&x); // diagonal: each output depends on its own input
/// assert_eq!(jacobian.to_vec::<f32>(), [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
/// ```
///
/// # Panics
/// As [`jacfwd`].
#[track_caller]
pub fn jacrev<P: Blocks, O: Blocks>(f: impl Fn(&P) -> O) -> impl Fn(&P) -> O::Each<P> {
    let caller = Location::caller();
    move |at| {
        let running = Running::start();
        let (recorded, output) = recorded("jacrev", &running, &f, at, caller);
        let mut position = 0;
        let jacobian = output.each(&mut |_| {
            let row = without_evaluation(|| rows_of(&recorded, position, caller));
            position += 1;
            rebuilt(at, &row)
        });
        running.finish(&recorded.walk);
        jacobian
    }
}

/// The Hessian of `f`, a function with one number as its result: forward mode over its gradient.
///
/// The block of leaves `a` and `b` has the shape of `a` followed by that of `b`: `[n, n]` for a function of a vector. For a
/// tree the result has the structure of the argument with the structure again at each leaf (see [`Blocks`]).
///
/// ```
/// use chainrule_core::{hessian, tensor, Tensor};
/// let second = hessian(|x: &Tensor| (x * x * x).sum(..))(&tensor![1.0, 2.0]);
/// assert_eq!(second.to_vec::<f32>(), [6.0, 0.0, 0.0, 12.0]);
/// ```
///
/// # Panics
/// As [`grad`] and [`jacfwd`].
#[track_caller]
pub fn hessian<P: Blocks>(f: impl Fn(&P) -> Tensor) -> impl Fn(&P) -> P::Each<P> {
    jacfwd(grad(f))
}

/// The product of the Hessian of `f` at `at` with `direction`, without the Hessian: forward mode over the gradient.
///
/// Costs a few evaluations of `f`, whatever the number of inputs.
///
/// ```
/// use chainrule_core::{hvp, tensor, Tensor};
/// let product = hvp(|x: &Tensor| (x * x * x).sum(..), &tensor![1.0, 2.0], &tensor![1.0, 0.5]);
/// assert_eq!(product.to_vec::<f32>(), [6.0, 6.0]);
/// ```
///
/// # Panics
/// As [`grad`], and when `direction` has other shapes than `at`.
#[track_caller]
pub fn hvp<P: Tree>(f: impl Fn(&P) -> Tensor, at: &P, direction: &P) -> P {
    jvp(grad(f), at, direction).1
}

fn recorded<P: Tree, O: Tree>(
    name: &str,
    running: &Running,
    f: &impl Fn(&P) -> O,
    at: &P,
    caller: &'static Location<'static>,
) -> (Recorded, O) {
    let at_leaves = leaves(at);
    if !at_leaves.iter().any(|leaf| leaf.dtype().is_floating()) {
        let message = format!(
            "{name}: the argument has no floating-point tensor to differentiate by\n    help: pass numbers as tensors: \
             `Tensor::from(2.0)`"
        );
        raise(Error::new(ErrorKind::Derivative, message).at(caller));
    }
    let inputs = running.fresh(&at_leaves);
    let output = f(&rebuilt(at, &inputs));
    let outputs = leaves(&output).into_iter().cloned().collect();
    (Recorded::between(inputs, outputs), output)
}

/// The Jacobian blocks of every output by one input, from one tangent for each of its elements.
fn columns_of(
    recorded: &Recorded,
    input: usize,
    caller: &'static Location<'static>,
) -> Vec<Tensor> {
    let at = &recorded.inputs[input];
    if !at.dtype().is_floating() {
        return recorded
            .outputs
            .iter()
            .map(|output| no_block(output, at))
            .collect();
    }
    let tangents = vmap(|direction: &Tensor| {
        let directions: Vec<Tensor> = recorded
            .inputs
            .iter()
            .enumerate()
            .map(|(position, other)| match position == input {
                true => direction.clone(),
                false => Tensor::absent(other),
            })
            .collect();
        match pushed(recorded, &directions.iter().collect::<Vec<_>>(), "jacfwd") {
            Ok(tangents) => tangents,
            Err(error) => raise(error.at(caller)),
        }
    })(&basis(at));
    let outputs = tangents.into_iter().zip(&recorded.outputs);
    outputs
        .map(|(tangent, output)| match output.dtype().is_floating() {
            true => tangent.move_axis(0, -1).shaped(&joined(output, at)),
            false => no_block(output, at),
        })
        .collect()
}

/// The Jacobian blocks of one output by every input, from one cotangent for each of its elements.
fn rows_of(recorded: &Recorded, output: usize, caller: &'static Location<'static>) -> Vec<Tensor> {
    let of = &recorded.outputs[output];
    if !of.dtype().is_floating() {
        return recorded
            .inputs
            .iter()
            .map(|input| no_block(of, input))
            .collect();
    }
    let cotangents = vmap(|cotangent: &Tensor| {
        let cotangents: Vec<Tensor> = recorded
            .outputs
            .iter()
            .enumerate()
            .map(|(position, other)| match position == output {
                true => cotangent.clone(),
                false => Tensor::absent(other),
            })
            .collect();
        match pulled(recorded, &cotangents.iter().collect::<Vec<_>>(), "jacrev") {
            Ok(cotangents) => cotangents,
            Err(error) => raise(error.at(caller)),
        }
    })(&basis(of));
    let inputs = cotangents.into_iter().zip(&recorded.inputs);
    inputs
        .map(|(cotangent, input)| match input.dtype().is_floating() {
            true => cotangent.shaped(&joined(of, input)),
            false => no_block(of, input),
        })
        .collect()
}

/// One tensor like `tensor` for each of its elements, which is 1 there and 0 elsewhere: `[elements, ..shape]`.
fn basis(tensor: &Tensor) -> Tensor {
    let elements = tensor.elements();
    with_due(Some(0), || {
        Tensor::eye(elements)
            .cast(tensor.dtype())
            .to_device(tensor.device())
            .shaped(&tensor.shape().with_axis(0, elements))
    })
}

fn joined(output: &Tensor, input: &Tensor) -> Shape {
    Shape::from([&output.shape()[..], &input.shape()[..]].concat())
}

/// The block of an output or input that has no derivative: zeros.
fn no_block(output: &Tensor, input: &Tensor) -> Tensor {
    let spec = match output.dtype().is_floating() {
        true => output.spec(),
        false => input.spec(),
    };
    Tensor::absent(&Tensor::placeholder(spec.with_shape(joined(output, input))))
}
