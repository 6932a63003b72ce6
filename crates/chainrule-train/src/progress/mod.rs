//! What a run says while it goes on: a bar on a terminal, plain lines elsewhere, JSON for programs.

mod bar;
mod json;
mod lines;

pub use bar::BarReporter;
pub use json::JsonReporter;
pub use lines::LineReporter;

use crate::flow::Finding;
use chainrule_nn::grouped;
use std::io::IsTerminal;
use std::time::Duration;

/// How far a run is and how it is doing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// The epoch, counted from 1; 0 in a run of steps.
    pub epoch: u64,
    /// How many epochs there will be; 0 in a run of steps.
    pub epochs: u64,
    /// Steps done in the whole run.
    pub step: u64,
    /// Steps of the whole run.
    pub steps: u64,
    /// Named numbers in the order in which they are shown, such as `loss` and `accuracy`.
    pub numbers: Vec<(String, f64)>,
    /// Examples trained on in a second.
    pub throughput: f64,
    /// Since the beginning.
    pub elapsed: Duration,
}

impl Progress {
    /// The time that is left if every step takes as long as those so far; none before the first.
    ///
    /// ```
    /// use chainrule_train::progress::Progress;
    /// use std::time::Duration;
    /// let progress = Progress { step: 30, steps: 120, elapsed: Duration::from_secs(10), ..Progress::default() };
    /// assert_eq!(progress.left(), Some(Duration::from_secs(30)));
    /// ```
    pub fn left(&self) -> Option<Duration> {
        let steps_left = self.steps.saturating_sub(self.step) as f64;
        let seconds = self.elapsed.as_secs_f64() * steps_left / self.step as f64;
        Duration::try_from_secs_f64(seconds).ok()
    }
}

/// Says how a run goes on. The calls come in this order: `begin`, then any number of `step`, `epoch` and `finding`, then
/// `end`.
pub trait Reporter {
    /// The run begins; `summary` describes it.
    fn begin(&mut self, summary: &str, steps: u64);

    /// A step is done. Called for every step: a reporter says as much of it as is good to read.
    fn step(&mut self, progress: &Progress);

    /// An epoch, or a validation in a run of steps, is done; the numbers are those of the whole epoch.
    fn epoch(&mut self, progress: &Progress);

    /// Something is wrong with the run.
    fn finding(&mut self, finding: &Finding);

    /// Anything else worth saying, such as that a checkpoint was written.
    fn note(&mut self, text: &str);

    /// The run is over; the numbers are its result.
    fn end(&mut self, progress: &Progress);
}

/// The reporter for this place: JSON lines if asked for, a bar when the error output is a terminal, else plain lines.
pub fn reporter(json: bool) -> Box<dyn Reporter> {
    if json {
        Box::new(JsonReporter::new(std::io::stdout()))
    } else if std::io::stderr().is_terminal() {
        Box::new(BarReporter::new())
    } else {
        Box::new(LineReporter::new(std::io::stderr()))
    }
}

/// `loss 0.312  accuracy 91.4 %`.
fn numbers(numbers: &[(String, f64)]) -> String {
    let texts: Vec<String> = numbers
        .iter()
        .map(|(name, value)| format!("{name} {}", number(name, *value)))
        .collect();
    texts.join("  ")
}

/// Shares as per cents, everything else with four digits.
pub(crate) fn number(name: &str, value: f64) -> String {
    if name.contains("accuracy") && (0.0..=1.0).contains(&value) {
        return format!("{:.1} %", 100.0 * value);
    }
    match value.abs() {
        1e-3..1e5 => {
            let digits = (3 - value.abs().log10().floor() as i32).clamp(0, 6) as usize;
            format!("{value:.digits$}")
        }
        0.0 => "0".to_owned(),
        size if size.is_finite() => format!("{value:.2e}"),
        _ => value.to_string(),
    }
}

/// `45 s`, `3 min 20 s`, `2 h 05 min`.
pub(crate) fn duration(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..10 => format!(
            "{:.1} s",
            seconds as f64 + f64::from(time.subsec_millis()) / 1e3
        ),
        seconds @ 10..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// `1,234 examples/s`.
fn throughput(examples: f64) -> String {
    if examples < 10.0 {
        format!("{examples:.1} examples/s")
    } else {
        format!("{} examples/s", grouped(examples.round() as u64))
    }
}

/// `epoch 3/10`, or `step 400/1000` in a run of steps.
fn position(progress: &Progress) -> String {
    if progress.epochs > 0 {
        format!("epoch {}/{}", progress.epoch, progress.epochs)
    } else {
        format!("step {}/{}", progress.step, progress.steps)
    }
}
