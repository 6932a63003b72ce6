//! All views over random programs: nothing panics, and the derivatives agree with differences and with each other.

use super::options::{Mode, Options};
use super::tests::{Random, random_text};
use super::{Explained, Function, functions};
use chainrule::view::Style;

const STYLE: Style = Style {
    colour: false,
    width: 100,
};

fn options(expression: &str) -> Options {
    let values = [
        "x=0.7",
        "y=-1.3",
        "v=[0.5,-1.5,2]",
        "w=[1.2,0.4,-0.3]",
        "A=[[0.5,-1,2],[1.5,0.3,-0.7],[0.2,0.9,1.1]]",
    ];
    Options {
        expression: expression.to_owned(),
        variables: values.map(str::to_owned).to_vec(),
        paths: true,
        jacobian: true,
        hessian: true,
        check: true,
        ..Options::default()
    }
}

fn explained(options: &Options) -> Result<Explained, String> {
    Function::read(options)
        .and_then(|function| Explained::of(&function, options))
        .map_err(|problem| problem.to_string())
}

impl Random {
    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    /// A smooth expression that is a number.
    fn scalar(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self
                .one(&["x", "y", "0.5", "v[1]", "A[0,2]", "x*y"])
                .to_owned();
        }
        match self.below(6) {
            0 => format!(
                "({} {} {})",
                self.scalar(depth - 1),
                self.one(&["+", "-", "*"]),
                self.scalar(depth - 1)
            ),
            1 => format!(
                "{}({})",
                self.one(&["sin", "tanh", "sigmoid", "softplus", "exp", "cos"]),
                self.scalar(depth - 1)
            ),
            2 => format!(
                "{}({})",
                self.one(&["sum", "mean", "logsumexp", "norm"]),
                self.vector(depth - 1)
            ),
            3 => format!("({} @ {})", self.vector(depth - 1), self.vector(depth - 1)),
            4 => format!("-{}", self.scalar(depth - 1)),
            _ => format!("({})^2", self.scalar(depth - 1)),
        }
    }

    /// A smooth expression that is a vector of three.
    fn vector(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self
                .one(&["v", "w", "A[1]", "A[:, 0]", "[x, y, 1]"])
                .to_owned();
        }
        match self.below(6) {
            0 => format!(
                "({} {} {})",
                self.vector(depth - 1),
                self.one(&["+", "-", "*"]),
                self.vector(depth - 1)
            ),
            1 => format!(
                "{}({})",
                self.one(&["sin", "tanh", "sigmoid", "softmax", "cumsum"]),
                self.vector(depth - 1)
            ),
            2 => format!("(A @ {})", self.vector(depth - 1)),
            3 => format!("(A.T @ {})", self.vector(depth - 1)),
            4 => format!("({} * {})", self.scalar(depth - 1), self.vector(depth - 1)),
            _ => format!("sum(A * {}, axis=1)", self.vector(depth - 1)),
        }
    }
}

#[test]
fn random_programs_are_explained_alike_in_both_modes() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for _ in 0..120 {
        let expression = random.scalar(4);
        let options = options(&expression);
        let reverse =
            explained(&options).unwrap_or_else(|problem| panic!("{expression}: {problem}"));
        for (name, check) in reverse.extras.check.as_ref().unwrap() {
            let scale = check.derivative.norm().max(1.0);
            assert!(
                check.error() / scale < 1e-5,
                "{expression} by {name}: {check:?}"
            );
        }
        // Paths that are all shown sum to the derivative.
        for ((name, paths), (_, gradient)) in reverse
            .extras
            .paths
            .iter()
            .flatten()
            .zip(&reverse.gradients)
        {
            if !paths.complete || paths.shown.is_empty() {
                continue;
            }
            for (at, expected) in gradient.elements.iter().enumerate() {
                let sum: f64 = paths
                    .shown
                    .iter()
                    .map(|path| path.contribution.elements[at])
                    .sum();
                assert!(
                    (sum - expected).abs() <= 1e-9 * gradient.norm().max(1.0),
                    "{expression} by {name}"
                );
            }
        }
        let forward = explained(&Options {
            mode: Mode::Forward,
            paths: false,
            hessian: false,
            ..options
        });
        let forward = forward.unwrap_or_else(|problem| panic!("{expression}: {problem}"));
        for ((name, ahead), (_, back)) in forward.gradients.iter().zip(&reverse.gradients) {
            assert_eq!(ahead.shape, back.shape, "{expression} by {name}");
            for (a, b) in ahead.elements.iter().zip(&back.elements) {
                assert!(
                    (a - b).abs() <= 1e-9 * back.norm().max(1.0),
                    "{expression} by {name}: {a} and {b}"
                );
            }
        }
        for explained in [&reverse, &forward] {
            let text = explained.text(STYLE);
            assert!(
                text.lines().all(|line| line.chars().count() <= 130),
                "{expression}\n{text}"
            );
            assert!(explained.models[0].svg().ends_with("</svg>\n"));
            assert!(explained.models[0].dot().ends_with("}\n"));
            assert!(explained.json().is_object());
        }
    }
}

#[test]
fn shares_of_a_node_sum_to_its_adjoint() {
    let explained = explained(&options("a = x*y; b = sin(a) + a*y; b*a - exp(b)*x")).unwrap();
    let model = &explained.models[0];
    for (at, node) in model.nodes.iter().enumerate() {
        let Some(adjoint) = node.derivative.as_ref().filter(|_| at != model.result) else {
            continue;
        };
        let mut sum = 0.0;
        for user in &model.nodes {
            for (&input, local) in user.inputs.iter().zip(&user.locals) {
                if input == at
                    && let Some(local) = local
                {
                    sum += local.contribution.as_ref().unwrap().elements[0];
                }
            }
        }
        assert!(
            !node.value.shape.is_empty() || (sum - adjoint.elements[0]).abs() < 1e-12,
            "{}",
            node.label
        );
    }
}

#[test]
fn paths_are_counted_exactly_and_beyond() {
    let chain = |links: usize| {
        let mut text = String::from("a0 = x");
        for link in 1..=links {
            text += &format!("; a{link} = a{before} * a{before}", before = link - 1);
        }
        text
    };
    let options = |links: usize| Options {
        expression: chain(links),
        variables: vec!["x=1".to_owned()],
        paths: true,
        ..Options::default()
    };
    let count = |links: usize| {
        let explained = explained(&options(links)).unwrap();
        explained.extras.paths.unwrap().remove(0).1
    };
    assert_eq!(count(3).count, "8 paths");
    assert!(count(3).complete);
    assert_eq!(
        count(100).count,
        "1267650600228229401496703205376 paths, the 100 largest"
    );
    assert_eq!(count(200).count, "about 10^60 paths, the 100 largest");
}

#[test]
fn the_largest_paths_are_exact() {
    // Every choice of one factor in each link is a path; 2^15 of them.
    let mut text = String::from("a0 = x");
    for link in 1..=15 {
        text += &format!(
            "; a{link} = 0.{link}5 * a{before} + {link} * a{before}",
            before = link - 1
        );
    }
    let explained = explained(&Options {
        expression: text,
        variables: vec!["x=1".to_owned()],
        paths: true,
        ..Options::default()
    });
    let paths = explained.unwrap().extras.paths.unwrap().remove(0).1;
    let mut products = vec![1.0f64];
    for link in 1..=15 {
        let small: f64 = format!("0.{link}5").parse().unwrap();
        products = products
            .iter()
            .flat_map(|p| [p * small, p * f64::from(link)])
            .collect();
    }
    products.sort_by(|a, b| b.total_cmp(a));
    assert_eq!(paths.shown.len(), 100);
    for (path, expected) in paths.shown.iter().zip(&products) {
        assert!((path.contribution.elements[0] / expected - 1.0).abs() < 1e-12);
    }
}

#[test]
fn what_does_not_flow_is_no_mistake() {
    for expression in [
        "x > y",
        "where(v > w, v, w) @ w",
        "floor(x) * y",
        "stop_gradient(x) * x",
        "3",
        "x",
        "[x, y] @ [1, 2]",
        "sum(A > 0)",
        "is_nan(x) + 1",
    ] {
        let explained = explained(&options(expression))
            .unwrap_or_else(|problem| panic!("{expression}: {problem}"));
        assert!(!explained.text(STYLE).is_empty());
        explained.models[0].svg();
    }
}

#[test]
fn graphs_of_forty_nodes_fit_eighty_columns() {
    let mut text = String::from("a0 = x * y");
    for link in 1..20 {
        text += &format!("; a{link} = sin(a{before}) + y", before = link - 1);
    }
    let explained = explained(&options(&text)).unwrap();
    let lines = explained.models[0]
        .drawn(Style { width: 80, ..STYLE })
        .unwrap();
    assert!(lines.iter().all(|line| line.chars().count() <= 80));
    let drawing = lines.join("\n");
    for link in 0..20 {
        assert!(
            drawing.contains(&format!("a{link} = ")) || link == 19,
            "{drawing}"
        );
    }
}

#[test]
fn views_of_random_texts_never_panic() {
    let mut random = Random(0x0DDB_1A5E_5BAD_5EED);
    let mut drawn = 0;
    for round in 0..3_000 {
        let mut options = options(&random_text(&mut random));
        options.variables.push("z=0.5".to_owned());
        options.cotangent = (round % 3 == 0).then(|| "-2".to_owned());
        options.mode = if round % 4 == 0 {
            Mode::Forward
        } else {
            Mode::Reverse
        };
        if let Ok(explained) = explained(&options) {
            drawn += 1;
            let narrow = Style {
                colour: true,
                width: 40,
            };
            assert!(!explained.text(narrow).is_empty());
            explained.models[0].svg();
            explained.models[0].dot();
            let text = explained.json().to_string();
            assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
        }
    }
    assert!(drawn > 100, "{drawn}");
}

/// A formula that is shown, evaluated by the language itself, is the derivative that the engine computes.
#[test]
fn formulas_mean_what_the_engine_computes() {
    let mut compared = 0;
    for name in functions::names() {
        for (call, values) in [
            (format!("{name}(x)"), vec!["x=0.3"]),
            (format!("{name}(x, z)"), vec!["x=0.7", "z=0.4"]),
        ] {
            let options = Options {
                expression: format!("y = {call}"),
                variables: values.iter().map(|value| (*value).to_owned()).collect(),
                ..Options::default()
            };
            let Ok(explained) = explained(&options) else {
                continue;
            };
            let model = &explained.models[0];
            let node = &model.nodes[model.result];
            if node.inputs.len() != values.len() {
                continue;
            }
            for local in node.locals.iter().flatten() {
                let mut again = Options {
                    expression: local.formula.clone(),
                    variables: options.variables.clone(),
                    ..Options::default()
                };
                again
                    .variables
                    .push(format!("y={}", node.value.elements[0]));
                // Formulas in words are no expressions.
                let Ok(formula) = self::explained(&again) else {
                    continue;
                };
                let formula = &formula.models[0];
                let said = formula.nodes[formula.result].value.elements[0];
                let Some(computed) = &local.value else {
                    continue;
                };
                let computed = computed.elements[0];
                // Constants are shown with the digits of 32 bits.
                let near = (said - computed).abs() <= 1e-6 * computed.abs().max(1.0);
                assert!(near, "{call}: {} is {said}, not {computed}", local.formula);
                compared += 1;
            }
        }
    }
    assert!(compared > 50, "{compared}");
}

/// Every elementwise primitive that computes with numbers is a function of the language or one of its operators.
#[test]
fn elementwise_primitives_are_functions() {
    let rows = chainrule::declare::rows();
    let missing: Vec<&str> = rows
        .iter()
        .filter(|row| row.structure == "diagonal" && row.name != "polygamma")
        .map(|row| row.name)
        .filter(|name| functions::find(name).is_none())
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
