//! What the recurrent cells share: the weights of gates, and a step from state to state.

use super::options::RecurrentOptions;
use crate::{Module, Parameter};
use chainrule_core::error::raise;
use chainrule_core::tree::{Tree, leaves};
use chainrule_core::{Error, ErrorKind, Generator, Tensor};

/// One step of a recurrent network, as [`Rnn`](crate::Rnn), [`Lstm`](crate::Lstm) and [`Gru`](crate::Gru) take it for whole
/// sequences.
pub(super) trait Cell: Module + Clone {
    /// What is carried from step to step, `[batch, width]` each.
    type State: Tree + Clone;

    /// The cell's name in messages.
    const NAME: &'static str;

    /// The cell with fresh weights.
    fn drawn(options: &RecurrentOptions, draw: &Draw<'_>) -> Self;

    fn weights(&self) -> GateWeights<'_>;

    /// A state, each tensor made of its width.
    fn state(&self, make: &mut dyn FnMut(usize) -> Tensor) -> Self::State;

    /// What the next layer sees of a state.
    fn output(state: &Self::State) -> &Tensor;

    /// What the gates take from the inputs, for all steps at once: `[.., inputs]` to `[.., gates · hidden]`, with the biases
    /// that are only added to it.
    fn input_share(&self, x: &Tensor) -> Tensor {
        let weights = self.weights();
        let product = x.matmul(weights.input.t());
        match weights.biases {
            Some((input, hidden)) => product + (&**input + &**hidden),
            None => product,
        }
    }

    /// The weights as the steps multiply by them.
    fn turned(&self) -> Turned {
        Turned {
            hidden: self.weights().hidden.t(),
            projection: None,
        }
    }

    /// The state after a step.
    fn step(&self, input_share: &Tensor, state: &Self::State, turned: &Turned) -> Self::State;
}

/// Transposed weights, which all steps share.
pub(super) struct Turned {
    pub(super) hidden: Tensor,
    pub(super) projection: Option<Tensor>,
}

/// The weights of a cell's gates, one gate under the other.
pub(super) struct GateWeights<'a> {
    /// `[gates · hidden, inputs]`.
    pub(super) input: &'a Parameter,
    /// `[gates · hidden, width of the output]`.
    pub(super) hidden: &'a Parameter,
    /// What is added beside each of the two products, `[gates · hidden]`.
    pub(super) biases: Option<(&'a Parameter, &'a Parameter)>,
}

/// A shape and a bound to a tensor that is uniform in ± the bound.
pub(super) type Draw<'a> = dyn Fn(&[usize], f64) -> Tensor + 'a;

/// Draws from the generator, or from the thread's own.
pub(super) fn drawing(generator: Option<&Generator>) -> impl Fn(&[usize], f64) -> Tensor + '_ {
    move |shape, bound| match generator {
        Some(generator) => generator.uniform(shape, -bound, bound),
        None => Tensor::uniform(shape, -bound, bound),
    }
}

/// Weights and biases of a cell, uniform in ±1/√hidden.
pub(super) struct Drawn {
    pub(super) input_weight: Parameter,
    pub(super) hidden_weight: Parameter,
    pub(super) input_bias: Option<Parameter>,
    pub(super) hidden_bias: Option<Parameter>,
}

pub(super) fn draw_gates(options: &RecurrentOptions, gates: usize, draw: &Draw<'_>) -> Drawn {
    let rows = gates * options.hidden;
    let parameter = |shape: &[usize]| Parameter::new(draw(shape, options.bound()));
    Drawn {
        input_weight: parameter(&[rows, options.inputs]),
        hidden_weight: parameter(&[rows, options.output_width()]),
        input_bias: options.bias.then(|| parameter(&[rows])),
        hidden_bias: options.bias.then(|| parameter(&[rows])),
    }
}

/// A single step of a cell that stands alone: the state after `x`, which is `[batch, inputs]` or `[inputs]`.
#[track_caller]
pub(super) fn single_step<C: Cell>(cell: &C, x: &Tensor, state: Option<&C::State>) -> C::State {
    let inputs = cell.weights().input.shape()[1];
    if !(1..=2).contains(&x.rank()) || x.shape()[x.rank() - 1] != inputs {
        let expected = format!("the cell takes [batch, {inputs}] or [{inputs}]");
        refuse_shape(C::NAME, &expected, "the input", x);
    }
    let batch = &x.shape()[..x.rank() - 1];
    let zeros = cell.state(&mut |width| {
        let shape: Vec<usize> = batch.iter().copied().chain([width]).collect();
        zeros(&shape, x)
    });
    if let Some(state) = state {
        require_state::<C>(state, &zeros);
    }
    cell.step(
        &cell.input_share(x),
        state.unwrap_or(&zeros),
        &cell.turned(),
    )
}

/// Zeros of another shape where `like` is, in its dtype.
pub(super) fn zeros(shape: &[usize], like: &Tensor) -> Tensor {
    Tensor::zeros(shape)
        .cast(like.dtype())
        .to_device(like.device())
}

/// Refuses a state whose tensors do not have the shapes of `expected`.
#[track_caller]
pub(super) fn require_state<C: Cell>(state: &C::State, expected: &C::State) {
    for (given, expected) in leaves(state).into_iter().zip(leaves(expected)) {
        if given.shape() != expected.shape() {
            let expected = format!("a state of it has shape {}", expected.shape());
            refuse_shape(C::NAME, &expected, "the given one", given);
        }
    }
}

#[track_caller]
pub(super) fn refuse_shape(name: &str, expected: &str, what: &str, given: &Tensor) -> ! {
    let message = format!(
        "{name}: {expected}, {what} has shape {} (from `{}` at {})",
        given.shape(),
        given.operation_name(),
        given.place()
    );
    raise(Error::new(ErrorKind::Shape, message))
}
