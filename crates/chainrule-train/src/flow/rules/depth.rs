//! Gradients that shrink or grow on their way back through the layers, and those far larger than their weights.

use super::{FEW, View, median, named, readable};
use crate::flow::finding::{Finding, FindingKind, Severity};
use crate::flow::record::ParameterRecord;
use std::collections::HashSet;

/// Layers from which on depth is a trend.
const LEAST_LAYERS: usize = 3;

/// How straight the line of the logarithms over the layers has to be: the order of the fields need not be that of depth.
const LEAST_CORRELATION: f64 = 0.7;

/// One layer's weight with the middle of its gradient norms over the window.
struct Layer<'a> {
    weight: &'a ParameterRecord,
    norm: f64,
}

pub(super) fn look(view: &View, found: &mut Vec<Finding>) {
    by_depth(view, found);
    against_weights(view, found);
}

/// The largest weight of every layer that has a gradient, in order. Biases are left out: the last one always has a
/// gradient of the size of the loss.
fn layers<'a>(view: &'a View) -> Vec<Layer<'a>> {
    let mut largest: Vec<(usize, &ParameterRecord)> = Vec::new();
    let mut places: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
    for (position, parameter) in view.newest().parameters.iter().enumerate() {
        if !parameter.is_weight() || parameter.absent {
            continue;
        }
        let place = *places.entry(&parameter.layer).or_insert_with(|| {
            largest.push((position, parameter));
            largest.len() - 1
        });
        if parameter.elements > largest[place].1.elements {
            largest[place] = (position, parameter);
        }
    }
    let norm =
        |record: &ParameterRecord| (record.gradient_norm > 0.0).then_some(record.gradient_norm);
    largest
        .into_iter()
        .filter_map(|(position, weight)| {
            let norm = view.median(position, FEW, norm)?;
            Some(Layer { weight, norm })
        })
        .collect()
}

fn by_depth(view: &View, found: &mut Vec<Finding>) {
    let layers = layers(view);
    if layers.len() < LEAST_LAYERS {
        return;
    }
    let logarithms: Vec<f64> = layers.iter().map(|layer| layer.norm.ln()).collect();
    let (slope, correlation) = line(&logarithms);
    if correlation.abs() < LEAST_CORRELATION {
        return;
    }
    let (first, last) = (&layers[0], &layers[layers.len() - 1]);
    // The fitted ends rather than the ends, so that one layer that is different does not decide.
    let ratio = (-slope * (layers.len() - 1) as f64).exp();
    let limits = view.thresholds;
    let (kind, limit, advice) = if ratio < limits.vanishing && first.norm < last.norm {
        let advice = "use ReLU or GELU instead of sigmoid and tanh, residual connections, normalisation layers, or an \
                      initialisation that keeps the variance (Xavier, Kaiming)";
        (FindingKind::Vanishing, limits.vanishing, advice)
    } else if ratio > limits.exploding && first.norm > last.norm {
        let advice = "clip the gradient's norm, use smaller initial weights (Xavier, Kaiming), normalisation layers or \
                      residual connections";
        (FindingKind::Exploding, limits.exploding, advice)
    } else {
        return;
    };
    // Twice as far, in orders of magnitude.
    let severity = if ratio.ln().abs() > 2.0 * limit.ln().abs() {
        Severity::Serious
    } else {
        Severity::Warning
    };
    let verb = if slope > 0.0 { "shrinks" } else { "grows" };
    found.push(Finding {
        kind,
        severity,
        layer: first.weight.layer.clone(),
        source: first.weight.source.clone(),
        step: view.newest().step,
        message: format!(
            "on its way back through {} layers the gradient {verb} by a factor of {} a layer: its norm is {} in {} and {} \
             in {}",
            layers.len(),
            readable(slope.abs().exp()),
            readable(last.norm),
            named(&last.weight.layer, &last.weight.source),
            readable(first.norm),
            named(&first.weight.layer, &first.weight.source),
        ),
        advice: advice.to_owned(),
    });
}

/// Slope and correlation of the straight line through values at 0, 1, 2, ..
fn line(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let (middle, mean) = ((count - 1.0) / 2.0, values.iter().sum::<f64>() / count);
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for (position, value) in values.iter().enumerate() {
        let (x, y) = (position as f64 - middle, value - mean);
        xx += x * x;
        xy += x * y;
        yy += y * y;
    }
    (xy / xx, if yy > 0.0 { xy / (xx * yy).sqrt() } else { 0.0 })
}

/// Weights whose gradient is far larger than they are; of several the worst, because they share their cause.
fn against_weights(view: &View, found: &mut Vec<Finding>) {
    let limit = view.thresholds.gradient_to_weight;
    let parameters = &view.newest().parameters;
    let ratio = |parameter: &ParameterRecord| {
        (parameter.is_weight() && parameter.weight_norm > 0.0)
            .then(|| parameter.gradient_norm / parameter.weight_norm)
    };
    let mut worst: Option<(usize, f64)> = None;
    let mut ill: HashSet<&str> = HashSet::new();
    for (position, parameter) in parameters.iter().enumerate() {
        // A thousand times the limit is clear at once: the next step may already be NaN.
        let now = ratio(parameter).filter(|ratio| *ratio > 1e3 * limit);
        let over_window = || {
            view.median(position, FEW, ratio)
                .filter(|ratio| *ratio > limit)
        };
        if let Some(ratio) = now.or_else(over_window) {
            ill.insert(&parameter.layer);
            if worst.is_none_or(|(_, largest)| ratio > largest) {
                worst = Some((position, ratio));
            }
        }
    }
    let Some((position, ratio)) = worst else {
        return;
    };
    let weight = &parameters[position];
    let others = match ill.len() - 1 {
        0 => String::new(),
        1 => "; one other layer is like it".to_owned(),
        more => format!("; {more} other layers are like it"),
    };
    let norms = view
        .window
        .iter()
        .map(|step| step.parameters[position].gradient_norm);
    found.push(Finding {
        kind: FindingKind::Exploding,
        severity: if ratio > 1e3 * limit { Severity::Serious } else { Severity::Warning },
        layer: weight.layer.clone(),
        source: weight.source.clone(),
        step: view.newest().step,
        message: format!(
            "the gradient of `{}` in {} is {} times as large as the weight (norm {} against {}){others}",
            weight.name,
            named(&weight.layer, &weight.source),
            readable(ratio),
            readable(median(norms.collect())),
            readable(weight.weight_norm),
        ),
        advice: "clip the gradient's norm; in a layer that is used many times, as in recurrent networks, start with an orthogonal \
                 weight or use an LSTM or GRU; take the mean of the loss over the batch, not the sum"
            .to_owned(),
    });
}
