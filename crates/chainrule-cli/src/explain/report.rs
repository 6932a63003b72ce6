//! The views as text, one below the other.

use super::extras::{ByName, Extras, Paths};
use super::recursive_view::{MOST_STEPS, derivative_name, step_lines, steps};
use super::tensor_view;
use chainrule::view::{Array, number_text};
use chainrule::view::{Direction, Kind, Model};
use chainrule::view::{MOST_NODES, Role, Style};

/// The whole report: the result, the values, the views of each model, and what else was asked for.
pub fn text(models: &[Model], gradients: &ByName<Array>, extras: &Extras, style: Style) -> String {
    let mut out = summary(&models[0], gradients, style);
    section(&mut out, style, "Values", &values(&models[0], style));
    for model in models {
        let heading = recursive_heading(model);
        section(&mut out, style, &heading, &recursive(model, style));
        let heading = "Tensor view: products and shapes";
        section(
            &mut out,
            style,
            heading,
            &tensor_view::lines(model, style.width),
        );
        let drawn = model.drawn(style).unwrap_or_else(|| {
            let many = format!(
                "  {} nodes are too many to be drawn here (at most {MOST_NODES}); --svg FILE and --dot draw them",
                model.len()
            );
            vec![many]
        });
        out += &format!(
            "\n{}\n\n",
            style.paint(Role::Heading, &graph_heading(model))
        );
        // Drawings keep to the width themselves, and would not bear being wrapped.
        out = wrapped(&out, style.width);
        out += &drawn.join("\n");
        out.push('\n');
    }
    let mut last = String::new();
    extra_sections(&mut last, &models[0], extras, style);
    out + &wrapped(&last, style.width)
}

/// The result and the derivatives.
pub fn summary(model: &Model, gradients: &ByName<Array>, style: Style) -> String {
    let result = &model.nodes[model.result];
    let value = style.paint(Role::Value, &result.value.text(72));
    let mut out = format!(
        "{} = {value}\n",
        style.paint(Role::Heading, &shortened(&model.expression))
    );
    let lines: Vec<String> = gradients
        .iter()
        .map(|(name, gradient)| {
            let derivative = derivative_name(&result.label, name);
            format!(
                "{derivative} = {}",
                style.paint(Role::Derivative, &gradient.text(72))
            )
        })
        .collect();
    if !lines.is_empty() {
        out.push('\n');
    }
    for line in lines {
        out += &format!("  {line}\n");
    }
    out
}

/// A long expression's beginning.
pub fn shortened(expression: &str) -> String {
    const LONGEST: usize = 400;
    let mut short: String = expression.chars().take(LONGEST).collect();
    if short.len() < expression.len() {
        short.push('…');
    }
    short
}

fn section(out: &mut String, style: Style, heading: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    *out += &format!("\n{}\n\n", style.paint(Role::Heading, heading));
    for line in lines {
        *out += &format!("  {line}\n");
    }
}

/// How each value is computed.
fn values(model: &Model, style: Style) -> Vec<String> {
    let shown = (0..model.len()).filter(|&at| model.nodes[at].kind != Kind::Constant);
    let rows: Vec<usize> = shown.take(MOST_STEPS).collect();
    let labels = rows.iter().map(|&at| model.nodes[at].label.chars().count());
    let width = labels.max().unwrap_or(0).min(24);
    let mut lines: Vec<String> = rows
        .iter()
        .map(|&at| {
            let node = &model.nodes[at];
            let value = style.paint(Role::Value, &node.value.text(40));
            let formula = match node.kind {
                Kind::Operation => format!(" = {}", model.formula(at)),
                _ => String::new(),
            };
            let kept = match (node.kept, model.direction) {
                (true, Direction::Reverse) => {
                    style.paint(Role::Faint, "   (kept for the way back)")
                }
                _ => String::new(),
            };
            format!("{:width$}{formula} = {value}{kept}", node.label)
        })
        .collect();
    elided(&mut lines, rows.len(), model);
    lines
}

fn elided(lines: &mut Vec<String>, shown: usize, model: &Model) {
    let constants = model
        .nodes
        .iter()
        .filter(|node| node.kind == Kind::Constant)
        .count();
    let left = model.len() - constants - shown;
    if left > 0 {
        lines.push(format!("… and {left} more"));
    }
}

fn recursive_heading(model: &Model) -> String {
    match model.direction {
        Direction::Forward { input } => format!(
            "Recursive view: from {} on, local derivative times tangent",
            model.nodes[input].label
        ),
        _ => "Recursive view: from the result back, adjoint times local derivative".to_owned(),
    }
}

fn graph_heading(model: &Model) -> String {
    match model.direction {
        Direction::Reverse => format!(
            "Graph view: above each node its value, below it the derivative of {} by it",
            model.nodes[model.result].label
        ),
        Direction::Forward { input } => format!(
            "Graph view: above each node its value, below it its derivative by {}",
            model.nodes[input].label
        ),
        Direction::None => "Graph view: above each node its value".to_owned(),
    }
}

fn recursive(model: &Model, style: Style) -> Vec<String> {
    let steps = steps(model, style);
    let count = steps.len();
    let mut lines: Vec<String> = steps
        .into_iter()
        .take(MOST_STEPS)
        .flat_map(step_lines)
        .collect();
    if count > MOST_STEPS {
        lines.push(format!("… and {} more nodes", count - MOST_STEPS));
    }
    lines
}

fn extra_sections(out: &mut String, model: &Model, extras: &Extras, style: Style) {
    let result = &model.nodes[model.result].label;
    if let Some(paths) = &extras.paths {
        let lines: Vec<String> = paths
            .iter()
            .flat_map(|(name, paths)| path_lines(model, name, paths, style))
            .collect();
        let heading = "Paths: what each way from an input to the result contributes";
        section(out, style, heading, &lines);
    }
    if let Some(jacobian) = &extras.jacobian {
        let lines: Vec<String> = jacobian
            .iter()
            .flat_map(|(name, array)| matrix(&derivative_name(result, name), array))
            .collect();
        section(out, style, "Jacobian", &lines);
    }
    if let Some(hessian) = &extras.hessian {
        let lines: Vec<String> = hessian
            .iter()
            .flat_map(|(row, blocks)| {
                let name = move |column: &String| match row == column {
                    true => format!("∂²{result}/∂{row}²"),
                    false => format!("∂²{result}/∂{row}∂{column}"),
                };
                let blocks = blocks.iter();
                blocks.flat_map(move |(column, array)| matrix(&name(column), array))
            })
            .collect();
        section(out, style, "Second derivatives", &lines);
    }
    if let Some(check) = &extras.check {
        let lines: Vec<String> = check
            .iter()
            .map(|(name, check)| {
                let verdict = if check.agrees() { "agrees" } else { "DIFFERS" };
                format!(
                    "{} = {}   differences {}   {verdict}, error {}",
                    derivative_name(result, name),
                    style.paint(Role::Derivative, &check.derivative.text(28)),
                    check.differences.text(28),
                    number_text(check.error())
                )
            })
            .collect();
        section(out, style, "Check: beside central differences", &lines);
    }
}

fn path_lines(model: &Model, name: &str, paths: &Paths, style: Style) -> Vec<String> {
    let result = &model.nodes[model.result].label;
    let mut lines = vec![format!(
        "{}: {}",
        derivative_name(result, name),
        paths.count
    )];
    for path in &paths.shown {
        let labels: Vec<&str> = path
            .nodes
            .iter()
            .map(|&at| model.nodes[at].label.as_str())
            .collect();
        let contribution = style.paint(Role::Derivative, &path.contribution.text(32));
        lines.push(format!("    {}   {contribution}", labels.join(" → ")));
    }
    if paths.complete && paths.shown.len() > 1 {
        let mut sum = Array::zeros(&paths.shown[0].contribution.shape);
        for path in &paths.shown {
            for (sum, part) in sum.elements.iter_mut().zip(&path.contribution.elements) {
                *sum += part;
            }
        }
        lines.push(format!(
            "    together {}",
            style.paint(Role::Derivative, &sum.text(32))
        ));
    }
    lines
}

/// An array with a row to a line.
fn matrix(name: &str, array: &Array) -> Vec<String> {
    if array.shape.len() != 2 || array.elements.len() > 400 {
        return vec![format!("{name} = {}", array.text(72))];
    }
    let columns = array.shape[1].max(1);
    let texts: Vec<String> = array.elements.iter().map(|&x| number_text(x)).collect();
    let width = texts
        .iter()
        .map(|text| text.chars().count())
        .max()
        .unwrap_or(0);
    let mut lines = vec![format!("{name} =")];
    for row in texts.chunks(columns) {
        let row: Vec<String> = row.iter().map(|text| format!("{text:>width$}")).collect();
        lines.push(format!("    {}", row.join("  ")));
    }
    lines
}

/// Lines that are too long go on below, further in.
fn wrapped(text: &str, width: usize) -> String {
    let mut out = String::new();
    for line in text.lines() {
        // A line that fits, or that was wrapped before, stays as it is.
        if visible(line) <= width {
            out += line;
        } else {
            out += &wrapped_line(line, width);
        }
        out.push('\n');
    }
    out
}

fn wrapped_line(line: &str, width: usize) -> String {
    let indent = line.chars().take_while(|letter| *letter == ' ').count();
    let inner = (indent + 6).min(width / 2);
    let mut out = " ".repeat(indent);
    let mut column = indent;
    let pieces = words(line.trim_start()).into_iter().flat_map(|word| {
        // What is too long for a line in one piece is broken anywhere.
        let whole = visible(word) <= width - inner;
        let parts: Vec<&str> = if whole {
            vec![word]
        } else {
            word.split_inclusive(' ').collect()
        };
        parts
    });
    for word in pieces {
        if column + visible(word.trim_end()) > width && column > inner {
            out.truncate(out.trim_end().len());
            out.push('\n');
            out += &" ".repeat(inner);
            column = inner;
        }
        out += word;
        column += visible(word);
    }
    out
}

/// Pieces that a line may be broken behind: at spaces outside of all brackets.
fn words(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    let mut depth = 0i32;
    for (at, letter) in line.char_indices() {
        match letter {
            '[' | '(' => depth += 1,
            ']' | ')' => depth -= 1,
            // The brackets of the codes of colours are never closed.
            '\u{1b}' => depth -= 1,
            ' ' if depth <= 0 => {
                words.push(&line[start..=at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    words.push(&line[start..]);
    words
}

/// Letters that take place on the screen; codes of colours take none.
fn visible(text: &str) -> usize {
    let mut count = 0;
    let mut code = false;
    for letter in text.chars() {
        match (code, letter) {
            (false, '\u{1b}') => code = true,
            (true, 'm') => code = false,
            (false, _) => count += 1,
            (true, _) => {}
        }
    }
    count
}
