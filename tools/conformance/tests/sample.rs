//! The cases that ship with the project, run by the tool itself.

use std::process::Command;

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_chainrule-conformance"))
        .args(arguments)
        .output()
        .expect("the tool runs");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

#[test]
fn every_shipped_case_passes() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/opinfo");
    let (status, text) = run(&["opinfo", folder]);
    assert_eq!(status, Some(0), "{text}");
    let last = text.lines().last().unwrap();
    let passed: usize = last.split(' ').next().unwrap().parse().unwrap();
    assert!(passed > 200, "{last}");
    assert!(last.ends_with("0 failed, 0 not supported"), "{last}");
}

#[test]
fn every_shipped_case_of_layers_and_optimisers_passes() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/nn");
    let (status, text) = run(&["nn", folder]);
    assert_eq!(status, Some(0), "{text}");
    let last = text.lines().last().unwrap();
    let passed: usize = last.split(' ').next().unwrap().parse().unwrap();
    assert!(passed > 150, "{last}");
    for subject in [
        "Conv2d",
        "MaxUnpool2d",
        "BatchNorm3d",
        "EmbeddingBag",
        "Upsample",
    ] {
        let line = |line: &str| line.starts_with(&format!("{subject} "));
        assert!(text.lines().any(line), "{subject} does not occur: {text}");
    }
    assert!(last.ends_with("0 failed, 0 not supported"), "{last}");
}

#[test]
fn a_filter_takes_only_what_it_names() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/nn");
    let (status, text) = run(&["nn", folder, "--filter", "CTCLoss"]);
    assert_eq!(status, Some(0), "{text}");
    assert_eq!(text.lines().count(), 2, "{text}");
}

#[test]
fn a_wrong_gradient_and_an_unknown_argument_are_told_apart() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/nn");
    let changed = std::env::temp_dir().join(format!("chainrule-nn-{}", std::process::id()));
    std::fs::create_dir_all(&changed).unwrap();
    let tensors = changed.join("tensors.safetensors");
    std::fs::copy(format!("{folder}/tensors.safetensors"), tensors).unwrap();
    let cases = std::fs::read_to_string(format!("{folder}/cases.json")).unwrap();
    let first = cases.find(r#""module":"HuberLoss""#).unwrap();
    let until = first
        + cases[first..]
            .find(r#""kind":"#)
            .unwrap_or(cases.len() - first);
    let huber = &cases[first..until];
    // Another delta gives another loss; an argument that no one knows is refused.
    for (argument, status, found) in [
        (r#""delta":0.001"#, Some(1), "FAILED"),
        (r#""sharpness":2"#, Some(0), "argument `sharpness`"),
    ] {
        let other = huber.replacen(r#""kwargs":{"#, &format!(r#""kwargs":{{{argument},"#), 1);
        let other = other.replacen(&format!("{argument},}}"), &format!("{argument}}}"), 1);
        let text = cases.replacen(huber, &other, 1);
        std::fs::write(changed.join("cases.json"), text).unwrap();
        let (code, text) = run(&["nn", changed.to_str().unwrap(), "--filter", "HuberLoss"]);
        assert_eq!(code, status, "{text}");
        assert!(text.contains(found), "{text}");
    }
    std::fs::remove_dir_all(&changed).unwrap();
}

#[test]
fn a_wrong_number_is_found() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/opinfo");
    let broken = std::env::temp_dir().join(format!("chainrule-conformance-{}", std::process::id()));
    std::fs::create_dir_all(&broken).unwrap();
    std::fs::copy(format!("{folder}/cases.json"), broken.join("cases.json")).unwrap();
    let mut tensors = std::fs::read(format!("{folder}/tensors.safetensors")).unwrap();
    let end = tensors.len();
    for byte in &mut tensors[end - 4000..] {
        *byte ^= 0x11;
    }
    std::fs::write(broken.join("tensors.safetensors"), tensors).unwrap();
    let (status, text) = run(&["opinfo", broken.to_str().unwrap()]);
    std::fs::remove_dir_all(&broken).unwrap();
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("FAILED"));
}

#[test]
fn a_missing_folder_is_an_error() {
    assert_eq!(run(&["opinfo", "nowhere"]).0, Some(2));
    assert_eq!(run(&[]).0, Some(2));
}
