//! `chainrule explain` as a user runs it.

use serde_json::Value;
use std::process::{Command, Output};

fn explain(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chainrule"))
        .arg("explain")
        .args(arguments)
        .output()
        .expect("the binary runs")
}

fn json(arguments: &[&str]) -> Value {
    let output = explain(&[arguments, &["--json"]].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{arguments:?}: {complaint}");
    serde_json::from_str(&text).unwrap()
}

/// The message of a command that has to fail, with nothing on the standard output.
fn refused(arguments: &[&str]) -> String {
    let output = explain(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn the_lectures_first_example() {
    let found = json(&["(x + y) * z", "x=-2", "y=5", "z=-4"]);
    assert_eq!(found["expression"], "(x + y) * z");
    assert_eq!(found["value"], -12.0);
    assert_eq!(found["shape"], serde_json::json!([]));
    let gradients = serde_json::json!({"x": -4.0, "y": -4.0, "z": 3.0});
    assert_eq!(found["gradients"], gradients);
}

#[test]
fn an_expression_may_begin_with_a_minus() {
    assert_eq!(json(&["-x^2", "x=3"])["gradients"]["x"], -6.0);
    assert_eq!(json(&["--x", "x=3"])["gradients"]["x"], 1.0);
    assert_eq!(json(&["-h", "h=2"])["gradients"]["h"], -1.0);
    let after_dashes = explain(&["--json", "--", "-x^2", "x=3"]);
    assert!(after_dashes.status.success());
}

#[test]
fn variables_without_influence_have_zero_gradients() {
    let found = json(&["x * 2", "x=3", "unused=[1, 2]"]);
    assert_eq!(found["gradients"]["unused"], serde_json::json!([0.0, 0.0]));
    let found = json(&["(x > 0) * y", "x=1", "y=2"]);
    assert_eq!(found["gradients"], serde_json::json!({"x": 0.0, "y": 1.0}));
    assert_eq!(json(&["x > 0", "x=1"])["gradients"]["x"], 0.0);
}

#[test]
fn numbers_that_are_not_finite_are_strings() {
    let found = json(&["log(x)", "x=0"]);
    assert_eq!(found["value"], "-Infinity");
    assert_eq!(found["gradients"]["x"], "Infinity");
    assert_eq!(json(&["sqrt(x)", "x=-1"])["value"], "NaN");
}

#[test]
fn differences_agree() {
    let found = json(&[
        "-log(sigmoid(w@x))",
        "w=[2,-3,-3]",
        "x=[-1,-2,1]",
        "--check",
    ]);
    for name in ["w", "x"] {
        for element in 0..3 {
            let exact = found["gradients"][name][element].as_f64().unwrap();
            let near = found["check"][name][element].as_f64().unwrap();
            assert!(
                (exact - near).abs() < 1e-7,
                "{name}[{element}]: {exact} against {near}"
            );
        }
    }
}

#[test]
fn mistakes_have_a_caret_and_status_2() {
    let message = refused(&["x * sigmiod(y)", "x=1", "y=2"]);
    assert_eq!(
        message,
        "error: there is no function `sigmiod`\n    x * sigmiod(y)\n        ^^^^^^^\n    help: did you mean `sigmoid`?\n"
    );
    assert!(refused(&["x * 2", "x=[1,2]"]).contains("give --cotangent"));
    assert!(refused(&["x * y", "x=1"]).contains("`y` has no value"));
    assert!(refused(&["W @ x", "W=[[1,2]]", "x=[1,2,3]"]).contains("the inner extents differ"));
    assert!(refused(&["x", "x=[1,[2]]"]).contains("equal shapes"));
    assert!(refused(&["x", "x"]).contains("a variable and its value"));
    assert!(refused(&["x", "x=1", "x=2"]).contains("given twice"));
    assert!(refused(&["x", "x=1", "--wrt", "y"]).contains("no variable `y`"));
    assert!(refused(&["x", "x=[1,2]", "--cotangent", "[1,2,3]"]).contains("shape [3]"));
    assert!(refused(&["(x", "x=1", "--json"]).contains("never closed"));
}
