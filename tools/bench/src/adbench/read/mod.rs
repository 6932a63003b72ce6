//! Reading the files of ADBench, a file a format: numbers separated by blanks or colons, each complaint naming its line.

mod ba;
mod gmm;
mod hand;
mod hand_model;
mod lstm;

pub use ba::{BundleAdjustment, CAMERA, POINT, read_ba};
pub use gmm::{Mixture, read_gmm};
pub use hand::{FINGERS, Hand, THETA, read_hand};
pub use hand_model::HandModel;
pub use lstm::{Sequence, read_lstm};

use std::path::Path;

/// The words of a file in order, each with its line.
pub struct Words {
    file: String,
    words: Vec<(usize, String)>,
    next: usize,
    last_line: usize,
}

impl Words {
    /// Reads the file; its words are separated by blanks and line ends.
    pub fn open(path: &Path) -> Result<Words, String> {
        Words::split(path, char::is_whitespace)
    }

    /// Reads the file; its words are separated by `separates`, line ends and blanks at the ends of a line.
    pub fn split(path: &Path, separates: fn(char) -> bool) -> Result<Words, String> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|reason| format!("{file}: cannot be read: {reason}"))?;
        let words = text
            .lines()
            .enumerate()
            .flat_map(|(line, text)| {
                let words = text.trim().split(separates);
                words.map(move |word| (line + 1, word.trim().to_owned()))
            })
            .filter(|(_, word)| !word.is_empty())
            .collect();
        Ok(Words {
            file,
            words,
            next: 0,
            last_line: text.lines().count(),
        })
    }

    /// How many words are left.
    pub fn left(&self) -> usize {
        self.words.len() - self.next
    }

    /// The line of the next word, or the last line.
    pub fn line(&self) -> usize {
        self.words
            .get(self.next)
            .map_or(self.last_line.max(1), |(line, _)| *line)
    }

    /// `FILE:LINE: complaint` at the word read last.
    pub fn complaint(&self, text: &str) -> String {
        let line = match self.next {
            0 => 1,
            next => self.words[next - 1].0,
        };
        format!("{}:{line}: {text}", self.file)
    }

    /// The next word; `what` says what it stands for.
    pub fn word(&mut self, what: &str) -> Result<&str, String> {
        if self.next == self.words.len() {
            let line = self.last_line.max(1);
            return Err(format!(
                "{}:{line}: the file ends where {what} was expected",
                self.file
            ));
        }
        self.next += 1;
        Ok(&self.words[self.next - 1].1)
    }

    /// The next word as a finite number.
    pub fn number(&mut self, what: &str) -> Result<f64, String> {
        let word = self.word(what)?.to_owned();
        match word.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => Err(self.complaint(&format!(
                "expected a finite number ({what}), found `{word}`"
            ))),
        }
    }

    /// The next word as an integer, which may be negative.
    pub fn integer(&mut self, what: &str) -> Result<i64, String> {
        let word = self.word(what)?.to_owned();
        word.parse::<i64>()
            .map_err(|_| self.complaint(&format!("expected an integer ({what}), found `{word}`")))
    }

    /// The next word as a count of at least `least`.
    pub fn count(&mut self, what: &str, least: usize) -> Result<usize, String> {
        let number = self.integer(what)?;
        match usize::try_from(number) {
            // Counts are multiplied with each other: a damaged one must not overflow.
            Ok(count) if count >= least && count <= 1 << 28 => Ok(count),
            _ => Err(self.complaint(&format!(
                "{what} is {number}; expected a count of at least {least}"
            ))),
        }
    }

    /// The next word as a position below `end`.
    pub fn position(&mut self, what: &str, end: usize) -> Result<usize, String> {
        let number = self.integer(what)?;
        match usize::try_from(number) {
            Ok(position) if position < end => Ok(position),
            _ => Err(self.complaint(&format!(
                "{what} is {number}; expected a position from 0 to {}, counted from 0",
                end - 1
            ))),
        }
    }

    /// The next `count` words as numbers.
    pub fn numbers(&mut self, what: &str, count: usize) -> Result<Vec<f64>, String> {
        // A damaged count fails at the end of the file, not in the allocator.
        let mut numbers = Vec::with_capacity(count.min(self.left()));
        for i in 0..count {
            numbers.push(self.number(&format!("{what}, {} of {count}", i + 1))?);
        }
        Ok(numbers)
    }

    /// A complaint unless all words are read.
    pub fn end(&mut self) -> Result<(), String> {
        if self.left() == 0 {
            return Ok(());
        }
        let left = self.left();
        let word = self.word("")?.to_owned();
        Err(self.complaint(&format!(
            "expected the end of the file, found `{word}` and {} more; \
             do the counts in the first line fit?",
            left - 1
        )))
    }
}
