//! A step of a plain recurrent network.

use super::cell::{Cell, Draw, GateWeights, Turned, draw_gates, drawing, single_step};
use super::options::{RecurrentActivation, RecurrentOptions};
use crate::{Parameter, layer_scope};
use chainrule_core::{Generator, Tensor};
use chainrule_derive::Module;

/// One step of a plain recurrent network (Elman 1990): `h' = tanh(x Wₓᵀ + bₓ + h Wₕᵀ + bₕ)`, or the positive part in place of
/// tanh. All weights start uniform in ±1/√hidden.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::RnnCell;
/// let cell = RnnCell::new(3, 5);
/// let hidden = cell.forward(&Tensor::ones([2, 3]), None);
/// assert_eq!(hidden.shape().to_string(), "[2, 5]");
/// ```
#[derive(Clone, Debug, Module)]
pub struct RnnCell {
    /// `[hidden, inputs]`.
    pub input_weight: Parameter,
    /// `[hidden, hidden]`.
    pub hidden_weight: Parameter,
    /// `[hidden]`.
    pub input_bias: Option<Parameter>,
    /// `[hidden]`.
    pub hidden_bias: Option<Parameter>,
    #[tree(fixed)]
    activation: RecurrentActivation,
}

impl RnnCell {
    /// A cell with biases and tanh, drawn from the thread's default generator.
    #[track_caller]
    pub fn new(inputs: usize, hidden: usize) -> RnnCell {
        RnnCell::drawn(&RecurrentOptions::new(inputs, hidden), &drawing(None))
    }

    /// A cell with biases and tanh, drawn from `generator`.
    #[track_caller]
    pub fn from_generator(inputs: usize, hidden: usize, generator: &Generator) -> RnnCell {
        let options = RecurrentOptions::new(inputs, hidden);
        RnnCell::drawn(&options, &drawing(Some(generator)))
    }

    /// The same cell without biases.
    pub fn without_bias(self) -> RnnCell {
        RnnCell {
            input_bias: None,
            hidden_bias: None,
            ..self
        }
    }

    /// The same cell with another function of the sums.
    pub fn activation(self, activation: RecurrentActivation) -> RnnCell {
        RnnCell { activation, ..self }
    }

    /// The state after `x`, which is `[batch, inputs]` or `[inputs]`; the first state is 0 where none is given.
    ///
    /// # Panics
    /// When the shapes do not fit.
    #[track_caller]
    pub fn forward(&self, x: impl AsRef<Tensor>, state: Option<&Tensor>) -> Tensor {
        layer_scope(self, || single_step(self, x.as_ref(), state))
    }
}

impl Cell for RnnCell {
    type State = Tensor;
    const NAME: &'static str = "rnn";

    fn drawn(options: &RecurrentOptions, draw: &Draw<'_>) -> RnnCell {
        options.require_no_projection(Self::NAME);
        let gates = draw_gates(options, 1, draw);
        RnnCell {
            input_weight: gates.input_weight,
            hidden_weight: gates.hidden_weight,
            input_bias: gates.input_bias,
            hidden_bias: gates.hidden_bias,
            activation: options.activation,
        }
    }

    fn weights(&self) -> GateWeights<'_> {
        GateWeights {
            input: &self.input_weight,
            hidden: &self.hidden_weight,
            biases: self.input_bias.as_ref().zip(self.hidden_bias.as_ref()),
        }
    }

    fn state(&self, make: &mut dyn FnMut(usize) -> Tensor) -> Tensor {
        make(self.hidden_weight.shape()[1])
    }

    fn output(state: &Tensor) -> &Tensor {
        state
    }

    fn step(&self, input_share: &Tensor, hidden: &Tensor, turned: &Turned) -> Tensor {
        let sums = input_share + hidden.matmul(&turned.hidden);
        match self.activation {
            RecurrentActivation::Tanh => sums.tanh(),
            RecurrentActivation::Relu => sums.relu(),
        }
    }
}
