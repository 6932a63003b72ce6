//! The report of a run: what the trained network makes of the test data.

use super::TrainProblem;
use super::data::{Reading, Task};
use super::plan::{Batch, Plan};
use super::sampling::{Sampling, continued};
use chainrule::data::Loader;
use chainrule::nn::{Sequential, Summary};
use chainrule::prelude::*;
use chainrule_train::metrics::{ConfusionMatrix, ConfusionMetric, Metric};
use chainrule_train::report::Report;
use chainrule_train::trainer::{Outcome, Trainer};
use std::path::Path;

/// A confusion matrix of more classes cannot be read.
const MOST_CLASSES: usize = 50;
/// How many pictures are shown as they come, and how many of those that were told wrongly.
const PICTURES: usize = 16;
/// The length of the text that a network writes.
const CHARACTERS: usize = 600;
const TEMPERATURE: f64 = 0.8;

/// A test image, its class, and what it was taken for.
struct Picture {
    pixels: Tensor,
    truth: usize,
    predicted: usize,
}

/// What a pass over the test data showed.
#[derive(Default)]
struct Seen {
    confusion: Option<ConfusionMatrix>,
    first: Vec<Picture>,
    wrong: Vec<Picture>,
}

/// Writes the report of a run that ended, well or not.
pub fn write(
    path: &Path,
    plan: &Plan,
    trainer: &Trainer<'_, Sequential, Batch>,
    test: &Loader<Batch>,
    summary: &Summary,
    outcome: Option<&Outcome>,
) -> Result<(), TrainProblem> {
    let mut model = trainer.averaged();
    model.eval();
    let mut report = Report::new(plan.title.clone(), trainer.history())
        .configuration(plan.text.clone())
        .summary(summary);
    if let Some(flow) = trainer.flow() {
        report = report.flow(flow);
    }
    if let Some(outcome) = outcome {
        report = report.timing("training", outcome.elapsed);
    }
    let Task::Classes(names) = &plan.data.task else {
        return Ok(report.write(path)?);
    };
    report = report.classes(names.clone());
    let seen = seen(&model, test, plan, names.len())?;
    if let Some(matrix) = &seen.confusion {
        report = report.confusion(matrix);
    }
    for picture in seen.first.iter().chain(&seen.wrong) {
        report = report.picture(&picture.pixels, picture.truth, picture.predicted)?;
    }
    if let Reading::Text(vocabulary) = &plan.data.reading {
        let sampling = Sampling {
            length: CHARACTERS,
            temperature: TEMPERATURE,
            seed: plan.settings.seed,
        };
        let window = plan.window();
        let text = continued(&model, &plan.objective, vocabulary, window, "", sampling)?;
        let title = format!("Written by the network, temperature {TEMPERATURE}");
        report = report.text(title, text);
    }
    Ok(report.write(path)?)
}

fn seen(
    model: &Sequential,
    test: &Loader<Batch>,
    plan: &Plan,
    classes: usize,
) -> Result<Seen, TrainProblem> {
    let mut seen = Seen::default();
    if classes > MOST_CLASSES {
        return Ok(seen);
    }
    let mut metric = ConfusionMetric::new();
    for batch in test.epoch(0) {
        let batch = batch?;
        let (_, outputs, labels) = untracked(|| plan.objective.judge(model, &batch));
        metric.update(&outputs, &labels)?;
        if let Reading::Image(_) = plan.data.reading {
            seen.look_at(&batch.0, &outputs, &labels);
        }
    }
    seen.confusion = metric.confusion().cloned();
    Ok(seen)
}

impl Seen {
    fn look_at(&mut self, images: &Tensor, outputs: &Tensor, labels: &Tensor) {
        let predicted: Vec<i64> = untracked(|| outputs.argmax(1)).to_vec();
        let truth: Vec<i64> = labels.to_vec();
        for (at, (&truth, &predicted)) in truth.iter().zip(&predicted).enumerate() {
            let list = match (self.first.len() < PICTURES, truth == predicted) {
                (true, _) => &mut self.first,
                (false, false) if self.wrong.len() < PICTURES => &mut self.wrong,
                _ => continue,
            };
            list.push(Picture {
                pixels: untracked(|| images.narrow(0, at, 1).squeeze(0)),
                truth: truth as usize,
                predicted: predicted as usize,
            });
        }
    }
}
