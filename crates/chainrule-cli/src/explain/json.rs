//! Everything as one JSON object.
//!
//! `expression`; `value` and `shape` of the result; `gradients` by name; `nodes`, each with `id`, `name` (or null),
//! `label`, `primitive`, `inputs` (ids), `shape`, `value`, `adjoint` (or `tangent` in forward mode; null for
//! constants and truth values), `local_derivatives` (one for each input: `input`, `formula`, `structure`, `value`, or null),
//! `kept`, `span` (the first character in the expression and the one behind the last; null for what has none); and when
//! asked `paths`, `jacobian`, `hessian`, `check`.

use super::extras::{ByName, Extras};
use super::model::{Direction, Kind, Model, Node, Structure};
use super::number::{Array, json_number};
use super::problem::Span;
use serde_json::{Map, Value as Json, json};

/// The object, on one line.
pub fn object(model: &Model, gradients: &ByName<Array>, extras: &Extras) -> Json {
    let result = &model.nodes[model.result];
    let mut object = Map::new();
    object.insert("expression".into(), json!(model.expression));
    object.insert("value".into(), result.value.json());
    object.insert("shape".into(), json!(result.value.shape));
    object.insert("gradients".into(), by_name(gradients, Array::json));
    let nodes = model.nodes.iter().enumerate();
    let nodes = nodes.map(|(id, each)| node(model, id, each)).collect();
    object.insert("nodes".into(), Json::Array(nodes));
    object.insert("result".into(), json!(model.result));
    if let Some(paths) = &extras.paths {
        let list = |paths: &super::extras::Paths| {
            let paths = paths
                .shown
                .iter()
                .map(|path| json!({"nodes": path.nodes, "contribution": path.contribution.json()}));
            Json::Array(paths.collect())
        };
        object.insert("paths".into(), by_name(paths, list));
        let counts = by_name(paths, |paths| json!(paths.count));
        object.insert("path_counts".into(), counts);
    }
    if let Some(jacobian) = &extras.jacobian {
        object.insert("jacobian".into(), by_name(jacobian, Array::json));
    }
    if let Some(hessian) = &extras.hessian {
        let row = |row: &ByName<Array>| by_name(row, Array::json);
        object.insert("hessian".into(), by_name(hessian, row));
    }
    if let Some(check) = &extras.check {
        let entry = |check: &super::extras::Check| {
            json!({
                "derivative": check.derivative.json(),
                "differences": check.differences.json(),
                "error": json_number(check.error()),
                "agrees": check.agrees(),
            })
        };
        object.insert("check".into(), by_name(check, entry));
    }
    Json::Object(object)
}

fn by_name<T>(entries: &ByName<T>, json: impl Fn(&T) -> Json) -> Json {
    let entries = entries
        .iter()
        .map(|(name, entry)| (name.clone(), json(entry)));
    Json::Object(entries.collect())
}

fn node(model: &Model, id: usize, node: &Node) -> Json {
    let derivative = derivative(model, node);
    let mut object = Map::new();
    object.insert("id".into(), json!(id));
    object.insert("name".into(), json!(node.name));
    object.insert("label".into(), json!(node.label));
    object.insert("primitive".into(), json!(primitive(node)));
    object.insert("inputs".into(), json!(node.inputs));
    object.insert("shape".into(), json!(node.value.shape));
    object.insert("value".into(), node.value.json());
    match model.direction {
        Direction::Forward { .. } => object.insert("tangent".into(), derivative),
        _ => object.insert("adjoint".into(), derivative),
    };
    let locals = node.locals.iter().zip(&node.inputs);
    let locals = locals.map(|(local, input)| match local {
        None => Json::Null,
        Some(local) => json!({
            "input": input,
            "formula": local.formula,
            "structure": match local.structure {
                Structure::Diagonal => "diagonal",
                Structure::Dense => "dense",
            },
            "value": local.value.as_ref().map_or(Json::Null, Array::json),
        }),
    });
    object.insert("local_derivatives".into(), Json::Array(locals.collect()));
    object.insert("kept".into(), json!(node.kept));
    object.insert(
        "span".into(),
        json!(node.span.map(|span| characters(&model.expression, span))),
    );
    Json::Object(object)
}

/// The adjoint or tangent: zeros where the result, or the node, does not depend on it; null for what has none at all,
/// such as constants and truth values.
fn derivative(model: &Model, node: &Node) -> Json {
    let shape = match model.direction {
        _ if node.kind == Kind::Constant || node.value.truth => return Json::Null,
        Direction::None => return Json::Null,
        Direction::Reverse => node.value.shape.clone(),
        Direction::Forward { input } => {
            [&node.value.shape[..], &model.nodes[input].value.shape].concat()
        }
    };
    match &node.derivative {
        Some(derivative) => derivative.json(),
        None => Array::zeros(&shape).json(),
    }
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

/// In forward mode with several variables: each node's tangents by the name of the variable. `tangent` is by the first.
pub fn add_tangents(object: &mut Json, models: &[Model]) {
    let Some(nodes) = object.get_mut("nodes").and_then(Json::as_array_mut) else {
        return;
    };
    for (at, node) in nodes.iter_mut().enumerate() {
        let tangents = models.iter().filter_map(|model| match model.direction {
            Direction::Forward { input } => {
                let tangent = derivative(model, &model.nodes[at]);
                Some((model.nodes[input].label.clone(), tangent))
            }
            _ => None,
        });
        node["tangents"] = Json::Object(tangents.collect());
    }
}
