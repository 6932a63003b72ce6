//! Optimisers and their groups, schedules, regularisers, averages and precisions of a configuration.

use crate::support::*;
use chainrule::nn::optimiser_names;
use chainrule::nn::schedules::schedule_names;
use serde_json::Value;
use std::fs;

fn with(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(POINTS.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    })
}

fn trained(folder: &Folder, text: &str, epochs: &str) -> Value {
    let config = config(folder, text);
    last_line(&done(&["train", &config, "--json", "--epochs", epochs]))
}

fn accuracy(end: &Value) -> f64 {
    let accuracy = end["metrics"]["validation_accuracy"].as_f64();
    accuracy.expect("it is measured")
}

const OPTIMISER: &str = "type = \"adam\"\nlearning_rate = 0.02";
const SCHEDULE: &str = "[schedule]\ntype = \"cosine\"\nsteps = 200\n";
const REGULARISER: &str = "l2 = 1e-5\nexcept = [\"*bias\"]";

#[test]
fn every_optimiser_can_be_named() {
    let folder = Folder::new("optimisers");
    for name in optimiser_names() {
        // Muon is for matrices.
        let frozen = if name == "muon" {
            "frozen = [\"*bias\"]"
        } else {
            ""
        };
        let text = with(&[
            (
                OPTIMISER,
                &format!("type = \"{name}\"\nlearning_rate = 0.01\n{frozen}"),
            ),
            ("clip_norm = 1.0\n", ""),
        ]);
        let end = trained(&folder, &text, "2");
        assert!(end["metrics"]["loss"].as_f64().is_some(), "{name}: {end}");
    }
}

#[test]
fn lbfgs_searches_on_whole_batches_and_can_be_resumed() {
    let folder = Folder::new("lbfgs");
    let text = with(&[
        (OPTIMISER, "type = \"lbfgs\"\nmax_iterations = 10"),
        (SCHEDULE, ""),
        ("clip_norm = 1.0\naverage = 0.9\n", ""),
        ("batch_size = 16", "batch_size = 160"),
        (
            "[[model.layers]]\ntype = \"dropout\"\nprobability = 0.1\n",
            "",
        ),
    ]);
    let points = config(&folder, &text);
    let (whole, cut) = (folder.path("whole"), folder.path("cut"));
    let end = last_line(&done(&[
        "train", &points, "--json", "--resume", &whole, "--epochs", "12",
    ]));
    assert!(accuracy(&end) > 0.9, "{end}");
    done(&[
        "train", &points, "--json", "--resume", &cut, "--epochs", "5",
    ]);
    let resumed = done(&[
        "train", &points, "--json", "--resume", &cut, "--epochs", "12",
    ]);
    assert_eq!(last_line(&resumed)["metrics"], end["metrics"]);
    let clipped = text.replacen("seed = 3", "seed = 3\nclip_norm = 1.0", 1);
    let message = failed(&["train", &config(&folder, &clipped)]);
    assert!(
        message.contains("lbfgs evaluates the loss itself"),
        "{message}"
    );
}

#[test]
fn groups_have_settings_of_their_own() {
    let folder = Folder::new("groups");
    let groups = "[[optimiser.groups]]\nparameters = \"0.*\"\nfrozen = true\n\n[[optimiser.groups]]\nparameters = \
                  \"*bias\"\nweight_decay = 0.0\nlearning_rate_factor = 0.5\n\n[schedule]";
    let text = with(&[("[schedule]", groups)]);
    let run = folder.path("run");
    let path = config(&folder, &text);
    done(&["train", &path, "--json", "--resume", &run, "--epochs", "3"]);
    let mut checkpoints: Vec<_> = fs::read_dir(&run)
        .expect("there are checkpoints")
        .map(|entry| {
            entry
                .expect("it is read")
                .path()
                .join("weights.safetensors")
        })
        .filter(|path| path.is_file())
        .collect();
    checkpoints.sort();
    let weights =
        |at: usize| chainrule::nn::load_tensors(&checkpoints[at]).expect("weights are read");
    let (early, late) = (weights(0), weights(checkpoints.len() - 1));
    let same = |name: &str| early[name].to_vec::<f32>() == late[name].to_vec::<f32>();
    assert!(same("0.weight") && same("0.bias") && !same("3.weight") && !same("3.bias"));
    for (wrong, complaint, caret) in [
        (
            "parameters = \"1.*\"",
            "no parameter matches; there are 0.weight",
            "^^^^^",
        ),
        (
            "paramters = \"0.*\"",
            "did you mean `parameters`?",
            "^^^^^^^^^",
        ),
        (
            "parameters = \"0.*\"\nweight_decay = -1",
            "not negative",
            "^^",
        ),
        (
            "parameters = \"0.*\"\nlearning_rate = 1\nlearning_rate_factor = 2",
            "not both",
            "^",
        ),
    ] {
        let group = format!("[[optimiser.groups]]\n{wrong}\n\n[schedule]");
        let message = failed(&[
            "train",
            &config(&folder, &with(&[("[schedule]", &group)])),
            "--dry-run",
        ]);
        assert!(
            message.contains(complaint) && message.contains(caret),
            "{message}"
        );
    }
}

#[test]
fn every_schedule_can_be_named_and_put_in_sequence() {
    let folder = Folder::new("schedules");
    for name in schedule_names() {
        let arguments = match name {
            "step" => "every = 5",
            "multi_step" => "milestones = [3, 9]",
            "exponential" => "factor = 0.99",
            "cosine" | "warm_restarts" | "polynomial" | "linear" => "steps = 20\nwarm_up = 4",
            "one_cycle" => "steps = 30\nlargest = 0.05",
            "cyclic" => "up = 4\nleast = 0.01\nlargest = 0.05",
            _ => "",
        };
        let table = format!("[schedule]\ntype = \"{name}\"\n{arguments}\n");
        let end = trained(&folder, &with(&[(SCHEDULE, &table)]), "2");
        assert!(end["metrics"]["loss"].as_f64().is_some(), "{name}: {end}");
    }
    let stages = "[schedule]\ntype = \"sequence\"\n[[schedule.stages]]\ntype = \"constant\"\n[[schedule.stages]]\nfrom = \
                  10\ntype = \"exponential\"\nfactor = 0.5\n";
    let path = config(
        &folder,
        &with(&[(SCHEDULE, stages), ("checkpoint_every = 7\n", "")]),
    );
    let run = folder.path("run");
    done(&["train", &path, "--json", "--resume", &run, "--epochs", "2"]);
    let history = fs::read_dir(&run)
        .expect("there are checkpoints")
        .map(|entry| entry.expect("it is read").path().join("history.jsonl"))
        .filter(|path| path.is_file())
        .max()
        .expect("there is a history");
    let history = fs::read_to_string(history).expect("it is text");
    // 0.02 up to step 10, half of it after each step from there on.
    assert!(
        history.contains("0.02") && history.contains("0.01") && history.contains("0.005"),
        "{history}"
    );
    for (stages, complaint) in [
        (
            "[[schedule.stages]]\ntype = \"constan\"",
            "did you mean `constant`?",
        ),
        (
            "[[schedule.stages]]\ntype = \"constant\"\nfrom = 5",
            "begins at step 0",
        ),
        ("", "needs stages"),
        (
            "[[schedule.stages]]\ntype = \"constant\"\n[[schedule.stages]]\ntype = \"constant\"\nfrom = 0",
            "the stage before begins at 0",
        ),
    ] {
        let table = format!("[schedule]\ntype = \"sequence\"\n{stages}\n");
        let message = failed(&[
            "train",
            &config(&folder, &with(&[(SCHEDULE, &table)])),
            "--dry-run",
        ]);
        assert!(
            message.contains(complaint) && message.contains("^"),
            "{message}"
        );
    }
}

#[test]
fn penalties_have_strengths_by_group() {
    let folder = Folder::new("penalties");
    // So strong a penalty on the last layer alone leaves nothing of it: both classes become equally likely.
    let group = "l1 = 0.0\n[[regulariser.groups]]\nparameters = \"3.*\"\nl1 = 100.0\nl2 = 1.0";
    let end = trained(&folder, &with(&[(REGULARISER, group)]), "20");
    let loss = end["metrics"]["validation_loss"]
        .as_f64()
        .expect("it is measured");
    assert!((loss - 2f64.ln()).abs() < 0.02, "{end}");
    let negative = with(&[("l2 = 1e-5", "l2 = -1e-5")]);
    let message = failed(&["train", &config(&folder, &negative), "--dry-run"]);
    assert!(
        message.contains("not negative") && message.contains("     ^^^^^"),
        "{message}"
    );
    let wrong = with(&[(REGULARISER, "[[regulariser.groups]]\nl1 = 1.0")]);
    let message = failed(&["train", &config(&folder, &wrong), "--dry-run"]);
    assert!(message.contains("`parameters` is missing"), "{message}");
}

#[test]
fn weights_are_averaged_and_precision_is_chosen() {
    let folder = Folder::new("averages");
    for (average, precision) in [
        ("average = 0.95", "f32"),
        ("average = \"swa\"", "f32"),
        (
            "average = \"swa\"\naverage_from = 100\naverage_every = 3",
            "f32",
        ),
        ("", "bf16"),
        ("", "f16"),
    ] {
        let changed = format!("{average}\nprecision = \"{precision}\"");
        let text = with(&[("average = 0.9", &changed), (SCHEDULE, "")]);
        let end = trained(&folder, &text, "20");
        assert!(accuracy(&end) > 0.85, "{average} {precision}: {end}");
    }
    for (wrong, complaint) in [
        ("average = \"sva\"", "\"swa\", or the share"),
        ("average = 1.5", "at least 0 and below 1"),
        ("precision = \"f8\"", "\"f32\", \"bf16\" or \"f16\""),
        ("average_from = 3", "no argument `average_from`"),
    ] {
        let message = failed(&[
            "train",
            &config(&folder, &with(&[("average = 0.9", wrong)])),
            "--dry-run",
        ]);
        assert!(
            message.contains(complaint) && message.contains('^'),
            "{message}"
        );
    }
    let norm = with(&[
        ("type = \"tanh\"", "type = \"batch_norm\""),
        ("average = 0.9", "average = \"swa\""),
    ]);
    let message = failed(&["train", &config(&folder, &norm)]);
    assert!(message.contains("running statistics"), "{message}");
}

#[test]
fn a_run_in_f16_can_be_resumed() {
    let folder = Folder::new("f16");
    let text = with(&[("average = 0.9", "precision = \"f16\"")]);
    let path = config(&folder, &text);
    let (whole, cut) = (folder.path("whole"), folder.path("cut"));
    let end = last_line(&done(&[
        "train", &path, "--json", "--resume", &whole, "--epochs", "4",
    ]));
    done(&["train", &path, "--json", "--resume", &cut, "--epochs", "2"]);
    let resumed = done(&["train", &path, "--json", "--resume", &cut, "--epochs", "4"]);
    assert_eq!(last_line(&resumed)["metrics"], end["metrics"]);
}
