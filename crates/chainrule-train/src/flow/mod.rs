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
use std::collections::VecDeque;

/// How many records are kept for the report; when there are more, every second one goes.
const KEPT: usize = 400;

/// Watches the gradients of a run and says what is wrong with them.
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
///     let before = model.clone();
///     sgd.update(&mut model, &gradients)?;
///     if flow.wants(step) {
///         let observation = Observation::of(step, &before, &gradients).updated_to(&model);
///         for finding in flow.observe(observation) {
///             println!("{finding}");
///         }
///     }
/// }
/// assert!(flow.findings().is_empty());
/// # Ok::<(), chainrule_nn::MissingGradients>(())
/// ```
#[derive(Clone, Debug, Default)]
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
        if self.beginning.len() < WINDOW {
            self.beginning.push(gradient_norm(&record));
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

    fn news(&mut self, found: Vec<Finding>) -> Vec<Finding> {
        let mut news = Vec::new();
        for finding in found {
            let same = |other: &&mut Finding| match finding.kind {
                // It spreads over the layers from step to step.
                FindingKind::NotFinite => other.kind == finding.kind,
                _ => other.kind == finding.kind && other.layer == finding.layer,
            };
            match self.findings.iter_mut().find(same) {
                Some(known) if known.severity >= finding.severity => {}
                Some(known) => {
                    *known = finding.clone();
                    news.push(finding);
                }
                None => {
                    self.findings.push(finding.clone());
                    news.push(finding);
                }
            }
        }
        news
    }
}

fn same_parameters(left: &StepRecord, right: &StepRecord) -> bool {
    let names = |record: &StepRecord| -> Vec<std::sync::Arc<str>> {
        let parameters = record.parameters.iter();
        parameters.map(|parameter| parameter.name.clone()).collect()
    };
    names(left) == names(right)
}
