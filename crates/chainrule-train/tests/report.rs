//! The report of a run: what is in it, that nothing breaks it, and that it is small.
//!
//! With `CHAINRULE_REPORTS=FOLDER` the pages are written there, to be looked at.

use chainrule_core::{Generator, Tensor};
use chainrule_nn::{Linear, Sequential, Summarise};
use chainrule_train::flow::{Finding, GradientFlow, ParameterRecord, StepRecord};
use chainrule_train::history::History;
use chainrule_train::metrics::ConfusionMatrix;
use chainrule_train::report::Report;
use std::time::Duration;

/// A number between 0 and 1 that looks like chance.
fn noise(seed: u64) -> f64 {
    let mixed = seed
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .rotate_left(29)
        .wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed >> 11) as f64 / (1u64 << 53) as f64
}

fn history(steps: u64) -> History {
    let mut history = History::new();
    for step in 1..=steps {
        let progress = step as f64 / steps as f64;
        let loss =
            2.3 * (-4.0 * progress).exp() + 0.05 + 0.2 * noise(step) * (1.0 - 0.7 * progress);
        history.push("train/loss", step, loss);
        history.push(
            "train/accuracy",
            step,
            1.0 - 0.8 * (-5.0 * progress).exp() - 0.05 * noise(step + 9),
        );
        history.push("learning rate", step, 3e-3 * (progress * 1.57).cos());
        if step % (steps / 8).max(1) == 0 {
            history.push(
                "validation/loss",
                step,
                2.3 * (-3.6 * progress).exp() + 0.12,
            );
            history.push(
                "validation/accuracy",
                step,
                0.97 - 0.8 * (-5.0 * progress).exp(),
            );
            history.end_epoch(step);
        }
    }
    history
}

/// Layers of which the gradient shrinks by `factor` from each to the one before it.
fn flow(layers: usize, steps: u64, factor: f64) -> GradientFlow {
    let mut flow = GradientFlow::new();
    for step in 0..steps {
        let parameter = |layer: usize| {
            let gradient = factor.powi((layers - 1 - layer) as i32)
                * (0.5 + noise(step * 1000 + layer as u64));
            ParameterRecord {
                name: format!("encoder.layers.{layer}.weight").into(),
                layer: format!("encoder.layers.{layer}").into(),
                source: format!("src/model.rs:{}:9", 20 + layer).into(),
                elements: 1000,
                rank: 2,
                gradient_norm: gradient,
                weight_norm: 10.0,
                update_norm: Some(1e-2 * (0.3 + noise(step * 77 + layer as u64))),
                zero_share: 0.1,
                absent: false,
            }
        };
        flow.add(StepRecord {
            step,
            parameters: (0..layers).map(parameter).collect(),
            activations: Vec::new(),
        });
    }
    flow
}

fn confusion(classes: usize) -> ConfusionMatrix {
    let mut matrix = ConfusionMatrix::new(classes);
    for example in 0..classes * 100 {
        let truth = example % classes;
        let wrong = noise(example as u64) > 0.93;
        let other = (noise(example as u64 + 5) * classes as f64) as usize;
        matrix.count(truth, if wrong { other } else { truth });
    }
    matrix
}

/// Keeps the page for looking at it, and checks what every page must keep to.
fn check(name: &str, html: &str) {
    if let Ok(folder) = std::env::var("CHAINRULE_REPORTS") {
        std::fs::write(format!("{folder}/{name}.html"), html).unwrap();
    }
    for forbidden in [
        "http://", "https://", "<script", "NaN\"", "inf\"", ",NaN", ",inf", "MNaN", "=\"NaN",
        "url(",
    ] {
        assert!(!html.contains(forbidden), "{name} contains {forbidden}");
    }
    let mut open: Vec<&str> = Vec::new();
    for tag in html
        .split('<')
        .skip(1)
        .filter_map(|rest| rest.split('>').next())
    {
        let word = tag
            .trim_start_matches('/')
            .split([' ', '/'])
            .next()
            .unwrap();
        if tag.starts_with('/') {
            assert_eq!(
                open.pop(),
                Some(word),
                "{name}: </{word}> closes another element"
            );
        } else if !tag.ends_with('/') && !["!doctype", "meta", "img", "br"].contains(&word) {
            open.push(word);
        }
    }
    assert!(open.is_empty(), "{name}: {open:?} are not closed");
}

fn whole_page(layers: usize) -> String {
    let (history, flow, matrix) = (history(2_000), flow(layers, 300, 0.7), confusion(10));
    let net = Sequential::new()
        .then(Linear::new(64, 32))
        .then(Linear::new(32, 10));
    let summary = net.summary(&Tensor::zeros([1, 64]));
    let mut report = Report::new("LeNet on digits", &history)
        .flow(&flow)
        .confusion(&matrix)
        .classes((0..10).map(|digit| digit.to_string()))
        .summary(&summary)
        .timing("whole run", Duration::from_secs(754))
        .timing("validation", Duration::from_millis(4_200))
        .configuration(
            "[model]\nname = \"lenet\"\n\n[optimiser]\nname = \"adam\"\nlearning_rate = 3e-3\n",
        );
    let generator = Generator::new(1);
    for example in 0..12 {
        let picture = generator.uniform([28, 28], 0.0, 1.0);
        report = report
            .picture(
                &picture,
                example % 10,
                if example == 4 { 9 } else { example % 10 },
            )
            .unwrap();
    }
    report
        .text(
            "A sample of 80 characters",
            "ROMEO:\nWhat say you, sir, <to> the & king?\n",
        )
        .to_html()
}

#[test]
fn a_whole_page_has_all_its_parts() {
    let html = whole_page(3);
    check("three", &html);
    for part in [
        "Learning curves",
        "Findings",
        "Gradient flow",
        "Confusion matrix",
        "Samples",
        "Model",
        "Timings",
        "Configuration",
        "12 min 34 s",
        "✗ wrong",
        "predicted",
        "prefers-color-scheme: dark",
        "encoder.layers.2",
        "&lt;to&gt; the &amp; king",
        "viewport",
        "10⁻³",
    ] {
        assert!(html.contains(part), "{part} is missing");
    }
    assert!(html.contains("Nothing is wrong."));
}

#[test]
fn two_hundred_layers_and_many_classes_stay_readable_and_small() {
    let html = whole_page(200);
    check("deep", &html);
    assert!(html.len() < 600_000, "{} bytes", html.len());
    assert!(html.contains("Serious: vanishing gradients"));
    let (history, matrix) = (history(10), confusion(100));
    let html = Report::new("hundred classes", &history)
        .confusion(&matrix)
        .to_html();
    check("hundred", &html);
    assert!(html.len() < 600_000, "{} bytes", html.len());
}

#[test]
fn one_point_and_a_hundred_thousand() {
    let mut one = History::new();
    one.push("train/loss", 1, 0.5);
    let html = Report::new("one", &one).to_html();
    check("one", &html);
    assert!(html.contains("<circle"));
    let many = history(100_000);
    let html = Report::new("many", &many).to_html();
    check("many", &html);
    assert!(html.len() < 200_000, "{} bytes", html.len());
    check("none", &Report::new("none", &History::new()).to_html());
}

#[test]
fn nan_is_said_and_not_drawn() {
    let mut history = history(60);
    for step in 61..=100 {
        history.push(
            "train/loss",
            step,
            if step % 2 == 0 {
                f64::NAN
            } else {
                f64::INFINITY
            },
        );
    }
    let mut flow = flow(3, 5, 1.0);
    let mut record = flow.records()[4].clone();
    record.step = 5;
    record.parameters[1].gradient_norm = f64::NAN;
    record.parameters[0].gradient_norm = f64::INFINITY;
    record.parameters[2].absent = true;
    flow.add(record);
    let html = Report::new("odd", &history).flow(&flow).to_html();
    check("odd", &html);
    assert!(html.contains("40 of 100 values are NaN or infinite, the first at step 61"));
    assert!(html.contains("Pink: NaN or infinite.") && html.contains("Grey: no gradient."));
    assert!(html.contains("NaN or infinity</b>"));
}

#[test]
fn names_cannot_break_the_page() {
    let evil = "<script>alert(1)</script>\"'&\u{0}";
    let mut history = History::new();
    history.push(evil, 1, 1.0);
    history.push("train/loss", 1, 1.0);
    let mut flow = GradientFlow::new();
    let mut record = flow_record();
    record.parameters[0].layer = evil.into();
    record.parameters[0].source = evil.into();
    record.parameters[0].absent = true;
    let found: Vec<Finding> = flow.add(record);
    assert_eq!(found.len(), 1);
    let matrix = confusion(2);
    let html = Report::new(evil, &history)
        .flow(&flow)
        .confusion(&matrix)
        .classes([evil, "b"])
        .configuration(evil)
        .timing(evil, Duration::ZERO)
        .text(evil, evil)
        .picture(&Tensor::zeros([2, 2]), 0, 1)
        .unwrap()
        .to_html();
    check("evil", &html);
    assert!(!html.contains('\u{0}'));
}

fn flow_record() -> StepRecord {
    flow(1, 1, 1.0).records()[0].clone()
}

#[test]
fn the_file_is_written_whole_or_not_at_all() {
    let folder = std::env::temp_dir().join(format!("chainrule-report-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let history = history(20);
    let report = Report::new("x", &history);
    let path = folder.join("report.html");
    std::fs::write(&path, "old").unwrap();
    report.write(&path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), report.to_html());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    let error = report
        .write(folder.join("missing/report.html"))
        .unwrap_err();
    assert!(
        error.message().contains("missing/report.html"),
        "{}",
        error.message()
    );
    // A folder in the way: the page cannot take its place, and nothing is left behind.
    std::fs::create_dir_all(folder.join("taken/x")).unwrap();
    assert!(report.write(folder.join("taken")).is_err());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2);
    std::fs::remove_dir_all(&folder).unwrap();
}
