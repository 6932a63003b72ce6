//! Whole runs.

use crate::support::*;
use serde_json::Value;
use std::fs;
use std::path::Path;

#[test]
fn a_network_is_trained_resumed_measured_and_asked() {
    let folder = Folder::new("whole");
    let config = config(&folder, POINTS);
    let (run, cut) = (folder.path("run"), folder.path("cut"));
    let report = folder.path("report.html");
    let text = done(&[
        "train", &config, "--json", "--resume", &run, "--report", &report,
    ]);
    let end = last_line(&text);
    assert_eq!(end["event"], "end");
    let accuracy = end["metrics"]["validation_accuracy"]
        .as_f64()
        .expect("it is measured");
    assert!(accuracy > 0.85, "{accuracy}");
    let page = fs::read_to_string(&report).expect("the report is written");
    assert!(page.contains("<svg") && page.contains("learning_rate = 0.02"));
    // A run that ended after 4 epochs and was told to go on is the run that was not.
    done(&[
        "train", &config, "--json", "--resume", &cut, "--epochs", "4",
    ]);
    let resumed = done(&["train", "--json", "--resume", &cut]);
    assert_eq!(last_line(&resumed)["metrics"], end["metrics"]);
    // The best checkpoint gives what its validation gave.
    let measured = last_line(&done(&["evaluate", &run, "--json"]));
    let best = measured["metrics"]["accuracy"]
        .as_f64()
        .expect("it is measured");
    assert!(best >= accuracy, "{best} {accuracy}");
    let asked = folder.write("asked.csv", "x,y,colour\n30,30,red\n-30,30,red\n");
    let answers = done(&["predict", &run, &asked, "--json"]);
    let classes: Vec<String> = answers
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).expect("it is JSON")["classes"][0]["class"]
                .to_string()
        })
        .collect();
    assert_eq!(classes, ["\"red\"", "\"blue\""]);
    assert!(done(&["predict", &run, &asked]).contains("red "));
}

#[test]
fn a_dry_run_shows_the_table_and_does_nothing() {
    let folder = Folder::new("dry");
    let config = config(&folder, POINTS);
    let text = done(&[
        "train",
        &config,
        "--dry-run",
        "--resume",
        &folder.path("run"),
    ]);
    assert!(
        text.contains("Linear") && text.contains("82 parameters"),
        "{text}"
    );
    assert!(text.contains("200 steps of 16 examples by adam"), "{text}");
    assert!(!Path::new(&folder.path("run")).exists());
    let plan = last_line(&done(&["train", &config, "--dry-run", "--json"]));
    assert_eq!(plan["parameters"], 82);
}

#[test]
fn the_configurations_of_the_repository_can_be_run() {
    let folder = Folder::new("configs");
    let (images, text) = (tiny_mnist(&folder, 10), tiny_text(&folder));
    let cases = [
        ("mnist-mlp", &images, 235_146),
        ("mnist-lenet", &images, 61_706),
        ("fashion-mlp", &images, 235_146),
        ("fashion-lenet", &images, 177_250),
        ("char-rnn", &text, 103_297),
        ("char-gru", &text, 268_161),
        ("char-lstm", &text, 350_593),
        ("char-transformer", &text, 810_049),
    ];
    for (name, data, parameters) in cases {
        let config = shipped(&format!("configs/{name}.toml"));
        let plan = last_line(&done(&[
            "train",
            &config,
            "--data",
            data,
            "--dry-run",
            "--json",
        ]));
        assert_eq!(plan["parameters"], parameters, "{name}");
    }
    let trained = done(&[
        "train",
        "--example",
        "mnist-mlp",
        "--data",
        &images,
        "--epochs",
        "2",
        "--json",
    ]);
    assert!(last_line(&trained)["metrics"]["validation_accuracy"].is_number());
}

#[test]
fn logistic_regression_shows_which_weights_are_zero() {
    let text = done(&["train", "--example", "logistic", "--json"]);
    let end = last_line(&text);
    let metric = |name: &str| end["metrics"][name].as_f64().expect("it is measured");
    for penalty in ["none", "l2", "l1", "elastic"] {
        assert!(metric(&format!("{penalty}_accuracy")) > 0.93, "{end}");
    }
    assert_eq!((metric("none_zeros"), metric("l2_zeros")), (0.0, 0.0));
    assert!(
        metric("l1_zeros") >= 12.0 && metric("l1_zeros") > metric("elastic_zeros"),
        "{end}"
    );
    let table = done(&["train", "--example", "logistic"]);
    assert!(table.contains("worst concave points"), "{table}");
}

#[test]
fn examples_are_listed_and_the_nearest_is_named() {
    let list = done(&["train", "--list"]);
    assert!(
        list.contains("mnist-lenet") && list.contains("logistic"),
        "{list}"
    );
    let message = failed(&["train", "--example", "mnist-lnet"]);
    assert!(message.contains("did you mean `mnist-lenet`?"), "{message}");
}
