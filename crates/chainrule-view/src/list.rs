//! The nodes as a table, for graphs that are too large for boxes and wires.

use crate::model::{Kind, Model, Node, formula};
use crate::style::{Role, Style};

/// Arrays longer than this are shown by their shape.
const LONGEST: usize = 24;

/// The columns of the table.
const HEADINGS: [&str; 6] = ["node", "computes", "type", "value", "derivative", "made at"];

/// One line for each node, under a heading.
pub fn lines(model: &Model, style: Style) -> Vec<String> {
    let rows: Vec<[String; 6]> = model.nodes.iter().map(|node| row(model, node)).collect();
    let widths: [usize; 6] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([HEADINGS[column].len()]).max().unwrap_or(0)
    });
    let heading = line(
        &HEADINGS.map(str::to_owned),
        &widths,
        |_| Role::Heading,
        style,
    );
    let role = |column| match column {
        3 => Role::Value,
        4 => Role::Derivative,
        5 => Role::Faint,
        _ => Role::Plain,
    };
    let rows = rows.iter().map(|row| line(row, &widths, role, style));
    std::iter::once(heading).chain(rows).collect()
}

fn row(model: &Model, node: &Node) -> [String; 6] {
    let inputs: Vec<&str> = node
        .inputs
        .iter()
        .map(|&input| model.nodes[input].label.as_str())
        .collect();
    let derivative = node.derivative.as_ref();
    [
        node.label.clone(),
        match node.kind {
            Kind::Variable => "input".to_owned(),
            Kind::Constant => "constant".to_owned(),
            Kind::Operation => formula(&node.primitive, &inputs, &node.detail),
        },
        format!("{} {}", node.dtype, node.value.shape_text()),
        node.value.text(LONGEST),
        derivative.map_or_else(String::new, |derivative| derivative.text(LONGEST)),
        match (node.module.as_str(), &node.place) {
            ("", place) => place.clone().unwrap_or_default(),
            (module, Some(place)) => format!("{module}, {place}"),
            (module, None) => module.to_owned(),
        },
    ]
}

/// Cells below each other, two columns apart.
fn line(
    cells: &[String; 6],
    widths: &[usize; 6],
    role: impl Fn(usize) -> Role,
    style: Style,
) -> String {
    let mut line = String::new();
    let mut missing = 0;
    for (column, cell) in cells.iter().enumerate() {
        if cell.is_empty() {
            missing += widths[column] + 2;
            continue;
        }
        line += &" ".repeat(missing);
        line += &style.paint(role(column), cell);
        missing = widths[column] - cell.chars().count() + 2;
    }
    line
}
