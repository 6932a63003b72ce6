//! Trees of tensors: what transforms take and return.

mod blocks;
mod containers;
mod part;
mod path;

pub use blocks::{Blocks, each_leaf};
pub use part::{Part, kind_of};
pub use path::{Path, Segment};

use crate::tensor::Tensor;
use std::any::Any;

/// A value that contains tensors at named places: a tensor, tuples, arrays, `Vec`, `Option`, maps of trees, and structs
/// with `#[derive(Tree)]`. Numbers, truth values, strings and functions are trees without leaves.
///
/// ```
/// use chainrule_core::{tensor, tree, Tensor};
/// let pair = (tensor![1.0, 2.0], vec![Tensor::scalar(3.0)]);
/// let names: Vec<String> = tree::named_leaves(&pair).into_iter().map(|(name, _)| name).collect();
/// assert_eq!(names, ["0", "1.0"]);
/// ```
pub trait Tree: Sized {
    /// Calls `visit` for every leaf, in a fixed order, with the path to it.
    fn visit<'a>(&'a self, path: &mut Path, visit: &mut dyn FnMut(&Path, &'a Tensor));
    /// The same structure with every leaf replaced, in the same order.
    fn map(&self, path: &mut Path, replace: &mut dyn FnMut(&Path, &Tensor) -> Tensor) -> Self;

    /// Calls `visit` for every [`Part`]: what belongs to the tree besides its leaves. Most trees have none.
    fn visit_parts<'a>(&'a self, _path: &mut Path, _visit: &mut dyn FnMut(&Path, Part<'a>)) {}

    /// Calls `visit` for every [`Part::Cell`], to change it.
    fn visit_cells(&mut self, _path: &mut Path, _visit: &mut dyn FnMut(&Path, &mut dyn Any)) {}
}

impl Tree for Tensor {
    fn visit<'a>(&'a self, path: &mut Path, visit: &mut dyn FnMut(&Path, &'a Tensor)) {
        visit(path, self);
    }

    fn map(&self, path: &mut Path, replace: &mut dyn FnMut(&Path, &Tensor) -> Tensor) -> Tensor {
        replace(path, self)
    }
}

/// The leaves of a tree, in order.
pub fn leaves<T: Tree>(tree: &T) -> Vec<&Tensor> {
    let mut leaves = Vec::new();
    tree.visit(&mut Path::new(), &mut |_, leaf| leaves.push(leaf));
    leaves
}

/// The leaves of a tree with their paths, such as `hidden.weight` or `layers.3.bias`, in order.
pub fn named_leaves<T: Tree>(tree: &T) -> Vec<(String, &Tensor)> {
    let mut leaves = Vec::new();
    tree.visit(&mut Path::new(), &mut |path, leaf| {
        leaves.push((path.to_string(), leaf))
    });
    leaves
}

/// The structure of `tree` with other leaves, as many and in the order of [`leaves`].
///
/// # Panics
/// When there are fewer leaves than the tree has.
#[track_caller]
pub fn rebuilt<T: Tree>(tree: &T, leaves: &[Tensor]) -> T {
    let mut next = leaves.iter();
    tree.map(&mut Path::new(), &mut |_, _| {
        next.next()
            .expect("a leaf for each place of the tree")
            .clone()
    })
}

/// The tree with every leaf replaced by what `f` makes of it.
pub fn mapped<T: Tree>(tree: &T, mut f: impl FnMut(&Tensor) -> Tensor) -> T {
    tree.map(&mut Path::new(), &mut |_, leaf| f(leaf))
}
