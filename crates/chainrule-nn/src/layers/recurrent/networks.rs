//! The networks: an RNN, an LSTM and a GRU over whole sequences.

use super::cell::{Cell, drawing};
use super::gru_cell::GruCell;
use super::lstm_cell::{LstmCell, LstmState};
use super::options::{RecurrentActivation, RecurrentOptions};
use super::rnn_cell::RnnCell;
use super::sequence::{Directions, Network, drawn_layers};
use crate::layers::catalogue::{Declared, input_extent};
use crate::{ArgumentError, Arguments, Layer, Mode, layer_scope};
use chainrule_core::{Generator, Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { Rnn, Lstm, Gru }

macro_rules! network {
    ($name:ident, $cell:ident, $state:ty, $text:literal, $(#[$documentation:meta])*) => {
        $(#[$documentation])*
        #[derive(Clone, Debug, Module)]
        pub struct $name {
            /// The cells, first layer first.
            pub layers: Vec<Directions<$cell>>,
            #[tree(fixed)]
            options: RecurrentOptions,
            mode: Mode,
        }

        impl $name {
            /// One layer in one direction, batch first, drawn from the thread's default generator.
            #[track_caller]
            pub fn new(inputs: usize, hidden: usize) -> $name {
                $name::from_options(RecurrentOptions::new(inputs, hidden))
            }

            /// A network of any form, drawn from the thread's default generator.
            ///
            /// # Panics
            /// When an option is not one of this kind of network.
            #[track_caller]
            pub fn from_options(options: RecurrentOptions) -> $name {
                $name {
                    layers: drawn_layers(&options, &drawing(None)),
                    options,
                    mode: Mode::Train,
                }
            }

            /// A network of any form, drawn from `generator`.
            ///
            /// # Panics
            /// When an option is not one of this kind of network.
            #[track_caller]
            pub fn from_generator(options: RecurrentOptions, generator: &Generator) -> $name {
                $name {
                    layers: drawn_layers(&options, &drawing(Some(generator))),
                    options,
                    mode: Mode::Train,
                }
            }

            /// The outputs of the last layer for every step of `x`, and the state behind the last one.
            ///
            /// `x` is `[batch, time, inputs]` (`[time, batch, inputs]` by [`RecurrentOptions::time_first`]) or, for a single
            /// sequence, `[time, inputs]`; the outputs have the same form with as many features as all directions put out.
            /// States are `[layers · directions, batch, width]`, without the batch for a single sequence; without an initial
            /// one the network starts at 0.
            ///
            /// # Panics
            /// When the shapes do not fit, or there is no step.
            #[track_caller]
            pub fn forward_with(
                &self,
                x: impl AsRef<Tensor>,
                initial: Option<&$state>,
            ) -> (Tensor, $state) {
                layer_scope(self, || self.network().run(x.as_ref(), None, initial))
            }

            /// [`forward_with`](Self::forward_with) for a padded batch of sequences of different lengths: outputs behind the
            /// end of a sequence are 0, its last state is that of its own last step, and the reverse direction begins there.
            ///
            /// # Panics
            /// When the shapes do not fit, or there is not one length for each sequence, between 1 and the number of steps.
            #[track_caller]
            pub fn forward_lengths(
                &self,
                x: impl AsRef<Tensor>,
                lengths: &[usize],
                initial: Option<&$state>,
            ) -> (Tensor, $state) {
                layer_scope(self, || self.network().run(x.as_ref(), Some(lengths), initial))
            }

            fn network(&self) -> Network<'_, $cell> {
                Network {
                    layers: &self.layers,
                    options: &self.options,
                    mode: self.mode,
                }
            }
        }

        impl Layer for $name {
            /// The outputs of the last layer for every step.
            #[track_caller]
            fn compute(&self, x: &Tensor) -> Tensor {
                self.network().run(x, None, None).0
            }
        }

        /// `hidden`, `layers`, `bidirectional`, `bias`, `dropout` and what is this network's own; inputs from the last axis.
        impl Declared for $name {
            const NAME: &'static str = <$cell as Cell>::NAME;

            fn declared(arguments: &mut Arguments, input: &Shape) -> Result<$name, ArgumentError> {
                Ok($name::from_options(declared_options($text, arguments, input)?))
            }
        }
    };
}

network! { Rnn, RnnCell, Tensor, "rnn",
    /// Plain recurrent layers, each an [`RnnCell`] over the steps of a sequence.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// use chainrule_nn::{Layer, RecurrentActivation, RecurrentOptions, Rnn};
    /// let options = RecurrentOptions::new(3, 5).activation(RecurrentActivation::Relu);
    /// let y = Rnn::from_options(options).forward(Tensor::ones([2, 7, 3]));
    /// assert_eq!(y.shape().to_string(), "[2, 7, 5]");
    /// ```
}

network! { Lstm, LstmCell, LstmState, "lstm",
    /// Long short-term memories, each an [`LstmCell`] over the steps of a sequence.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// use chainrule_nn::{Lstm, RecurrentOptions};
    /// let lstm = Lstm::from_options(RecurrentOptions::new(3, 5).layers(2).bidirectional());
    /// let (y, last) = lstm.forward_with(Tensor::ones([2, 7, 3]), None);
    /// assert_eq!(y.shape().to_string(), "[2, 7, 10]");
    /// assert_eq!(last.cell.shape().to_string(), "[4, 2, 5]");
    /// ```
}

network! { Gru, GruCell, Tensor, "gru",
    /// Gated recurrent units, each a [`GruCell`] over the steps of a sequence.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// use chainrule_nn::Gru;
    /// let x = Tensor::ones([2, 7, 3]);
    /// let (y, last) = Gru::new(3, 5).forward_lengths(&x, &[7, 4], None);
    /// assert_eq!(y.index((1, 5, 0)).item::<f32>(), 0.0);
    /// assert_eq!(last.shape().to_string(), "[1, 2, 5]");
    /// ```
}

fn declared_options(
    name: &str,
    arguments: &mut Arguments,
    input: &Shape,
) -> Result<RecurrentOptions, ArgumentError> {
    let inputs = input_extent(arguments, input, -1, "features")?;
    if input.len() != 3 {
        let problem = format!("its input has shape {input}; expected [batch, time, features]");
        return Err(arguments.problem("type", problem));
    }
    let layers: usize = arguments.optional("layers", 1)?;
    if layers == 0 {
        return Err(arguments.problem("layers", "`layers` is 0; expected at least 1"));
    }
    let dropout: f64 = arguments.optional("dropout", 0.0)?;
    if !(0.0..=1.0).contains(&dropout) {
        let problem = format!("`dropout` is {dropout}; expected a probability");
        return Err(arguments.problem("dropout", problem));
    }
    let mut options = RecurrentOptions::new(inputs, arguments.required("hidden")?)
        .layers(layers)
        .dropout(dropout);
    if arguments.optional("bidirectional", false)? {
        options = options.bidirectional();
    }
    if !arguments.optional("bias", true)? {
        options = options.without_bias();
    }
    match name {
        "lstm" => {
            if let Some(width) = arguments.given("projection")? {
                options = options.projection(width);
            }
        }
        "rnn" => {
            let activation: String = arguments.optional("activation", "tanh".to_owned())?;
            options = options.activation(match activation.as_str() {
                "tanh" => RecurrentActivation::Tanh,
                "relu" => RecurrentActivation::Relu,
                other => {
                    let problem =
                        format!("`activation` is \"{other}\"; expected \"tanh\" or \"relu\"");
                    return Err(arguments.problem("activation", problem));
                }
            });
        }
        _ => {}
    }
    Ok(options)
}
