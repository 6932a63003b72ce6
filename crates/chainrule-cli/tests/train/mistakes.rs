//! What mistakes look like.

use crate::support::*;
use std::fs;

#[test]
fn every_mistake_is_shown_at_its_line() {
    let folder = Folder::new("mistakes");
    // What is changed, into what, and what the message has: the complaint, the line, the caret's line.
    let cases = [
        (
            "[optimiser]",
            "[optimizer]",
            "did you mean `optimiser`?",
            "[optimizer]",
            " ^^^^^^^^^",
        ),
        (
            "outputs = 16",
            "ouputs = 16",
            "did you mean `outputs`?",
            "ouputs = 16",
            "^^^^^^",
        ),
        (
            "outputs = 16",
            "outputs = \"many\"",
            "expected a whole number",
            "outputs = \"many\"",
            "          ^^^^^^",
        ),
        (
            "type = \"tanh\"",
            "type = \"tanhh\"",
            "did you mean `tanh`?",
            "type = \"tanhh\"",
            "       ^^^^^^^",
        ),
        (
            "type = \"adam\"",
            "type = \"adan\"",
            "did you mean `adam`?",
            "type = \"adan\"",
            "       ^^^^^^",
        ),
        (
            "learning_rate",
            "learning_rat",
            "learning_rate",
            "learning_rat = 0.02",
            "^^^",
        ),
        (
            "type = \"cosine\"",
            "type = \"cosin\"",
            "did you mean `cosine`?",
            "type = \"cosin\"",
            "       ^^^^^^^",
        ),
        (
            "epochs = 20",
            "epoch = 20",
            "did you mean `epochs`?",
            "epoch = 20",
            "^^^^^",
        ),
        (
            "epochs = 20",
            "epochs = 0",
            "expected at least 1",
            "epochs = 0",
            "         ^",
        ),
        (
            "monitor = \"accuracy\"",
            "monitor = \"acc\"",
            "loss or accuracy",
            "monitor = \"acc\"",
            "          ^^^^^",
        ),
        (
            "kind = \"csv\"",
            "kind = \"cvs\"",
            "did you mean `csv`?",
            "kind = \"cvs\"",
            "       ^^^^^",
        ),
        (
            "except = ",
            "excep = ",
            "did you mean `except`?",
            "excep = ",
            "^^^^^",
        ),
        (
            "probability = 0.1",
            "probability = 2",
            "probability",
            "probability = 2",
            "              ^",
        ),
        (
            "outputs = 2\n",
            "outputs = 3\n",
            "the data has 2 classes",
            "[[model.layers]]",
            "^",
        ),
        ("l2 = 1e-5", "l2 = ", "", "l2 = ", "     ^"),
    ];
    for (right, wrong, complaint, line, caret) in cases {
        assert!(POINTS.contains(right), "{right}");
        let config = config(&folder, &POINTS.replacen(right, wrong, 1));
        let message = failed(&["train", &config, "--dry-run"]);
        let has_line = message
            .lines()
            .any(|shown| shown.contains(&format!(" | {line}")));
        let has_caret = message
            .lines()
            .any(|shown| shown.contains(&format!(" | {caret}")));
        assert!(
            message.contains(complaint) && has_line && has_caret,
            "{wrong}: {message}"
        );
        assert!(message.contains("points.toml:"), "{message}");
    }
}

#[test]
fn data_that_cannot_be_learnt_from_is_said() {
    let folder = Folder::new("data");
    let mnist = shipped("configs/mnist-mlp.toml");
    let message = failed(&["train", &mnist, "--data", &folder.path("nowhere")]);
    assert!(
        message.contains("MNIST is not there") && message.contains("https://"),
        "{message}"
    );
    let message = failed(&["train", &mnist, "--data", &tiny_mnist(&folder, 13)]);
    assert!(message.contains("label 10 is out of range"), "{message}");
    let empty = config(&folder, POINTS);
    folder.write("points.csv", "x,y,colour\n");
    let message = failed(&["train", &empty]);
    assert!(
        message.contains("points.csv") || message.contains("empty"),
        "{message}"
    );
    // A last batch of one example has no variance.
    let norm = POINTS.replacen("type = \"tanh\"", "type = \"batch_norm\"", 1);
    let norm = config(
        &folder,
        &norm.replacen("batch_size = 16", "batch_size = 159", 1),
    );
    let message = failed(&["train", &norm]);
    assert!(
        message.contains("more than one value") && message.contains("drop_last = true"),
        "{message}"
    );
    let text = fs::read_to_string(&norm).expect("it was written");
    let dropped = text.replacen("batch_size = 159", "batch_size = 159\ndrop_last = true", 1);
    done(&["train", &folder.write("dropped.toml", dropped), "--json"]);
    let none = text.replacen("batch_size = 159", "batch_size = 161\ndrop_last = true", 1);
    let message = failed(&["train", &folder.write("none.toml", none)]);
    assert!(message.contains("no batches"), "{message}");
    let report = folder.path("nowhere/report.html");
    let message = failed(&["train", &norm, "--report", &report]);
    assert!(message.contains("there is no folder"), "{message}");
}

#[test]
fn folders_of_other_runs_are_not_gone_on_from() {
    let folder = Folder::new("other-runs");
    let nowhere = folder.path("nowhere");
    for command in ["evaluate", "predict"] {
        let file = folder.write("asked.csv", "x,y\n1,1\n");
        let mut arguments = vec![command, &nowhere];
        if command == "predict" {
            arguments.push(&file);
        }
        let message = failed(&arguments);
        assert!(message.contains("is no folder of a run"), "{message}");
    }
    let message = failed(&["train", "--resume", &nowhere]);
    assert!(message.contains("is no folder of a run"), "{message}");
    let points = config(&folder, POINTS);
    let run = folder.path("run");
    done(&[
        "train", &points, "--json", "--resume", &run, "--epochs", "1",
    ]);
    // Another model: what is missing and what differs is listed, by name.
    let wider = config(&folder, &POINTS.replacen("outputs = 16", "outputs = 9", 1));
    let message = failed(&["train", &wider, "--resume", &run]);
    assert!(
        message.contains("0.weight") && message.contains("[16, 2]") && message.contains("[9, 2]"),
        "{message}"
    );
    let deeper = POINTS.replacen(
        "[[model.layers]]\ntype = \"dropout\"",
        "[[model.layers]]\ntype = \"linear\"\noutputs = 4\n\n[[model.layers]]\ntype = \"dropout\"",
        1,
    );
    let message = failed(&["train", &config(&folder, &deeper), "--resume", &run]);
    assert!(
        message.contains("2.weight") && message.contains("3.weight"),
        "{message}"
    );
    // Another optimiser.
    let other = POINTS.replacen("\"adam\"", "\"sgd\"", 1);
    let message = failed(&["train", &config(&folder, &other), "--resume", &run]);
    assert!(message.contains("another optimiser"), "{message}");
    // A folder with the configuration alone.
    let bare = folder.path("bare");
    fs::create_dir_all(&bare).expect("folders can be made");
    fs::copy(&points, format!("{bare}/config.toml")).expect("files can be copied");
    let message = failed(&["evaluate", &bare]);
    assert!(message.contains("has no checkpoint"), "{message}");
}

#[test]
fn a_run_that_fails_says_why() {
    let folder = Folder::new("failing");
    // Without a bound the steps are so large that the loss overflows.
    let wild = POINTS
        .replacen(
            "\"adam\"\nlearning_rate = 0.02",
            "\"sgd\"\nlearning_rate = 1e30",
            1,
        )
        .replacen("clip_norm = 1.0\n", "", 1);
    let message = failed(&["train", &config(&folder, &wild), "--json"]);
    assert!(
        message.contains("the loss is") && message.contains("at step"),
        "{message}"
    );
    let negative = POINTS.replacen("learning_rate = 0.02", "learning_rate = -0.02", 1);
    let message = failed(&["train", &config(&folder, &negative)]);
    assert!(
        message.contains("not negative") && message.contains("                ^^^^^"),
        "{message}"
    );
    // One batch larger than the data is all of the data.
    let large = POINTS.replacen("batch_size = 16", "batch_size = 100000", 1);
    let end = last_line(&done(&["train", &config(&folder, &large), "--json"]));
    assert_eq!(end["step"], 20);
    // Layers that do not take what they are given.
    for (layer, complaint) in [
        ("type = \"conv2d\"\noutputs = 4\nkernel = 3", "[2, 16]"),
        (
            "type = \"embedding\"\nentries = 4\nwidth = 3",
            "does not take inputs",
        ),
        (
            "type = \"transformer_encoder\"\nlayers = 1\nheads = 3",
            "heads",
        ),
    ] {
        let message = failed(&[
            "train",
            &config(&folder, &POINTS.replacen("type = \"tanh\"", layer, 1)),
        ]);
        assert!(
            message.contains(complaint) && message.contains(" | ") && message.contains('^'),
            "{message}"
        );
    }
    for (architecture, complaint) in [
        ("\"lenett\"", "did you mean `lenet`?"),
        ("\"mlp\"\nhiden = [3]", "did you mean `hidden`?"),
        ("\"mlp\"\nactivation = \"rellu\"", "did you mean `relu`?"),
        ("\"vision_transformer\"", "it takes images"),
        ("\"transformer\"\nheads = 3", "does not divide"),
        ("\"alexnet\"", "it takes [batch, channels"),
    ] {
        let start = POINTS.find("[[model.layers]]").expect("it has layers");
        let end = POINTS.find("[optimiser]").expect("it has an optimiser");
        let text = format!(
            "{}[model]\narchitecture = {architecture}\n\n{}",
            &POINTS[..start],
            &POINTS[end..]
        );
        let message = failed(&["train", &config(&folder, &text)]);
        assert!(
            message.contains(complaint) && message.contains('^'),
            "{architecture}: {message}"
        );
    }
}
