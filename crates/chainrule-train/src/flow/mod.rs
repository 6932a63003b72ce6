//! Gradient flow: whether gradients reach every layer, and in a size that lets it learn.
//!
//! [`GradientFlow`] watches a run. An [`Observation`] collects the numbers of one step with a few fused reductions, a
//! [`StepRecord`] holds them, rules with documented [`Thresholds`] turn them into [`Finding`]s.

mod finding;
mod observe;
mod record;
mod rules;
mod thresholds;

pub use finding::{Finding, FindingKind, Severity};
pub use observe::Observation;
pub use record::{ActivationKind, ActivationRecord, ParameterRecord, StepRecord};
pub use thresholds::Thresholds;

pub(crate) use rules::readable;

use rules::{View, WINDOW, findings, gradient_norm};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;

/// How many records are kept for the report; when there are more, every second one goes.
const KEPT: usize = 400;

/// Watches the gradients of a run and says what is wrong with them.
///
/// It can be written and read with serde, so that a resumed run goes on with what was seen and says nothing twice.
///
/// ```
/// use chainrule_core::{Tensor, tensor, value_and_grad};
/// use chainrule_nn::{Layer, Linear, Sgd};
/// use chainrule_train::flow::{GradientFlow, Observation};
/// let mut model = vec![Linear::new(2, 8), Linear::new(8, 1)];
/// let (x, y) = (tensor![[0.0, 1.0], [1.0, 1.0]], tensor![[1.0], [0.0]]);
/// let mut sgd = Sgd::new(0.1);
/// let mut flow = GradientFlow::new();
/// for step in 0..20 {
///     let loss = |model: &Vec<Linear>| (model[1].forward(model[0].forward(&x).relu()) - &y).square().mean(..);
///     let (_, gradients) = value_and_grad(loss)(&model);
///     let observation = flow.wants(step).then(|| Observation::of(step, &model, &gradients));
///     sgd.update(&mut model, &gradients)?;
///     if let Some(observation) = observation {
///         for finding in flow.observe(observation.updated_to(&model)) {
///             println!("{finding}");
///         }
///     }
/// }
/// assert!(flow.findings().is_empty());
/// # Ok::<(), chainrule_nn::MissingGradients>(())
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct GradientFlow {
    thresholds: Thresholds,
    every: u64,
    window: VecDeque<StepRecord>,
    first: Option<StepRecord>,
    beginning: Vec<f64>,
    kept: Vec<StepRecord>,
    /// Every how many-th record is kept.
    stride: usize,
    seen: usize,
    findings: Vec<Finding>,
    /// How bad what was said already was, by kind and layer.
    said: Vec<(FindingKind, Arc<str>, Severity)>,
}

impl GradientFlow {
    /// Watches every step, with the usual thresholds.
    pub fn new() -> GradientFlow {
        GradientFlow {
            every: 1,
            stride: 1,
            ..GradientFlow::default()
        }
    }

    /// Asks for every `steps`-th step only.
    pub fn every(mut self, steps: u64) -> GradientFlow {
        self.every = steps.max(1);
        self
    }

    /// Uses other thresholds.
    pub fn thresholds(mut self, thresholds: Thresholds) -> GradientFlow {
        self.thresholds = thresholds;
        self
    }

    /// Whether this step should be observed.
    pub fn wants(&self, step: u64) -> bool {
        step.is_multiple_of(self.every.max(1))
    }

    /// Computes what was collected, all of it in one evaluation, and returns what is newly found.
    pub fn observe(&mut self, observation: Observation) -> Vec<Finding> {
        self.add(observation.into_record())
    }

    /// Takes in the numbers of a step and returns what is newly found. The same thing in the same layer is said once, and
    /// again when it has become serious.
    pub fn add(&mut self, mut record: StepRecord) -> Vec<Finding> {
        self.keep_sources(&mut record);
        self.keep(&record);
        let first = self.first.get_or_insert_with(|| record.clone());
        if !same_parameters(first, &record) {
            // Another model, or layers frozen and unfrozen: trends begin anew.
            *first = record.clone();
            self.window.clear();
            self.beginning.clear();
        }
        let norm = gradient_norm(&record);
        if self.beginning.len() < WINDOW && norm.is_finite() {
            self.beginning.push(norm);
        }
        self.window.push_back(record);
        if self.window.len() > WINDOW {
            self.window.pop_front();
        }
        let view = View {
            first,
            window: &self.window,
            beginning: &self.beginning,
            thresholds: &self.thresholds,
        };
        let found = findings(&view);
        self.news(found)
    }

    /// Everything found so far, the serious first, then in order of the steps.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = self.findings.clone();
        findings.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.step));
        findings
    }

    /// How many steps were observed.
    pub fn observed(&self) -> usize {
        self.seen
    }

    /// What was seen, thinned to at most 400 steps evenly over the run: the series that a report draws.
    pub fn records(&self) -> &[StepRecord] {
        &self.kept
    }

    /// A gradient that is not there has no line, and one behind an update has the optimiser's; the first line stays.
    fn keep_sources(&self, record: &mut StepRecord) {
        let Some(first) = &self.first else {
            return;
        };
        for (parameter, known) in record.parameters.iter_mut().zip(&first.parameters) {
            if parameter.name == known.name && !known.source.is_empty() {
                parameter.source = known.source.clone();
            }
        }
    }

    fn keep(&mut self, record: &StepRecord) {
        if self.seen.is_multiple_of(self.stride.max(1)) {
            let mut record = record.clone();
            for activation in &mut record.activations {
                activation.silent = Vec::new();
            }
            self.kept.push(record);
        }
        self.seen += 1;
        if self.kept.len() > KEPT {
            let mut position = 0;
            self.kept.retain(|_| {
                position += 1;
                position % 2 == 1
            });
            self.stride = self.stride.max(1) * 2;
        }
    }

    /// What was not said before. The same thing in many layers at once is one finding.
    fn news(&mut self, found: Vec<Finding>) -> Vec<Finding> {
        let mut news: Vec<Vec<Finding>> = Vec::new();
        for finding in found {
            // NaN spreads over the layers from step to step.
            let layer = match finding.kind {
                FindingKind::NotFinite => "".into(),
                _ => finding.layer.clone(),
            };
            let same = |(kind, known, _): &&mut (FindingKind, Arc<str>, Severity)| {
                *kind == finding.kind && *known == layer
            };
            match self.said.iter_mut().find(same) {
                Some((.., known)) if *known >= finding.severity => continue,
                Some((.., known)) => *known = finding.severity,
                None => self.said.push((finding.kind, layer, finding.severity)),
            }
            match news.iter_mut().find(|like| like[0].kind == finding.kind) {
                Some(like) => like.push(finding),
                None => news.push(vec![finding]),
            }
        }
        let news: Vec<Finding> = news.into_iter().flat_map(together).collect();
        for finding in &news {
            let same = |other: &Finding| other.kind == finding.kind && other.layer == finding.layer;
            self.findings.retain(|other| !same(other));
            self.findings.push(finding.clone());
        }
        news
    }
}

/// More findings of one kind than this, in one step, are said in one.
const APART: usize = 3;

/// Findings of one kind and step: as they are if they are few, else the first of the worst, naming the others.
fn together(like: Vec<Finding>) -> Vec<Finding> {
    if like.len() <= APART {
        return like;
    }
    let worst = like.iter().map(|finding| finding.severity).max();
    let position = like
        .iter()
        .position(|finding| Some(finding.severity) == worst)
        .unwrap_or(0);
    let mut first = like[position].clone();
    let others = like.iter().filter(|finding| finding.layer != first.layer);
    let names: Vec<String> = others
        .map(|finding| format!("`{}`", finding.layer))
        .collect();
    let shown = names.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
    let more = if names.len() > 5 { ", .." } else { "" };
    first.message.push_str(&format!(
        "; {} other layers are like it: {shown}{more}",
        names.len()
    ));
    vec![first]
}

fn same_parameters(left: &StepRecord, right: &StepRecord) -> bool {
    let names = |record: &StepRecord| -> Vec<Arc<str>> {
        let parameters = record.parameters.iter();
        parameters.map(|parameter| parameter.name.clone()).collect()
    };
    names(left) == names(right)
}
