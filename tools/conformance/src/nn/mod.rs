//! Layers, losses, optimisers, schedules and clipping, held against values computed elsewhere.

mod arguments;
mod clip;
mod lbfgs;
mod module;
mod modules;
mod optimizer;
mod schedule;
mod state;

use crate::case::Folder;
use arguments::Refused;
use chainrule::attempt;
use safetensors::SafeTensors;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

/// How a case ends that does not pass.
pub enum Ending {
    NotSupported(String),
    Failed(String),
}

/// What checking a case gives.
pub type Checked = Result<(), Ending>;

impl From<Refused> for Ending {
    fn from(refused: Refused) -> Ending {
        Ending::NotSupported(refused.0)
    }
}

impl From<String> for Ending {
    fn from(reason: String) -> Ending {
        Ending::Failed(reason)
    }
}

/// A difference from what the case says.
fn wrong(reason: String) -> Checked {
    Err(Ending::Failed(reason))
}

fn list(json: &Value) -> Vec<Value> {
    json.as_array().cloned().unwrap_or_default()
}

/// Checks one case.
pub fn check(file: &SafeTensors<'_>, case: &Value) -> Checked {
    let checked = attempt(|| match case["kind"].as_str().unwrap_or_default() {
        "module" => module::check(file, case),
        "optimizer" => optimizer::check(file, case),
        "lbfgs" => lbfgs::check(file, case),
        "schedule" => schedule::check(case),
        "clip" => clip::check(file, case),
        other => Err(Ending::NotSupported(format!("kind {other:?}"))),
    });
    checked.unwrap_or_else(|error| Err(Ending::Failed(error.message().to_owned())))
}

/// What a case is about: the module, the optimiser or the schedule.
pub fn subject(case: &Value) -> String {
    let names = ["module", "optimizer", "schedule", "kind"].iter();
    let subject = names.filter_map(|name| case[name].as_str()).next();
    subject.unwrap_or("?").to_owned()
}

#[derive(Default)]
struct Counts {
    passed: usize,
    failed: usize,
    not_supported: usize,
    /// Why cases are not supported.
    reasons: BTreeMap<String, usize>,
}

/// Runs the cases whose name or subject contains `filter` and prints a line for each subject.
pub fn report(path: &Path, filter: &str) -> Result<ExitCode, String> {
    let folder = Folder::open(path)?;
    let file = folder.file()?;
    let mut subjects: BTreeMap<String, Counts> = BTreeMap::new();
    for case in &folder.cases {
        let name = case["name"].as_str().unwrap_or("?");
        let subject = subject(case);
        if !name.contains(filter) && !subject.contains(filter) {
            continue;
        }
        let counts = subjects.entry(subject).or_default();
        match check(&file, case) {
            Ok(()) => counts.passed += 1,
            Err(Ending::Failed(reason)) => {
                counts.failed += 1;
                println!("FAILED {name}: {reason}");
            }
            Err(Ending::NotSupported(reason)) => {
                counts.not_supported += 1;
                *counts.reasons.entry(reason).or_default() += 1;
            }
        }
    }
    for (subject, counts) in &subjects {
        let reasons: Vec<&str> = counts.reasons.keys().map(String::as_str).collect();
        let line = format!(
            "{subject:28} {:4} passed {:4} failed {:4} not supported  {}",
            counts.passed,
            counts.failed,
            counts.not_supported,
            reasons.join("; ")
        );
        println!("{}", line.trim_end());
    }
    let total = |count: fn(&Counts) -> usize| subjects.values().map(count).sum::<usize>();
    let failed = total(|counts| counts.failed);
    println!(
        "{} passed, {failed} failed, {} not supported",
        total(|counts| counts.passed),
        total(|counts| counts.not_supported)
    );
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
