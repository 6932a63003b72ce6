//! The documentation's table of operations, made from the declarations.

use super::{Derivative, OperationRef, Reads, Sample, SampleInput, registry};
use crate::graph::Spec;
use crate::tensor::Tensor;
use chainrule_kernels::DType;
use std::fmt::Write;

/// A row of the table of operations.
pub struct Row {
    /// The name, as the method is called.
    pub name: &'static str,
    /// What it computes.
    pub formula: String,
    /// The structure of its Jacobian.
    pub structure: &'static str,
    /// The local derivative: the partials of an elementwise operation, one an input; a reason where there is none.
    pub derivative: String,
    /// What a backward pass keeps.
    pub keeps: String,
}

/// One row for each declared operation, in the registry's order.
///
/// ```
/// use chainrule_core::declare::rows;
/// let sin = rows().into_iter().find(|row| row.name == "sin").unwrap();
/// assert_eq!((sin.derivative.as_str(), sin.keeps.as_str()), ("cos(x)", "x"));
/// ```
pub fn rows() -> Vec<Row> {
    registry()
        .filter_map(|entry| (entry.samples)().first().map(row))
        .collect()
}

/// The rows as a table in Markdown.
pub fn markdown() -> String {
    let mut text = String::from(
        "| operation | computes | Jacobian | local derivative | backward keeps |\n|---|---|---|---|---|\n",
    );
    for row in rows() {
        let escaped = |cell: &str| cell.replace('|', "\\|");
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {} |",
            row.name,
            escaped(&row.formula),
            row.structure,
            escaped(&row.derivative),
            row.keeps
        );
    }
    text
}

const NAMES: [&str; 3] = ["x", "z", "w"];

fn row(sample: &Sample) -> Row {
    let operation = &sample.operation;
    let (structure, derivative) = match operation.derivative() {
        Derivative::Elementwise(_) => ("diagonal", partials(sample)),
        Derivative::Linear(_) => ("the map itself", "its transpose".to_owned()),
        Derivative::Multilinear(_) => (
            "linear in each argument",
            "a transpose for each argument".to_owned(),
        ),
        Derivative::Routed(_) => ("a route", "along the route".to_owned()),
        Derivative::Rule(_) => ("general", "both products written out".to_owned()),
        Derivative::Body => ("that of its body", "by its body".to_owned()),
        Derivative::NotDifferentiable(reason) => ("none", reason.to_owned()),
        Derivative::Source => ("no inputs", "-".to_owned()),
    };
    Row {
        name: operation.name(),
        formula: operation.formula(),
        structure,
        derivative,
        keeps: keeps(operation, sample.inputs.len()),
    }
}

/// The partials, recorded on stand-ins and read back as text.
fn partials(sample: &Sample) -> String {
    let Derivative::Elementwise(diagonal) = sample.operation.derivative() else {
        return String::new();
    };
    let stand_ins: Vec<Tensor> = sample
        .inputs
        .iter()
        .map(|input| {
            let dtype = if matches!(input, SampleInput::Truth(..)) {
                DType::Bool
            } else {
                DType::F64
            };
            Tensor::placeholder(Spec::new((), dtype))
        })
        .collect();
    let output = Tensor::placeholder(Spec::new((), DType::F64));
    let mut names: Vec<(&Tensor, &str)> = stand_ins.iter().zip(NAMES).collect();
    names.push((&output, "y"));
    let texts: Vec<String> = (0..stand_ins.len())
        .map(|argument| {
            let partial = diagonal.partial(argument, &stand_ins, &output);
            crate::graph::text::expression(&partial, &names)
        })
        .collect();
    texts.join(", ")
}

fn keeps(operation: &OperationRef, inputs: usize) -> String {
    let reads: Reads = operation.backward_reads();
    let mut kept: Vec<String> = (0..inputs)
        .filter(|&position| reads.reads_input(position))
        .map(|position| {
            NAMES
                .get(position)
                .map_or(format!("input {position}"), |name| (*name).to_owned())
        })
        .collect();
    if reads.outputs {
        kept.push("y".to_owned());
    }
    if kept.is_empty() {
        "nothing".to_owned()
    } else {
        kept.join(", ")
    }
}
