//! A step of a gated recurrent unit.

use super::cell::{Cell, Draw, GateWeights, Turned, draw_gates, drawing, single_step};
use super::lstm_cell::parts;
use super::options::RecurrentOptions;
use crate::{Parameter, layer_scope};
use chainrule_core::{Generator, Tensor};
use chainrule_derive::Module;

/// One step of a gated recurrent unit (Cho and others 2014, in the form of PyTorch and cuDNN).
///
/// With rows of its own for each gate: `r = σ(x Wₓᵀ + bₓ + h Wₕᵀ + bₕ)`, `z` likewise,
/// `n = tanh(x Wₓᵀ + bₓ + r (h Wₕᵀ + bₕ))`, `h' = (1 - z) n + z h`.
/// All weights start uniform in ±1/√hidden.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::GruCell;
/// let cell = GruCell::new(3, 5);
/// let hidden = cell.forward(&Tensor::ones([2, 3]), None);
/// assert_eq!(hidden.shape().to_string(), "[2, 5]");
/// ```
#[derive(Clone, Debug, Module)]
pub struct GruCell {
    /// `[3 hidden, inputs]`: the rows of r, z, n.
    pub input_weight: Parameter,
    /// `[3 hidden, hidden]`.
    pub hidden_weight: Parameter,
    /// `[3 hidden]`.
    pub input_bias: Option<Parameter>,
    /// `[3 hidden]`.
    pub hidden_bias: Option<Parameter>,
}

impl GruCell {
    /// A cell with biases, drawn from the thread's default generator.
    #[track_caller]
    pub fn new(inputs: usize, hidden: usize) -> GruCell {
        GruCell::drawn(&RecurrentOptions::new(inputs, hidden), &drawing(None))
    }

    /// A cell with biases, drawn from `generator`.
    #[track_caller]
    pub fn from_generator(inputs: usize, hidden: usize, generator: &Generator) -> GruCell {
        let options = RecurrentOptions::new(inputs, hidden);
        GruCell::drawn(&options, &drawing(Some(generator)))
    }

    /// The same cell without biases.
    pub fn without_bias(self) -> GruCell {
        GruCell {
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
    pub fn forward(&self, x: impl AsRef<Tensor>, state: Option<&Tensor>) -> Tensor {
        layer_scope(self, || single_step(self, x.as_ref(), state))
    }
}

impl Cell for GruCell {
    type State = Tensor;
    const NAME: &'static str = "gru";

    fn drawn(options: &RecurrentOptions, draw: &Draw<'_>) -> GruCell {
        options.require_tanh(Self::NAME);
        options.require_no_projection(Self::NAME);
        let gates = draw_gates(options, 3, draw);
        GruCell {
            input_weight: gates.input_weight,
            hidden_weight: gates.hidden_weight,
            input_bias: gates.input_bias,
            hidden_bias: gates.hidden_bias,
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

    /// Without the hidden bias, of which a part is multiplied by a gate.
    fn input_share(&self, x: &Tensor) -> Tensor {
        let product = x.matmul(self.input_weight.t());
        match &self.input_bias {
            Some(bias) => product + bias,
            None => product,
        }
    }

    fn step(&self, input_share: &Tensor, hidden: &Tensor, turned: &Turned) -> Tensor {
        let from_hidden = hidden.matmul(&turned.hidden);
        let from_hidden = match &self.hidden_bias {
            Some(bias) => from_hidden + bias,
            None => from_hidden,
        };
        let [reset_x, update_x, new_x] = parts(input_share);
        let [reset_h, update_h, new_h] = parts(&from_hidden);
        let reset = (reset_x + reset_h).sigmoid();
        let update = (update_x + update_h).sigmoid();
        let new = (new_x + reset * new_h).tanh();
        &new + update * (hidden - &new)
    }
}
