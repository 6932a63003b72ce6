//! The command line as a user runs it.

use std::process::{Command, Output, Stdio};

fn chainrule(arguments: &[&str]) -> Output {
    let weights = std::env::temp_dir().join(format!(
        "chainrule-cli-test-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    ));
    let output = Command::new(env!("CARGO_BIN_EXE_chainrule"))
        .args(arguments)
        .args(if arguments.contains(&"--help") {
            vec![]
        } else {
            vec!["--weights".into(), weights.clone().into_os_string()]
        })
        .output()
        .expect("the binary runs");
    let _ = std::fs::remove_file(weights);
    output
}

#[test]
fn learns_the_digits() {
    let output = chainrule(&[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(
        !text.contains('\u{1b}') && !text.contains('\r'),
        "piped output has no control characters"
    );
    let last = text.lines().last().unwrap();
    let accuracy: f64 = last
        .strip_prefix("held-out accuracy ")
        .unwrap()
        .strip_suffix(" %")
        .unwrap()
        .parse()
        .unwrap();
    assert!(accuracy >= 97.0, "{last}");
    for part in [
        "gradient norm of each layer",
        "held-out images were read",
        "weights saved to",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn other_seeds_learn_too() {
    for seed in ["1", "2", "3"] {
        let output = chainrule(&["--json", "--seed", seed]);
        let text = String::from_utf8(output.stdout).unwrap();
        let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert!(
            last["accuracy"].as_f64().unwrap() >= 0.96,
            "seed {seed}: {last}"
        );
    }
}

#[test]
fn json_is_one_object_a_line() {
    let output = chainrule(&["--json", "--epochs", "2"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0]["loss"].is_number() && lines[0]["gradient_norms"]["hidden"].is_number());
    assert!(lines[2]["accuracy"].is_number());
    assert!(output.stderr.is_empty());
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = || {
        let text = String::from_utf8(chainrule(&["--json", "--epochs", "2", "--seed", "7"]).stdout)
            .unwrap();
        text.lines().take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}

#[test]
fn long_runs_keep_to_the_width_of_a_terminal() {
    let text = String::from_utf8(chainrule(&["--epochs", "150"]).stdout).unwrap();
    let widest = text
        .lines()
        .filter(|line| !line.starts_with("weights saved"));
    let widest = widest.map(|line| line.chars().count()).max().unwrap();
    assert!(widest <= 100, "{widest} columns");
}

#[test]
fn help_reads_well() {
    let text = String::from_utf8(chainrule(&["--help"]).stdout).unwrap();
    assert!(text.starts_with("Trains a small network on real handwritten digits"));
    for option in [
        "--seed <NUMBER>",
        "--epochs <NUMBER>",
        "--weights <FILE>",
        "--json",
    ] {
        assert!(text.contains(option), "{text}");
    }
}

#[test]
fn a_reader_that_leaves_is_no_mistake() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_chainrule"))
        .args(["--epochs", "20", "--json", "--weights"])
        .arg(std::env::temp_dir().join(format!("chainrule-cli-pipe-{}", std::process::id())))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
}

#[test]
fn mistakes_are_reported() {
    let output = chainrule(&["--epochs", "0"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let output = Command::new(env!("CARGO_BIN_EXE_chainrule"))
        .args(["--epochs", "1", "--weights", "/nowhere/at/all"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("/nowhere/at/all")
    );
}
