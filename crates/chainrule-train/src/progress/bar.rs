//! A bar on the terminal.

use super::{Progress, Reporter, duration, numbers, position, throughput};
use crate::flow::Finding;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

/// A bar over the whole run with loss, accuracy, throughput and the time that is left, and a line above it for every
/// epoch and finding. It goes to the error output, which is left alone where that is no terminal.
pub struct BarReporter {
    bar: ProgressBar,
}

impl Default for BarReporter {
    fn default() -> BarReporter {
        BarReporter::new()
    }
}

impl BarReporter {
    /// A bar on the error output.
    pub fn new() -> BarReporter {
        BarReporter::on(ProgressDrawTarget::stderr())
    }

    /// A bar on another terminal.
    pub fn on_terminal(terminal: Box<dyn TermLike>) -> BarReporter {
        BarReporter::on(ProgressDrawTarget::term_like(terminal))
    }

    fn on(target: ProgressDrawTarget) -> BarReporter {
        let style = ProgressStyle::with_template("{bar:24} {percent:>3} %  {wide_msg}")
            .expect("the template is well formed");
        let bar = ProgressBar::with_draw_target(Some(0), target).with_style(style);
        BarReporter { bar }
    }

    fn above(&self, text: &str) {
        self.bar.println(text);
    }
}

impl Reporter for BarReporter {
    fn begin(&mut self, summary: &str, steps: u64) {
        self.bar.set_length(steps);
        self.above(summary.trim_end());
    }

    fn step(&mut self, progress: &Progress) {
        let left = progress
            .left()
            .map_or(String::new(), |left| format!("  {} left", duration(left)));
        self.bar.set_message(format!(
            "{}  {}  {}{left}",
            position(progress),
            numbers(&progress.numbers),
            throughput(progress.throughput)
        ));
        self.bar.set_length(progress.steps);
        self.bar.set_position(progress.step);
    }

    fn epoch(&mut self, progress: &Progress) {
        let text = format!(
            "{}  {}  {}",
            position(progress),
            numbers(&progress.numbers),
            duration(progress.elapsed)
        );
        self.above(&text);
    }

    fn finding(&mut self, finding: &Finding) {
        self.above(&finding.to_string());
    }

    fn note(&mut self, text: &str) {
        self.above(text);
    }

    fn end(&mut self, progress: &Progress) {
        self.bar.finish_and_clear();
        self.above(&format!(
            "done in {}: {}",
            duration(progress.elapsed),
            numbers(&progress.numbers)
        ));
    }
}
