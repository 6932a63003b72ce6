//! `predict`: images, tables and texts.

use crate::support::*;
use serde_json::Value;

fn objects(text: &str) -> Vec<Value> {
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("it is JSON"))
        .collect()
}

/// A grey picture of 8 bits as a PNG file.
fn png(width: u32, height: u32, pixels: &[f64]) -> Vec<u8> {
    let picture =
        chainrule::Tensor::from(pixels.to_vec()).reshape([height as isize, width as isize]);
    chainrule_train::picture::Picture::of_tensor(&picture)
        .expect("it is a picture")
        .to_png()
}

/// A folder like MNIST's in which images of class 0 are dark and those of class 1 light, and a network that tells them apart.
fn dark_and_light(folder: &Folder) -> String {
    for (part, count) in [("train", 40_u32), ("t10k", 20)] {
        let pixels = (0..count * 784).map(|at| {
            if (at / 784) % 2 == 0 {
                (at % 60) as u8
            } else {
                255 - (at % 60) as u8
            }
        });
        folder.write(
            &format!("{part}-images-idx3-ubyte"),
            idx(&[count, 28, 28], pixels),
        );
        let labels = (0..count).map(|at| (at % 2) as u8);
        folder.write(&format!("{part}-labels-idx1-ubyte"), idx(&[count], labels));
    }
    let data = folder.0.display();
    let config = folder.write(
        "mnist.toml",
        format!(
            "[data]\nkind = \"mnist\"\npath = \"{data}\"\n[model]\narchitecture = \"mlp\"\nhidden = [8]\n[optimiser]\ntype = \
             \"adam\"\nlearning_rate = 0.01\n[run]\nepochs = 40\nbatch_size = 10\n"
        ),
    );
    let run = folder.path("run");
    done(&["train", &config, "--json", "--resume", &run]);
    run
}

#[test]
fn pictures_are_told_apart() {
    let folder = Folder::new("predict-images");
    let run = dark_and_light(&folder);
    let dark = folder.write("dark.png", png(28, 28, &[0.1; 784]));
    let light = folder.write("light.png", png(28, 28, &[0.9; 784]));
    let told = objects(&done(&["predict", &run, &dark, &light, "--json"]));
    let classes: Vec<&Value> = told
        .iter()
        .map(|line| &line["classes"][0]["class"])
        .collect();
    assert_eq!(classes, ["0", "1"]);
    assert_eq!(told[0]["file"], dark.as_str());
    let shares = told[0]["classes"].as_array().expect("classes are listed");
    assert!(shares.len() == 3 && shares[0]["probability"].as_f64() > Some(0.5));
    // An IDX file has many.
    let many = folder.write(
        "many-idx3-ubyte",
        idx(
            &[3, 28, 28],
            (0..3 * 784).map(|at| if at / 784 == 1 { 230 } else { 20 }),
        ),
    );
    let told = objects(&done(&["predict", &run, &many, "--json"]));
    let classes: Vec<&Value> = told
        .iter()
        .map(|line| &line["classes"][0]["class"])
        .collect();
    assert_eq!(classes, ["0", "1", "0"]);
    assert_eq!(told[2]["row"], 2);
    let words = done(&["predict", &run, &many]);
    assert!(
        words.contains("row 1: 1 ") && words.contains(" %"),
        "{words}"
    );
}

#[test]
fn files_that_do_not_fit_the_network_are_said() {
    let folder = Folder::new("predict-mistakes");
    let run = dark_and_light(&folder);
    let small = folder.write("small.png", png(5, 4, &[0.5; 20]));
    let message = failed(&["predict", &run, &small]);
    assert!(
        message.contains("[1, 4, 5]") && message.contains("[1, 28, 28]"),
        "{message}"
    );
    let flat = folder.write("labels", idx(&[5], 0..5));
    let message = failed(&["predict", &run, &flat]);
    assert!(message.contains("trained on [1, 28, 28]"), "{message}");
    let text = folder.write("note.txt", "not a picture");
    let message = failed(&["predict", &run, &text]);
    assert!(message.contains("note.txt"), "{message}");
    let message = failed(&["predict", &run, &folder.path("nowhere.png")]);
    assert!(message.contains("nowhere.png"), "{message}");
    let message = failed(&["predict", &run, "--prompt", "To be"]);
    assert!(message.contains("not trained on a text"), "{message}");
    let message = failed(&["predict", &folder.path("nothing"), &small]);
    assert!(message.contains("nothing"), "{message}");
}

#[test]
fn rows_need_no_label() {
    let folder = Folder::new("predict-rows");
    let config = config(&folder, POINTS);
    let run = folder.path("run");
    done(&["train", &config, "--json", "--resume", &run]);
    let whole = folder.write("whole.csv", "x,y,colour\n30,30,red\n-30,30,red\n");
    let bare = folder.write("bare.csv", "y,x\n30,30\n30,-30\n");
    let unnamed = folder.write("unnamed.csv", "30,30\n-30,30\n");
    let told = |file: &str| {
        let told = objects(&done(&["predict", &run, file, "--json"]));
        told.into_iter()
            .map(|line| line["classes"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(told(&whole)[0][0]["class"], "red");
    assert_eq!(told(&whole)[1][0]["class"], "blue");
    assert_eq!(told(&bare), told(&whole));
    assert_eq!(told(&unnamed), told(&whole));
    let wrong = folder.write("wrong.csv", "x,z\n30,30\n");
    let message = failed(&["predict", &run, &wrong]);
    assert!(message.contains("no column \"y\""), "{message}");
}

#[test]
fn a_text_is_gone_on_with() {
    let folder = Folder::new("predict-text");
    // Each letter has one successor, so that even a small network soon knows it.
    let text = folder.write("abc.txt", "abcdefgh".repeat(200));
    let config = folder.write(
        "abc.toml",
        format!(
            "[data]\nkind = \"text\"\npath = \"{text}\"\nlength = 8\n[[model.layers]]\ntype = \"embedding\"\nentries = 8\nwidth = \
             8\n[[model.layers]]\ntype = \"linear\"\noutputs = 8\n[optimiser]\ntype = \"adam\"\nlearning_rate = 0.1\n[run]\nepochs = \
             10\nbatch_size = 16\n"
        ),
    );
    let run = folder.path("run");
    done(&["train", &config, "--json", "--resume", &run]);
    let written = done(&[
        "predict",
        &run,
        "--prompt",
        "ab",
        "--length",
        "10",
        "--temperature",
        "0",
    ]);
    assert_eq!(written.trim_end(), "abcdefghabcd");
    let begun = folder.write("begun.txt", "fg\n");
    let told = objects(&done(&[
        "predict",
        &run,
        &begun,
        "--length",
        "3",
        "--temperature",
        "0.1",
        "--json",
    ]));
    assert_eq!(told[0]["text"], "fghab");
    // Hot enough, everything is likely; the seed decides.
    let hot = |seed: &str| {
        let arguments = [
            "predict",
            &run,
            "--prompt",
            "a",
            "--length",
            "40",
            "--temperature",
            "50",
            "--seed",
            seed,
        ];
        done(&arguments)
    };
    assert_eq!(hot("1"), hot("1"));
    assert_ne!(hot("1"), hot("2"));
    let message = failed(&["predict", &run, "--prompt", "xyz"]);
    assert!(message.contains('x'), "{message}");
    let message = failed(&["predict", &run, "--prompt", "a", "--temperature=-1"]);
    assert!(message.contains("--temperature is -1"), "{message}");
}
