//! The record of a training run: what its report shows and what a resumed run goes on from.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

/// Named series of numbers over the steps of a run, the ends of its epochs, and what is known about it.
///
/// As text it is JSON lines: one object a line, in the order in which things happened, so a running program can append
/// to it and a reader loses at most the line that was being written.
///
/// ```
/// use chainrule_train::history::History;
/// let mut history = History::new();
/// history.note("model", "lenet");
/// for step in 0..3 {
///     history.push("train/loss", step, 1.0 / (step + 1) as f64);
/// }
/// history.end_epoch(2);
/// let text = history.to_json_lines();
/// assert_eq!(History::from_json_lines(text.as_bytes())?, history);
/// assert_eq!(history.last("train/loss"), Some((2, 1.0 / 3.0)));
/// # Ok::<(), chainrule_train::history::HistoryError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct History {
    entries: Vec<Entry>,
    series: BTreeMap<String, Vec<usize>>,
}

/// One line of the record.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Entry {
    /// A number of a series.
    Point {
        /// The series, such as `train/loss`.
        name: String,
        /// The training step.
        step: u64,
        /// The number; JSON has no NaN or infinity, so those are written as text.
        #[serde(with = "number")]
        value: f64,
    },
    /// The last step of an epoch.
    Epoch {
        /// Counted from 1.
        epoch: u64,
        /// The epoch's last step.
        step: u64,
    },
    /// Something known about the run, such as its configuration or a timing.
    Note {
        /// What it is.
        name: String,
        /// Its text.
        text: String,
    },
}

impl PartialEq for History {
    /// The same entries in the same order, NaN being equal to NaN.
    fn eq(&self, other: &History) -> bool {
        let lines = |history: &History| history.to_json_lines();
        lines(self) == lines(other)
    }
}

/// A record that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// Reading failed.
    #[error("history: reading failed: {0}")]
    Read(#[from] io::Error),
    /// A line is damaged.
    #[error(
        "history: line {line} is damaged: {reason}\n    help: remove the line, or go on from an older checkpoint"
    )]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}

impl History {
    /// An empty record.
    pub fn new() -> History {
        History::default()
    }

    /// Adds a number to the series `name`, which need not exist yet.
    pub fn push(&mut self, name: &str, step: u64, value: f64) {
        self.add(Entry::Point {
            name: name.to_owned(),
            step,
            value,
        });
    }

    /// Notes that an epoch ended with `step`.
    pub fn end_epoch(&mut self, step: u64) {
        let epoch = self.epochs().count() as u64 + 1;
        self.add(Entry::Epoch { epoch, step });
    }

    /// Notes something about the run; a later note of the same name replaces it.
    pub fn note(&mut self, name: &str, text: impl Into<String>) {
        self.add(Entry::Note {
            name: name.to_owned(),
            text: text.into(),
        });
    }

    /// Adds an entry as it is.
    pub fn add(&mut self, entry: Entry) {
        if let Entry::Point { name, .. } = &entry {
            let position = self.entries.len();
            match self.series.get_mut(name) {
                Some(series) => series.push(position),
                None => drop(self.series.insert(name.clone(), vec![position])),
            }
        }
        self.entries.push(entry);
    }

    /// Everything, in the order in which it was added.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The names of the series, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.series.keys().map(String::as_str)
    }

    /// The (step, value) pairs of a series; none when there is no such series.
    pub fn series(&self, name: &str) -> impl Iterator<Item = (u64, f64)> + '_ {
        let positions = self.series.get(name).map_or(&[][..], |series| series);
        positions
            .iter()
            .filter_map(|&position| self.point(position))
    }

    /// The last (step, value) of a series.
    pub fn last(&self, name: &str) -> Option<(u64, f64)> {
        self.point(*self.series.get(name)?.last()?)
    }

    fn point(&self, position: usize) -> Option<(u64, f64)> {
        match &self.entries[position] {
            Entry::Point { step, value, .. } => Some((*step, *value)),
            _ => None,
        }
    }

    /// The last step of every epoch.
    pub fn epochs(&self) -> impl Iterator<Item = u64> + '_ {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Epoch { step, .. } => Some(*step),
            _ => None,
        })
    }

    /// The notes, each name once with its last text, in alphabetical order.
    pub fn notes(&self) -> BTreeMap<&str, &str> {
        let mut notes = BTreeMap::new();
        for entry in &self.entries {
            if let Entry::Note { name, text } = entry {
                notes.insert(name.as_str(), text.as_str());
            }
        }
        notes
    }

    /// Forgets points and epochs after `step`: what a run resumed from a checkpoint at `step` will do again.
    pub fn truncate_after(&mut self, step: u64) {
        let entries = std::mem::take(&mut self.entries);
        self.series.clear();
        for entry in entries {
            match &entry {
                Entry::Point { step: at, .. } | Entry::Epoch { step: at, .. } if *at > step => {}
                _ => self.add(entry),
            }
        }
    }

    /// The record as text.
    pub fn to_json_lines(&self) -> String {
        self.entries.iter().map(Entry::to_json_line).collect()
    }

    /// Writes the record as text.
    ///
    /// # Errors
    /// When writing fails.
    pub fn write(&self, mut to: impl Write) -> io::Result<()> {
        for entry in &self.entries {
            to.write_all(entry.to_json_line().as_bytes())?;
        }
        to.flush()
    }

    /// Reads a record. A last line without its end was being written when the program was stopped: it is left out.
    ///
    /// # Errors
    /// When reading fails or a finished line is damaged.
    pub fn from_json_lines(mut from: impl BufRead) -> Result<History, HistoryError> {
        let mut history = History::new();
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            from.read_until(b'\n', &mut line)?;
            if line.last() != Some(&b'\n') {
                break;
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            let entry = serde_json::from_slice(&line).map_err(|error| HistoryError::Line {
                line: number,
                reason: error.to_string(),
            })?;
            history.add(entry);
        }
        Ok(history)
    }
}

impl Entry {
    /// The entry as one line of JSON, with its end of line.
    pub fn to_json_line(&self) -> String {
        serde_json::to_string(self).expect("entries have only text for keys") + "\n"
    }
}

/// JSON has no NaN and no infinity: they are written as text.
pub(crate) mod number {
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::Serializer;

    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(f64),
        Text(String),
    }

    pub(crate) fn serialize<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
        if value.is_finite() {
            to.serialize_f64(*value)
        } else {
            to.serialize_str(&value.to_string())
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        match Written::deserialize(from)? {
            Written::Number(value) => Ok(value),
            Written::Text(text) => text
                .parse()
                .map_err(|_| D::Error::custom(format!("`{text}` is no number"))),
        }
    }
}
