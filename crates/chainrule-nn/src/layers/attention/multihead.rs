//! Attention with several heads.

use super::cache::KeyValueCache;
use super::masks::AttentionMasks;
use super::projection::AttentionInputs;
use crate::layers::catalogue::{Declared, input_extent};
use crate::{
    ArgumentError, Arguments, Layer, Linear, Mode, Parameter, RotaryEmbedding, layer_scope,
};
use chainrule_core::error::raise;
use chainrule_core::{Error, ErrorKind, Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { MultiheadAttention }

/// Attention with several heads (Vaswani and others 2017): queries, keys and values are linear maps of what goes in, each
/// head takes its share of their features, `softmax(q kᵀ / √d + mask) v`, and a linear map joins what the heads found.
///
/// As a [`Layer`] it is self-attention of `[batch, elements, features]`, or `[elements, features]`.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{AttentionMasks, Layer, MultiheadAttention};
/// let attention = MultiheadAttention::new(8, 2);
/// assert_eq!(attention.forward(Tensor::ones([2, 5, 8])).shape().to_string(), "[2, 5, 8]");
/// let (queries, memory) = (Tensor::ones([2, 3, 8]), Tensor::ones([2, 7, 8]));
/// let y = attention.forward_with(&queries, &memory, &memory, &AttentionMasks::new());
/// assert_eq!(y.shape().to_string(), "[2, 3, 8]");
/// ```
#[derive(Clone, Debug, Module)]
pub struct MultiheadAttention {
    /// What makes queries, keys and values; it starts uniform in Xavier's bounds.
    pub input: AttentionInputs,
    /// What joins the heads; its bias starts at 0.
    pub output: Linear,
    /// A key and a value behind the others that are learnt, `[features]` each.
    pub extra: Option<ExtraElement>,
    /// Turns queries and keys by their positions.
    pub rotary: Option<RotaryEmbedding>,
    heads: usize,
    dropout: f64,
    zero_element: bool,
    causal: bool,
    mode: Mode,
}

/// A key and a value that are learnt and every query may look at.
#[derive(Clone, Debug, Module)]
pub struct ExtraElement {
    /// `[features]`.
    pub key: Parameter,
    /// `[features]`.
    pub value: Parameter,
}

impl MultiheadAttention {
    /// `heads` heads over `features` features, with biases.
    ///
    /// # Panics
    /// When the features do not divide into the heads.
    #[track_caller]
    pub fn new(features: usize, heads: usize) -> MultiheadAttention {
        MultiheadAttention::with_widths(features, heads, features, features)
    }

    /// Attention whose keys and values are made of vectors of other widths.
    ///
    /// # Panics
    /// When the features do not divide into the heads.
    #[track_caller]
    pub fn with_widths(
        features: usize,
        heads: usize,
        key_width: usize,
        value_width: usize,
    ) -> MultiheadAttention {
        if heads == 0 || !features.is_multiple_of(heads) {
            refuse(format!(
                "{features} features do not divide into {heads} heads"
            ));
        }
        let mut output = Linear::new(features, features);
        output.bias = Some(Parameter::new(Tensor::zeros([features])));
        MultiheadAttention {
            input: AttentionInputs::drawn(features, key_width, value_width),
            output,
            extra: None,
            rotary: None,
            heads,
            dropout: 0.0,
            zero_element: false,
            causal: false,
            mode: Mode::Train,
        }
    }

    /// The same attention without biases.
    pub fn without_bias(self) -> MultiheadAttention {
        MultiheadAttention {
            input: self.input.without_bias(),
            output: self.output.without_bias(),
            ..self
        }
    }

    /// Dropout of the weights, in training.
    ///
    /// # Panics
    /// When `p` is not a probability.
    #[track_caller]
    pub fn dropout(self, p: f64) -> MultiheadAttention {
        if !(0.0..=1.0).contains(&p) {
            refuse(format!("dropout {p} is not a probability"));
        }
        MultiheadAttention { dropout: p, ..self }
    }

    /// In every call query number i looks at keys 0 to i only.
    pub fn causal(self) -> MultiheadAttention {
        MultiheadAttention {
            causal: true,
            ..self
        }
    }

    /// A learnt key and value behind the others, normal with variance 1/features.
    #[track_caller]
    pub fn with_extra_element(self) -> MultiheadAttention {
        let features = self.features();
        let deviation = 1.0 / (features.max(1) as f64).sqrt();
        let drawn = || Parameter::new(Tensor::normal([features], 0.0, deviation));
        MultiheadAttention {
            extra: Some(ExtraElement {
                key: drawn(),
                value: drawn(),
            }),
            ..self
        }
    }

    /// A key and a value of zeros behind the others.
    pub fn with_zero_element(self) -> MultiheadAttention {
        MultiheadAttention {
            zero_element: true,
            ..self
        }
    }

    /// Queries and keys turned by their positions (Su and others 2021), for self-attention.
    ///
    /// # Panics
    /// When a head has an odd number of features.
    #[track_caller]
    pub fn with_rotary(self) -> MultiheadAttention {
        let rotary = RotaryEmbedding::new(self.features() / self.heads);
        MultiheadAttention {
            rotary: Some(rotary),
            ..self
        }
    }

    /// What the queries `[batch, queries, features]` find in the keys `[batch, keys, ..]` and the values of the same elements.
    /// Single sequences go without the batch.
    ///
    /// # Panics
    /// When the shapes do not fit.
    #[track_caller]
    pub fn forward_with(
        &self,
        query: impl AsRef<Tensor>,
        key: impl AsRef<Tensor>,
        value: impl AsRef<Tensor>,
        masks: &AttentionMasks,
    ) -> Tensor {
        let operands = [query.as_ref(), key.as_ref(), value.as_ref()];
        layer_scope(self, || self.attended(operands, masks, None).0)
    }

    /// [`forward_with`](MultiheadAttention::forward_with), and the weights `[batch, heads, queries, keys]` after dropout. Their
    /// mean over the heads is `weights.mean(-3)`.
    ///
    /// # Panics
    /// When the shapes do not fit.
    #[track_caller]
    pub fn forward_weights(
        &self,
        query: impl AsRef<Tensor>,
        key: impl AsRef<Tensor>,
        value: impl AsRef<Tensor>,
        masks: &AttentionMasks,
    ) -> (Tensor, Tensor) {
        let operands = [query.as_ref(), key.as_ref(), value.as_ref()];
        layer_scope(self, || self.attended(operands, masks, None))
    }

    /// Causal self-attention of new elements to themselves and to all that the cache has seen, which grows by them.
    ///
    /// # Panics
    /// When the shapes do not fit, or the batch is not that of the cache.
    #[track_caller]
    pub fn forward_cached(&self, x: impl AsRef<Tensor>, cache: &mut KeyValueCache) -> Tensor {
        let x = x.as_ref();
        let masks = AttentionMasks::new().causal();
        layer_scope(self, || self.attended([x, x, x], &masks, Some(cache)).0)
    }

    fn features(&self) -> usize {
        self.output.weight.shape()[0]
    }

    #[track_caller]
    fn attended(
        &self,
        operands: [&Tensor; 3],
        masks: &AttentionMasks,
        cache: Option<&mut KeyValueCache>,
    ) -> (Tensor, Tensor) {
        self.check(operands);
        let alone = operands[0].rank() == 2;
        let [query, key, value] = self
            .input
            .of(operands[0], operands[1], operands[2])
            .map(|x| if alone { x.unsqueeze(0) } else { x });
        let past = cache.as_ref().map_or(0, |cache| cache.len());
        let (mut query, mut key) = (self.split(&query), self.split(&key));
        let mut value = self.split(&value);
        if let Some(rotary) = &self.rotary {
            query = rotary.turned(&query, past);
            key = rotary.turned(&key, past);
        }
        if let Some(cache) = cache {
            (key, value) = cache.extended(&key, &value);
        }
        // What is always there stands behind what the cache keeps.
        if let Some(extra) = &self.extra {
            key = self.with_learnt(&key, &extra.key);
            value = self.with_learnt(&value, &extra.value);
        }
        if self.zero_element {
            [key, value] = [key, value].map(|x| with_zero(&x));
        }
        let masks = masks.or_causal(self.causal);
        let (found, weights) = self.found(&query, &key, &value, &masks, past);
        let y = self.output.forward(self.join(&found));
        match alone {
            true => (y.squeeze(0), weights.squeeze(0)),
            false => (y, weights),
        }
    }

    /// What every head finds, and its weights.
    #[track_caller]
    fn found(
        &self,
        query: &Tensor,
        key: &Tensor,
        value: &Tensor,
        masks: &AttentionMasks,
        past: usize,
    ) -> (Tensor, Tensor) {
        let width = query.shape()[3].max(1) as f64;
        let scores = (query * (1.0 / width.sqrt())).matmul(key.t());
        let always = usize::from(self.extra.is_some()) + usize::from(self.zero_element);
        let weights = masks.applied(scores, past, always).softmax(-1);
        let weights = match self.mode.is_training() && self.dropout > 0.0 {
            true => weights.dropout(self.dropout),
            false => weights,
        };
        (weights.matmul(value), weights)
    }

    /// Keys or values `[batch, heads, keys, width]` with the learnt one behind them.
    fn with_learnt(&self, all: &Tensor, learnt: &Tensor) -> Tensor {
        let (batch, width) = (all.shape()[0], all.shape()[3]);
        let learnt = learnt.reshape([self.heads as isize, 1, width as isize]);
        Tensor::concat(&[all, &learnt.expand([batch, self.heads, 1, width])], 2)
    }

    /// `[batch, elements, features]` to `[batch, heads, elements, width]`.
    fn split(&self, x: &Tensor) -> Tensor {
        let (batch, elements) = (x.shape()[0], x.shape()[1]);
        let width = self.features() / self.heads;
        let extents = [batch, elements, self.heads, width].map(|extent| extent as isize);
        x.reshape(extents).transpose(1, 2)
    }

    /// The way back.
    fn join(&self, x: &Tensor) -> Tensor {
        let (batch, elements) = (x.shape()[0], x.shape()[2]);
        let extents = [batch, elements, self.features()].map(|extent| extent as isize);
        x.transpose(1, 2).reshape(extents)
    }

    #[track_caller]
    fn check(&self, operands: [&Tensor; 3]) {
        let [query, key, value] = operands;
        let rank = query.rank();
        let widths = self.input.widths();
        let leading = |x: &Tensor| x.shape()[..x.rank() - 1].to_vec();
        let fits = (2..=3).contains(&rank)
            && operands.iter().all(|x| x.rank() == rank)
            && operands
                .iter()
                .zip(widths)
                .all(|(x, width)| x.shape()[rank - 1] == width)
            && leading(key) == leading(value)
            && (rank == 2 || query.shape()[0] == key.shape()[0]);
        if fits {
            return;
        }
        let [of_query, of_key, of_value] = widths;
        let message = format!(
            "multihead_attention: the layer takes a query [batch, queries, {of_query}], a key [batch, keys, {of_key}] and a \
             value [batch, keys, {of_value}], or all without the batch; they have shapes {}, {} and {} (the query is from `{}` \
             at {})",
            query.shape(),
            key.shape(),
            value.shape(),
            query.operation_name(),
            query.place()
        );
        raise(Error::new(ErrorKind::Shape, message));
    }
}

/// With an element of zeros behind, along the axis of elements.
fn with_zero(x: &Tensor) -> Tensor {
    let mut shape = x.shape().to_vec();
    shape[2] = 1;
    let zero = Tensor::zeros(shape).cast(x.dtype()).to_device(x.device());
    Tensor::concat(&[x, &zero], 2)
}

#[track_caller]
fn refuse(problem: String) -> ! {
    let message = format!("multihead_attention: {problem}");
    raise(Error::new(ErrorKind::Argument, message))
}

impl Layer for MultiheadAttention {
    /// Self-attention.
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        self.attended([x, x, x], &AttentionMasks::new(), None).0
    }
}

/// `heads`, `dropout`, `bias`, `causal`, `rotary`; features from the last axis.
impl Declared for MultiheadAttention {
    const NAME: &'static str = "multihead_attention";

    fn declared(
        arguments: &mut Arguments,
        input: &Shape,
    ) -> Result<MultiheadAttention, ArgumentError> {
        let features = input_extent(arguments, input, -1, "features")?;
        let heads: usize = arguments.required("heads")?;
        let rotary = arguments.optional("rotary", false)?;
        check_heads(arguments, features, heads, rotary)?;
        let dropout: f64 = arguments.optional("dropout", 0.0)?;
        if !(0.0..=1.0).contains(&dropout) {
            let problem = format!("`dropout` is {dropout}; expected a probability");
            return Err(arguments.problem("dropout", problem));
        }
        let mut attention = MultiheadAttention::new(features, heads).dropout(dropout);
        if !arguments.optional("bias", true)? {
            attention = attention.without_bias();
        }
        if arguments.optional("causal", false)? {
            attention = attention.causal();
        }
        Ok(match rotary {
            true => attention.with_rotary(),
            false => attention,
        })
    }
}

/// Refuses a number of heads that does not fit the features.
pub(crate) fn check_heads(
    arguments: &Arguments,
    features: usize,
    heads: usize,
    rotary: bool,
) -> Result<(), ArgumentError> {
    if heads == 0 || !features.is_multiple_of(heads) {
        let problem = format!("`heads` is {heads}, into which {features} features do not divide");
        return Err(arguments.problem("heads", problem));
    }
    if rotary && !(features / heads).is_multiple_of(2) {
        let width = features / heads;
        let problem = format!("`rotary` turns pairs of features, and a head has {width}");
        return Err(arguments.problem("rotary", problem));
    }
    Ok(())
}
