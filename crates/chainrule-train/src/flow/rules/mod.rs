//! The rules that turn what was seen into findings. Each looks at the same [`View`] and is silent when in doubt.

mod activations;
mod depth;
mod first_step;
mod gradients;
mod growth;
mod updates;

pub(super) use growth::gradient_norm;

use super::finding::Finding;
use super::record::{ActivationRecord, ParameterRecord, StepRecord};
use super::thresholds::Thresholds;
use std::collections::VecDeque;

/// How many observed steps a rule looks back.
pub(super) const WINDOW: usize = 10;

/// Observed steps before a trend counts as one.
const FEW: usize = 3;

/// What the rules look at.
pub(super) struct View<'a> {
    /// The first observed step.
    pub(super) first: &'a StepRecord,
    /// The last observed steps, the newest last, at most [`WINDOW`] and at least one.
    pub(super) window: &'a VecDeque<StepRecord>,
    /// The norm of the whole gradient in each of the first observed steps.
    pub(super) beginning: &'a [f64],
    pub(super) thresholds: &'a Thresholds,
}

/// All findings of the newest step. Where something is not finite, nothing else is worth saying.
pub(super) fn findings(view: &View) -> Vec<Finding> {
    let mut found = Vec::new();
    gradients::not_finite(view, &mut found);
    if !found.is_empty() {
        return found;
    }
    if view.window.len() == 1 && view.first.step == view.newest().step {
        first_step::look(view, &mut found);
    }
    gradients::absent(view, &mut found);
    gradients::zero(view, &mut found);
    depth::look(view, &mut found);
    growth::look(view, &mut found);
    activations::dead(view, &mut found);
    activations::saturated(view, &mut found);
    updates::look(view, &mut found);
    found
}

impl View<'_> {
    fn newest(&self) -> &StepRecord {
        &self.window[self.window.len() - 1]
    }

    /// The middle over the window of what `value` gives for the parameter at `position`; none when it gives nothing for
    /// any of them or the window is shorter than `least`.
    fn median(
        &self,
        position: usize,
        least: usize,
        value: impl Fn(&ParameterRecord) -> Option<f64>,
    ) -> Option<f64> {
        let steps = self.window.iter();
        let values: Vec<f64> = steps
            .filter_map(|step| value(&step.parameters[position]))
            .collect();
        (values.len() >= least).then(|| median(values))
    }

    /// Whether the parameter at `position` was like that in every step of a window of at least `least` steps.
    fn always(
        &self,
        position: usize,
        least: usize,
        like: impl Fn(&ParameterRecord) -> bool,
    ) -> bool {
        self.window.len() >= least
            && self
                .window
                .iter()
                .all(|step| like(&step.parameters[position]))
    }

    /// The records of an activation over the window, the newest last; none when there are fewer than `least`.
    fn activation(&self, layer: &str, least: usize) -> Option<Vec<&ActivationRecord>> {
        let of_step = |step: &'_ StepRecord| {
            let mut activations = step.activations.iter();
            activations.position(|activation| &*activation.layer == layer)
        };
        let records: Vec<&ActivationRecord> = self
            .window
            .iter()
            .filter_map(|step| Some(&step.activations[of_step(step)?]))
            .collect();
        (records.len() >= least).then_some(records)
    }
}

/// The middle value; of an even number of values the upper of the two.
fn median(mut values: Vec<f64>) -> f64 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// A layer as a message names it: `layers.3` (src/main.rs:41:9).
fn named(layer: &str, source: &str) -> String {
    if source.is_empty() {
        format!("`{layer}`")
    } else {
        format!("`{layer}` ({source})")
    }
}

/// A number as people read it: 0.012, 3.1e-8, 4.7e5.
pub(crate) fn readable(number: f64) -> String {
    match number.abs() {
        0.0 => "0".to_owned(),
        1e-3..1e4 => {
            let digits = (2 - number.abs().log10().floor() as i32).max(0) as usize;
            let text = format!("{number:.digits$}");
            if text.contains('.') {
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            } else {
                text
            }
        }
        _ => format!("{number:.1e}"),
    }
}

/// A share as people read it: 62 %, 0.4 %, 99.9 %.
fn percent(share: f64) -> String {
    format!("{} %", readable((share * 1000.0).round() / 10.0))
}
