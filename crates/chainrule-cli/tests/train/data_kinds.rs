//! `[data]`: every kind, from files to a trained network that is measured and asked; and the report of such a run.

use crate::support::*;
use serde_json::Value;
use std::fs;

/// A picture of one grey as a PNG file.
fn png(side: usize, grey: f64) -> Vec<u8> {
    let picture = chainrule::Tensor::full([side, side], grey);
    let picture = chainrule_train::picture::Picture::of_tensor(&picture);
    picture.expect("it is a picture").to_png()
}

fn accuracy(folder: &Folder, data: &str, model: &str) -> f64 {
    let text = format!(
        "[data]\n{data}\n[model]\n{model}\n[optimiser]\ntype = \"adam\"\nlearning_rate = 0.01\n[run]\nepochs = 30\nbatch_size = \
         8\nworkers = 0\n"
    );
    let config = folder.write("kind.toml", text);
    let run = folder.path("run");
    let _ = fs::remove_dir_all(&run);
    done(&[
        "train",
        &config,
        "--json",
        "--resume",
        &run,
        "--report",
        &folder.path("report.html"),
    ]);
    let measured = last_line(&done(&["evaluate", &run, "--json"]));
    measured["metrics"]["accuracy"]
        .as_f64()
        .expect("it is measured")
}

fn likeliest(folder: &Folder, file: &str) -> Vec<String> {
    let told = done(&["predict", &folder.path("run"), file, "--json"]);
    let class = |line: &str| {
        let line: Value = serde_json::from_str(line).expect("it is JSON");
        line["classes"][0]["class"]
            .as_str()
            .expect("it is a name")
            .to_owned()
    };
    told.lines().map(class).collect()
}

#[test]
fn folders_of_images() {
    let folder = Folder::new("images");
    let pictures = folder.path("pictures");
    for (class, base) in [("dark", 0.1), ("light", 0.8)] {
        fs::create_dir_all(format!("{pictures}/{class}")).expect("folders can be made");
        for number in 0..12 {
            let grey = base + 0.01 * f64::from(number);
            folder.write(&format!("pictures/{class}/{number}.png"), png(6, grey));
        }
    }
    let data = format!("kind = \"images\"\npath = \"{pictures}\"\ngrey = true\ntest = 0.25");
    assert_eq!(
        accuracy(&folder, &data, "architecture = \"mlp\"\nhidden = [4]"),
        1.0
    );
    let asked = folder.write("asked.png", png(6, 0.85));
    assert_eq!(likeliest(&folder, &asked), ["light"]);
    // Pictures with what they were taken for, and the confusion matrix, stand in the report.
    let page = fs::read_to_string(folder.path("report.html")).expect("the report is written");
    assert!(page.contains("<h2>Samples</h2>") && page.contains("data:image/png;base64,"));
    assert!(
        page.contains("✓ right") && page.contains("predicted light"),
        "{page}"
    );
    assert!(page.contains("Confusion"));
    // In three colours, in parts of their own, of which one lacks a class.
    for part in ["train", "test"] {
        for class in ["dark", "light"] {
            fs::create_dir_all(folder.path(&format!("parts/{part}/{class}")))
                .expect("folders can be made");
            for number in 0..4 {
                let grey = if class == "dark" { 0.1 } else { 0.9 };
                folder.write(&format!("parts/{part}/{class}/{number}.png"), png(6, grey));
            }
        }
    }
    let data = format!("kind = \"images\"\npath = \"{}\"", folder.path("parts"));
    assert_eq!(
        accuracy(&folder, &data, "architecture = \"mlp\"\nhidden = [4]"),
        1.0
    );
    fs::remove_dir_all(folder.path("parts/test/dark")).expect("folders can be removed");
    let message = failed(&["train", &folder.path("kind.toml")]);
    assert!(message.contains("both need the same"), "{message}");
    fs::create_dir_all(folder.path("nothing")).expect("folders can be made");
    let message = failed(&[
        "train",
        &folder.path("kind.toml"),
        "--data",
        &folder.path("nothing"),
    ]);
    assert!(message.contains("nothing"), "{message}");
}

#[test]
fn cifar10_by_a_small_alexnet() {
    let folder = Folder::new("cifar10");
    let record = |at: u32| {
        let label = (at % 2) as u8;
        let grey = if label == 0 { 20 } else { 200 };
        std::iter::once(label).chain((0..3072_u32).map(move |pixel| grey + (pixel * 7 % 50) as u8))
    };
    for part in [
        "data_batch_1",
        "data_batch_2",
        "data_batch_3",
        "data_batch_4",
        "data_batch_5",
        "test_batch",
    ] {
        let bytes: Vec<u8> = (0..8).flat_map(record).collect();
        folder.write(&format!("{part}.bin"), bytes);
    }
    let data = format!(
        "kind = \"cifar10\"\npath = \"{}\"\ntest_limit = 6",
        folder.0.display()
    );
    assert_eq!(
        accuracy(&folder, &data, "architecture = \"mlp\"\nhidden = []"),
        1.0
    );
    let config = fs::read_to_string(folder.path("kind.toml")).expect("it was written");
    let small = config.replace("\"mlp\"\nhidden = []", "\"alexnet\"\nsmall = true");
    let config = folder.write("small.toml", small.replace("epochs = 30", "steps = 1"));
    let plan = last_line(&done(&["train", &config, "--dry-run", "--json"]));
    assert_eq!(plan["parameters"], 451_466);
    done(&["train", &config, "--json"]);
}

#[test]
fn arrays_of_numpy() {
    let folder = Folder::new("arrays");
    let header = |kind: &str, shape: &str| {
        let mut text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
        while (10 + text.len() + 1) % 64 != 0 {
            text.push(' ');
        }
        text.push('\n');
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((text.len() as u16).to_le_bytes());
        bytes.extend(text.bytes());
        bytes
    };
    let mut inputs = header("<f4", "(40, 2)");
    let mut labels = header("<i8", "(40,)");
    let mut sums = header("<f8", "(40,)");
    for at in 0..40_i64 {
        let (x, y) = ((at * 7 % 11) as f32 - 5.0, (at * 5 % 13) as f32 - 6.0);
        inputs.extend([x, y].map(f32::to_le_bytes).concat());
        labels.extend(i64::from(x + y > 0.0).to_le_bytes());
        sums.extend(f64::from(x + y).to_le_bytes());
    }
    fs::create_dir_all(folder.path("arrays")).expect("folders can be made");
    for (name, bytes) in [("inputs", &inputs), ("labels", &labels), ("sums", &sums)] {
        folder.write(&format!("arrays/{name}.npy"), bytes);
    }
    let data = format!("kind = \"arrays\"\npath = \"{}\"", folder.path("arrays"));
    assert!(accuracy(&folder, &data, "architecture = \"mlp\"\nhidden = [8]") > 0.8);
    let mut asked = header("<f4", "(2, 2)");
    asked.extend([5.0_f32, 5.0, -5.0, -5.0].map(f32::to_le_bytes).concat());
    let asked = folder.write("asked.npy", asked);
    assert_eq!(likeliest(&folder, &asked), ["1", "0"]);
    let config = fs::read_to_string(folder.path("kind.toml")).expect("it was written");
    let numbers = folder.write(
        "numbers.toml",
        config.replace("[model]", "targets = \"sums\"\n[model]"),
    );
    let end = last_line(&done(&["train", &numbers, "--json"]));
    assert!(
        end["metrics"]["validation_loss"].as_f64() < Some(5.0),
        "{end}"
    );
    for (wrong, complaint) in [
        ("labels = \"nowhere\"", "nowhere.npy"),
        ("labels = \"sums\"", "labels are whole numbers"),
        ("classes = 1", "label 1 is out of range"),
        ("labels = \"labels\"\ntargets = \"sums\"", "not both"),
        ("inputs = \"asked\"", "asked.npy"),
    ] {
        let config = folder.write(
            "wrong.toml",
            config.replace("[model]", &format!("{wrong}\n[model]")),
        );
        let message = failed(&["train", &config]);
        assert!(message.contains(complaint), "{wrong}: {message}");
    }
}

#[test]
fn the_report_of_a_text_shows_what_the_network_writes() {
    let folder = Folder::new("report-text");
    let text = folder.write("abc.txt", "abcdefgh".repeat(100));
    let config = folder.write(
        "abc.toml",
        format!(
            "[data]\nkind = \"text\"\npath = \"{text}\"\nlength = 8\n[model]\narchitecture = \"transformer\"\nwidth = 8\nheads = \
             2\nblocks = 1\n[optimiser]\ntype = \"adam\"\nlearning_rate = 0.01\n[run]\nepochs = 2\nbatch_size = 16\nwatch = 2\n"
        ),
    );
    let report = folder.path("report.html");
    done(&["train", &config, "--json", "--report", &report]);
    let page = fs::read_to_string(&report).expect("the report is written");
    assert!(page.contains("Written by the network"), "{page}");
    assert!(page.contains("Gradient flow"), "{page}");
}

#[test]
fn images_are_augmented_and_normalised() {
    let folder = Folder::new("augment");
    let mnist = tiny_mnist(&folder, 10);
    let text = |data: &str| {
        format!(
            "[data]\nkind = \"mnist\"\npath = \"{mnist}\"\n{data}\n[model]\narchitecture = \"mlp\"\nhidden = [4]\n[optimiser]\ntype \
             = \"sgd\"\nlearning_rate = 0.1\n[run]\nepochs = 2\nbatch_size = 8\n"
        )
    };
    let loss = |data: &str, workers: usize| {
        let text = text(data).replace("batch_size", &format!("workers = {workers}\nbatch_size"));
        let config = folder.write("augment.toml", text);
        let end = last_line(&done(&["train", &config, "--json"]));
        end["metrics"]["loss"].as_f64().expect("it is measured")
    };
    let plain = loss("", 1);
    for change in [
        "type = \"flip_horizontal\"",
        "type = \"flip_vertical\"\nprobability = 0.3",
        "type = \"random_crop\"\npadding = 3",
        "type = \"rotate\"\ndegrees = 10",
        "type = \"affine\"\ntranslate = [0.1, 0.1]\nscale = [0.9, 1.1]\nshear = 5",
        "type = \"noise\"\ndeviation = 0.2",
        "type = \"colour_jitter\"\nbrightness = 0.3",
        "type = \"cutout\"\nsize = 6",
    ] {
        let data = format!("[[data.augment]]\n{change}");
        let changed = loss(&data, 1);
        assert_ne!(changed, plain, "{change}");
        assert_eq!(changed, loss(&data, 2), "{change}: threads change nothing");
    }
    assert_ne!(loss("normalise = true", 1), plain);
    for (wrong, complaint) in [
        (
            "[[data.augment]]\ntype = \"flip_horizntal\"",
            "did you mean `flip_horizontal`?",
        ),
        (
            "[[data.augment]]\ntype = \"rotate\"\ndegres = 3",
            "did you mean `degrees`?",
        ),
        (
            "[[data.augment]]\ntype = \"flip_vertical\"\nprobability = 2",
            "from 0 to 1",
        ),
        ("augment = 3", "write `[[data.augment]]`"),
    ] {
        let message = failed(&["train", &folder.write("wrong.toml", text(wrong))]);
        assert!(
            message.contains(complaint) && message.contains('^'),
            "{message}"
        );
    }
    let points = config(
        &folder,
        &POINTS.replacen("label =", "normalise = true\nlabel =", 1),
    );
    let message = failed(&["train", &points]);
    assert!(message.contains("are for images"), "{message}");
}
