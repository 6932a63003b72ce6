//! `chainrule predict`: what a trained network makes of files.

use super::TrainProblem;
use super::data::{Reading, Task};
use super::options::PredictOptions;
use super::plan::{Plan, outputs};
use super::run::reopened;
use chainrule::data::readers::image::{self, Colour};
use chainrule::data::readers::text::{self, Vocabulary};
use chainrule::prelude::*;
use serde_json::json;
use std::io::Write;
use std::path::Path;

/// How many of the likeliest classes are said.
const LIKELIEST: usize = 3;

pub fn predict(options: &PredictOptions) -> Result<(), TrainProblem> {
    let (mut plan, _) = reopened(&options.run, options.data.clone())?;
    plan.model.eval();
    for file in &options.files {
        let lines =
            attempt(|| file_lines(&plan, file, options)).map_err(TrainProblem::Engine)??;
        let mut out = std::io::stdout().lock();
        for line in lines {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

fn file_lines(
    plan: &Plan,
    file: &Path,
    options: &PredictOptions,
) -> Result<Vec<String>, TrainProblem> {
    match &plan.data.reading {
        Reading::Image(channels) => {
            let colour = if *channels == 1 {
                Colour::Grey
            } else {
                Colour::Rgb
            };
            let pixels = image::read(file, colour)?.unsqueeze(0);
            let (expected, _) = plan.data.input()?;
            if pixels.shape()[1..] != expected[..] {
                return Err(TrainProblem::Request(format!(
                    "{}: an image of shape {}; the network was trained on {expected}",
                    file.display(),
                    pixels.squeeze(0).shape()
                )));
            }
            Ok(answers(plan, &pixels, file, options.json))
        }
        Reading::Rows(csv, scale) => {
            let mut rows = csv.read(file)?.inputs;
            if let Some((mean, deviation)) = scale {
                rows = (rows - mean) / deviation;
            }
            Ok(answers(plan, &rows, file, options.json))
        }
        Reading::Text(vocabulary) => {
            let begun = text::read(file)?;
            let text = continued(plan, vocabulary, &begun, options.characters)?;
            Ok(vec![match options.json {
                true => json!({ "file": file.display().to_string(), "text": text }).to_string(),
                false => text,
            }])
        }
    }
}

/// A line for each example.
fn answers(plan: &Plan, inputs: &Tensor, file: &Path, json: bool) -> Vec<String> {
    let y = untracked(|| outputs(&plan.model, inputs, false));
    let file = file.display().to_string();
    let classes = match &plan.data.task {
        Task::Numbers(_) => {
            return y
                .rows()
                .map(|row| numbers(&file, &row.to_vec(), json))
                .collect();
        }
        Task::Classes(names) => names,
    };
    let likely = |row: Tensor| {
        let shares: Vec<f64> = row.to_vec();
        let mut order: Vec<usize> = (0..shares.len()).collect();
        order.sort_by(|&left, &right| shares[right].total_cmp(&shares[left]));
        let best: Vec<(&str, f64)> = order
            .iter()
            .take(LIKELIEST)
            .map(|&class| (classes[class].as_str(), shares[class]))
            .collect();
        if json {
            let best: Vec<_> = best
                .iter()
                .map(|(class, share)| json!({ "class": class, "probability": share }))
                .collect();
            return json!({ "file": file, "classes": best }).to_string();
        }
        let best: Vec<String> = best
            .iter()
            .map(|(class, share)| format!("{class} {:.1} %", 100.0 * share))
            .collect();
        format!("{file}: {}", best.join(", "))
    };
    untracked(|| y.softmax(1)).rows().map(likely).collect()
}

fn numbers(file: &str, values: &[f64], json: bool) -> String {
    if json {
        return json!({ "file": file, "values": values }).to_string();
    }
    let values: Vec<String> = values.iter().map(|value| format!("{value:.6}")).collect();
    format!("{file}: {}", values.join(" "))
}

/// The text with so many characters drawn behind it, each by what the network says after those before it.
fn continued(
    plan: &Plan,
    vocabulary: &Vocabulary,
    begun: &str,
    count: usize,
) -> Result<String, TrainProblem> {
    let mut numbers = vocabulary.encode(begun.trim_end_matches('\n'))?;
    let window = plan.data.input()?.0[0];
    let mut random = chainrule::data::Random::new(plan.settings.seed);
    for _ in 0..count {
        let seen = numbers[numbers.len().saturating_sub(window)..].to_vec();
        let length = seen.len();
        let y = untracked(|| {
            let y = outputs(&plan.model, &Tensor::from_vec(seen, [1, length]), false);
            y.narrow(1, length - 1, 1).reshape([-1]).softmax(0)
        });
        let mut point = random.unit();
        let shares: Vec<f64> = y.to_vec();
        let drawn = shares.iter().position(|share| {
            point -= share;
            point < 0.0
        });
        numbers.push(drawn.unwrap_or(shares.len() - 1) as i64);
    }
    Ok(vocabulary.decode(&numbers)?)
}
