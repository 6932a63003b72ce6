//! One JSON object a line, for programs.

use super::{Progress, Reporter};
use crate::flow::Finding;
use serde_json::{Map, Value, json};
use std::io::Write;

/// One JSON object a line, each with the member `event`: `begin`, `epoch`, `finding`, `note`, `end`. Steps are not said,
/// unless asked for with [`every`](JsonReporter::every). NaN and infinities, which JSON lacks, are texts.
///
/// ```
/// use chainrule_train::progress::{JsonReporter, Progress, Reporter};
/// let mut lines = Vec::new();
/// let numbers = vec![("loss".to_owned(), 0.5)];
/// JsonReporter::new(&mut lines).end(&Progress { step: 9, steps: 9, numbers, ..Progress::default() });
/// let line: serde_json::Value = serde_json::from_slice(&lines)?;
/// assert_eq!(line["event"], "end");
/// assert_eq!(line["metrics"]["loss"], 0.5);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub struct JsonReporter<W: Write> {
    to: W,
    every: Option<u64>,
}

impl<W: Write> JsonReporter<W> {
    /// Writes to `to`. What cannot be written is lost: a closed pipe does not end a run.
    pub fn new(to: W) -> JsonReporter<W> {
        JsonReporter { to, every: None }
    }

    /// Writes an object with `"event": "step"` every `steps` steps.
    pub fn every(mut self, steps: u64) -> JsonReporter<W> {
        self.every = Some(steps.max(1));
        self
    }

    fn line(&mut self, object: &Value) {
        let _ = writeln!(self.to, "{object}").and_then(|()| self.to.flush());
    }

    fn progress(&mut self, event: &str, progress: &Progress) {
        let metrics: Map<String, Value> = progress
            .numbers
            .iter()
            .map(|(name, value)| (name.clone(), number(*value)))
            .collect();
        let mut object = json!({
            "event": event,
            "step": progress.step,
            "steps": progress.steps,
            "metrics": metrics,
            "examples_per_second": number(progress.throughput),
            "seconds": progress.elapsed.as_secs_f64(),
        });
        if progress.epochs > 0 {
            object["epoch"] = json!(progress.epoch);
            object["epochs"] = json!(progress.epochs);
        }
        self.line(&object);
    }
}

fn number(value: f64) -> Value {
    match serde_json::Number::from_f64(value) {
        Some(number) => Value::Number(number),
        None => Value::String(value.to_string()),
    }
}

impl<W: Write> Reporter for JsonReporter<W> {
    fn begin(&mut self, summary: &str, steps: u64) {
        self.line(&json!({ "event": "begin", "summary": summary, "steps": steps }));
    }

    fn step(&mut self, progress: &Progress) {
        if self
            .every
            .is_some_and(|every| progress.step.is_multiple_of(every))
        {
            self.progress("step", progress);
        }
    }

    fn epoch(&mut self, progress: &Progress) {
        self.progress("epoch", progress);
    }

    fn finding(&mut self, finding: &Finding) {
        self.line(&json!({ "event": "finding", "finding": finding }));
    }

    fn note(&mut self, text: &str) {
        self.line(&json!({ "event": "note", "text": text }));
    }

    fn end(&mut self, progress: &Progress) {
        self.progress("end", progress);
    }
}
