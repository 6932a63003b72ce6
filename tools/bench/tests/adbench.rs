//! The objectives of ADBench on small inputs, beside values that `adbench_reference.py` computed with JAX.

use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output};

fn input(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/adbench")
        .join(name)
}

fn bench(objective: &str, file: &PathBuf, options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chainrule-bench"))
        .args(["adbench", objective])
        .arg(file)
        .args(["--seconds", "0"])
        .args(options)
        .output()
        .expect("the program starts")
}

/// Runs the objective on `name.txt` and compares all that `name.json` has.
fn agrees(objective: &str, name: &str, options: &[&str]) {
    let options = [options, &["--json"]].concat();
    let output = bench(objective, &input(&format!("{name}.txt")), &options);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    let ours: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    let expected =
        std::fs::read_to_string(input(&format!("{name}.json"))).expect("expected values");
    let expected: Value = serde_json::from_str(&expected).expect("one JSON object");
    for (key, expected) in expected.as_object().expect("an object") {
        close(&ours[key], expected, key);
    }
    for key in ["objective_ms", "derivative_ms", "ratio"] {
        assert!(ours[key].as_f64().is_some_and(|time| time > 0.0), "{key}");
    }
}

fn close(ours: &Value, expected: &Value, place: &str) {
    match (ours, expected) {
        (Value::Array(ours), Value::Array(expected)) => {
            assert_eq!(ours.len(), expected.len(), "{place}");
            for (i, pair) in ours.iter().zip(expected).enumerate() {
                close(pair.0, pair.1, &format!("{place}[{i}]"));
            }
        }
        (Value::Object(ours), Value::Object(expected)) => {
            assert_eq!(ours.len(), expected.len(), "{place}");
            for (key, expected) in expected {
                close(&ours[key], expected, &format!("{place}.{key}"));
            }
        }
        _ => {
            let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
            let (ours, expected) = (number(ours), number(expected));
            let allowed = 1e-10 * expected.abs().max(1e-3);
            assert!(
                (ours - expected).abs() <= allowed,
                "{place}: {ours}, expected {expected}"
            );
        }
    }
}

#[test]
fn gaussian_mixture() {
    agrees("gmm", "gmm_test", &[]);
}

#[test]
fn gaussian_mixture_of_one_point_repeated() {
    agrees("gmm", "gmm_one_point", &["--replicate"]);
    agrees("gmm", "gmm_one_point", &[]);
}

#[test]
fn lstm() {
    agrees("lstm", "lstm_small", &[]);
}

#[test]
fn hand() {
    agrees("hand", "hand_small", &[]);
    agrees("hand", "hand_small_complicated", &["--complicated"]);
}

#[test]
fn bundle_adjustment() {
    agrees("ba", "ba_test", &[]);
}

/// The complaint about a copy of `name` whose `from` is `to`.
fn complaint(objective: &str, name: &str, from: &str, to: &str, options: &[&str]) -> String {
    let text = std::fs::read_to_string(input(name)).expect("the input");
    assert!(text.contains(from), "{name} has {from}");
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let link = folder.join("hand_model");
    std::fs::create_dir_all(&link).expect("a folder");
    for file in ["bones.txt", "vertices.txt", "triangles.txt"] {
        std::fs::copy(input("hand_model").join(file), link.join(file)).expect("a copy");
    }
    let file = folder.join(name);
    std::fs::write(&file, text.replacen(from, to, 1)).expect("a damaged file");
    let output = bench(objective, &file, options);
    assert!(!output.status.success(), "the damaged file is refused");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn damaged_files_are_named_with_their_line() {
    for (objective, name, from, to, options, line, says) in [
        (
            "gmm",
            "gmm_test.txt",
            "0.396767",
            "0.39x767",
            &[][..],
            6,
            "found `0.39x767`",
        ),
        (
            "gmm",
            "gmm_test.txt",
            "2 3 1",
            "2 3 -1",
            &[],
            1,
            "the number n of points is -1",
        ),
        (
            "gmm",
            "gmm_test.txt",
            "1.000000 0",
            "1.000000",
            &[],
            12,
            "the file ends where m of",
        ),
        (
            "lstm",
            "lstm_small.txt",
            "2 6 3",
            "2 5 3",
            &[],
            22,
            "expected the end of the file",
        ),
        (
            "ba",
            "ba_test.txt",
            "0.417022",
            "nan",
            &[],
            4,
            "expected a finite number (the weight)",
        ),
        (
            "hand",
            "hand_small.txt",
            "1 0.",
            "8 0.",
            &[],
            2,
            "the vertex of a point is 8",
        ),
        (
            "hand",
            "hand_small.txt",
            "3 26",
            "3 25",
            &[],
            1,
            "a pose has 26 numbers",
        ),
        (
            "hand",
            "hand_small_complicated.txt",
            "2 0.",
            "2 0.",
            &[],
            5,
            "pass --complicated",
        ),
    ] {
        let complaint = complaint(objective, name, from, to, options);
        let place = format!("{name}:{line}: ");
        assert!(complaint.contains(&place), "{place} is not in: {complaint}");
        assert!(complaint.contains(says), "{says} is not in: {complaint}");
    }
}

#[test]
fn missing_files_are_named() {
    let output = bench("gmm", &input("none.txt"), &[]);
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        complaint.contains("none.txt: cannot be read"),
        "{complaint}"
    );
}
