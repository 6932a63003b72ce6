//! The recursive view: the chain rule applied node by node, in words and numbers.

use chainrule::view::{Array, number_text};
use chainrule::view::{Direction, Kind, Local, Model, Structure};
use chainrule::view::{Role, Style};

/// What happens at one node: a heading, and a line for each derivative that flows.
pub struct Step {
    pub heading: String,
    pub lines: Vec<String>,
}

/// Longer programs are shown in part.
pub const MOST_STEPS: usize = 200;

/// Arrays longer than this are shown by their shape and norm.
const LONGEST: usize = 32;

/// The steps in the order in which derivatives flow: from the result back, or from the input on.
pub fn steps(model: &Model, style: Style) -> Vec<Step> {
    let operations = (0..model.len()).filter(|&at| model.nodes[at].kind == Kind::Operation);
    match model.direction {
        Direction::Reverse => {
            let users = model.users();
            let mut steps: Vec<Step> = operations
                .rev()
                .filter_map(|at| pulled(model, &users, at, style))
                .collect();
            let sums: Vec<String> = (0..model.len())
                .filter(|&at| model.nodes[at].kind == Kind::Variable)
                .filter_map(|at| sum(model, &users, at, style))
                .collect();
            if !sums.is_empty() {
                steps.push(Step {
                    heading: "Where several paths meet, what they bring is summed".to_owned(),
                    lines: sums,
                });
            }
            steps
        }
        Direction::Forward { input } => operations
            .filter_map(|at| pushed(model, input, at, style))
            .collect(),
        Direction::None => Vec::new(),
    }
}

/// `∂f/∂x`.
pub fn derivative_name(of: &str, by: &str) -> String {
    format!("∂{of}/∂{by}")
}

/// What a node gives back to its inputs.
fn pulled(model: &Model, users: &[Vec<usize>], at: usize, style: Style) -> Option<Step> {
    let node = &model.nodes[at];
    let adjoint = node.derivative.as_ref()?;
    let result = &model.nodes[model.result].label;
    let mut lines = Vec::new();
    for (&input, local) in node.inputs.iter().zip(&node.locals) {
        let (Some(local), true) = (local, model.nodes[input].kind != Kind::Constant) else {
            continue;
        };
        let label = &model.nodes[input].label;
        lines.push(format!(
            "{label} gets {}",
            product(
                (&derivative_name(result, &node.label), adjoint),
                (&derivative_name(&node.label, label), local),
                local.contribution.as_ref(),
                style
            )
        ));
    }
    if lines.is_empty()
        && node
            .inputs
            .iter()
            .any(|&input| model.nodes[input].kind != Kind::Constant)
    {
        lines.push("nothing flows on: truth values do not change continuously".to_owned());
    }
    let mut heading = format!("{} = {}", node.label, model.formula(at));
    if at == model.result {
        heading += &format!(
            ":  {} = {}",
            derivative_name(result, result),
            style.paint(Role::Derivative, &adjoint.text(LONGEST))
        );
    } else if let Some(sum) = sum(model, users, at, style) {
        heading += &format!(":  {sum}");
    }
    Some(Step { heading, lines })
}

/// The sum of what several users gave to a node; nothing if there is one user.
fn sum(model: &Model, users: &[Vec<usize>], at: usize, style: Style) -> Option<String> {
    let node = &model.nodes[at];
    let total = node.derivative.as_ref()?;
    let mut parts = Vec::new();
    for &user in users[at].iter() {
        let user = &model.nodes[user];
        for (&input, local) in user.inputs.iter().zip(&user.locals) {
            if input == at
                && let Some(local) = local
            {
                let part = local.contribution.as_ref();
                parts.push((
                    part.map_or("…".to_owned(), |part| part.text(LONGEST)),
                    &user.label,
                ));
            }
        }
    }
    if parts.len() < 2 {
        return None;
    }
    let parts: Vec<String> = parts
        .iter()
        .map(|(part, from)| format!("{part} (from {from})"))
        .collect();
    let result = &model.nodes[model.result].label;
    Some(format!(
        "{} = {} = {}",
        derivative_name(result, &node.label),
        parts.join(" + "),
        style.paint(Role::Derivative, &total.text(LONGEST))
    ))
}

/// How a node's tangent comes from those of its inputs.
fn pushed(model: &Model, by: usize, at: usize, style: Style) -> Option<Step> {
    let node = &model.nodes[at];
    let tangent = node.derivative.as_ref()?;
    let by = &model.nodes[by].label;
    let mut lines = Vec::new();
    for (&input, local) in node.inputs.iter().zip(&node.locals) {
        let source = &model.nodes[input];
        let (Some(local), Some(before)) = (local, &source.derivative) else {
            continue;
        };
        let pushed = match (&local.value, local.structure) {
            (Some(value), Structure::Diagonal) if value.shape == before.shape => Some(Array {
                elements: value
                    .elements
                    .iter()
                    .zip(&before.elements)
                    .map(|(l, t)| l * t)
                    .collect(),
                ..before.clone()
            }),
            _ => None,
        };
        lines.push(format!(
            "by {}: {}",
            source.label,
            product(
                (&derivative_name(&source.label, by), before),
                (&derivative_name(&node.label, &source.label), local),
                pushed.as_ref(),
                style
            )
        ));
    }
    let heading = format!(
        "{} = {}:  {} = {}",
        node.label,
        model.formula(at),
        derivative_name(&node.label, by),
        style.paint(Role::Derivative, &tangent.text(LONGEST))
    );
    Some(Step { heading, lines })
}

/// `∂f/∂v1 · ∂v1/∂x = -4 · cos(x) = -4 · 0.5 = -2`, each part that says something new.
fn product(
    upstream: (&str, &Array),
    (name, local): (&str, &Local),
    result: Option<&Array>,
    style: Style,
) -> String {
    let diagonal = local.structure == Structure::Diagonal;
    let sign = match upstream.1.shape.is_empty() && diagonal {
        true => "·",
        false if diagonal => "∘",
        false => "·",
    };
    let factor = |text: &str| {
        if text.starts_with('-') || text.contains(' ') && !text.starts_with('[') {
            format!("({text})")
        } else {
            text.to_owned()
        }
    };
    let number = upstream.1.text(LONGEST);
    let mut parts = vec![format!("{} {sign} {name}", upstream.0)];
    let value = local.value.as_ref().map(|value| {
        value
            .fill()
            .map_or_else(|| value.text(LONGEST), number_text)
    });
    // A Jacobian that is too large to be written out says nothing.
    let value = value.filter(|text| diagonal || !text.contains("norm"));
    if local.formula != name {
        parts.push(format!("{number} {sign} {}", factor(&local.formula)));
    }
    if let Some(value) = value
        && value != local.formula
    {
        parts.push(format!("{number} {sign} {}", factor(&value)));
    }
    if let Some(result) = result {
        parts.push(style.paint(Role::Derivative, &result.text(LONGEST)));
    }
    parts.join(" = ")
}

/// A step's heading and its lines.
pub fn step_lines(step: Step) -> Vec<String> {
    let lines = step.lines.into_iter().map(|line| format!("    {line}"));
    std::iter::once(step.heading).chain(lines).collect()
}
