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

/// The schema is documented, and tested in full, in the crate `chainrule-view`.
#[test]
fn the_json_names_its_schema() {
    let found = json(&["sum(v * 2)", "v=[1,2]"]);
    assert_eq!(found["version"], 1);
    assert_eq!(found["direction"], "reverse");
    assert_eq!(found["outputs"], serde_json::json!([found["result"]]));
    assert_eq!(found["nodes"][0]["dtype"], "f64");
    let forward = json(&["sum(v * 2)", "v=[1,2]", "--mode", "forward"]);
    assert_eq!(forward["direction"], "forward");
    assert_eq!(
        forward["nodes"][0]["tangent"],
        serde_json::json!([[1.0, 0.0], [0.0, 1.0]])
    );
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
            let near = found["check"][name]["differences"][element]
                .as_f64()
                .unwrap();
            assert!(
                (exact - near).abs() < 1e-7,
                "{name}[{element}]: {exact} against {near}"
            );
        }
    }
}

#[test]
fn nodes_say_what_they_are() {
    let found = json(&["q = x + y; q * z", "x=-2", "y=5", "z=-4"]);
    let nodes = found["nodes"].as_array().unwrap();
    let primitives: Vec<&str> = nodes
        .iter()
        .map(|node| node["primitive"].as_str().unwrap())
        .collect();
    assert_eq!(primitives, ["input", "input", "input", "add", "mul"]);
    let q = &nodes[3];
    assert_eq!(q["name"], "q");
    assert_eq!(q["inputs"], serde_json::json!([0, 1]));
    assert_eq!(
        (&q["value"], &q["adjoint"]),
        (&serde_json::json!(3.0), &serde_json::json!(-4.0))
    );
    assert_eq!(q["span"], serde_json::json!([4, 9]));
    assert_eq!(q["kept"], true);
    assert_eq!(nodes[4]["local_derivatives"][0]["formula"], "z");
    assert_eq!(nodes[4]["local_derivatives"][0]["value"], -4.0);
    assert_eq!(nodes[4]["local_derivatives"][1]["value"], 3.0);
    let ahead = json(&[
        "q = x + y; q * z",
        "x=-2",
        "y=5",
        "z=-4",
        "--mode",
        "forward",
        "--wrt",
        "x",
    ]);
    let tangents: Vec<f64> = ahead["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["tangent"].as_f64().unwrap())
        .collect();
    assert_eq!(tangents, [1.0, 0.0, 0.0, 1.0, -4.0]);
}

#[test]
fn jacobians_hessians_and_paths_are_printed() {
    let found = json(&["W @ x", "W=[[1,2],[3,4]]", "x=[5,6]", "--jacobian"]);
    assert_eq!(
        found["jacobian"]["x"],
        serde_json::json!([[1.0, 2.0], [3.0, 4.0]])
    );
    let by_w = serde_json::json!([[[5.0, 6.0], [0.0, 0.0]], [[0.0, 0.0], [5.0, 6.0]]]);
    assert_eq!(found["jacobian"]["W"], by_w);
    let found = json(&["x^2 * y", "x=3", "y=2", "--hessian"]);
    let hessian = serde_json::json!({"x": {"x": 4.0, "y": 6.0}, "y": {"x": 6.0, "y": 0.0}});
    assert_eq!(found["hessian"], hessian);
    let found = json(&["x1*x2 + sin(x2)", "x1=2", "x2=5", "--paths", "--wrt", "x2"]);
    let paths = found["paths"]["x2"].as_array().unwrap();
    assert_eq!(paths.len(), 2);
    assert_eq!(paths[0]["contribution"], 2.0);
    assert_eq!(paths[1]["contribution"], 5f64.cos());
    let result = found["nodes"].as_array().unwrap().len() - 1;
    assert_eq!(
        paths[0]["nodes"].as_array().unwrap().last().unwrap(),
        result
    );
}

#[test]
fn forward_mode_weighs_the_results_as_reverse_mode_does() {
    let arguments = [
        "W @ x",
        "W=[[1,2],[3,4]]",
        "x=[5,6]",
        "--cotangent",
        "[1,10]",
        "--check",
    ];
    let back = json(&arguments);
    let ahead = json(&[&arguments[..], &["--mode", "forward"]].concat());
    assert_eq!(back["gradients"]["x"], serde_json::json!([31.0, 42.0]));
    assert_eq!(
        ahead["gradients"]["x"],
        serde_json::json!([[1.0, 2.0], [3.0, 4.0]])
    );
    for name in ["W", "x"] {
        assert_eq!(
            ahead["check"][name]["derivative"],
            back["check"][name]["derivative"]
        );
        assert_eq!(ahead["check"][name]["agrees"], true);
    }
}

/// 10,000 parentheses and 20,000 signs: an answer, soon.
#[test]
fn depth_is_answered_soon() {
    let choices = format!("{}x{}", "where(x > 0, ".repeat(2_000), ", 1)".repeat(2_000));
    assert_eq!(json(&[&choices, "x=2"])["gradients"]["x"], 1.0);
    let started = std::time::Instant::now();
    let deep = format!("{}x{}", "(".repeat(10_000), ")".repeat(10_000));
    assert_eq!(json(&[&deep, "x=2"])["gradients"]["x"], 1.0);
    let signs = format!("{}x", "-".repeat(20_000));
    assert_eq!(json(&[&signs, "x=2"])["gradients"]["x"], 1.0);
    assert!(explain(&[&signs, "x=2"]).status.success());
    assert!(explain(&[&signs, "x=2", "--paths"]).status.success());
    assert!(refused(&[&"(".repeat(10_000), "x=2"]).contains("never closed"));
    assert!(started.elapsed().as_secs() < 25, "{:?}", started.elapsed());
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
    assert!(refused(&["x*[1,2]", "x=1", "--jacobian", "--hessian"]).contains("give --cotangent"));
}
