//! `[loss]`: every loss by its name.

use crate::support::*;
use chainrule::nn::losses::{AnyLoss, LossPrediction, LossTarget, loss_names};
use chainrule::nn::{Arguments, Value};

/// The points' configuration with a loss of its own, and the layer that makes of the outputs what the loss compares.
fn with_loss(loss: &str, last: Option<&str>) -> String {
    let layer = last.map_or(String::new(), |kind| {
        format!("[[model.layers]]\ntype = \"{kind}\"\n\n")
    });
    let table = format!("{layer}[loss]\n{loss}\n\n[optimiser]");
    POINTS.replacen("[optimiser]", &table, 1)
}

/// The losses of the first and the last epoch.
fn course(text: &str) -> (f64, f64) {
    let losses: Vec<f64> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("it is JSON"))
        .filter(|line| line["event"] == "epoch")
        .map(|line| line["metrics"]["loss"].as_f64().expect("it is measured"))
        .collect();
    (losses[0], *losses.last().expect("there is an epoch"))
}

#[test]
fn every_loss_has_a_name_and_is_learnt_by() {
    let folder = Folder::new("losses");
    for name in loss_names() {
        let gains = Value::List(vec![
            Value::List(vec![Value::Float(1.0), Value::Float(0.0)]),
            Value::List(vec![Value::Float(0.0), Value::Float(1.0)]),
        ]);
        let (mut arguments, mut text) = (Arguments::new("loss"), format!("type = \"{name}\""));
        if name == "infogain" {
            arguments = arguments.with("gains", gains);
            text.push_str("\ngains = [[1.0, 0.0], [0.0, 1.0]]");
        }
        let loss = AnyLoss::named(name, &mut arguments).expect(name);
        let last = match (loss.prediction(), loss.name()) {
            (LossPrediction::Logits, _) => Some("log_softmax"),
            (LossPrediction::Probabilities, _) => Some("softmax"),
            (_, "hinge_embedding") => Some("sigmoid"),
            _ => None,
        };
        let config = config(&folder, &with_loss(&text, last));
        let (first, end) = course(&done(&["train", &config, "--json", "--epochs", "6"]));
        assert!(end < first, "{name}: {first} {end}");
    }
}

#[test]
fn arguments_of_a_loss_count() {
    let folder = Folder::new("loss-arguments");
    let loss_of = |text: &str| {
        let config = config(&folder, &with_loss(text, None));
        let ended = done(&["train", &config, "--json", "--epochs", "1"]);
        course(&ended).0
    };
    // Far out the Huber loss is delta |x - t|: a small delta makes a small loss. A sum is the mean times its terms.
    let (wide, narrow) = (
        loss_of("type = \"huber\""),
        loss_of("type = \"huber\"\ndelta = 0.01"),
    );
    assert!(narrow < 0.05 * wide, "{wide} {narrow}");
    let smoothed = loss_of("type = \"cross_entropy\"\nlabel_smoothing = 0.3");
    assert_ne!(smoothed, loss_of("type = \"cross_entropy\""));
    let usual = POINTS.replacen("[optimiser]", "\n[optimiser]", 1);
    let usual = config(&folder, &usual);
    let usual = course(&done(&["train", &usual, "--json", "--epochs", "1"])).0;
    assert_eq!(usual, loss_of("type = \"cross_entropy\""));
}

#[test]
fn numbers_are_learnt_by_losses_of_numbers() {
    let folder = Folder::new("loss-numbers");
    let mut table = "x,y,sum\n".to_owned();
    for i in 0..120 {
        let (x, y) = (
            f64::from(i * 37 % 101) / 50.0,
            f64::from(i * 53 % 97) / 50.0,
        );
        table.push_str(&format!("{x},{y},{}\n", x + 2.0 * y));
    }
    let table = folder.write("sums.csv", table);
    let text = format!(
        "[data]\nkind = \"csv\"\npath = \"{table}\"\ntargets = [\"sum\"]\n[[model.layers]]\ntype = \"linear\"\noutputs = \
         1\n[loss]\ntype = \"LOSS\"\n[optimiser]\ntype = \"adam\"\nlearning_rate = 0.1\n[run]\nepochs = 30\n"
    );
    for name in ["huber", "mse", "l1", "smooth_l1", "euclidean"] {
        let config = folder.write("sums.toml", text.replace("LOSS", name));
        let (first, end) = course(&done(&["train", &config, "--json"]));
        assert!(end < 0.1 * first, "{name}: {first} {end}");
    }
    let config = folder.write("sums.toml", text.replace("LOSS", "multi_margin"));
    let message = failed(&["train", &config]);
    assert!(
        message.contains("compares with classes") && message.contains("type = \"multi_margin\""),
        "{message}"
    );
}

#[test]
fn mistakes_of_a_loss_are_shown_at_their_line() {
    let folder = Folder::new("loss-mistakes");
    let cases = [
        ("type = \"hubr\"", "did you mean `huber`?", "       ^^^^^^"),
        (
            "type = \"huber\"\ndelt = 1.0",
            "did you mean `delta`?",
            "^^^^",
        ),
        (
            "type = \"huber\"\ndelta = -1.0",
            "expected a number above 0",
            "        ^^^^",
        ),
        (
            "type = \"huber\"\ndelta = \"big\"",
            "expected a number",
            "        ^^^^^",
        ),
        (
            "type = \"mse\"\nreduction = \"none\"",
            "\"mean\" or \"sum\"",
            "            ^^^^^^",
        ),
        (
            "type = \"focal\"\nbalance = 2",
            "from 0 to 1",
            "          ^",
        ),
        ("delta = 1.0", "argument `type` is missing", " ^^^^"),
    ];
    for (loss, complaint, caret) in cases {
        let config = config(&folder, &with_loss(loss, None));
        let message = failed(&["train", &config, "--dry-run"]);
        let has_caret = message
            .lines()
            .any(|line| line.contains(&format!(" | {caret}")));
        assert!(
            message.contains(complaint) && has_caret,
            "{loss}: {message}"
        );
    }
    let labels = LossTarget::Labels.of_labels(&chainrule::tensor![1, 0], 2);
    assert_eq!(labels.to_vec::<i64>(), [1, 0]);
}
