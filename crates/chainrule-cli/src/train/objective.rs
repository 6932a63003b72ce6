//! `[loss]`: what a network's outputs are compared with, and how.

use super::config::{Problem, Section};
use super::data::Task;
use super::plan::Batch;
use chainrule::data::transforms::Normalise;
use chainrule::nn::losses::{AnyLoss, LossPrediction, LossTarget};
use chainrule::nn::precision::cast_parameters;
use chainrule::nn::{Arguments, Sequential};
use chainrule::prelude::*;

/// In what a network computes. What it learns is always f32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    #[default]
    F32,
    BF16,
    F16,
}

impl Precision {
    pub fn read(run: &mut Section) -> Result<Precision, Problem> {
        let name: String = run.optional("precision", "f32".to_owned())?;
        match name.as_str() {
            "f32" => Ok(Precision::F32),
            "bf16" => Ok(Precision::BF16),
            "f16" => Ok(Precision::F16),
            other => {
                let message =
                    format!("`precision` is \"{other}\"; expected \"f32\", \"bf16\" or \"f16\"");
                Err(run.problem("precision", message))
            }
        }
    }

    fn narrow(self) -> Option<DType> {
        match self {
            Precision::F32 => None,
            Precision::BF16 => Some(DType::BF16),
            Precision::F16 => Some(DType::F16),
        }
    }
}

/// What a run makes small.
#[derive(Clone, Debug)]
pub struct Objective {
    pub task: Task,
    pub loss: AnyLoss,
    pub precision: Precision,
    /// What images are normalised by before the network sees them.
    pub normalise: Option<Normalise>,
}

impl Objective {
    /// The loss of the configuration, or the usual one of the task: cross entropy of classes, the squared error of numbers.
    pub fn read(section: Option<&mut Section>, task: &Task) -> Result<Objective, Problem> {
        let loss = match section {
            Some(section) => named(section, task)?,
            None => {
                let usual = match task {
                    Task::Classes(_) => "cross_entropy",
                    Task::Numbers(_) => "squared_error",
                };
                AnyLoss::named(usual, &mut Arguments::new("loss")).expect("it needs no arguments")
            }
        };
        Ok(Objective {
            task: task.clone(),
            loss,
            precision: Precision::F32,
            normalise: None,
        })
    }

    /// What the network returns for inputs, in f32.
    pub fn outputs(&self, model: &Sequential, x: &Tensor) -> Tensor {
        let normalised = self
            .normalise
            .as_ref()
            .map(|normalise| normalise.normalised(x));
        let x = normalised.as_ref().unwrap_or(x);
        let Some(dtype) = self.precision.narrow() else {
            return model.forward(x);
        };
        let model = cast_parameters(model, dtype);
        let y = match x.dtype().is_floating() {
            true => model.forward(x.cast(dtype)),
            false => model.forward(x),
        };
        y.cast(DType::F32)
    }

    /// Loss, outputs and labels or targets of a batch: a row for each example, or for each place of each sequence.
    pub fn judge(&self, model: &Sequential, (x, labels): &Batch) -> (Tensor, Tensor, Tensor) {
        let y = self.outputs(model, x);
        match &self.task {
            Task::Classes(names) => {
                let rows = y.reshape([-1, names.len() as isize]);
                let labels = labels.reshape([-1]);
                let targets = self.loss.target().of_labels(&labels, names.len());
                (self.loss.of(&rows, &targets), rows, labels)
            }
            Task::Numbers(_) => (self.loss.of(&y, labels), y, labels.clone()),
        }
    }

    /// How much speaks for each class in outputs `[rows, classes]`, and whether these are probabilities.
    pub fn scores(&self, outputs: &Tensor) -> (Tensor, bool) {
        match self.loss.prediction().probabilities(outputs) {
            Some(probabilities) => (probabilities, true),
            None => (outputs.clone(), false),
        }
    }

    /// The numbers that outputs stand for where numbers are predicted.
    pub fn values(&self, outputs: &Tensor) -> Tensor {
        match self.loss.prediction() {
            LossPrediction::LogOdds => outputs.sigmoid(),
            _ => outputs.clone(),
        }
    }
}

fn named(section: &mut Section, task: &Task) -> Result<AnyLoss, Problem> {
    let kind: String = section.required("type")?;
    let loss = AnyLoss::named(&kind, &mut section.arguments);
    let loss = loss.map_err(|error| section.explain(&error))?;
    let labels = [LossTarget::Labels, LossTarget::LabelLists].contains(&loss.target());
    if labels && matches!(task, Task::Numbers(_)) {
        let message = format!(
            "`{kind}` compares with classes and the data has numbers for targets; take a loss of numbers such as \
             \"squared_error\" or \"huber\""
        );
        return Err(section.problem("type", message));
    }
    Ok(loss)
}
