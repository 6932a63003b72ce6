//! `chainrule train`, `evaluate` and `predict` from outside: what is printed, what is left in files, what mistakes look like.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn chainrule(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chainrule"));
    command.args(arguments).env_remove("RUST_BACKTRACE");
    command.output().expect("the program starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("output is text")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("messages are text")
}

/// The output of a command that must succeed.
fn done(arguments: &[&str]) -> String {
    let output = chainrule(arguments);
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        stderr(&output)
    );
    stdout(&output)
}

/// What a command that must fail says.
fn failed(arguments: &[&str]) -> String {
    let output = chainrule(arguments);
    assert!(!output.status.success(), "{arguments:?} succeeded");
    let message = stderr(&output);
    assert!(!message.contains("panicked"), "{message}");
    message
}

fn last_line(text: &str) -> Value {
    serde_json::from_str(text.lines().last().expect("there is a line")).expect("it is JSON")
}

/// A folder of its own for each test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path =
            std::env::temp_dir().join(format!("chainrule-train-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("temporary folders can be made");
        Folder(path)
    }

    fn path(&self, name: &str) -> String {
        self.0
            .join(name)
            .to_str()
            .expect("the path is text")
            .to_owned()
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::write(&path, content).expect("files can be written");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Points in the plane by the quadrant's colour: easily told apart by a small network.
fn points() -> String {
    let mut text = "x,y,colour\n".to_owned();
    for i in 0..200_u32 {
        let (x, y) = (
            f64::from(i * 37 % 101) - 50.0,
            f64::from(i * 53 % 97) - 48.0,
        );
        let colour = if (x > 0.0) == (y > 0.0) {
            "red"
        } else {
            "blue"
        };
        text.push_str(&format!("{x},{y},{colour}\n"));
    }
    text
}

const POINTS: &str = r#"
[data]
kind = "csv"
path = "POINTS"
label = "colour"

[[model.layers]]
type = "linear"
outputs = 16

[[model.layers]]
type = "tanh"

[[model.layers]]
type = "dropout"
probability = 0.1

[[model.layers]]
type = "linear"
outputs = 2

[optimiser]
type = "adam"
learning_rate = 0.02

[schedule]
type = "cosine"
steps = 200

[regulariser]
l2 = 1e-5
except = ["*bias"]

[run]
epochs = 20
batch_size = 16
seed = 3
monitor = "accuracy"
clip_norm = 1.0
average = 0.9
checkpoint_every = 7
"#;

fn config(folder: &Folder, text: &str) -> String {
    let points = folder.write("points.csv", points());
    folder.write("points.toml", text.replace("POINTS", &points))
}

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

/// An IDX file of bytes.
fn idx(extents: &[u32], bytes: impl Iterator<Item = u8>) -> Vec<u8> {
    let mut file = vec![0, 0, 8, extents.len() as u8];
    file.extend(extents.iter().flat_map(|extent| extent.to_be_bytes()));
    file.extend(bytes);
    file
}

/// A folder that looks like MNIST, of 40 images to learn from and 20 to test on; labels are below `classes`.
fn tiny_mnist(folder: &Folder, classes: u32) -> String {
    for (part, count) in [("train", 40_u32), ("t10k", 20)] {
        let pixels = (0..count * 784).map(|i| (i * 31 % 251) as u8);
        folder.write(
            &format!("{part}-images-idx3-ubyte"),
            idx(&[count, 28, 28], pixels),
        );
        let labels = (0..count).map(|i| (i % classes) as u8);
        folder.write(&format!("{part}-labels-idx1-ubyte"), idx(&[count], labels));
    }
    folder.0.to_str().expect("the path is text").to_owned()
}

/// A text of 65 different characters, as many as tiny-shakespeare has.
fn tiny_text(folder: &Folder) -> String {
    let alphabet: String = (' '..).take(65).collect();
    folder.write("input.txt", alphabet.repeat(40))
}

fn shipped(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(name)
        .to_str()
        .expect("the path is text")
        .to_owned()
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
    assert!(message.contains("more than one value"), "{message}");
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
