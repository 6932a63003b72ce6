//! The record of a run survives the way to a file and back, and being cut off.

use chainrule_train::history::{Entry, History, HistoryError};

fn run() -> History {
    let mut history = History::new();
    history.note("config", "epochs = 2\n[model]");
    for step in 1..=6 {
        history.push("train/loss", step, 1.0 / step as f64);
        history.push("learning rate", step, 0.1 + 0.2 * step as f64);
        if step % 3 == 0 {
            history.push("validation/loss", step, 0.7);
            history.end_epoch(step);
        }
    }
    history
}

#[test]
fn numbers_come_back_bit_for_bit() {
    let mut history = run();
    for (step, value) in [
        f64::NAN,
        f64::INFINITY,
        -f64::INFINITY,
        5e-324,
        0.1 + 0.2,
        -0.0,
    ]
    .into_iter()
    .enumerate()
    {
        history.push("odd \"name\"\n", step as u64, value);
    }
    let read = History::from_json_lines(history.to_json_lines().as_bytes()).unwrap();
    assert_eq!(read, history);
    let bits = |history: &History| -> Vec<u64> {
        history
            .series("odd \"name\"\n")
            .map(|(_, value)| value.to_bits())
            .collect()
    };
    assert_eq!(bits(&read), bits(&history));
    assert_eq!(read.epochs().collect::<Vec<_>>(), [3, 6]);
    assert_eq!(read.notes()["config"], "epochs = 2\n[model]");
}

#[test]
fn a_line_cut_off_in_the_middle_is_left_out() {
    let history = run();
    let text = history.to_json_lines();
    let whole = history.entries().len();
    for cut in 0..text.len() {
        let read = History::from_json_lines(&text.as_bytes()[..cut]).unwrap();
        assert_eq!(read.entries().len(), text[..cut].matches('\n').count());
        assert!(read.entries().len() <= whole);
    }
}

#[test]
fn a_damaged_line_is_named() {
    let text = run()
        .to_json_lines()
        .replacen("\"step\":2", "\"step\":oops", 1);
    match History::from_json_lines(text.as_bytes()) {
        Err(HistoryError::Line { line, .. }) => assert_eq!(line, 4),
        other => panic!("read {other:?}"),
    }
}

#[test]
fn a_resumed_run_does_the_steps_after_its_checkpoint_again() {
    let mut history = run();
    history.truncate_after(4);
    assert_eq!(history.last("train/loss"), Some((4, 0.25)));
    assert_eq!(history.epochs().collect::<Vec<_>>(), [3]);
    assert_eq!(history.series("validation/loss").count(), 1);
    history.push("train/loss", 5, 9.0);
    assert_eq!(
        history
            .series("train/loss")
            .map(|(step, _)| step)
            .collect::<Vec<_>>(),
        [1, 2, 3, 4, 5]
    );
    assert!(matches!(history.entries()[0], Entry::Note { .. }));
    assert_eq!(history.last("nothing"), None);
}

#[test]
fn the_lines_read_well() {
    let mut history = History::new();
    history.push("train/loss", 7, 0.5);
    history.end_epoch(7);
    assert_eq!(
        history.to_json_lines(),
        "{\"point\":{\"name\":\"train/loss\",\"step\":7,\"value\":0.5}}\n{\"epoch\":{\"epoch\":1,\"step\":7}}\n"
    );
}
