//! Updates against the weights they change.

use super::{View, WINDOW, named, readable};
use crate::flow::finding::{Finding, FindingKind, Severity};
use crate::flow::record::ParameterRecord;
use std::sync::Arc;

pub(super) fn look(view: &View, found: &mut Vec<Finding>) {
    not_updated(view, found);
    too_small(view, found);
    too_large(view, found);
}

fn unmoved(parameter: &ParameterRecord) -> bool {
    parameter.update_norm == Some(0.0) && parameter.gradient_norm > 0.0
}

/// Parameters that stay as they are although they have a gradient.
fn not_updated(view: &View, found: &mut Vec<Finding>) {
    let parameters = &view.newest().parameters;
    let (ill, well): (Vec<_>, Vec<_>) = parameters
        .iter()
        .enumerate()
        .filter(|(_, parameter)| parameter.update_norm.is_some() && parameter.gradient_norm > 0.0)
        .partition(|(position, _)| view.always(*position, WINDOW, unmoved));
    if ill.is_empty() {
        return;
    }
    let finding = |layer: &Arc<str>, source: &Arc<str>, message: String, advice: &str| Finding {
        kind: FindingKind::NotUpdated,
        severity: Severity::Serious,
        layer: layer.clone(),
        source: source.clone(),
        step: view.newest().step,
        message,
        advice: advice.to_owned(),
    };
    if well.is_empty() {
        let message = format!(
            "no parameter changed in the last {} observed steps",
            view.window.len()
        );
        let advice = "look at the learning rate, and whether the optimiser is given this model";
        found.push(finding(&ill[0].1.layer, &ill[0].1.source, message, advice));
        return;
    }
    for (_, parameter) in ill {
        let message = format!(
            "`{}` of {} has a gradient (norm {}) but did not change in the last {} observed steps",
            parameter.name,
            named(&parameter.layer, &parameter.source),
            readable(parameter.gradient_norm),
            view.window.len()
        );
        let advice =
            "put it into a parameter group of the optimiser, or freeze it if that is meant";
        found.push(finding(
            &parameter.layer,
            &parameter.source,
            message,
            advice,
        ));
    }
}

/// When all weights move by less than their rounding error. One layer alone that does is said by the rules of depth.
fn too_small(view: &View, found: &mut Vec<Finding>) {
    let mut largest: Option<(&ParameterRecord, f64)> = None;
    for (position, parameter) in view.newest().parameters.iter().enumerate() {
        if !parameter.is_weight() || parameter.update_norm == Some(0.0) {
            continue;
        }
        if let Some(ratio) = view.median(position, WINDOW, ParameterRecord::update_ratio)
            && largest.is_none_or(|(_, other)| ratio > other)
        {
            largest = Some((parameter, ratio));
        }
    }
    let Some((parameter, ratio)) =
        largest.filter(|(_, ratio)| *ratio < view.thresholds.update_too_small)
    else {
        return;
    };
    found.push(Finding {
        kind: FindingKind::UpdatesTooSmall,
        severity: Severity::Warning,
        layer: parameter.layer.clone(),
        source: parameter.source.clone(),
        step: view.newest().step,
        message: format!(
            "updates are at most {} of the weights, in {}; about 1e-3 is healthy",
            readable(ratio),
            named(&parameter.layer, &parameter.source)
        ),
        advice: "raise the learning rate".to_owned(),
    });
}

/// Weights that change by a large part of themselves in every step.
fn too_large(view: &View, found: &mut Vec<Finding>) {
    let limit = view.thresholds.update_too_large;
    for (position, parameter) in view.newest().parameters.iter().enumerate() {
        let ratio = view.median(position, WINDOW, ParameterRecord::update_ratio);
        let Some(ratio) = ratio.filter(|ratio| parameter.is_weight() && *ratio > limit) else {
            continue;
        };
        found.push(Finding {
            kind: FindingKind::UpdatesTooLarge,
            severity: if ratio > 1.0 {
                Severity::Serious
            } else {
                Severity::Warning
            },
            layer: parameter.layer.clone(),
            source: parameter.source.clone(),
            step: view.newest().step,
            message: format!(
                "updates of `{}` in {} are {} of the weight; about 1e-3 is healthy",
                parameter.name,
                named(&parameter.layer, &parameter.source),
                readable(ratio)
            ),
            advice: "lower the learning rate, or warm it up".to_owned(),
        });
    }
}
