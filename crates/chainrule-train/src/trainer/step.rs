//! One update: loss, gradient, clipping, the optimiser's step.

use super::{Judged, TrainError, Trainer};
use crate::flow::{Finding, Observation};
use chainrule_core::tree::leaves;
use chainrule_core::{Tensor, Tree, evaluate, value_and_grad_aux};
use chainrule_nn::{Accumulation, Module, Update, named, observe};
use std::cell::RefCell;

/// Gradients that overflow at this scale overflow at any.
const LEAST_SCALE: f64 = 1.0 / 1024.0;
const OVERFLOW: &str = "gradients are not finite in f16, however small the loss is scaled\n    help: lower the learning rate, \
                        or compute in bf16 or f32";

/// What a step showed.
pub(super) struct Step {
    /// The mean over the batches of the step.
    pub(super) loss: f64,
    /// How many examples it was made of.
    pub(super) examples: usize,
    pub(super) findings: Vec<Finding>,
}

/// What one batch of a step gave besides its gradients.
struct Part {
    loss: Tensor,
    measured: Option<(Tensor, Tensor)>,
    activations: Vec<chainrule_nn::Observation>,
    examples: usize,
}

impl Part {
    fn wanted(&self) -> impl Iterator<Item = &Tensor> {
        let measured = self.measured.iter();
        let measured = measured.flat_map(|(outputs, labels)| [outputs, labels]);
        std::iter::once(&self.loss).chain(measured)
    }
}

impl<M: Module, B: Tree> Trainer<'_, M, B> {
    /// Makes one update from the mean gradient of `batches`.
    ///
    /// Loss, outputs and new parameters are computed in one evaluation: nothing of the step is held after it.
    /// With `kept`, the gradients are kept for the event file.
    pub(super) fn update(&mut self, batches: &[B], kept: bool) -> Result<Step, TrainError> {
        let watched = self
            .flow
            .as_ref()
            .is_some_and(|flow| flow.wants(self.state.step));
        let (parts, mut gradients) = self.parts(batches, watched);
        if self.optimiser.as_lbfgs().is_some() {
            return self.search(batches, &parts);
        }
        let mut finite = true;
        if let Some(scaler) = &mut self.scaler {
            match scaler.unscale(&gradients) {
                Some(unscaled) => gradients = unscaled,
                None => finite = false,
            }
            if scaler.scale() < LEAST_SCALE {
                return Err(TrainError::Settings(OVERFLOW.to_owned()));
            }
        }
        if !finite {
            evaluate(&parts.iter().flat_map(Part::wanted).collect::<Vec<_>>());
            return self.measure(&parts, Vec::new());
        }
        if let Some(clip) = self.clip {
            clip.apply(&mut gradients);
        }
        self.set_learning_rate();
        let observation = watched.then(|| {
            let activations = &parts[0].activations;
            Observation::of(self.state.step, &self.model, &gradients).watched(activations)
        });
        self.optimiser.update(&mut self.model, &gradients)?;
        let findings = match (observation, &mut self.flow) {
            (Some(seen), Some(flow)) => flow.observe(seen.updated_to(&self.model)),
            _ => Vec::new(),
        };
        let wanted = parts.iter().flat_map(Part::wanted);
        let mut wanted: Vec<&Tensor> = wanted.chain(leaves(&self.model)).collect();
        self.gradients = kept.then_some(gradients);
        wanted.extend(self.gradients.iter().flat_map(leaves));
        evaluate(&wanted);
        if let Some(average) = &mut self.average {
            average.update(&self.model, self.state.step + 1);
        }
        self.measure(&parts, findings)
    }

    /// One step of an optimiser that evaluates the loss itself.
    fn search(&mut self, batches: &[B], parts: &[Part]) -> Result<Step, TrainError> {
        evaluate(&parts.iter().flat_map(Part::wanted).collect::<Vec<_>>());
        self.set_learning_rate();
        let (loss, penalty) = (&self.loss, &self.penalty);
        let objective = |model: &M| {
            let losses = batches.iter().map(|batch| loss(model, batch).loss);
            let sum = losses.reduce(|sum, loss| sum + loss);
            let mean = sum.expect("a step has a batch") / batches.len() as f64;
            match penalty {
                Some(penalty) => mean + penalty(model),
                None => mean,
            }
        };
        let lbfgs = self.optimiser.as_lbfgs().expect("asked before");
        lbfgs.step(&mut self.model, objective);
        if let Some(average) = &mut self.average {
            average.update(&self.model, self.state.step + 1);
        }
        self.measure(parts, Vec::new())
    }

    /// What every batch gave, and the mean of their gradients.
    fn parts(&self, batches: &[B], watched: bool) -> (Vec<Part>, M) {
        if let [batch] = batches {
            let (part, gradients) = self.part(batch, watched);
            return (vec![part], gradients);
        }
        let mut accumulation = Accumulation::new();
        let mut parts = Vec::with_capacity(batches.len());
        for batch in batches {
            let (part, gradients) = self.part(batch, watched);
            // What a batch needed is free for the next one.
            evaluate(&part.wanted().chain(leaves(&gradients)).collect::<Vec<_>>());
            accumulation.add(&gradients);
            parts.push(part);
        }
        let mean = accumulation.take_mean();
        (parts, mean.expect("a step has a batch"))
    }

    fn part(&self, batch: &B, watched: bool) -> (Part, M) {
        let activations = RefCell::new(Vec::new());
        let judge = |model: &M| named(model, || (self.loss)(model, batch));
        let (_, gradients, (loss, measured)) = value_and_grad_aux(|model: &M| {
            let judged: Judged = match watched {
                true => {
                    let (judged, seen) = observe(|| judge(model));
                    *activations.borrow_mut() = seen;
                    judged
                }
                false => judge(model),
            };
            let objective = match &self.penalty {
                Some(penalty) => &judged.loss + penalty(model),
                None => judged.loss.clone(),
            };
            let objective = match &self.scaler {
                Some(scaler) => objective * scaler.scale(),
                None => objective,
            };
            (objective, (judged.loss, judged.measured))
        })(&self.model);
        let part = Part {
            loss,
            measured: measured.filter(|_| self.measure_training && !self.metrics.is_empty()),
            activations: activations.into_inner(),
            examples: examples_of(batch),
        };
        (part, gradients)
    }

    fn set_learning_rate(&mut self) {
        if let Some(rate) = &self.rate {
            let (step, epoch) = (self.state.step, self.state.epoch);
            rate.apply(step, epoch, self.base_rate, &mut *self.optimiser);
        }
    }

    /// Reads what was computed.
    fn measure(&mut self, parts: &[Part], findings: Vec<Finding>) -> Result<Step, TrainError> {
        let (mut loss, mut examples) = (0.0, 0);
        for part in parts {
            let value = part.loss.item::<f64>();
            loss += value / parts.len() as f64;
            examples += part.examples;
            self.state.means.add("loss", value, part.examples);
            let Some((outputs, labels)) = &part.measured else {
                continue;
            };
            for metric in &mut self.metrics {
                metric.reset();
                metric.update(outputs, labels)?;
                let (name, value) = (metric.name(), metric.value());
                self.state.means.add(&name, value, part.examples);
            }
        }
        Ok(Step {
            loss,
            examples,
            findings,
        })
    }
}

/// The extent of the first axis of the batch's first tensor.
pub(super) fn examples_of<B: Tree>(batch: &B) -> usize {
    let first = leaves(batch).into_iter().next();
    first
        .and_then(|tensor| tensor.shape().first().copied())
        .unwrap_or(1)
}
