//! What is shown at the end.

use super::data::{Examples, PIXELS};
use super::train::{Epoch, Network, Run};
use super::{DemoError, Settings};
use chainrule::prelude::*;
use serde_json::{Map, json};
use std::io::{Write, stdout};

/// How the network reads the images it has not been trained on.
pub struct Evaluation {
    pub accuracy: f64,
    pub loss: f64,
    labels: Vec<i64>,
    readings: Vec<i64>,
}

pub fn evaluate(network: &Network, examples: &Examples) -> Evaluation {
    let logits = untracked(|| network.forward(&examples.images));
    let readings = logits.argmax(1).to_vec::<i64>();
    let labels = examples.labels.cast(DType::I64).to_vec::<i64>();
    let correct = readings
        .iter()
        .zip(&labels)
        .filter(|(reading, label)| reading == label)
        .count();
    Evaluation {
        accuracy: correct as f64 / examples.count as f64,
        loss: logits.cross_entropy(&examples.labels).item(),
        labels,
        readings,
    }
}

pub fn print_epoch(number: usize, epoch: &Epoch) -> Result<(), DemoError> {
    let norms: Map<String, serde_json::Value> = epoch
        .gradient_norms
        .iter()
        .map(|(layer, norm)| ((*layer).to_owned(), json!(norm)))
        .collect();
    let line = json!({"epoch": number, "loss": epoch.loss, "training_accuracy": epoch.accuracy, "gradient_norms": norms});
    writeln!(stdout(), "{line}")?;
    Ok(())
}

pub fn print_json(
    run: &Run,
    evaluation: &Evaluation,
    settings: &Settings,
) -> Result<(), DemoError> {
    let line = json!({
        "accuracy": evaluation.accuracy,
        "loss": evaluation.loss,
        "held_out": evaluation.labels.len(),
        "seed": settings.seed,
        "epochs": run.epochs.len(),
        "parameters": run.network.parameter_count(),
        "seconds": run.seconds,
        "weights": settings.weights.display().to_string(),
    });
    writeln!(stdout(), "{line}")?;
    Ok(())
}

pub fn print(
    run: &Run,
    evaluation: &Evaluation,
    held_out: &Examples,
    settings: &Settings,
) -> Result<(), DemoError> {
    let mut out = stdout().lock();
    let last = run.epochs.last().expect("there is at least one epoch");
    writeln!(
        out,
        "{} parameters, {} epochs in {:.1} s; training loss {:.4}, training accuracy {:.1} %\n",
        run.network.parameter_count(),
        run.epochs.len(),
        run.seconds,
        last.loss,
        100.0 * last.accuracy
    )?;
    writeln!(out, "gradient norm of each layer, first epoch to last")?;
    for (position, (layer, first)) in run.epochs[0].gradient_norms.iter().enumerate() {
        let norms: Vec<f64> = run
            .epochs
            .iter()
            .map(|epoch| epoch.gradient_norms[position].1)
            .collect();
        let end = norms[norms.len() - 1];
        writeln!(
            out,
            "  {layer:8} {}  {first:.3} to {end:.3}",
            sparkline(&norms)
        )?;
    }
    writeln!(
        out,
        "\nhow {} held-out images were read (rows: what they show)",
        held_out.count
    )?;
    write!(out, "{}", confusion(evaluation))?;
    let misread = misread(evaluation);
    if !misread.is_empty() {
        writeln!(out, "\nmisread, {} in all", misread.len())?;
        write!(out, "{}", drawn(&misread, evaluation, held_out))?;
    }
    writeln!(out, "\nweights saved to {}", settings.weights.display())?;
    writeln!(
        out,
        "held-out accuracy {:.1} %",
        100.0 * evaluation.accuracy
    )?;
    Ok(())
}

/// One character a number, taller for larger ones; the means of neighbours where there are more numbers than columns.
fn sparkline(numbers: &[f64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    const COLUMNS: usize = 60;
    let columns = numbers.len().min(COLUMNS);
    let means: Vec<f64> = (0..columns)
        .map(|column| {
            let [start, end] = [column, column + 1].map(|edge| edge * numbers.len() / columns);
            numbers[start..end].iter().sum::<f64>() / (end - start) as f64
        })
        .collect();
    let greatest = means.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    means
        .iter()
        .map(|mean| BARS[((mean / greatest * 7.0).round() as usize).min(7)])
        .collect()
}

fn confusion(evaluation: &Evaluation) -> String {
    let mut counts = [[0usize; 10]; 10];
    for (label, reading) in evaluation.labels.iter().zip(&evaluation.readings) {
        counts[*label as usize][*reading as usize] += 1;
    }
    let mut text = String::from("      ");
    text.extend((0..10).map(|digit| format!("{digit:>4}")));
    text.push('\n');
    for (digit, row) in counts.iter().enumerate() {
        text.push_str(&format!("  {digit}   "));
        text.extend(row.iter().map(|&count| {
            if count == 0 {
                "   .".to_owned()
            } else {
                format!("{count:>4}")
            }
        }));
        text.push('\n');
    }
    text
}

fn misread(evaluation: &Evaluation) -> Vec<usize> {
    (0..evaluation.labels.len())
        .filter(|&image| evaluation.labels[image] != evaluation.readings[image])
        .collect()
}

/// The first few misread images, side by side.
fn drawn(images: &[usize], evaluation: &Evaluation, examples: &Examples) -> String {
    const SHOWN: usize = 4;
    const SHADES: [&str; 5] = ["  ", "░░", "▒▒", "▓▓", "██"];
    const WIDTH: usize = 20;
    let shown = &images[..images.len().min(SHOWN)];
    let pixels: Vec<Vec<f32>> = shown
        .iter()
        .map(|&image| examples.images.narrow(0, image, 1).to_vec::<f32>())
        .collect();
    let mut text = String::new();
    for &image in shown {
        let caption = format!(
            "  {} read as {}",
            evaluation.labels[image], evaluation.readings[image]
        );
        text.push_str(&format!("{caption:WIDTH$}"));
    }
    text = text.trim_end().to_owned() + "\n";
    let side = PIXELS.isqrt();
    for row in 0..side {
        let mut line = String::new();
        for image in &pixels {
            line.push_str("  ");
            let strokes = image[row * side..(row + 1) * side].iter();
            line.extend(strokes.map(|&shade| SHADES[(shade * 4.0).round() as usize]));
            line.push_str("  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
