//! Everything as one JSON object.
//!
//! What the documentation of the crate `chainrule-view` describes, with `span`s in place of `place` and `module`; and
//! besides: `value` and `shape` of the result; `gradients` by name; when asked `paths` with `path_counts`, `jacobian`,
//! `hessian`, `check`.

use super::extras::{ByName, Extras};
use chainrule::view::{Array, Direction, Model, json_number};
use serde_json::{Value as Json, json};

/// The object, on one line.
pub fn object(model: &Model, gradients: &ByName<Array>, extras: &Extras) -> Json {
    let result = &model.nodes[model.result];
    let mut object = model.json();
    object["value"] = result.value.json();
    object["shape"] = json!(result.value.shape);
    object["gradients"] = by_name(gradients, Array::json);
    if let Some(paths) = &extras.paths {
        let list = |paths: &super::extras::Paths| {
            let paths = paths
                .shown
                .iter()
                .map(|path| json!({"nodes": path.nodes, "contribution": path.contribution.json()}));
            Json::Array(paths.collect())
        };
        object["paths"] = by_name(paths, list);
        let counts = by_name(paths, |paths| json!(paths.count));
        object["path_counts"] = counts;
    }
    if let Some(jacobian) = &extras.jacobian {
        object["jacobian"] = by_name(jacobian, Array::json);
    }
    if let Some(hessian) = &extras.hessian {
        let row = |row: &ByName<Array>| by_name(row, Array::json);
        object["hessian"] = by_name(hessian, row);
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
        object["check"] = by_name(check, entry);
    }
    object
}

fn by_name<T>(entries: &ByName<T>, json: impl Fn(&T) -> Json) -> Json {
    let entries = entries
        .iter()
        .map(|(name, entry)| (name.clone(), json(entry)));
    Json::Object(entries.collect())
}

/// In forward mode with several variables: each node's tangents by the name of the variable. `tangent` is by the first.
pub fn add_tangents(object: &mut Json, models: &[Model]) {
    let Some(nodes) = object.get_mut("nodes").and_then(Json::as_array_mut) else {
        return;
    };
    for (at, node) in nodes.iter_mut().enumerate() {
        let tangents = models.iter().filter_map(|model| match model.direction {
            Direction::Forward { input } => {
                let tangent = model.derivative_json(at);
                Some((model.nodes[input].label.clone(), tangent))
            }
            _ => None,
        });
        node["tangents"] = Json::Object(tangents.collect());
    }
}
