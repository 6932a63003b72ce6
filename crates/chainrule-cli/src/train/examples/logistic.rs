//! Logistic regression with four penalties on real data.

use super::Example;
use crate::train::TrainProblem;
use crate::train::options::TrainOptions;
use chainrule::data::{Random, breast_cancer};
use chainrule::prelude::*;
use serde_json::json;
use std::io::Write;

/// The lecture's loss: the mean of `-log sigmoid(y (w·x + b))` over 80 % of the breast cancer data, `y` being 1 for benign and
/// -1 for malignant tumours, with the penalty `alpha |w|² + beta |w|`.
///
/// The absolute value has no derivative at 0, where its minimum draws weights to; so each step descends along the gradient
/// of the rest, and then moves every weight towards 0 by `rate · beta`, and not beyond. Weights that end at 0 are exactly 0.
pub struct Logistic;

struct Penalty {
    name: &'static str,
    square: f64,
    absolute: f64,
}

const PENALTIES: [Penalty; 4] = [
    Penalty {
        name: "none",
        square: 0.0,
        absolute: 0.0,
    },
    Penalty {
        name: "l2",
        square: 0.01,
        absolute: 0.0,
    },
    Penalty {
        name: "l1",
        square: 0.0,
        absolute: 0.01,
    },
    Penalty {
        name: "elastic",
        square: 0.005,
        absolute: 0.005,
    },
];

/// Below the inverse of the loss's largest curvature, about 3.4 for these data.
const RATE: f64 = 0.25;
const STEPS: usize = 2000;

/// Inputs `[rows, 30]`, standardised, and labels 1 and -1.
struct Part {
    x: Tensor,
    y: Tensor,
}

impl Part {
    /// The score `w·x + b` times the label: positive where the answer is right.
    fn margins(&self, (w, b): &(Tensor, Tensor)) -> Tensor {
        (self.x.matmul(w) + b) * &self.y
    }

    fn accuracy(&self, weights: &(Tensor, Tensor)) -> f64 {
        let right = untracked(|| self.margins(weights).gt(0.0).count_nonzero(..));
        right.item::<i64>() as f64 / self.y.elements() as f64
    }
}

impl Example for Logistic {
    const NAME: &'static str = "logistic";
    const DESCRIPTION: &'static str = "logistic regression with L1, L2 and both on breast cancer";

    fn run(options: &TrainOptions) -> Result<(), TrainProblem> {
        let (names, training, test) = parts(options.seed.unwrap_or(0))?;
        let mut out = std::io::stdout().lock();
        if options.dry_run {
            writeln!(
                out,
                "{} examples to learn from, {} to test on, {} weights, {STEPS} steps",
                training.y.elements(),
                test.y.elements(),
                names.len()
            )?;
            return Ok(());
        }
        let mut columns = Vec::new();
        for penalty in &PENALTIES {
            let weights = fit(&training, penalty);
            let accuracy = test.accuracy(&weights);
            let w: Vec<f64> = weights.0.to_vec();
            let zeros = w.iter().filter(|w| **w == 0.0).count();
            if options.json {
                writeln!(
                    out,
                    "{}",
                    json!({ "event": "penalty", "penalty": penalty.name, "accuracy": accuracy, "zeros": zeros, "weights": w })
                )?;
            } else {
                writeln!(
                    out,
                    "{:8} {:.1} % of the test set right, {zeros} of {} weights are zero",
                    penalty.name,
                    100.0 * accuracy,
                    w.len()
                )?;
            }
            columns.push((penalty.name, w, accuracy, zeros));
        }
        if options.json {
            let mut metrics = serde_json::Map::new();
            for (name, _, accuracy, zeros) in &columns {
                metrics.insert(format!("{name}_accuracy"), json!(accuracy));
                metrics.insert(format!("{name}_zeros"), json!(zeros));
            }
            writeln!(out, "{}", json!({ "event": "end", "metrics": metrics }))?;
            return Ok(());
        }
        write!(out, "\n{:26}", "weight of")?;
        for (name, ..) in &columns {
            write!(out, "{name:>9}")?;
        }
        writeln!(out)?;
        for (row, name) in names.iter().enumerate() {
            write!(out, "{name:26}")?;
            for (_, w, ..) in &columns {
                match w[row] {
                    0.0 => write!(out, "{:>9}", "0")?,
                    weight => write!(out, "{weight:9.3}")?,
                }
            }
            writeln!(out)?;
        }
        Ok(())
    }
}

/// The names of the measurements; four fifths to learn from and the rest.
fn parts(seed: u64) -> Result<(Vec<String>, Part, Part), TrainProblem> {
    let table = breast_cancer()?;
    let labels = table
        .labels
        .as_ref()
        .expect("the table has a column of classes");
    let rows = table.inputs.shape()[0];
    let order: Vec<i64> = Random::new(seed)
        .permutation(rows)
        .into_iter()
        .map(|row| row as i64)
        .collect();
    let (first, second) = order.split_at(rows * 4 / 5);
    let rows_of = |rows: &[i64]| {
        let rows = Tensor::from(rows.to_vec());
        let x = table.inputs.index_select(0, &rows).cast(DType::F64);
        let y = labels.index_select(0, &rows).cast(DType::F64) * 2.0 - 1.0;
        (x, y)
    };
    let ((x, y), (test_x, test_y)) = (rows_of(first), rows_of(second));
    let mean = x.mean(0);
    let deviation = (&x - &mean).square().mean(0).sqrt();
    let scaled = |x: Tensor| (x - &mean) / &deviation;
    let training = Part { x: scaled(x), y };
    let test = Part {
        x: scaled(test_x),
        y: test_y,
    };
    Ok((table.columns, training, test))
}

fn fit(training: &Part, penalty: &Penalty) -> (Tensor, Tensor) {
    let inputs = training.x.shape()[1];
    let mut weights = (
        Tensor::zeros([inputs]).cast(DType::F64),
        Tensor::scalar(0.0).cast(DType::F64),
    );
    let smooth = |weights: &(Tensor, Tensor)| {
        let loss = -training.margins(weights).log_sigmoid().mean(..);
        loss + weights.0.square().sum(..) * penalty.square
    };
    for _ in 0..STEPS {
        let (dw, db) = grad(smooth)(&weights);
        let (w, b) = (&weights.0 - dw * RATE, &weights.1 - db * RATE);
        let length = (w.abs() - RATE * penalty.absolute).clamp_min(0.0);
        weights = (w.sign() * length, b);
        evaluate(&[&weights.0, &weights.1]);
    }
    weights
}
