//! A small folder with one supported case of each operation, for the tests that ship with the project.

use crate::case::Folder;
use crate::run::{Outcome, run};
use safetensors::tensor::TensorView;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Cases with more bytes of tensors than this are left out.
const LARGEST: usize = 24_000;

pub fn write(from: &Path, to: &Path) -> Result<(), String> {
    let folder = Folder::open(from)?;
    let file = folder.file()?;
    let mut chosen: BTreeMap<String, (usize, Value, BTreeSet<String>)> = BTreeMap::new();
    for case in folder.cases() {
        if !matches!(run(&folder, &case), Outcome::Passed) {
            continue;
        }
        let mut keys = BTreeSet::new();
        keys_of(&case.json, &mut keys);
        let bytes: usize = keys
            .iter()
            .filter_map(|key| file.tensor(key).ok())
            .map(|view| view.data().len())
            .sum();
        // The smallest case that still has something to compare.
        let better = chosen
            .get(&case.operation)
            .is_none_or(|(known, _, _)| bytes > 200 && (bytes < *known || *known <= 200));
        if better && bytes <= LARGEST {
            chosen.insert(case.operation.clone(), (bytes, case.json, keys));
        }
    }
    let keys: BTreeSet<&String> = chosen.values().flat_map(|(_, _, keys)| keys).collect();
    let views: Vec<(String, TensorView<'_>)> = keys
        .into_iter()
        .filter_map(|key| Some((key.clone(), file.tensor(key).ok()?)))
        .collect();
    let tensors = safetensors::serialize(views, None).map_err(|error| error.to_string())?;
    let cases: Vec<&Value> = chosen.values().map(|(_, json, _)| json).collect();
    std::fs::create_dir_all(to).map_err(|error| error.to_string())?;
    let text =
        serde_json::to_string(&json!({ "cases": cases })).map_err(|error| error.to_string())?;
    std::fs::write(to.join("cases.json"), text).map_err(|error| error.to_string())?;
    std::fs::write(to.join("tensors.safetensors"), tensors).map_err(|error| error.to_string())
}

fn keys_of(json: &Value, into: &mut BTreeSet<String>) {
    match json {
        Value::Array(list) => list.iter().for_each(|entry| keys_of(entry, into)),
        Value::Object(object) => {
            if let Some(key) = object.get("tensor").and_then(Value::as_str) {
                into.insert(key.to_owned());
            }
            object.values().for_each(|entry| keys_of(entry, into));
        }
        _ => {}
    }
}
