//! How a Transformer is built.

use super::feed_forward::FeedForward;
use crate::{LayerNorm, MultiheadAttention};
use chainrule_core::Tensor;
use chainrule_core::error::raise;
use chainrule_core::{Error, ErrorKind};

/// The sizes and the form of the layers of a Transformer.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{Layer, TransformerEncoder, TransformerOptions};
/// // Layers as language models have them.
/// let options = TransformerOptions::language_model(16, 4).dropout(0.0);
/// let model = TransformerEncoder::from_options(&options, 2);
/// assert_eq!(model.forward(Tensor::ones([1, 5, 16])).shape().to_string(), "[1, 5, 16]");
/// ```
#[derive(Clone, Debug)]
pub struct TransformerOptions {
    features: usize,
    heads: usize,
    feed_forward: usize,
    dropout: f64,
    activation: fn(&Tensor) -> Tensor,
    epsilon: f64,
    pub(super) norm_first: bool,
    bias: bool,
    causal: bool,
    rotary: bool,
}

impl TransformerOptions {
    /// As in the paper (Vaswani and others 2017): 2048 features inside the feed-forward part, dropout 0.1, the positive part,
    /// normalisation behind each part with ε = 1e-5, biases.
    pub fn new(features: usize, heads: usize) -> TransformerOptions {
        TransformerOptions {
            features,
            heads,
            feed_forward: 2048,
            dropout: 0.1,
            activation: Tensor::relu,
            epsilon: 1e-5,
            norm_first: false,
            bias: true,
            causal: false,
            rotary: false,
        }
    }

    /// As language models of one stack have them (Radford and others 2019): causal, normalisation before each part, gelu, four
    /// times the features inside the feed-forward part.
    pub fn language_model(features: usize, heads: usize) -> TransformerOptions {
        TransformerOptions::new(features, heads)
            .feed_forward(4 * features)
            .activation(Tensor::gelu)
            .norm_first()
            .causal()
    }

    /// The number of features inside the feed-forward part.
    pub fn feed_forward(self, feed_forward: usize) -> TransformerOptions {
        TransformerOptions {
            feed_forward,
            ..self
        }
    }

    /// Dropout of attention's weights, inside the feed-forward part, and of what each part adds.
    ///
    /// # Panics
    /// When `p` is not a probability.
    #[track_caller]
    pub fn dropout(self, p: f64) -> TransformerOptions {
        if !(0.0..=1.0).contains(&p) {
            let message = format!("transformer: dropout {p} is not a probability");
            raise(Error::new(ErrorKind::Argument, message));
        }
        TransformerOptions { dropout: p, ..self }
    }

    /// The function inside the feed-forward part.
    pub fn activation(self, activation: fn(&Tensor) -> Tensor) -> TransformerOptions {
        TransformerOptions { activation, ..self }
    }

    /// What is added to variances.
    pub fn epsilon(self, epsilon: f64) -> TransformerOptions {
        TransformerOptions { epsilon, ..self }
    }

    /// Normalisation before each part instead of behind it (Xiong and others 2020).
    pub fn norm_first(self) -> TransformerOptions {
        TransformerOptions {
            norm_first: true,
            ..self
        }
    }

    /// No biases, in normalisations neither.
    pub fn without_bias(self) -> TransformerOptions {
        TransformerOptions {
            bias: false,
            ..self
        }
    }

    /// In self-attention every element looks only at those up to itself.
    pub fn causal(self) -> TransformerOptions {
        TransformerOptions {
            causal: true,
            ..self
        }
    }

    /// Queries and keys of self-attention are turned by their positions.
    pub fn rotary(self) -> TransformerOptions {
        TransformerOptions {
            rotary: true,
            ..self
        }
    }

    #[track_caller]
    pub(super) fn self_attention(&self) -> MultiheadAttention {
        let attention = self.attention();
        let attention = match self.causal {
            true => attention.causal(),
            false => attention,
        };
        match self.rotary {
            true => attention.with_rotary(),
            false => attention,
        }
    }

    #[track_caller]
    pub(super) fn attention(&self) -> MultiheadAttention {
        let attention = MultiheadAttention::new(self.features, self.heads).dropout(self.dropout);
        match self.bias {
            true => attention,
            false => attention.without_bias(),
        }
    }

    #[track_caller]
    pub(super) fn norm(&self) -> LayerNorm {
        let norm = LayerNorm::new([self.features]).epsilon(self.epsilon);
        match self.bias {
            true => norm,
            false => norm.without_bias(),
        }
    }

    #[track_caller]
    pub(super) fn feed_forward_part(&self) -> FeedForward {
        let part = FeedForward::new(self.features, self.feed_forward)
            .dropout(self.dropout)
            .activation(self.activation);
        match self.bias {
            true => part,
            false => part.without_bias(),
        }
    }

    pub(super) fn residual_dropout(&self) -> crate::Dropout {
        crate::Dropout::new(self.dropout)
    }
}
