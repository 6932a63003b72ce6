//! All that a model remembers: parameters, frozen ones, buffers.

use crate::{Buffer, Parameter};
use chainrule_core::Tensor;
use chainrule_core::tree::{Part, Path, Tree, named_leaves};
use std::any::Any;

/// A cell of a model that holds a tensor.
pub(crate) enum StateMut<'a> {
    Parameter(&'a mut Parameter),
    Buffer(&'a mut Buffer),
    Other,
}

impl<'a> StateMut<'a> {
    pub(crate) fn of(cell: &'a mut dyn Any) -> StateMut<'a> {
        if cell.is::<Parameter>() {
            return StateMut::Parameter(cell.downcast_mut().expect("just asked"));
        }
        cell.downcast_mut()
            .map_or(StateMut::Other, StateMut::Buffer)
    }
}

/// Leaves, frozen parameters and buffers with their paths: the leaves first.
pub(crate) fn named_state<T: Tree>(tree: &T) -> Vec<(String, Tensor)> {
    let leaves = named_leaves(tree).into_iter();
    let mut state: Vec<(String, Tensor)> =
        leaves.map(|(name, leaf)| (name, leaf.clone())).collect();
    tree.visit_parts(&mut Path::new(), &mut |path, part| {
        let Part::Cell(cell) = part else { return };
        if let Some(buffer) = cell.downcast_ref::<Buffer>() {
            state.push((path.to_string(), buffer.get()));
        } else if let Some(parameter) = cell.downcast_ref::<Parameter>()
            && parameter.is_frozen()
        {
            state.push((path.to_string(), Tensor::clone(parameter)));
        }
    });
    state
}

/// The tree with every leaf, frozen parameter and buffer replaced. Tracked leaves stay tracked; buffers are cells of their
/// own.
pub(crate) fn rebuilt<T: Tree>(tree: &T, replace: &mut dyn FnMut(&str, &Tensor) -> Tensor) -> T {
    let mut tree = tree.map(&mut Path::new(), &mut |path, leaf| {
        let value = replace(&path.to_string(), leaf);
        match leaf.is_tracked() {
            true => value.tracked(),
            false => value,
        }
    });
    tree.visit_cells(
        &mut Path::new(),
        &mut |path, cell| match StateMut::of(cell) {
            StateMut::Buffer(buffer) => {
                let value = replace(&path.to_string(), &buffer.get());
                buffer.replace(value);
            }
            StateMut::Parameter(parameter) if parameter.is_frozen() => {
                let value = replace(&path.to_string(), parameter);
                *parameter = Parameter::new(value);
                parameter.set_frozen(true);
            }
            StateMut::Parameter(_) | StateMut::Other => {}
        },
    );
    tree
}
