//! What an example says: a line for people, or an object for programs.

use crate::train::TrainProblem;
use serde_json::{Map, Value, json};
use std::io::Write;

/// Says things in the form that was asked for.
#[derive(Clone, Copy)]
pub struct Teller {
    json: bool,
}

impl Teller {
    pub fn new(json: bool) -> Teller {
        Teller { json }
    }

    /// A line, and for programs the numbers in it, under the name of the event.
    pub fn say(self, event: &str, numbers: &[(&str, f64)], line: &str) -> Result<(), TrainProblem> {
        let mut out = std::io::stdout().lock();
        match self.json {
            true => {
                let mut object = members(numbers);
                object.insert("event".to_owned(), json!(event));
                writeln!(out, "{}", Value::Object(object))?;
            }
            false => writeln!(out, "{line}")?,
        }
        Ok(())
    }

    /// The last word: the figures that count.
    pub fn end(self, metrics: &[(&str, f64)]) -> Result<(), TrainProblem> {
        let mut out = std::io::stdout().lock();
        if self.json {
            writeln!(
                out,
                "{}",
                json!({ "event": "end", "metrics": members(metrics) })
            )?;
            return Ok(());
        }
        for (name, value) in metrics {
            writeln!(out, "{:24}{value:.4}", name.replace('_', " "))?;
        }
        Ok(())
    }
}

fn members(numbers: &[(&str, f64)]) -> Map<String, Value> {
    let numbers = numbers.iter();
    numbers
        .map(|&(name, value)| (name.to_owned(), json!(value)))
        .collect()
}
