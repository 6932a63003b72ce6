//! What the very first step tells about the initialisation.

use super::{View, named, percent, readable};
use crate::flow::finding::{Finding, FindingKind, Severity};
use crate::flow::record::{ActivationKind, ActivationRecord, ParameterRecord};
use std::sync::Arc;

const ADVICE: &str = "normalise the inputs to mean 0 and deviation 1, and initialise so that the variance is kept: Kaiming for ReLU, \
                      Xavier for tanh and sigmoid, orthogonal for recurrent weights";

/// At most one finding: the causes are one.
pub(super) fn look(view: &View, found: &mut Vec<Finding>) {
    let finding = flat_activations(view)
        .or_else(|| spread_of_activations(view))
        .or_else(|| bias_gradients(view));
    found.extend(finding);
}

fn finding(view: &View, layer: &Arc<str>, source: &Arc<str>, message: String) -> Option<Finding> {
    Some(Finding {
        kind: FindingKind::BadInitialisation,
        severity: Severity::Serious,
        layer: layer.clone(),
        source: source.clone(),
        step: view.first.step,
        message,
        advice: ADVICE.to_owned(),
    })
}

/// The first activation, in order of the forward pass, that is flat for most of its outputs.
fn flat_activations(view: &View) -> Option<Finding> {
    let limits = view.thresholds;
    let hidden = view.first.activations.len().saturating_sub(1);
    let hidden = &view.first.activations[..hidden];
    let ill = |activation: &&ActivationRecord| match activation.kind {
        ActivationKind::Relu => activation.silent_share >= limits.dead_share,
        ActivationKind::Sigmoid | ActivationKind::Tanh => {
            activation.saturated_share >= limits.saturated_share
        }
        ActivationKind::Other => false,
    };
    let worst = hidden.iter().find(ill)?;
    let what = match worst.kind {
        ActivationKind::Relu => format!(
            "{} of the units are zero for the whole batch",
            percent(worst.silent_share)
        ),
        _ => format!(
            "{} of the outputs are saturated",
            percent(worst.saturated_share)
        ),
    };
    let place = named(&worst.layer, &worst.source);
    let message = format!("already in the first step, {what} in {place}");
    finding(view, &worst.layer, &worst.source, message)
}

/// Activations that grow or shrink from layer to layer.
fn spread_of_activations(view: &View) -> Option<Finding> {
    let activations = &view.first.activations;
    let (first, last) = (activations.first()?, activations.last()?);
    let ratio = last.spread / first.spread;
    let limit = view.thresholds.first_step;
    if ratio.is_nan() || (1.0 / limit..=limit).contains(&ratio) {
        return None;
    }
    let message = format!(
        "in the first step the outputs {} from {} in {} to {} in {}, over {} layers",
        if ratio > 1.0 { "grow" } else { "shrink" },
        readable(first.spread),
        named(&first.layer, &first.source),
        readable(last.spread),
        named(&last.layer, &last.source),
        activations.len()
    );
    finding(view, &last.layer, &last.source, message)
}

/// The gradient of a bias is that of its layer's output: from the last to the first it shows how gradients travel, without
/// the size of the activations. Without them being kept, this is all that is known, so twice the orders of magnitude count.
fn bias_gradients(view: &View) -> Option<Finding> {
    let biases: Vec<&ParameterRecord> = view
        .first
        .parameters
        .iter()
        .filter(|parameter| parameter.rank == 1 && parameter.gradient_norm > 0.0)
        .collect();
    let (first, last) = (biases.first()?, biases.last()?);
    let ratio = first.gradient_norm / last.gradient_norm;
    let limit = view.thresholds.first_step.powi(2);
    if (1.0 / limit..=limit).contains(&ratio) {
        return None;
    }
    let message = format!(
        "in the first step the gradient by the outputs of the layers {} from {} in {} to {} in {}",
        if ratio > 1.0 { "grows" } else { "shrinks" },
        readable(last.gradient_norm),
        named(&last.layer, &last.source),
        readable(first.gradient_norm),
        named(&first.layer, &first.source)
    );
    finding(view, &first.layer, &first.source, message)
}
