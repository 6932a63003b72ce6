//! Gradients that grow over the run.

use super::{FEW, View, WINDOW, median, named, readable};
use crate::flow::finding::{Finding, FindingKind, Severity};
use crate::flow::record::StepRecord;

/// The norm of the whole gradient of a step.
pub(in crate::flow) fn gradient_norm(step: &StepRecord) -> f64 {
    norm(
        step.parameters
            .iter()
            .map(|parameter| parameter.gradient_norm),
    )
}

fn norm(parts: impl Iterator<Item = f64>) -> f64 {
    parts.map(|part| part * part).sum::<f64>().sqrt()
}

/// Fires when each of the last steps is far above the first ones, and the gradient no longer small against the weights:
/// one that starts on a plateau may grow.
pub(super) fn look(view: &View, found: &mut Vec<Finding>) {
    if view.beginning.len() < WINDOW || view.window.len() < FEW {
        return;
    }
    let beginning = median(view.beginning.to_vec());
    let last = view.window.iter().rev().take(FEW);
    let least = last.map(gradient_norm).fold(f64::INFINITY, f64::min);
    let step = view.newest();
    let weights = norm(
        step.parameters
            .iter()
            .map(|parameter| parameter.weight_norm),
    );
    if least <= view.thresholds.growth * beginning || least <= 0.1 * weights {
        return;
    }
    let largest = step
        .parameters
        .iter()
        .max_by(|left, right| left.gradient_norm.total_cmp(&right.gradient_norm));
    let Some(largest) = largest else {
        return;
    };
    found.push(Finding {
        kind: FindingKind::ExplodingOverTime,
        severity: Severity::Serious,
        layer: largest.layer.clone(),
        source: largest.source.clone(),
        step: step.step,
        message: format!(
            "the norm of the whole gradient has grown from {} to {}; most of it is in `{}` of {}",
            readable(beginning),
            readable(gradient_norm(step)),
            largest.name,
            named(&largest.layer, &largest.source)
        ),
        advice: "lower the learning rate, warm it up, clip the gradient's norm".to_owned(),
    });
}
