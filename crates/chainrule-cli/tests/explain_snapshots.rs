//! The lecture's examples as they are shown. After a change that is meant, look at what is written anew:
//! `CHAINRULE_BLESS=1 cargo test -p chainrule-cli --test explain_snapshots`.

use std::path::PathBuf;
use std::process::Command;

fn shown(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_chainrule"))
        .arg("explain")
        .args(arguments)
        .env("COLUMNS", "100")
        .output()
        .expect("the binary runs");
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{arguments:?}: {complaint}");
    String::from_utf8(output.stdout).unwrap()
}

fn compare(name: &str, found: &str) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/snapshots")
        .join(name);
    if std::env::var_os("CHAINRULE_BLESS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, found).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    let differs = expected
        .lines()
        .zip(found.lines())
        .position(|(a, b)| a != b);
    assert!(
        expected == found,
        "{name} differs from line {}; see the head of this file\n{found}",
        differs.map_or(expected.lines().count().min(found.lines().count()), |at| at) + 1
    );
}

#[test]
fn the_first_circuit() {
    compare(
        "circuit.txt",
        &shown(&["(x + y) * z", "x=-2", "y=5", "z=-4"]),
    );
    compare(
        "circuit.dot",
        &shown(&["(x + y) * z", "x=-2", "y=5", "z=-4", "--dot"]),
    );
}

#[test]
fn two_paths_are_summed() {
    let arguments = ["x1*x2 + sin(x2)", "x1=2", "x2=5", "--paths", "--hessian"];
    compare("paths.txt", &shown(&arguments));
}

#[test]
fn logistic_loss() {
    let arguments = [
        "-log(sigmoid(w@x))",
        "w=[2,-3,-3]",
        "x=[-1,-2,1]",
        "--jacobian",
    ];
    compare("logistic.txt", &shown(&arguments));
}

#[test]
fn a_kink() {
    compare("kink.txt", &shown(&["max(0, h)", "h=-1.5"]));
}

#[test]
fn a_layer() {
    let arguments = [
        "a = relu(W@x + b); sum(a^2)/2",
        "W=[[1,-2],[3,4]]",
        "x=[1,1]",
        "b=[0.5,0.25]",
    ];
    compare("layer.txt", &shown(&arguments));
}

#[test]
fn what_is_repeated_is_summed() {
    compare(
        "repeated.txt",
        &shown(&["sum((x > 0) * y * x + b)", "x=[1,-2,3]", "y=2", "b=0.5"]),
    );
}

#[test]
fn forward_mode() {
    compare(
        "forward.txt",
        &shown(&["sin(x*y) + y", "x=1", "y=2", "--mode", "forward"]),
    );
}

#[test]
fn steps_without_a_terminal() {
    compare(
        "step.txt",
        &shown(&["(x + y) * z", "x=-2", "y=5", "z=-4", "--step"]),
    );
}

/// The picture: every tag is closed, every number of the circuit is there, the file is as it was.
#[test]
fn pictures_are_well_formed() {
    let file = std::env::temp_dir().join(format!("chainrule-explain-{}.svg", std::process::id()));
    let path = file.to_str().unwrap();
    let text = shown(&[
        "(x + y) * z < 0; (x + y) * z",
        "x=-2",
        "y=5",
        "z=-4",
        "--svg",
        path,
    ]);
    assert!(text.contains("∂f/∂z = 3") && text.contains(path), "{text}");
    let picture = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(path).unwrap();
    assert!(picture.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
    assert!(picture.contains("(x + y) * z &lt; 0"), "text is escaped");
    balanced(&picture);
    for number in ["-2", "5", "-4", "3", "-12", "1"] {
        assert!(picture.contains(&format!(">{number}</text>")), "{number}");
    }
    let first = shown(&["(x + y) * z", "x=-2", "y=5", "z=-4", "--svg", path]);
    assert!(first.contains("drawn in"));
    compare("circuit.svg", &std::fs::read_to_string(path).unwrap());
    std::fs::remove_file(path).unwrap();
}

/// Every opened tag is closed in the opposite order.
fn balanced(xml: &str) {
    let mut open: Vec<&str> = Vec::new();
    for tag in xml.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').expect("a tag ends");
        let name = tag
            .trim_start_matches('/')
            .split([' ', '\n'])
            .next()
            .unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
}
