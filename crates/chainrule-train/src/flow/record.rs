//! What is seen in one step: numbers only, however they were come by.

use crate::history::number;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What was seen in one training step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// The training step.
    pub step: u64,
    /// The parameters in the order of the model's fields, which is taken for the order of depth.
    pub parameters: Vec<ParameterRecord>,
    /// The activations in the order of the forward pass.
    pub activations: Vec<ActivationRecord>,
}

/// One parameter and its gradient in one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParameterRecord {
    /// Its path, such as `layers.3.weight`.
    pub name: Arc<str>,
    /// The layer it belongs to, such as `layers.3`.
    pub layer: Arc<str>,
    /// The line of the program that called the layer, such as `src/main.rs:41:9`; empty when it is not known.
    pub source: Arc<str>,
    /// How many numbers it has.
    pub elements: usize,
    /// How many axes it has: 0 or 1 for biases and scales, 2 and more for weights.
    pub rank: usize,
    /// The Euclidean norm of its gradient.
    #[serde(with = "number")]
    pub gradient_norm: f64,
    /// Its own Euclidean norm.
    #[serde(with = "number")]
    pub weight_norm: f64,
    /// The Euclidean norm of the change that this step made to it, when that was looked at.
    #[serde(with = "optional")]
    pub update_norm: Option<f64>,
    /// The share of the gradient that is exactly zero.
    pub zero_share: f64,
    /// Whether the loss does not depend on it at all.
    pub absent: bool,
}

impl ParameterRecord {
    /// The norm of the update over that of the parameter, healthy around 10⁻³; none while either is unknown or the
    /// parameter is zero.
    pub fn update_ratio(&self) -> Option<f64> {
        let ratio = self.update_norm? / self.weight_norm;
        (self.weight_norm > 0.0).then_some(ratio)
    }

    /// Whether this is a weight of a layer, rather than a bias or a scale.
    pub fn is_weight(&self) -> bool {
        self.rank >= 2
    }
}

/// What an activation does, as far as it matters to the flow of gradients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActivationKind {
    /// Zero for negative inputs: ReLU and what behaves as it does.
    Relu,
    /// From 0 to 1, flat at both ends.
    Sigmoid,
    /// From -1 to 1, flat at both ends.
    Tanh,
    /// Anything else, such as the output of a linear layer.
    Other,
}

/// The output of one layer in one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActivationRecord {
    /// The layer, such as `layers.3`.
    pub layer: Arc<str>,
    /// The line of the program that called it; empty when it is not known.
    pub source: Arc<str>,
    /// What it does.
    pub kind: ActivationKind,
    /// For each unit of a ReLU, whether it was zero for the whole batch; empty for other kinds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silent: Vec<bool>,
    /// The share of units that were zero for the whole batch; 0 for other kinds than ReLU.
    pub silent_share: f64,
    /// The share of outputs in the flat parts: of a sigmoid below 0.05 or above 0.95, of a tanh beyond ±0.9. There the
    /// slope is less than a fifth of its largest. 0 for other kinds.
    pub saturated_share: f64,
    /// The standard deviation of all outputs about 0: the root of the mean square.
    #[serde(with = "number")]
    pub spread: f64,
}

mod optional {
    use serde::{Deserialize, Deserializer, Serializer};

    #[derive(Deserialize)]
    struct Written(#[serde(with = "super::number")] f64);

    pub(super) fn serialize<S: Serializer>(value: &Option<f64>, to: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => super::number::serialize(value, to),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
        Ok(Option::<Written>::deserialize(from)?.map(|written| written.0))
    }
}
