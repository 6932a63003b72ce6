//! How a recurrent network is built.

use chainrule_core::error::raise;
use chainrule_core::{Error, ErrorKind};

/// The function that a plain recurrent layer applies to its sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecurrentActivation {
    /// The hyperbolic tangent.
    #[default]
    Tanh,
    /// The positive part.
    Relu,
}

/// The sizes and the form of an [`Rnn`](crate::Rnn), [`Lstm`](crate::Lstm) or [`Gru`](crate::Gru).
///
/// ```
/// use chainrule_nn::{Lstm, Module, RecurrentOptions};
/// let lstm = Lstm::from_options(RecurrentOptions::new(3, 5).layers(2).bidirectional());
/// assert_eq!(lstm.layers.len(), 2);
/// assert_eq!(lstm.named_parameters()[0].0, "layers.0.forward.input_weight");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RecurrentOptions {
    pub(super) inputs: usize,
    pub(super) hidden: usize,
    pub(super) layers: usize,
    pub(super) bidirectional: bool,
    pub(super) time_first: bool,
    pub(super) bias: bool,
    pub(super) dropout: f64,
    pub(super) projection: Option<usize>,
    pub(super) activation: RecurrentActivation,
}

impl RecurrentOptions {
    /// One layer in one direction from `inputs` features to `hidden` ones, with biases, batch first.
    pub fn new(inputs: usize, hidden: usize) -> RecurrentOptions {
        RecurrentOptions {
            inputs,
            hidden,
            layers: 1,
            bidirectional: false,
            time_first: false,
            bias: true,
            dropout: 0.0,
            projection: None,
            activation: RecurrentActivation::Tanh,
        }
    }

    /// That many layers, each on the outputs of the one before.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn layers(self, layers: usize) -> RecurrentOptions {
        if layers == 0 {
            refuse("a recurrent network needs at least one layer".to_owned());
        }
        RecurrentOptions { layers, ..self }
    }

    /// A second direction in every layer, from the last step to the first; outputs of both stand side by side.
    pub fn bidirectional(self) -> RecurrentOptions {
        RecurrentOptions {
            bidirectional: true,
            ..self
        }
    }

    /// Sequences as `[time, batch, features]` instead of `[batch, time, features]`.
    pub fn time_first(self) -> RecurrentOptions {
        RecurrentOptions {
            time_first: true,
            ..self
        }
    }

    /// No biases.
    pub fn without_bias(self) -> RecurrentOptions {
        RecurrentOptions {
            bias: false,
            ..self
        }
    }

    /// Dropout of the outputs of every layer but the last, in training.
    ///
    /// # Panics
    /// When `p` is not a probability.
    #[track_caller]
    pub fn dropout(self, p: f64) -> RecurrentOptions {
        if !(0.0..=1.0).contains(&p) {
            refuse(format!("dropout {p} is not a probability"));
        }
        RecurrentOptions { dropout: p, ..self }
    }

    /// LSTM only: the hidden state is a linear map of the gated cell to `width` features (Sak and others 2014).
    pub fn projection(self, width: usize) -> RecurrentOptions {
        RecurrentOptions {
            projection: Some(width),
            ..self
        }
    }

    /// Plain recurrent layers only: what is applied to the sums.
    pub fn activation(self, activation: RecurrentActivation) -> RecurrentOptions {
        RecurrentOptions { activation, ..self }
    }

    /// The number of directions.
    pub(super) fn directions(&self) -> usize {
        if self.bidirectional { 2 } else { 1 }
    }

    /// The bound of the uniform distribution that weights are drawn from.
    pub(super) fn bound(&self) -> f64 {
        1.0 / (self.hidden.max(1) as f64).sqrt()
    }

    /// The features of the hidden state.
    pub(super) fn output_width(&self) -> usize {
        self.projection.unwrap_or(self.hidden)
    }

    /// The options for layer `layer` only, whose inputs are the outputs of the one before.
    pub(super) fn of_layer(&self, layer: usize) -> RecurrentOptions {
        let inputs = match layer {
            0 => self.inputs,
            _ => self.output_width() * self.directions(),
        };
        RecurrentOptions {
            inputs,
            ..self.clone()
        }
    }

    /// Refuses a projection for a cell that has none.
    #[track_caller]
    pub(super) fn require_no_projection(&self, cell: &str) {
        if self.projection.is_some() {
            refuse(format!("{cell}: only an LSTM has a projection"));
        }
    }

    /// Refuses another function than tanh for a cell whose gates have fixed ones.
    #[track_caller]
    pub(super) fn require_tanh(&self, cell: &str) {
        if self.activation != RecurrentActivation::Tanh {
            refuse(format!(
                "{cell}: only a plain recurrent layer has a choice of activation"
            ));
        }
    }
}

#[track_caller]
fn refuse(message: String) -> ! {
    raise(Error::new(ErrorKind::Argument, message))
}
