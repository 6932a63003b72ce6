//! Printing an outcome: one JSON object, or a short report.

use super::run::{Derivative, Outcome, Sparse};
use std::fmt::Write;

/// `objective`, `gradient` or `jacobian`, `objective_ms`, `derivative_ms` and their `ratio`, as one JSON object.
pub fn json(outcome: &Outcome) -> String {
    let mut text = format!("{{\"objective\":{},", list(&outcome.objective));
    match &outcome.derivative {
        Derivative::Gradient(_) => {
            let gradient = elements(&outcome.derivative);
            write!(text, "\"gradient\":{}", list(&gradient))
        }
        Derivative::Columns(_) => {
            let rows: Vec<String> = rows(&outcome.derivative)
                .iter()
                .map(|row| list(row))
                .collect();
            write!(text, "\"jacobian\":[{}]", rows.join(","))
        }
        Derivative::Sparse(sparse) => {
            let entries = sorted_entries(sparse);
            let join = |words: Vec<String>| words.join(",");
            write!(
                text,
                "\"jacobian\":{{\"shape\":[{},{}],\"rows\":[{}],\"cols\":[{}],\"values\":{}}}",
                sparse.shape[0],
                sparse.shape[1],
                join(entries.iter().map(|entry| entry.0.to_string()).collect()),
                join(entries.iter().map(|entry| entry.1.to_string()).collect()),
                list(&entries.iter().map(|entry| entry.2).collect::<Vec<_>>()),
            )
        }
    }
    .expect("a string takes all that is written");
    write!(
        text,
        ",\"objective_ms\":{:.6},\"derivative_ms\":{:.6},\"ratio\":{:.4}}}",
        outcome.objective_ms,
        outcome.derivative_ms,
        outcome.derivative_ms / outcome.objective_ms
    )
    .expect("a string takes all that is written");
    text
}

/// The times, and of the numbers the first few and the Euclidean norm.
pub fn report(outcome: &Outcome) -> String {
    let derivative = elements(&outcome.derivative);
    let what = match &outcome.derivative {
        Derivative::Gradient(_) => format!("gradient    {} numbers", derivative.len()),
        Derivative::Columns(columns) => format!(
            "jacobian    {} x {}",
            columns.shape()[1],
            columns.shape()[0]
        ),
        Derivative::Sparse(sparse) => format!(
            "jacobian    {} x {}, {} entries",
            sparse.shape[0],
            sparse.shape[1],
            derivative.len()
        ),
    };
    format!(
        "objective   {} numbers: {}\n{what}: {}\ntime        objective {:.3} ms, derivative {:.3} ms, ratio {:.2}",
        outcome.objective.len(),
        beginning(&outcome.objective),
        beginning(&derivative),
        outcome.objective_ms,
        outcome.derivative_ms,
        outcome.derivative_ms / outcome.objective_ms
    )
}

/// All elements of the derivative, in the order in which they are printed.
fn elements(derivative: &Derivative) -> Vec<f64> {
    match derivative {
        Derivative::Gradient(parts) => parts.iter().flat_map(|part| part.to_vec::<f64>()).collect(),
        Derivative::Columns(_) => rows(derivative).concat(),
        Derivative::Sparse(sparse) => sorted_entries(sparse).iter().map(|entry| entry.2).collect(),
    }
}

/// The rows of a Jacobian that is held by columns.
fn rows(derivative: &Derivative) -> Vec<Vec<f64>> {
    let Derivative::Columns(columns) = derivative else {
        return Vec::new();
    };
    let (count, extent) = (columns.shape()[0], columns.shape()[1]);
    let numbers = columns.to_vec::<f64>();
    let row = |i: usize| (0..count).map(|j| numbers[j * extent + i]).collect();
    (0..extent).map(row).collect()
}

/// Row, column and value of each entry, row by row.
fn sorted_entries(sparse: &Sparse) -> Vec<(usize, usize, f64)> {
    let values = sparse.values.iter().flat_map(|part| part.to_vec::<f64>());
    let places = sparse.places.iter();
    let mut entries: Vec<_> = places
        .zip(values)
        .map(|(&(row, column), value)| (row, column, value))
        .collect();
    entries.sort_unstable_by_key(|&(row, column, _)| (row, column));
    entries
}

/// Numbers as a JSON list that keeps every bit; JSON has no NaN or infinity, so these are `null`.
fn list(numbers: &[f64]) -> String {
    let words: Vec<String> = numbers
        .iter()
        .map(|number| match number.is_finite() {
            true => format!("{number:e}"),
            false => "null".to_owned(),
        })
        .collect();
    format!("[{}]", words.join(","))
}

fn beginning(numbers: &[f64]) -> String {
    let first: Vec<String> = numbers
        .iter()
        .take(4)
        .map(|number| format!("{number:.10e}"))
        .collect();
    let more = if numbers.len() > 4 { ", .." } else { "" };
    let norm = numbers
        .iter()
        .map(|number| number * number)
        .sum::<f64>()
        .sqrt();
    format!("{}{more}; norm {norm:.10e}", first.join(", "))
}
