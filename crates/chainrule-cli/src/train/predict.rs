//! `chainrule predict`: what a trained network makes of files.

use super::TrainProblem;
use super::data::{Reading, Task, arrays};
use super::options::PredictOptions;
use super::plan::Plan;
use super::run::reopened;
use super::sampling::{Sampling, continued};
use chainrule::data::readers::image::{self, Colour};
use chainrule::data::readers::{idx, text};
use chainrule::prelude::*;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

/// How many of the likeliest classes are said.
const LIKELIEST: usize = 3;

pub fn predict(options: &PredictOptions) -> Result<(), TrainProblem> {
    if !(options.temperature >= 0.0 && options.temperature.is_finite()) {
        return Err(TrainProblem::Request(format!(
            "--temperature is {}; expected a number that is not negative",
            options.temperature
        )));
    }
    let (mut plan, _) = reopened(&options.run, options.data.clone())?;
    plan.model.eval();
    let mut out = std::io::stdout().lock();
    if let Some(prompt) = &options.prompt {
        let text = attempt(|| goes_on(&plan, "--prompt", prompt, options));
        writeln!(out, "{}", text.map_err(TrainProblem::Engine)??)?;
    }
    for file in &options.files {
        let lines = attempt(|| file_lines(&plan, file, options)).map_err(TrainProblem::Engine)?;
        for line in lines? {
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
    let inputs = match &plan.data.reading {
        Reading::Image(channels) => images(plan, file, *channels)?,
        Reading::Rows(rows) => fitting(plan, rows.read(file)?, file)?,
        Reading::Arrays => fitting(plan, arrays::to_predict(file)?, file)?,
        Reading::Text(_) => {
            let begun = text::read(file)?;
            let name = file.display().to_string();
            let begun = begun.trim_end_matches('\n');
            return Ok(vec![goes_on(plan, &name, begun, options)?]);
        }
    };
    Ok(answers(plan, &inputs, file, options.json))
}

/// The images of a file, `[images, channels, height, width]` from 0 to 1: a PNG or JPEG, or an IDX file of many.
fn images(plan: &Plan, file: &Path, channels: usize) -> Result<Tensor, TrainProblem> {
    let pixels = if is_picture(file) {
        let colour = match channels {
            1 => Colour::Grey,
            _ => Colour::Rgb,
        };
        image::read(file, colour)?.unsqueeze(0)
    } else {
        let bytes = idx::read(file)?;
        let bytes = match bytes.rank() {
            2 => bytes.unsqueeze(0).unsqueeze(0),
            3 => bytes.unsqueeze(1),
            _ => bytes,
        };
        bytes.cast(DType::F32) / 255.0
    };
    fitting(plan, pixels, file)
}

/// Inputs that have the shape of those that the network was trained on.
fn fitting(plan: &Plan, inputs: Tensor, file: &Path) -> Result<Tensor, TrainProblem> {
    let expected = plan.input();
    if inputs.shape().iter().skip(1).ne(expected.iter()) {
        let shape: Vec<usize> = inputs.shape().iter().skip(1).copied().collect();
        let what = match plan.data.reading {
            Reading::Image(_) => "an image",
            _ => "an example",
        };
        return Err(TrainProblem::Request(format!(
            "{}: {what} of shape {shape:?}; the network was trained on {expected}",
            file.display(),
        )));
    }
    Ok(inputs)
}

/// IDX files begin with two zeros, or are packed by gzip; anything else should be a picture.
fn is_picture(file: &Path) -> bool {
    let mut magic = [0; 2];
    let read = File::open(file).and_then(|mut file| file.read_exact(&mut magic));
    read.is_err() || (magic != [0, 0] && magic != [0x1f, 0x8b])
}

/// The text `begun` with what the network writes behind it.
fn goes_on(
    plan: &Plan,
    name: &str,
    begun: &str,
    options: &PredictOptions,
) -> Result<String, TrainProblem> {
    let Reading::Text(vocabulary) = &plan.data.reading else {
        return Err(TrainProblem::Request(format!(
            "{name}: the network was not trained on a text; name files that are like its data"
        )));
    };
    let sampling = Sampling {
        length: options.length,
        temperature: options.temperature,
        seed: options.seed.unwrap_or(plan.settings.seed),
    };
    let text = continued(
        &plan.model,
        &plan.objective,
        vocabulary,
        plan.window(),
        begun,
        sampling,
    )?;
    Ok(match options.json {
        true => json!({ "file": name, "text": text }).to_string(),
        false => text,
    })
}

/// A line for each example.
fn answers(plan: &Plan, inputs: &Tensor, file: &Path, json: bool) -> Vec<String> {
    let outputs = untracked(|| plan.objective.outputs(&plan.model, inputs));
    let file = file.display().to_string();
    let several = inputs.shape()[0] > 1;
    let line = |row: usize, (words, mut object): (String, Value)| {
        if json {
            object["file"] = json!(file);
            object["row"] = json!(row);
            return object.to_string();
        }
        match several {
            true => format!("{file}, row {row}: {words}"),
            false => format!("{file}: {words}"),
        }
    };
    let answer = |values: Vec<f64>, probable: bool| match &plan.data.task {
        Task::Classes(names) => likeliest(names, &values, probable),
        Task::Numbers(_) => numbers(&values),
    };
    let (values, probable) = untracked(|| match &plan.data.task {
        Task::Classes(_) => plan.objective.scores(&outputs),
        Task::Numbers(_) => (plan.objective.values(&outputs), false),
    });
    let rows = values.rows().enumerate();
    rows.map(|(row, values)| line(row, answer(values.to_vec(), probable)))
        .collect()
}

/// The classes for which most speaks.
fn likeliest(names: &[String], scores: &[f64], probable: bool) -> (String, Value) {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&left, &right| scores[right].total_cmp(&scores[left]));
    order.truncate(LIKELIEST);
    let words = order.iter().map(|&class| match probable {
        true => format!("{} {:.1} %", names[class], 100.0 * scores[class]),
        false => format!("{} {:.4}", names[class], scores[class]),
    });
    let measure = if probable { "probability" } else { "score" };
    let classes = order
        .iter()
        .map(|&class| json!({ "class": names[class], measure: scores[class] }));
    (
        words.collect::<Vec<_>>().join(", "),
        json!({ "classes": classes.collect::<Vec<_>>() }),
    )
}

fn numbers(values: &[f64]) -> (String, Value) {
    let words: Vec<String> = values.iter().map(|value| format!("{value:.6}")).collect();
    (words.join(" "), json!({ "values": values }))
}
