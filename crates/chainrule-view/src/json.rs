//! The model as JSON, in the schema of the crate's documentation.

use crate::model::{Direction, Kind, Local, Model, Node, Structure};
use crate::number::Array;
use crate::span::Span;
use serde_json::{Number, Value as Json, json};

/// The version of the schema.
pub const VERSION: u32 = 1;

impl Model {
    /// The whole model in the schema of [the crate's documentation](crate#the-json-form).
    pub fn json(&self) -> Json {
        let nodes = 0..self.nodes.len();
        json!({
            "version": VERSION,
            "expression": self.expression,
            "direction": match self.direction {
                Direction::Reverse => Some("reverse"),
                Direction::Forward { .. } => Some("forward"),
                Direction::None => None,
            },
            "result": self.result,
            "outputs": self.outputs,
            "nodes": nodes.map(|id| node(self, id)).collect::<Vec<Json>>(),
        })
    }

    /// A node's adjoint or tangent: zeros where the result, or the node, does not depend on it; null for what has none at
    /// all, such as constants and truth values.
    pub fn derivative_json(&self, id: usize) -> Json {
        let node = &self.nodes[id];
        if node.kind == Kind::Constant || !node.dtype.is_floating() {
            return Json::Null;
        }
        let shape = match self.direction {
            Direction::None => return Json::Null,
            Direction::Reverse => node.value.shape.clone(),
            Direction::Forward { input } => {
                [&node.value.shape[..], &self.nodes[input].value.shape].concat()
            }
        };
        match &node.derivative {
            Some(derivative) => derivative.json(),
            None if node.value.elided.is_some() => json!({"norm": 0.0}),
            None => Array::zeros(&shape).json(),
        }
    }
}

fn node(model: &Model, id: usize) -> Json {
    let node = &model.nodes[id];
    let locals = node.locals.iter().zip(&node.inputs);
    let mut object = json!({
        "id": id,
        "name": node.name,
        "label": node.label,
        "primitive": primitive(node),
        "inputs": node.inputs,
        "shape": node.value.shape,
        "dtype": node.dtype.to_string(),
        "value": node.value.json(),
        "local_derivatives": locals
            .map(|(local, &input)| local.as_ref().map(|local| local_derivative(local, input)))
            .collect::<Vec<Option<Json>>>(),
        "kept": node.kept,
        "span": node.span.map(|span| characters(&model.expression, span)),
        "place": node.place,
        "module": node.module,
    });
    let name = match model.direction {
        Direction::Forward { .. } => "tangent",
        _ => "adjoint",
    };
    object[name] = model.derivative_json(id);
    object
}

fn local_derivative(local: &Local, input: usize) -> Json {
    json!({
        "input": input,
        "formula": local.formula,
        "structure": match local.structure {
            Structure::Diagonal => "diagonal",
            Structure::Dense => "dense",
        },
        "value": local.value.as_ref().map(Array::json),
        "contribution": local.contribution.as_ref().map(Array::json),
    })
}

fn primitive(node: &Node) -> &str {
    match node.kind {
        Kind::Variable => "input",
        Kind::Constant => "constant",
        Kind::Operation => &node.primitive,
    }
}

/// A place in characters, as most languages count.
fn characters(text: &str, span: Span) -> [usize; 2] {
    let count = |end: usize| text.get(..end).map_or(end, |part| part.chars().count());
    [count(span.start), count(span.end)]
}

impl Array {
    /// A number, or nested arrays of numbers; for elided ones an object with their `norm`.
    pub fn json(&self) -> Json {
        match self.elided {
            Some(norm) => json!({"norm": json_number(norm)}),
            None => nested(&self.shape, &self.elements),
        }
    }
}

fn nested(shape: &[usize], elements: &[f64]) -> Json {
    match shape {
        [] => elements
            .first()
            .map_or(Json::Null, |&number| json_number(number)),
        [extent, rest @ ..] => {
            let step = rest.iter().product::<usize>();
            let part = |at: usize| nested(rest, &elements[at * step..(at + 1) * step]);
            Json::Array((0..*extent).map(part).collect())
        }
    }
}

/// A number; JSON has no others than finite ones, so those are strings.
pub fn json_number(number: f64) -> Json {
    if number.is_nan() {
        return Json::from("NaN");
    }
    match Number::from_f64(number) {
        Some(finite) => Json::Number(finite),
        None if number > 0.0 => Json::from("Infinity"),
        None => Json::from("-Infinity"),
    }
}
