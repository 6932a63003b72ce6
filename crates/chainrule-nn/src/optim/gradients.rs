//! Matching gradients with the parameters they belong to.

use chainrule_core::error::raise;
use chainrule_core::tree::{Path, Tree};
use chainrule_core::{Error, ErrorKind, Shape, Tensor};

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
            + "\n    help: use it in the loss, leave it out of the tree that is updated, or freeze it: \
               `.group(Group::matching(\"name\").frozen())`"
    }
}

/// Gradients of another model would be broadcast, or applied to the wrong parameters.
#[track_caller]
pub(crate) fn check_structure(model: &[&Tensor], gradients: &[&Tensor]) {
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

/// Puts the given values in place of the leaves, in their order; where one was tracked, its successor is.
pub(crate) fn replace<T: Tree>(model: &mut T, values: Vec<Option<Tensor>>) {
    let mut values = values.into_iter();
    *model = model.map(
        &mut Path::new(),
        &mut |_, leaf| match values.next().flatten() {
            Some(value) if leaf.is_tracked() => value.tracked(),
            Some(value) => value,
            None => leaf.clone(),
        },
    );
}
