//! Calling the program, and the small files that it is given.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub fn chainrule(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chainrule"));
    command.args(arguments).env_remove("RUST_BACKTRACE");
    command.output().expect("the program starts")
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("output is text")
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("messages are text")
}

/// The output of a command that must succeed.
pub fn done(arguments: &[&str]) -> String {
    let output = chainrule(arguments);
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        stderr(&output)
    );
    stdout(&output)
}

/// What a command that must fail says.
pub fn failed(arguments: &[&str]) -> String {
    let output = chainrule(arguments);
    assert!(!output.status.success(), "{arguments:?} succeeded");
    let message = stderr(&output);
    assert!(!message.contains("panicked"), "{message}");
    message
}

pub fn last_line(text: &str) -> Value {
    serde_json::from_str(text.lines().last().expect("there is a line")).expect("it is JSON")
}

/// A folder of its own for each test, removed at its end.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        let path =
            std::env::temp_dir().join(format!("chainrule-train-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("temporary folders can be made");
        Folder(path)
    }

    pub fn path(&self, name: &str) -> String {
        self.0
            .join(name)
            .to_str()
            .expect("the path is text")
            .to_owned()
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
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
pub fn points() -> String {
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

pub const POINTS: &str = r#"
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

pub fn config(folder: &Folder, text: &str) -> String {
    let points = folder.write("points.csv", points());
    folder.write("points.toml", text.replace("POINTS", &points))
}

/// An IDX file of bytes.
pub fn idx(extents: &[u32], bytes: impl Iterator<Item = u8>) -> Vec<u8> {
    let mut file = vec![0, 0, 8, extents.len() as u8];
    file.extend(extents.iter().flat_map(|extent| extent.to_be_bytes()));
    file.extend(bytes);
    file
}

/// A folder that looks like MNIST, of 40 images to learn from and 20 to test on; labels are below `classes`.
pub fn tiny_mnist(folder: &Folder, classes: u32) -> String {
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
pub fn tiny_text(folder: &Folder) -> String {
    let alphabet: String = (' '..).take(65).collect();
    folder.write("input.txt", alphabet.repeat(40))
}

pub fn shipped(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(name)
        .to_str()
        .expect("the path is text")
        .to_owned()
}
