//! The graph in the language of Graphviz: `chainrule explain "…" --dot | dot -Tsvg`.

use crate::model::{Kind, Model, box_text};
use std::fmt::Write;

/// A `digraph`; each edge carries the value and the derivative of the node it leaves.
pub(crate) fn draw(model: &Model) -> String {
    let mut out = String::from(
        "digraph chainrule {\n  rankdir=LR;\n  node [shape=box, style=rounded, fontname=\"monospace\"];\n  \
         edge [fontname=\"monospace\", fontsize=11];\n",
    );
    let _ = writeln!(out, "  label={};", quoted(&model.expression));
    for (at, node) in model.nodes.iter().enumerate() {
        let derivative = node.derivative.as_ref();
        let derivative = derivative.map_or_else(String::new, |d| format!("\n{}", d.text(24)));
        let (label, shape) = match node.kind {
            Kind::Variable => (node.label.clone(), "ellipse"),
            Kind::Constant => (node.label.clone(), "plaintext"),
            Kind::Operation => (box_text(node).to_owned(), "box"),
        };
        let label = if at == model.result && node.kind == Kind::Operation {
            format!(
                "{label}\n{} = {}{derivative}",
                node.label,
                node.value.text(24)
            )
        } else {
            label
        };
        let _ = writeln!(out, "  n{at} [label={}, shape={shape}];", quoted(&label));
    }
    for (at, node) in model.nodes.iter().enumerate() {
        for &input in &node.inputs {
            let source = &model.nodes[input];
            let label = match (source.kind, &source.derivative) {
                (Kind::Constant, _) => source.constant_text(24),
                (_, Some(derivative)) => {
                    format!("{}\n{}", source.value.text(24), derivative.text(24))
                }
                (_, None) => source.value.text(24),
            };
            let _ = writeln!(out, "  n{input} -> n{at} [label={}];", quoted(&label));
        }
    }
    out.push_str("}\n");
    out
}

/// A string of the language: quotation marks and backslashes are escaped, ends of lines are `\n`.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            control if control.is_control() => out.push(' '),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
