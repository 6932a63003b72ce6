//! What is wrong with a run, in plain language.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Learning is probably slower than it could be.
    Warning,
    /// Learning has stopped or never began, here or everywhere.
    Serious,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// A gradient or a parameter is NaN or infinite.
    NotFinite,
    /// The loss does not depend on a parameter.
    NoGradient,
    /// A gradient is exactly zero, step after step.
    ZeroGradient,
    /// Gradients shrink from the last layer to the first.
    Vanishing,
    /// Gradients grow from the last layer to the first, or are far larger than the weights.
    Exploding,
    /// Gradients grow over the steps.
    ExplodingOverTime,
    /// Units of a ReLU that are zero for every example.
    DeadUnits,
    /// Outputs of a sigmoid or tanh in its flat parts.
    Saturated,
    /// Updates that are large against the weights.
    UpdatesTooLarge,
    /// Updates that are tiny against the weights.
    UpdatesTooSmall,
    /// A parameter that has a gradient and is not changed.
    NotUpdated,
    /// The very first step shows activations or gradients out of proportion.
    BadInitialisation,
}

impl FindingKind {
    /// The kind in a few words.
    pub fn title(self) -> &'static str {
        match self {
            FindingKind::NotFinite => "NaN or infinity",
            FindingKind::NoGradient => "no gradient",
            FindingKind::ZeroGradient => "zero gradient",
            FindingKind::Vanishing => "vanishing gradients",
            FindingKind::Exploding => "exploding gradients",
            FindingKind::ExplodingOverTime => "growing gradients",
            FindingKind::DeadUnits => "dead units",
            FindingKind::Saturated => "saturated units",
            FindingKind::UpdatesTooLarge => "updates too large",
            FindingKind::UpdatesTooSmall => "updates too small",
            FindingKind::NotUpdated => "not updated",
            FindingKind::BadInitialisation => "bad initialisation",
        }
    }
}

/// One thing that is wrong, where, since when, and what to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What is wrong.
    pub kind: FindingKind,
    /// How bad it is.
    pub severity: Severity,
    /// The layer, such as `layers.3`.
    pub layer: Arc<str>,
    /// The line of the program that called the layer; empty when it is not known.
    pub source: Arc<str>,
    /// The step at which it was first seen.
    pub step: u64,
    /// What was seen, with its numbers.
    pub message: String,
    /// What usually helps.
    pub advice: String,
}

impl fmt::Display for Finding {
    /// One line what, one line what to do.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Warning => "warning",
            Severity::Serious => "serious",
        };
        write!(
            out,
            "{severity}, step {}: {}: {}",
            self.step,
            self.kind.title(),
            self.message
        )?;
        write!(out, "\n    help: {}", self.advice)
    }
}
