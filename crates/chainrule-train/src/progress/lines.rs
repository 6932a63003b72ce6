//! Plain lines, for log files and pipes.

use super::{Progress, Reporter, duration, numbers, position, throughput};
use crate::flow::Finding;
use std::io::Write;
use std::time::Duration;

/// One line at every epoch, and within long epochs one every ten seconds; never a carriage return or a colour.
pub struct LineReporter<W: Write> {
    to: W,
    every: Duration,
    last: Duration,
}

impl<W: Write> LineReporter<W> {
    /// Writes to `to`. What cannot be written is lost: a closed pipe does not end a run.
    pub fn new(to: W) -> LineReporter<W> {
        LineReporter {
            to,
            every: Duration::from_secs(10),
            last: Duration::ZERO,
        }
    }

    /// Says something this often within epochs.
    pub fn every(mut self, time: Duration) -> LineReporter<W> {
        self.every = time;
        self
    }

    fn line(&mut self, text: &str) {
        let _ = writeln!(self.to, "{text}").and_then(|()| self.to.flush());
    }
}

impl<W: Write> Reporter for LineReporter<W> {
    fn begin(&mut self, summary: &str, steps: u64) {
        self.line(&format!("{}\n{steps} steps", summary.trim_end()));
    }

    fn step(&mut self, progress: &Progress) {
        if progress.elapsed < self.last + self.every {
            return;
        }
        self.last = progress.elapsed;
        let left = progress
            .left()
            .map_or(String::new(), |left| format!("  {} left", duration(left)));
        let text = format!(
            "  step {}/{}  {}  {}{left}",
            progress.step,
            progress.steps,
            numbers(&progress.numbers),
            throughput(progress.throughput)
        );
        self.line(&text);
    }

    fn epoch(&mut self, progress: &Progress) {
        self.last = progress.elapsed;
        let text = format!(
            "{}  {}  {}  {}",
            position(progress),
            numbers(&progress.numbers),
            throughput(progress.throughput),
            duration(progress.elapsed)
        );
        self.line(&text);
    }

    fn finding(&mut self, finding: &Finding) {
        self.line(&finding.to_string());
    }

    fn note(&mut self, text: &str) {
        self.line(text);
    }

    fn end(&mut self, progress: &Progress) {
        let text = format!(
            "done in {}: {}",
            duration(progress.elapsed),
            numbers(&progress.numbers)
        );
        self.line(&text);
    }
}
