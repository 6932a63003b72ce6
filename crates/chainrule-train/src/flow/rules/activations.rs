//! Units that never answer, and activations that sit where they are flat.

use super::{FEW, View, named, percent};
use crate::flow::finding::{Finding, FindingKind, Severity};
use crate::flow::record::{ActivationKind, ActivationRecord};

/// Steps before a unit that is never active counts as dead, where only its bias's gradient tells.
const BIAS_STEPS: usize = 5;

/// From this share of dead units a layer passes hardly anything on.
const NEARLY_ALL: f64 = 0.9;

/// ReLU units that were zero for every example of every batch in the window (Lu et al. 2019, "Dying ReLU").
pub(super) fn dead(view: &View, found: &mut Vec<Finding>) {
    let step = view.newest();
    let is_relu = |activation: &&ActivationRecord| activation.kind == ActivationKind::Relu;
    let mut relus = step.activations.iter().filter(is_relu).peekable();
    if relus.peek().is_none() {
        return dead_by_bias(view, found);
    }
    for activation in relus {
        let Some(records) = view.activation(&activation.layer, FEW) else {
            continue;
        };
        let units = activation.silent.len();
        let dead = |unit: &usize| {
            records
                .iter()
                .all(|record| record.silent.get(*unit) == Some(&true))
        };
        let count = (0..units).filter(dead).count();
        let share = count as f64 / units.max(1) as f64;
        if share >= view.thresholds.dead_share {
            let message = format!(
                "{count} of the {units} units ({}) of {} were zero for every example of the last {} observed steps",
                percent(share),
                named(&activation.layer, &activation.source),
                records.len()
            );
            found.push(dead_units(
                view,
                &activation.layer,
                &activation.source,
                share,
                message,
            ));
        }
    }
}

/// Where no ReLU is seen itself, zeros in the gradient of a bias tell: such a unit was active for no example.
fn dead_by_bias(view: &View, found: &mut Vec<Finding>) {
    let limit = view.thresholds.dead_share;
    for (position, bias) in view.newest().parameters.iter().enumerate() {
        let many_zeros = view.always(position, BIAS_STEPS, |record| record.zero_share >= limit);
        // A whole gradient of zeros is said by the rule of zero gradients.
        if bias.rank != 1
            || bias.elements < 2
            || bias.absent
            || !many_zeros
            || bias.gradient_norm == 0.0
        {
            continue;
        }
        let least = view
            .window
            .iter()
            .map(|step| step.parameters[position].zero_share);
        let share = least.fold(1.0, f64::min);
        let message = format!(
            "{} or more of the gradient of `{}` in {} were exactly zero in each of the last {} observed steps: those units \
             are active for no example",
            percent(share),
            bias.name,
            named(&bias.layer, &bias.source),
            view.window.len()
        );
        found.push(dead_units(view, &bias.layer, &bias.source, share, message));
    }
}

fn dead_units(
    view: &View,
    layer: &std::sync::Arc<str>,
    source: &std::sync::Arc<str>,
    share: f64,
    message: String,
) -> Finding {
    Finding {
        kind: FindingKind::DeadUnits,
        severity: if share >= NEARLY_ALL { Severity::Serious } else { Severity::Warning },
        layer: layer.clone(),
        source: source.clone(),
        step: view.newest().step,
        message,
        advice: "lower the learning rate, normalise the inputs, start with Kaiming weights and biases of zero, or use leaky \
                 ReLU or GELU: a dead unit gets no gradient that could revive it"
            .to_owned(),
    }
}

/// Sigmoids and tanhs in their flat parts, where little gradient passes (Glorot, Bengio 2010). The network's last
/// activation is left out: a classifier that is sure saturates it rightly.
pub(super) fn saturated(view: &View, found: &mut Vec<Finding>) {
    let step = view.newest();
    let hidden = step.activations.len().saturating_sub(1);
    for activation in &step.activations[..hidden] {
        let Some(records) = view.activation(&activation.layer, FEW) else {
            continue;
        };
        let shares = records.iter().map(|record| record.saturated_share);
        let share = shares.fold(1.0, f64::min);
        if share < view.thresholds.saturated_share {
            continue;
        }
        let (name, range) = match activation.kind {
            ActivationKind::Tanh => ("tanh", "beyond ±0.9"),
            _ => ("sigmoid", "below 0.05 or above 0.95"),
        };
        found.push(Finding {
            kind: FindingKind::Saturated,
            severity: if share >= 0.95 { Severity::Serious } else { Severity::Warning },
            layer: activation.layer.clone(),
            source: activation.source.clone(),
            step: step.step,
            message: format!(
                "{} of the outputs of the {name} {} are {range}, where it is flat",
                percent(share),
                named(&activation.layer, &activation.source)
            ),
            advice: "use smaller initial weights (Xavier) or a normalisation layer before it, a lower learning rate, or ReLU".to_owned(),
        });
    }
}
