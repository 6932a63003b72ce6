//! A small folder with one supported case of each operation, for the tests that ship with the project.

use crate::case::Folder;
use crate::nn;
use crate::run::{Outcome, run};
use safetensors::tensor::TensorView;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Cases with more bytes of tensors than this are left out.
const LARGEST: usize = 24_000;

/// Functions of single elements whose every case is large: of these the first rows of all tensors are a case again.
const CUT: [&str; 15] = [
    "abs", "asin", "asinh", "deg2rad", "erfinv", "expm1", "floor", "frac", "log1p", "positive",
    "rad2deg", "sgn", "sin", "sinh", "sqrt",
];
const ROWS: usize = 4;

/// A second case of a layer has at most this many bytes.
const SECOND: usize = 400;

/// No case of a layer with more bytes is taken, but of those whose every case is large.
const LARGEST_OF_LAYERS: usize = 12_000;
const LARGE: [&str; 1] = ["CTCLoss"];

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
    let cut: BTreeSet<&String> = chosen
        .iter()
        .filter(|(operation, _)| CUT.contains(&operation.as_str()))
        .flat_map(|(_, (_, _, keys))| keys)
        .collect();
    let view = |key: &String| {
        let view = file.tensor(key).ok()?;
        if !cut.contains(key) || view.shape().first().is_none_or(|&rows| rows <= ROWS) {
            return Some(view);
        }
        let row = view.data().len() / view.shape()[0];
        let mut shape = view.shape().to_vec();
        shape[0] = ROWS;
        TensorView::new(view.dtype(), shape, &view.data()[..ROWS * row]).ok()
    };
    let views: Vec<(String, TensorView<'_>)> = keys
        .into_iter()
        .filter_map(|key| Some((key.clone(), view(key)?)))
        .collect();
    let cases = chosen.values().map(|(_, json, _)| json);
    write_folder(to, cases, views)
}

/// The bytes of a case's tensors, the case, and the tensors' keys.
type Candidate<'a> = (usize, &'a Value, BTreeSet<String>);

/// Of each layer, loss, optimiser and schedule the smallest case that passes, and the smallest that is made otherwise.
pub fn write_nn(from: &Path, to: &Path) -> Result<(), String> {
    let folder = Folder::open(from)?;
    let file = folder.file()?;
    let mut by_subject: BTreeMap<String, Vec<Candidate<'_>>> = BTreeMap::new();
    for case in &folder.cases {
        let mut keys = BTreeSet::new();
        keys_of(case, &mut keys);
        let views = keys.iter().filter_map(|key| file.tensor(key).ok());
        let bytes: usize = views.map(|view| view.data().len()).sum();
        let subject = nn::subject(case);
        let fits = bytes <= LARGEST_OF_LAYERS || LARGE.contains(&subject.as_str());
        if fits && nn::check(&file, case).is_ok() {
            let known = by_subject.entry(subject).or_default();
            known.push((bytes, case, keys));
        }
    }
    let made = |case: &Value| (case["constructor"].clone(), case["kwargs"].clone());
    let (mut chosen, mut keys) = (Vec::new(), BTreeSet::new());
    for (_, mut cases) in by_subject {
        // A case of a few bytes, such as a single number, shows little.
        cases.sort_by_key(|(bytes, _, _)| (*bytes <= 200, *bytes));
        let first = made(cases[0].1);
        let other = cases
            .iter()
            .position(|(bytes, case, _)| *bytes <= SECOND && made(case) != first);
        for at in [Some(0), other].into_iter().flatten() {
            chosen.push(cases[at].1);
            keys.extend(cases[at].2.iter().cloned());
        }
    }
    let views = keys
        .into_iter()
        .filter_map(|key| file.tensor(&key).ok().map(|view| (key, view)));
    write_folder(to, chosen.into_iter(), views.collect())
}

fn write_folder<'a>(
    to: &Path,
    cases: impl Iterator<Item = &'a Value>,
    views: Vec<(String, TensorView<'_>)>,
) -> Result<(), String> {
    let tensors = safetensors::serialize(views, None).map_err(|error| error.to_string())?;
    let cases: Vec<Value> = cases.map(without_shapes).collect();
    std::fs::create_dir_all(to).map_err(|error| error.to_string())?;
    let text =
        serde_json::to_string(&json!({ "cases": cases })).map_err(|error| error.to_string())?;
    std::fs::write(to.join("cases.json"), text).map_err(|error| error.to_string())?;
    std::fs::write(to.join("tensors.safetensors"), tensors).map_err(|error| error.to_string())
}

/// The case without the shapes and dtypes of its tensors, which the tensors themselves have, and without saying that no
/// gradient is asked for.
fn without_shapes(json: &Value) -> Value {
    match json {
        Value::Array(list) => list.iter().map(without_shapes).collect(),
        Value::Object(object) => {
            let is_tensor = object.contains_key("tensor");
            let kept = |name: &str, value: &Value| match name {
                "shape" | "dtype" => !is_tensor,
                "requires_grad" => value != false,
                _ => true,
            };
            let fields = object.iter().filter(|(name, value)| kept(name, value));
            Value::Object(
                fields
                    .map(|(name, value)| (name.clone(), without_shapes(value)))
                    .collect(),
            )
        }
        other => other.clone(),
    }
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
