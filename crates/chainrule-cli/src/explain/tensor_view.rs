//! The tensor view: the products by which adjoints flow, with the shapes of their factors.

use super::recursive_view::{MOST_STEPS, derivative_name};
use chainrule::view::{Direction, Kind, Model, Node, Structure};

/// A row: the node, the product, the shapes.
type Row = [String; 3];

/// The products in the order of the backward pass, in aligned columns; nothing in forward mode.
pub fn lines(model: &Model, width: usize) -> Vec<String> {
    if model.direction != Direction::Reverse {
        return Vec::new();
    }
    let mut rows: Vec<Row> = Vec::new();
    let mut uses = vec![0; model.len()];
    for node in &model.nodes {
        for (&input, local) in node.inputs.iter().zip(&node.locals) {
            uses[input] += usize::from(local.is_some());
        }
    }
    for at in (0..model.len()).rev() {
        let node = &model.nodes[at];
        if node.kind != Kind::Operation || node.derivative.is_none() || rows.len() > MOST_STEPS {
            continue;
        }
        let mut first = format!("{} = {}", node.label, model.formula(at));
        for position in 0..node.inputs.len() {
            let source = &model.nodes[node.inputs[position]];
            if node.locals[position].is_none() || source.kind == Kind::Constant {
                continue;
            }
            let result = &model.nodes[model.result].label;
            let equals = if uses[node.inputs[position]] > 1 {
                "+="
            } else {
                "="
            };
            let (product, shapes) = product(model, node, position);
            rows.push([
                std::mem::take(&mut first),
                format!(
                    "{} {equals} {product}",
                    derivative_name(result, &source.label)
                ),
                format!("{} {equals} {shapes}", extents(&source.value.shape)),
            ]);
        }
    }
    let scalar = model.nodes.iter().all(|node| node.value.shape.is_empty());
    if scalar && !rows.is_empty() {
        // The shapes of single numbers say nothing.
        for row in &mut rows {
            row[2].clear();
        }
        let mut lines = aligned(&rows, width);
        lines.push("(all are single numbers, so every product is one of two numbers)".to_owned());
        return lines;
    }
    aligned(&rows, width)
}

/// Columns of equal width; one below the other where there is no room for that.
fn aligned(rows: &[Row], room: usize) -> Vec<String> {
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or(0).min(60)
    };
    let (first, second, third) = (width(0), width(1), width(2));
    if first + second + third + 8 > room {
        let below = |[node, product, shapes]: &Row| {
            let heading = (!node.is_empty()).then(|| node.clone());
            let shapes = (!shapes.is_empty()).then(|| format!("        {shapes}"));
            heading
                .into_iter()
                .chain([format!("    {product}")])
                .chain(shapes)
        };
        return rows.iter().flat_map(below).collect();
    }
    rows.iter()
        .map(|[node, product, shapes]| {
            let line = format!("{node:first$}   {product:second$}   {shapes}");
            line.trim_end().to_owned()
        })
        .collect()
}

fn extents(shape: &[usize]) -> String {
    let extents: Vec<String> = shape.iter().map(usize::to_string).collect();
    format!("[{}]", extents.join(", "))
}

/// What an input's adjoint is made of, and the shapes.
fn product(model: &Model, node: &Node, position: usize) -> (String, String) {
    let label = |at: usize| model.nodes[node.inputs[at]].label.as_str();
    let shape = |at: usize| model.nodes[node.inputs[at]].value.shape.as_slice();
    let adjoint = derivative_name(&model.nodes[model.result].label, &node.label);
    let own = extents(&node.value.shape);
    let formula = node.locals[position]
        .as_ref()
        .map_or("", |local| local.formula.as_str());
    match (node.primitive.as_str(), position) {
        ("matmul" | "dot", _) => matrix_product(
            &adjoint,
            node.value.shape.as_slice(),
            position,
            (label(0), shape(0)),
            (label(1), shape(1)),
        ),
        ("sum", _) => (format!("{adjoint} repeated"), own),
        ("expand", _) => (format!("{adjoint} summed"), own),
        ("reshape", _) => (format!("{adjoint} as {}", extents(shape(0))), own),
        ("permute", _) => (format!("{adjoint}.T"), own),
        ("slice" | "index_select" | "gather", _) => {
            (format!("{adjoint} in place, 0 elsewhere"), own)
        }
        ("concat" | "stack", _) => (format!("its part of {adjoint}"), own),
        ("max" | "min", _) => (
            format!("{adjoint} where {} is, 0 elsewhere", node.label),
            own,
        ),
        _ => match node.locals[position].as_ref().map(|local| local.structure) {
            Some(Structure::Diagonal) if formula == "1" => (adjoint, own),
            Some(Structure::Diagonal) if formula == "-1" => (format!("-{adjoint}"), own),
            Some(Structure::Diagonal) => {
                let sign = if node.value.shape.is_empty() {
                    "·"
                } else {
                    "∘"
                };
                let factor = if formula.contains(' ') {
                    format!("({formula})")
                } else {
                    formula.to_owned()
                };
                (
                    format!("{adjoint} {sign} {factor}"),
                    format!("{own} {sign} {own}"),
                )
            }
            _ => (
                format!(
                    "{adjoint} · {}",
                    derivative_name(&node.label, label(position))
                ),
                format!(
                    "{own} · {}",
                    extents(&[&node.value.shape, shape(position)].concat())
                ),
            ),
        },
    }
}

/// What a factor of a product of matrices or vectors gets.
fn matrix_product(
    adjoint: &str,
    own: &[usize],
    position: usize,
    (left, left_shape): (&str, &[usize]),
    (right, right_shape): (&str, &[usize]),
) -> (String, String) {
    let other = if position == 0 {
        (right, right_shape)
    } else {
        (left, left_shape)
    };
    match (left_shape.len(), right_shape.len(), position) {
        (1, 1, _) => (
            format!("{adjoint} · {}", other.0),
            format!("{} · {}", extents(own), extents(other.1)),
        ),
        // A matrix by a vector: each row's adjoint with the vector.
        (_, 1, 0) => (
            format!("{adjoint} ⊗ {right}"),
            format!("{} ⊗ {}", extents(own), extents(right_shape)),
        ),
        (1, _, 1) => (
            format!("{left} ⊗ {adjoint}"),
            format!("{} ⊗ {}", extents(left_shape), extents(own)),
        ),
        (_, _, 0) => (
            format!("{adjoint} @ {right}.T"),
            format!("{} @ {}", extents(own), extents(&turned(right_shape))),
        ),
        _ => (
            format!("{left}.T @ {adjoint}"),
            format!("{} @ {}", extents(&turned(left_shape)), extents(own)),
        ),
    }
}

/// The shape of the transpose.
fn turned(shape: &[usize]) -> Vec<usize> {
    let mut turned = shape.to_vec();
    let rank = turned.len();
    if rank >= 2 {
        turned.swap(rank - 2, rank - 1);
    }
    turned
}
