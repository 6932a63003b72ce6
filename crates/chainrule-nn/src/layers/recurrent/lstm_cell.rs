//! A step of a long short-term memory.

use super::cell::{Cell, Draw, GateWeights, Turned, draw_gates, drawing, single_step};
use super::options::RecurrentOptions;
use crate::{Parameter, layer_scope};
use chainrule_core::{Generator, Tensor};
use chainrule_derive::{Module, Tree};

/// What a long short-term memory carries from step to step.
#[derive(Clone, Debug, Tree)]
pub struct LstmState {
    /// The hidden state h, which is also the output.
    pub hidden: Tensor,
    /// The cell c.
    pub cell: Tensor,
}

/// One step of a long short-term memory (Hochreiter, Schmidhuber 1997; with forget gate Gers and others 2000).
///
/// With the gates i, f, g, o, each `x Wₓᵀ + bₓ + h Wₕᵀ + bₕ` with rows of its own:
/// `c' = σ(f) c + σ(i) tanh(g)`, `h' = σ(o) tanh(c')`; with a projection P, `h' = (σ(o) tanh(c')) Pᵀ`.
/// All weights start uniform in ±1/√hidden.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::LstmCell;
/// let cell = LstmCell::new(3, 5);
/// let first = cell.forward(&Tensor::ones([2, 3]), None);
/// let second = cell.forward(&Tensor::ones([2, 3]), Some(&first));
/// assert_eq!(second.hidden.shape().to_string(), "[2, 5]");
/// ```
#[derive(Clone, Debug, Module)]
pub struct LstmCell {
    /// `[4 hidden, inputs]`: the rows of i, f, g, o.
    pub input_weight: Parameter,
    /// `[4 hidden, hidden]`, or `[4 hidden, projection]`.
    pub hidden_weight: Parameter,
    /// `[4 hidden]`.
    pub input_bias: Option<Parameter>,
    /// `[4 hidden]`.
    pub hidden_bias: Option<Parameter>,
    /// `[projection, hidden]`.
    pub projection: Option<Parameter>,
}

impl LstmCell {
    /// A cell with biases, drawn from the thread's default generator.
    #[track_caller]
    pub fn new(inputs: usize, hidden: usize) -> LstmCell {
        LstmCell::drawn(&RecurrentOptions::new(inputs, hidden), &drawing(None))
    }

    /// A cell with biases, drawn from `generator`.
    #[track_caller]
    pub fn from_generator(inputs: usize, hidden: usize, generator: &Generator) -> LstmCell {
        let options = RecurrentOptions::new(inputs, hidden);
        LstmCell::drawn(&options, &drawing(Some(generator)))
    }

    /// The same cell without biases.
    pub fn without_bias(self) -> LstmCell {
        LstmCell {
            input_bias: None,
            hidden_bias: None,
            ..self
        }
    }

    /// The state after `x`, which is `[batch, inputs]` or `[inputs]`; the first state is 0 where none is given.
    ///
    /// # Panics
    /// When the shapes do not fit.
    #[track_caller]
    pub fn forward(&self, x: impl AsRef<Tensor>, state: Option<&LstmState>) -> LstmState {
        layer_scope(self, || single_step(self, x.as_ref(), state))
    }
}

impl Cell for LstmCell {
    type State = LstmState;
    const NAME: &'static str = "lstm";

    fn drawn(options: &RecurrentOptions, draw: &Draw<'_>) -> LstmCell {
        options.require_tanh(Self::NAME);
        let gates = draw_gates(options, 4, draw);
        let projection = options.projection.map(|width| {
            let weight = draw(&[width, options.hidden], options.bound());
            Parameter::new(weight)
        });
        LstmCell {
            input_weight: gates.input_weight,
            hidden_weight: gates.hidden_weight,
            input_bias: gates.input_bias,
            hidden_bias: gates.hidden_bias,
            projection,
        }
    }

    fn weights(&self) -> GateWeights<'_> {
        GateWeights {
            input: &self.input_weight,
            hidden: &self.hidden_weight,
            biases: self.input_bias.as_ref().zip(self.hidden_bias.as_ref()),
        }
    }

    fn state(&self, make: &mut dyn FnMut(usize) -> Tensor) -> LstmState {
        LstmState {
            hidden: make(self.hidden_weight.shape()[1]),
            cell: make(self.hidden_weight.shape()[0] / 4),
        }
    }

    fn output(state: &LstmState) -> &Tensor {
        &state.hidden
    }

    fn turned(&self) -> Turned {
        Turned {
            hidden: self.hidden_weight.t(),
            projection: self.projection.as_ref().map(|projection| projection.t()),
        }
    }

    fn step(&self, input_share: &Tensor, state: &LstmState, turned: &Turned) -> LstmState {
        let gates = input_share + state.hidden.matmul(&turned.hidden);
        let [input, forget, change, output] = parts(&gates);
        let cell = forget.sigmoid() * &state.cell + input.sigmoid() * change.tanh();
        let hidden = output.sigmoid() * cell.tanh();
        let hidden = match &turned.projection {
            Some(projection) => hidden.matmul(projection),
            None => hidden,
        };
        LstmState { hidden, cell }
    }
}

/// The gates side by side along the last axis, each by itself.
pub(super) fn parts<const N: usize>(gates: &Tensor) -> [Tensor; N] {
    let width = gates.shape()[gates.rank() - 1] / N;
    std::array::from_fn(|gate| gates.narrow(-1, gate * width, width))
}
