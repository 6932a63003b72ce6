//! Matching gradients with the parameters they belong to.

use chainrule_core::error::raise;
use chainrule_core::tree::{Path, Tree, leaves, named_leaves};
use chainrule_core::{Error, ErrorKind, Gradients, Shape, Tensor, untracked};

/// Parameters that got no gradient: the loss does not depend on them. Nothing was updated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
pub struct MissingGradients {
    /// The parameters' paths.
    pub names: Vec<String>,
}

impl MissingGradients {
    fn message(&self) -> String {
        let lines: Vec<String> = self
            .names
            .iter()
            .map(|name| format!("{name} got no gradient: the loss does not depend on it"))
            .collect();
        lines.join("\n")
            + "\n    help: use it in the loss, or leave it out of the tree that is updated"
    }
}

/// The gradients of a tree, in the order of its leaves.
#[track_caller]
pub(crate) fn from_tree<T: Tree>(
    model: &T,
    gradients: &T,
) -> Result<Vec<Tensor>, MissingGradients> {
    check_structure(&leaves(model), &leaves(gradients));
    checked(model, leaves(gradients).into_iter().cloned().collect())
}

/// Gradients of another model would be broadcast, or applied to the wrong parameters.
#[track_caller]
fn check_structure(model: &[&Tensor], gradients: &[&Tensor]) {
    let shapes = |leaves: &[&Tensor]| -> Vec<Shape> {
        leaves.iter().map(|leaf| leaf.shape().clone()).collect()
    };
    let (parameters, gradients) = (shapes(model), shapes(gradients));
    if parameters != gradients {
        let message = format!(
            "the gradients are not those of this model: they have {} leaves of shapes {gradients:?}, the model has {} of \
             shapes {parameters:?}",
            gradients.len(),
            parameters.len()
        );
        raise(Error::new(ErrorKind::Argument, message));
    }
}

/// An optimiser's state belongs to the model it was first used with.
#[track_caller]
pub(crate) fn check_state(optimiser: &str, state: usize, gradients: usize) {
    if state != 0 && state != gradients {
        let message = format!(
            "{optimiser}: it was used with a model of {state} leaves, this one has {gradients}\n    help: use an optimiser \
             for each model"
        );
        raise(Error::new(ErrorKind::Argument, message));
    }
}

/// The gradients that a backward pass found for the leaves of a tree.
pub(crate) fn from_backward<T: Tree>(
    model: &T,
    gradients: &Gradients,
) -> Result<Vec<Tensor>, MissingGradients> {
    checked(
        model,
        named_leaves(model)
            .into_iter()
            .map(|(_, leaf)| gradients.of(leaf))
            .collect(),
    )
}

fn checked<T: Tree>(model: &T, gradients: Vec<Tensor>) -> Result<Vec<Tensor>, MissingGradients> {
    let missing = |((name, leaf), gradient): ((String, &Tensor), &Tensor)| {
        (leaf.dtype().is_floating() && gradient.is_absent()).then_some(name)
    };
    let names: Vec<String> = named_leaves(model)
        .into_iter()
        .zip(&gradients)
        .filter_map(missing)
        .collect();
    if names.is_empty() {
        Ok(gradients)
    } else {
        Err(MissingGradients { names })
    }
}

/// Replaces every floating-point leaf of `model` by one (tracked, if it was) with the value that `update(number, leaf)` gives.
pub(crate) fn replace<T: Tree>(model: &mut T, mut update: impl FnMut(usize, &Tensor) -> Tensor) {
    let mut number = 0;
    *model = model.map(&mut Path::new(), &mut |_, leaf| {
        let this = number;
        number += 1;
        if !leaf.dtype().is_floating() {
            return leaf.clone();
        }
        let value = untracked(|| update(this, leaf)).cast(leaf.dtype());
        if leaf.is_tracked() {
            value.tracked()
        } else {
            value
        }
    });
}
