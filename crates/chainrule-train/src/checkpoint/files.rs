//! The folders of checkpoints: written whole, found, read, removed.

use super::state::FORMAT;
use super::{Content, RunState};
use crate::flow::GradientFlow;
use crate::history::History;
use crate::trainer::TrainError;
use chainrule_core::tree::Tree;
use std::fs::{self, File};
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};

const STATE: &str = "state.json";
const FLOW: &str = "flow.json";
const AVERAGED: &str = "averaged.safetensors";
/// What a checkpoint is called until all of it is on the disk.
const UNFINISHED: &str = "unfinished";

pub(super) fn folder_of(run: &Path, step: u64) -> PathBuf {
    run.join(format!("step-{step:08}"))
}

/// The steps of the whole checkpoints in the folder of a run, in ascending order.
pub(super) fn steps(run: &Path) -> Result<Vec<u64>, TrainError> {
    let mut steps = folders(run)?;
    steps.retain(|step| is_whole(run, *step));
    Ok(steps)
}

/// The steps of all checkpoints, also of those that were only partly removed.
fn folders(run: &Path) -> Result<Vec<u64>, TrainError> {
    let entries = match fs::read_dir(run) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(file_error(run, error)),
    };
    let mut steps = Vec::new();
    for entry in entries {
        let name = entry.map_err(|error| file_error(run, error))?.file_name();
        let step = name.to_str().and_then(|name| name.strip_prefix("step-"));
        steps.extend(step.and_then(|step| step.parse::<u64>().ok()));
    }
    steps.sort_unstable();
    Ok(steps)
}

fn is_whole(run: &Path, step: u64) -> bool {
    folder_of(run, step).join(STATE).exists()
}

/// Writes everything under another name, the state last, and renames it.
pub(super) fn write<M: Tree>(
    run: &Path,
    mut state: RunState,
    content: &Content<'_, M>,
) -> Result<(), TrainError> {
    let unfinished = run.join(UNFINISHED);
    // It may be there from a run that was killed while writing.
    remove(&unfinished)?;
    fs::create_dir_all(&unfinished).map_err(|error| file_error(&unfinished, error))?;
    chainrule_nn::save(content.model, unfinished.join(&state.weights))?;
    chainrule_nn::save(&content.optimiser, unfinished.join(&state.optimiser))?;
    state.averaged = content.averaged.as_ref().map(|_| AVERAGED.to_owned());
    if let Some(averaged) = &content.averaged {
        chainrule_nn::save(averaged, unfinished.join(AVERAGED))?;
    }
    state.flow = content.flow.map(|_| FLOW.to_owned());
    if let Some(flow) = content.flow {
        let path = unfinished.join(FLOW);
        let text = to_json(&path, flow, serde_json::to_string)?;
        write_file(&path, text.as_bytes())?;
    }
    let history = content.history.to_json_lines();
    write_file(&unfinished.join(&state.history), history.as_bytes())?;
    let path = unfinished.join(STATE);
    let text = to_json(&path, &state, serde_json::to_string_pretty)?;
    write_file(&path, (text + "\n").as_bytes())?;
    sync_folder(&unfinished);
    let folder = folder_of(run, state.step);
    // A run that was resumed from an older one comes here again.
    remove(&folder)?;
    fs::rename(&unfinished, &folder).map_err(|error| file_error(&folder, error))?;
    sync_folder(run);
    Ok(())
}

/// Removes all but the last `keep` checkpoints and that of the step `best`, and what a killed run left half removed.
pub(super) fn rotate(run: &Path, keep: usize, best: Option<u64>) -> Result<(), TrainError> {
    let (broken, whole): (Vec<u64>, Vec<u64>) = folders(run)?
        .into_iter()
        .partition(|step| !is_whole(run, *step));
    let old = &whole[..whole.len().saturating_sub(keep)];
    let old = old.iter().filter(|step| Some(**step) != best);
    for step in old.chain(&broken) {
        remove(&folder_of(run, *step))?;
    }
    Ok(())
}

/// Removes a checkpoint, its state first: without one it is none.
fn remove(folder: &Path) -> Result<(), TrainError> {
    if !folder.exists() {
        return Ok(());
    }
    let state = folder.join(STATE);
    if state.exists() {
        fs::remove_file(&state).map_err(|error| file_error(&state, error))?;
    }
    fs::remove_dir_all(folder).map_err(|error| file_error(folder, error))
}

pub(super) fn read_state(folder: &Path) -> Result<RunState, TrainError> {
    let path = folder.join(STATE);
    let text = fs::read_to_string(&path).map_err(|error| file_error(&path, error))?;
    let damaged = |problem: String| TrainError::Checkpoint {
        path: path.clone(),
        problem,
    };
    let state: RunState = serde_json::from_str(&text).map_err(|error| {
        damaged(format!(
            "not the state of a run: {error}\n    help: remove the folder to go on from the checkpoint before"
        ))
    })?;
    if state.format != FORMAT {
        return Err(damaged(format!(
            "its format is {}, this program reads {FORMAT}",
            state.format
        )));
    }
    Ok(state)
}

pub(super) fn read_history(path: &Path) -> Result<History, TrainError> {
    let file = File::open(path).map_err(|error| file_error(path, error))?;
    History::from_json_lines(BufReader::new(file)).map_err(|error| TrainError::History {
        path: path.to_owned(),
        error,
    })
}

pub(super) fn read_flow(path: &Path) -> Result<GradientFlow, TrainError> {
    let text = fs::read_to_string(path).map_err(|error| file_error(path, error))?;
    serde_json::from_str(&text).map_err(|error| json_error(path, &error))
}

fn to_json<T>(
    path: &Path,
    value: &T,
    write: fn(&T) -> serde_json::Result<String>,
) -> Result<String, TrainError> {
    write(value).map_err(|error| json_error(path, &error))
}

fn json_error(path: &Path, error: &serde_json::Error) -> TrainError {
    TrainError::Checkpoint {
        path: path.to_owned(),
        problem: error.to_string(),
    }
}

fn write_file(path: &Path, content: &[u8]) -> Result<(), TrainError> {
    let written = File::create(path).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    written.map_err(|error| file_error(path, error))
}

/// Names are on the disk once their folder is. Not every system lets a folder be opened; the files themselves are safe.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

fn file_error(path: &Path, source: io::Error) -> TrainError {
    TrainError::File {
        path: path.to_owned(),
        source,
    }
}
