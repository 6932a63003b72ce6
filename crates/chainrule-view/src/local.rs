//! Local derivatives as formulas: from the declarations where those are elementwise, written here where they are not.

use crate::model::Node;
use chainrule_core::declare::rows;
use std::collections::HashMap;
use std::sync::OnceLock;

/// The placeholders of the declarations' formulas: the inputs in order, and the result.
const INPUTS: [&str; 3] = ["x", "z", "w"];
const RESULT: &str = "y";

/// The partial derivatives of the elementwise primitives, in placeholders.
fn declared() -> &'static HashMap<&'static str, Vec<String>> {
    static DECLARED: OnceLock<HashMap<&'static str, Vec<String>>> = OnceLock::new();
    DECLARED.get_or_init(|| {
        rows()
            .into_iter()
            .filter(|row| row.structure == "diagonal")
            .map(|row| (row.name, parts(&row.derivative)))
            .collect()
    })
}

/// Whether each element of the primitive's result depends on its own elements only.
pub fn is_elementwise(primitive: &str) -> bool {
    declared().contains_key(primitive)
}

/// The derivative by the input at `position`, in placeholders; nothing where no formula is known.
pub fn template(primitive: &str, position: usize) -> Option<String> {
    if let Some(text) = rewritten(primitive, position) {
        return Some(text.to_owned());
    }
    declared().get(primitive)?.get(position).cloned()
}

/// Formulas that read better than what the declarations compute with, where those guard against corner cases.
fn rewritten(primitive: &str, position: usize) -> Option<&'static str> {
    Some(match (primitive, position) {
        ("square", 0) => "2 * x",
        ("reciprocal", 0) => "-1 / x^2",
        ("pow", 0) => "z * x^(z - 1)",
        ("pow", _) => "y * log(x)",
        ("div", 1) => "-x / z^2",
        ("relu", 0) => "1 if x > 0 else 0",
        ("maximum", 0) => "1 if x > z else 0",
        ("maximum", _) => "1 if z > x else 0",
        ("minimum", 0) => "1 if x < z else 0",
        ("minimum", _) => "1 if z < x else 0",
        ("where", 1) => "1 if x else 0",
        ("where", _) => "0 if x else 1",
        ("matmul", 0) => "z.T",
        ("matmul", _) => "x.T",
        ("dot", 0) => "z",
        ("dot", _) => "x",
        (
            "sum" | "expand" | "reshape" | "permute" | "slice" | "stack" | "concat" | "cast"
            | "flatten",
            _,
        ) => "1",
        ("max" | "min", _) => "1 where x is y, else 0",
        ("mean", _) => "1 / n",
        ("softmax", _) => "diag(y) - outer(y, y)",
        ("log_softmax", _) => "1 - exp(y)",
        ("norm", _) => "x / y",
        ("prod", _) => "y / x",
        ("logsumexp", _) => "softmax(x)",
        _ => return None,
    })
}

/// The derivative of node `at` by its input at `position` in the labels of the nodes; nothing where no formula is known.
pub fn formula(nodes: &[Node], at: usize, position: usize) -> Option<String> {
    let node = &nodes[at];
    let template = template(&node.primitive, position)?;
    let inputs = || node.inputs.iter().map(|&input| &nodes[input]);
    let labels: Vec<&str> = inputs().map(|input| input.label.as_str()).collect();
    // A vector has no transpose.
    let template = match inputs().all(|input| input.value.shape.len() < 2) {
        true => template.trim_end_matches(".T"),
        false => &template,
    };
    Some(filled(template, &labels, &node.label))
}

/// Which inputs, by position, the backward pass reads for the input at `position`, and whether it reads the result.
pub fn kept(primitive: &str, position: usize) -> (Vec<usize>, bool) {
    let declared = declared()
        .get(primitive)
        .and_then(|parts| parts.get(position));
    match declared.cloned().or_else(|| template(primitive, position)) {
        Some(text) => reads(&text),
        // A function made of several primitives: at least its input.
        None => (vec![position], false),
    }
}

/// A template with the labels of the inputs and of the node in place of the placeholders.
pub fn filled(template: &str, inputs: &[&str], result: &str) -> String {
    replaced(template, |word| {
        match INPUTS.iter().position(|name| *name == word) {
            Some(position) => inputs.get(position).copied(),
            None => (word == RESULT).then_some(result),
        }
    })
}

/// Which values a template reads: the inputs by position, and the result.
pub fn reads(template: &str) -> (Vec<usize>, bool) {
    let mut inputs = Vec::new();
    let mut result = false;
    replaced(template, |word| {
        match INPUTS.iter().position(|name| *name == word) {
            Some(position) => inputs.push(position),
            None => result |= word == RESULT,
        }
        None
    });
    (inputs, result)
}

/// The text with every word for which there is something else replaced.
fn replaced<'a>(text: &str, mut replace: impl FnMut(&str) -> Option<&'a str>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let letters = |c: char| c.is_alphanumeric() || c == '_';
        let length = if first.is_alphabetic() {
            rest.find(|c| !letters(c)).unwrap_or(rest.len())
        } else if first.is_ascii_digit() {
            // The `e` of a number is no word.
            rest.find(|c: char| !(letters(c) || c == '.'))
                .unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (word, after) = rest.split_at(length);
        match first.is_alphabetic().then(|| replace(word)).flatten() {
            // `-x` of a negative constant would read `--2`.
            Some(name) if name.starts_with('-') => out += &format!("({name})"),
            Some(name) => out += name,
            None => out += word,
        }
        rest = after;
    }
    out
}

/// The parts of a list between commas outside all parentheses.
fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for letter in text.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        match parts.last_mut() {
            Some(part) if letter != ',' || depth > 0 => part.push(letter),
            _ => parts.push(String::new()),
        }
    }
    parts
        .into_iter()
        .map(|part| part.trim().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_come_from_the_declarations() {
        let text = |primitive, position, inputs: &[&str]| {
            filled(&template(primitive, position).unwrap(), inputs, "v1")
        };
        assert_eq!(text("sin", 0, &["a"]), "cos(a)");
        assert_eq!(text("mul", 0, &["a", "b"]), "b");
        assert_eq!(text("sigmoid", 0, &["a"]), "v1 * (1 - v1)");
        assert_eq!(text("mul", 1, &["-2", "b"]), "(-2)");
        assert_eq!(text("atan2", 1, &["x", "z"]), "-x / (z^2 + x^2)");
        assert_eq!(template("floor", 0).as_deref(), Some("0"));
        assert!(template("argmax", 0).is_none());
    }

    #[test]
    fn what_is_read_follows_from_the_formula() {
        assert_eq!(reads("y * (1 - y)"), (vec![], true));
        assert_eq!(reads(&template("mul", 0).unwrap()), (vec![1], false));
        assert_eq!(reads("1e3 * exp(x)"), (vec![0], false));
    }
}
