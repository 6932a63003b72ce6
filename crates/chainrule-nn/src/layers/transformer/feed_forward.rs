//! The part of a Transformer's layer that treats every element by itself.

use crate::{Dropout, Layer, Linear};
use chainrule_core::Tensor;
use chainrule_derive::Module;

/// `contract(dropout(f(expand(x))))` over the last axis: `[.., features]` to the same.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{FeedForward, Layer};
/// let part = FeedForward::new(8, 32).activation(Tensor::gelu);
/// assert_eq!(part.forward(Tensor::ones([2, 5, 8])).shape().to_string(), "[2, 5, 8]");
/// ```
#[derive(Clone, Debug, Module)]
pub struct FeedForward {
    /// From the features to the inner ones.
    pub expand: Linear,
    /// Back.
    pub contract: Linear,
    dropout: Dropout,
    #[tree(fixed)]
    activation: fn(&Tensor) -> Tensor,
}

impl FeedForward {
    /// With `inner` features inside, the positive part between, no dropout.
    #[track_caller]
    pub fn new(features: usize, inner: usize) -> FeedForward {
        FeedForward {
            expand: Linear::new(features, inner),
            contract: Linear::new(inner, features),
            dropout: Dropout::new(0.0),
            activation: Tensor::relu,
        }
    }

    /// Dropout of the inner features, in training.
    ///
    /// # Panics
    /// When `p` is not a probability.
    #[track_caller]
    pub fn dropout(self, p: f64) -> FeedForward {
        FeedForward {
            dropout: Dropout::new(p),
            ..self
        }
    }

    /// The function between.
    pub fn activation(self, activation: fn(&Tensor) -> Tensor) -> FeedForward {
        FeedForward { activation, ..self }
    }

    /// The same part without biases.
    pub fn without_bias(self) -> FeedForward {
        FeedForward {
            expand: self.expand.without_bias(),
            contract: self.contract.without_bias(),
            ..self
        }
    }
}

impl Layer for FeedForward {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        let inner = (self.activation)(&self.expand.forward(x));
        self.contract.forward(self.dropout.forward(inner))
    }
}
