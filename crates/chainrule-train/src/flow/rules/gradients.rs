//! Gradients that are not there, that are zero, or that are no numbers.

use super::{View, named};
use crate::flow::finding::{Finding, FindingKind, Severity};
use crate::flow::record::ParameterRecord;

/// Steps of zeros before they count: a layer that starts with zeros (a residual branch) gets its gradient after one.
const ZERO_STEPS: usize = 5;

/// NaN spreads backwards through a network: the last layer that has it is nearest to where it came from.
pub(super) fn not_finite(view: &View, found: &mut Vec<Finding>) {
    let step = view.newest();
    let bad = |parameter: &&ParameterRecord| {
        !parameter.gradient_norm.is_finite() || !parameter.weight_norm.is_finite()
    };
    let Some(last) = step.parameters.iter().rev().find(bad) else {
        return;
    };
    let count = step.parameters.iter().filter(bad).count();
    let (what, value, advice) = if last.weight_norm.is_finite() {
        let advice = "the trouble lies at or behind this layer: look for a logarithm or root of zero, a division by zero or an \
                      overflow there; anomaly mode names the operation; clip gradients or lower the learning rate";
        ("gradient", last.gradient_norm, advice)
    } else {
        let advice = "an earlier update destroyed the weights: go back to a checkpoint, lower the learning rate, clip gradients";
        ("weight", last.weight_norm, advice)
    };
    let of_all = match count {
        1 => String::new(),
        _ => format!(
            ", the last of {count} such among {} parameters",
            step.parameters.len()
        ),
    };
    found.push(Finding {
        kind: FindingKind::NotFinite,
        severity: Severity::Serious,
        layer: last.layer.clone(),
        source: last.source.clone(),
        step: step.step,
        message: format!(
            "the {what} norm of `{}` in {} is {value}{of_all}",
            last.name,
            named(&last.layer, &last.source)
        ),
        advice: advice.to_owned(),
    });
}

/// Parameters that the loss does not depend on.
pub(super) fn absent(view: &View, found: &mut Vec<Finding>) {
    let step = view.newest();
    let absent = |position: usize| view.always(position, 1, |parameter| parameter.absent);
    by_layer(
        view,
        absent,
        |_| true,
        |names, parameter| {
            Finding {
        kind: FindingKind::NoGradient,
        severity: Severity::Serious,
        layer: parameter.layer.clone(),
        source: parameter.source.clone(),
        step: step.step,
        message: format!(
            "{names} of {} got no gradient: the loss does not depend on it",
            named(&parameter.layer, &parameter.source)
        ),
        advice: "use the layer's output in the loss; look for `stop_gradient`, `untracked`, `argmax` or values read with \
                 `item()` on the way; freeze the layer if that is meant"
            .to_owned(),
    }
        },
        found,
    );
}

/// Layers whose whole gradient is exactly zero, step after step.
pub(super) fn zero(view: &View, found: &mut Vec<Finding>) {
    let step = view.newest();
    let zero = |position: usize| {
        view.always(position, ZERO_STEPS, |parameter| {
            !parameter.absent && parameter.gradient_norm == 0.0 && parameter.elements > 0
        })
    };
    // A bias whose gradient is zero in a layer that learns may be the shape of the loss; a whole layer is not.
    let whole_layer = |layer: &str| {
        let mut parameters = step.parameters.iter().enumerate();
        parameters.all(|(position, other)| &*other.layer != layer || zero(position) || other.absent)
    };
    by_layer(
        view,
        zero,
        whole_layer,
        |names, parameter| {
            Finding {
        kind: FindingKind::ZeroGradient,
        severity: Severity::Serious,
        layer: parameter.layer.clone(),
        source: parameter.source.clone(),
        step: step.step,
        message: format!(
            "the gradient of {names} in {} was exactly zero in the last {} observed steps",
            named(&parameter.layer, &parameter.source),
            view.window.len()
        ),
        advice: "something behind the layer is flat: a dead ReLU, a saturated activation, a weight of zeros, rounding, or a \
                 gradient smaller than the smallest number of the dtype"
            .to_owned(),
    }
        },
        found,
    );
}

/// One finding for each layer with parameters for which `ill` holds, naming them together.
fn by_layer(
    view: &View,
    ill: impl Fn(usize) -> bool,
    wanted: impl Fn(&str) -> bool,
    finding: impl Fn(String, &ParameterRecord) -> Finding,
    found: &mut Vec<Finding>,
) {
    let parameters = &view.newest().parameters;
    let mut position = 0;
    while position < parameters.len() {
        let layer = &parameters[position].layer;
        let count = parameters[position..]
            .iter()
            .take_while(|parameter| parameter.layer == *layer)
            .count();
        let range = position..position + count;
        let names: Vec<String> = range
            .filter(|position| ill(*position))
            .map(|position| format!("`{}`", parameters[position].name))
            .collect();
        if !names.is_empty() && wanted(layer) {
            found.push(finding(names.join(" and "), &parameters[position]));
        }
        position += count;
    }
}
