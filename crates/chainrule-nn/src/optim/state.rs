//! What an optimiser carries from step to step: kept by parameter, given out and taken back by name.

use chainrule_core::error::raise;
use chainrule_core::tree::{Path, Tree, named_leaves};
use chainrule_core::{Error, ErrorKind, Tensor};
use std::collections::BTreeMap;

/// The state of one parameter.
#[derive(Clone, Debug)]
pub(crate) struct Entry<S> {
    /// Steps of this parameter: fewer than the optimiser's where it was frozen for a time.
    pub(crate) steps: u64,
    pub(crate) state: S,
}

/// The states of all parameters by their paths.
pub(crate) type Entries<S> = BTreeMap<String, Entry<S>>;

/// A state that does not belong to the optimiser and the parameters it was given to. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
pub struct StateError {
    /// The optimiser's name.
    pub optimiser: String,
    /// What the optimiser needs and the state has not.
    pub missing: Vec<String>,
    /// What the state has and the optimiser does not know.
    pub unexpected: Vec<String>,
    /// What has another shape or dtype, with both.
    pub mismatched: Vec<String>,
}

impl StateError {
    fn message(&self) -> String {
        let mut message = format!(
            "{}: the state is not that of this optimiser with these parameters",
            self.optimiser
        );
        for (what, names) in [
            ("missing", &self.missing),
            ("unexpected", &self.unexpected),
            ("mismatched", &self.mismatched),
        ] {
            for name in names {
                message.push_str(&format!("\n    {what:11} {name}"));
            }
        }
        message
    }
}

/// An optimiser's state belongs to the parameters it was used with: some may be missing (frozen) or new (thawed), but when
/// some are missing and others new, it is another model.
#[track_caller]
pub(crate) fn check_state<S>(
    optimiser: &str,
    entries: &Entries<S>,
    parameters: &[(String, &Tensor)],
) {
    let mut names: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        let message = format!(
            "{optimiser}: two parameters are called `{}`: their states could not be told apart\n    help: keep dots out of the \
             keys of maps",
            twice[0]
        );
        raise(Error::new(ErrorKind::Argument, message));
    }
    let gone = entries
        .keys()
        .find(|name| names.binary_search(&name.as_str()).is_err());
    let new = names.iter().find(|name| !entries.contains_key(**name));
    if let (Some(gone), Some(new)) = (gone, new) {
        let message = format!(
            "{optimiser}: it was used with a model of {} leaves, this one has {}: there is no `{gone}` any more, and `{new}` is \
             new\n    help: use an optimiser for each model",
            entries.len(),
            parameters.len()
        );
        raise(Error::new(ErrorKind::Argument, message));
    }
}

/// The optimiser's own numbers. No parameter's state is called so: those have a dot, or are fields of rules' states.
const LEARNING_RATE: &str = "learning_rate";
const UPDATES: &str = "updates";
/// The number of steps of one parameter.
const STEPS: &str = "steps";

fn joined(name: &str, field: &str) -> String {
    match name {
        "" => field.to_owned(),
        _ => format!("{name}.{field}"),
    }
}

fn count(value: u64) -> Tensor {
    Tensor::from(value as i64)
}

/// Everything by name.
pub(crate) fn collected<S: Tree>(
    learning_rate: f64,
    updates: u64,
    entries: &Entries<S>,
) -> BTreeMap<String, Tensor> {
    let mut all = BTreeMap::from([
        (LEARNING_RATE.to_owned(), Tensor::from(learning_rate)),
        (UPDATES.to_owned(), count(updates)),
    ]);
    for (name, entry) in entries {
        all.insert(joined(name, STEPS), count(entry.steps));
        for (field, tensor) in named_leaves(&entry.state) {
            all.insert(joined(name, &field), tensor.clone());
        }
    }
    all
}

/// What [`collected`] had been given.
pub(crate) struct Restored<S> {
    pub(crate) learning_rate: f64,
    pub(crate) updates: u64,
    pub(crate) entries: Entries<S>,
}

/// Takes tensors out of a state by name and notes what does not fit.
struct Taking<'a> {
    left: BTreeMap<&'a str, &'a Tensor>,
    error: StateError,
}

impl Taking<'_> {
    /// The tensor called `name` if it is like `like`.
    fn take(&mut self, name: &str, like: &Tensor) -> Option<Tensor> {
        let Some(tensor) = self.left.remove(name) else {
            self.error.missing.push(name.to_owned());
            return None;
        };
        if tensor.shape() == like.shape() && tensor.dtype() == like.dtype() {
            return Some(tensor.clone());
        }
        self.error.mismatched.push(format!(
            "{name}: {} {} in the state, {} {} in the optimiser",
            tensor.shape(),
            tensor.dtype(),
            like.shape(),
            like.dtype()
        ));
        None
    }

    fn count(&mut self, name: &str) -> u64 {
        let tensor = self.take(name, &count(0));
        tensor.map_or(0, |tensor| tensor.item::<i64>().max(0) as u64)
    }
}

/// The state of each parameter, found by name. `start` gives for a parameter the state it would begin with and whether it is
/// frozen, so that it may be without one; `None` for integers.
pub(crate) fn restored<S: Tree>(
    optimiser: &str,
    parameters: &[(String, &Tensor)],
    state: &BTreeMap<String, Tensor>,
    start: impl Fn(&str, &Tensor) -> Option<(S, bool)>,
) -> Result<Restored<S>, StateError> {
    let mut taking = Taking {
        left: state
            .iter()
            .map(|(name, tensor)| (name.as_str(), tensor))
            .collect(),
        error: StateError {
            optimiser: optimiser.to_owned(),
            missing: Vec::new(),
            unexpected: Vec::new(),
            mismatched: Vec::new(),
        },
    };
    let rate = taking.take(LEARNING_RATE, &Tensor::from(0.0));
    let updates = taking.count(UPDATES);
    let mut entries = Entries::new();
    for (name, leaf) in parameters {
        let Some((like, frozen)) = start(name, leaf) else {
            continue;
        };
        let is_there = taking.left.contains_key(joined(name, STEPS).as_str());
        if !is_there && (frozen || updates == 0) {
            continue;
        }
        let steps = taking.count(&joined(name, STEPS));
        let state = like.map(&mut Path::new(), &mut |field, leaf| {
            let found = taking.take(&joined(name, &field.to_string()), leaf);
            found.unwrap_or_else(|| leaf.clone())
        });
        entries.insert(name.clone(), Entry { steps, state });
    }
    let mut error = taking.error;
    error.unexpected = taking.left.into_keys().map(str::to_owned).collect();
    if !(error.missing.is_empty() && error.unexpected.is_empty() && error.mismatched.is_empty()) {
        return Err(error);
    }
    Ok(Restored {
        learning_rate: rate.map_or(0.0, |rate| rate.item()),
        updates,
        entries,
    })
}
