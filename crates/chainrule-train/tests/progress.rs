//! What a run says: on a terminal, in a log file, to a program.

use chainrule_train::flow::{Finding, FindingKind, Severity};
use chainrule_train::progress::{BarReporter, JsonReporter, LineReporter, Progress, Reporter};
use serde_json::Value;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn progress(step: u64, loss: f64) -> Progress {
    Progress {
        epoch: 1 + step / 50,
        epochs: 2,
        step,
        steps: 100,
        numbers: vec![("loss".to_owned(), loss), ("accuracy".to_owned(), 0.9137)],
        throughput: 12_345.6,
        elapsed: Duration::from_secs(step),
    }
}

fn finding() -> Finding {
    Finding {
        kind: FindingKind::DeadUnits,
        severity: Severity::Warning,
        layer: "hidden".into(),
        source: "src/main.rs:3:5".into(),
        step: 7,
        message: "60 % of the units".to_owned(),
        advice: "rest".to_owned(),
    }
}

fn tell(reporter: &mut dyn Reporter) {
    reporter.begin("lenet, 61,706 parameters\n", 100);
    for step in 1..=25 {
        reporter.step(&progress(step, 0.5));
    }
    reporter.finding(&finding());
    reporter.note("checkpoint written");
    reporter.epoch(&progress(50, f64::NAN));
    reporter.end(&progress(100, 0.012345));
}

#[test]
fn plain_lines_are_few_and_plain() {
    let mut written = Vec::new();
    tell(&mut LineReporter::new(&mut written));
    let text = String::from_utf8(written).unwrap();
    let expected = "\
lenet, 61,706 parameters
100 steps
  step 10/100  loss 0.5000  accuracy 91.4 %  12,346 examples/s  1 min 30 s left
  step 20/100  loss 0.5000  accuracy 91.4 %  12,346 examples/s  1 min 20 s left
warning, step 7: dead units: 60 % of the units
    help: rest
checkpoint written
epoch 2/2  loss NaN  accuracy 91.4 %  12,346 examples/s  50 s
done in 1 min 40 s: loss 0.01235  accuracy 91.4 %
";
    assert_eq!(text, expected);
}

#[test]
fn json_is_one_object_a_line_and_the_last_has_the_metrics() {
    let mut written = Vec::new();
    tell(&mut JsonReporter::new(&mut written).every(10));
    let text = String::from_utf8(written).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let events: Vec<&str> = lines
        .iter()
        .map(|line| line["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        events,
        ["begin", "step", "step", "finding", "note", "epoch", "end"]
    );
    assert_eq!(lines[3]["finding"]["kind"], "dead-units");
    assert_eq!(lines[5]["metrics"]["loss"], "NaN");
    assert_eq!(
        (&lines[6]["metrics"]["loss"], &lines[6]["epoch"]),
        (&Value::from(0.012345), &Value::from(3))
    );
    let mut few = Vec::new();
    tell(&mut JsonReporter::new(&mut few));
    assert!(
        !String::from_utf8(few)
            .unwrap()
            .contains("\"event\":\"step\""),
        "steps are not said unless asked for"
    );
}

#[test]
fn a_closed_pipe_does_not_end_a_run() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }
    tell(&mut LineReporter::new(Closed));
    tell(&mut JsonReporter::new(Closed));
}

/// A terminal that keeps what is written to it.
#[derive(Clone, Debug, Default)]
struct Terminal(Arc<Mutex<String>>);

impl indicatif::TermLike for Terminal {
    fn width(&self) -> u16 {
        120
    }
    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(&format!("{text}\n"))
    }
    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.lock().unwrap().push_str(text);
        Ok(())
    }
    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }
    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_bar_shows_loss_throughput_and_the_time_left() {
    let terminal = Terminal::default();
    tell(&mut BarReporter::on_terminal(Box::new(terminal.clone())));
    let text = terminal.0.lock().unwrap().clone();
    for part in [
        "epoch 1/2  loss 0.5000  accuracy 91.4 %  12,346 examples/s",
        "left",
        "help: rest",
        "done in 1 min 40 s",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}
