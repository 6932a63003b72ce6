//! The structure of a derivative: for every leaf of one tree, a tree of another kind.

use super::{Tree, leaves};
use crate::tensor::Tensor;
use std::collections::BTreeMap;

/// A tree of which every leaf can be replaced by a whole tree: how Jacobians and Hessians of trees are arranged.
///
/// The Jacobian of a function of a `P` with an `O` as its result is an `O::Each<P>`: the structure of the result, with the
/// structure of the argument at each of its leaves. For a tensor that is `P` itself, for tuples, arrays, `Vec`, `Option`
/// and maps it is the container again; for a struct with `#[derive(Tree)]` it is a `Vec` with one entry for each leaf, in
/// the order of [`leaves`].
pub trait Blocks: Tree {
    /// This structure with an `R` in place of each leaf.
    type Each<R: Blocks>: Blocks;

    /// Replaces every leaf by what `make` returns for it, in the order of [`leaves`].
    fn each<R: Blocks>(&self, make: &mut dyn FnMut(&Tensor) -> R) -> Self::Each<R>;
}

/// [`Blocks::each`] for structs: one entry for each leaf.
pub fn each_leaf<T: Tree, R>(tree: &T, make: &mut dyn FnMut(&Tensor) -> R) -> Vec<R> {
    leaves(tree).into_iter().map(make).collect()
}

impl Blocks for Tensor {
    type Each<R: Blocks> = R;

    fn each<R: Blocks>(&self, make: &mut dyn FnMut(&Tensor) -> R) -> R {
        make(self)
    }
}

impl<T: Blocks> Blocks for Vec<T> {
    type Each<R: Blocks> = Vec<T::Each<R>>;

    fn each<R: Blocks>(&self, make: &mut dyn FnMut(&Tensor) -> R) -> Self::Each<R> {
        self.iter().map(|inner| inner.each(make)).collect()
    }
}

impl<T: Blocks, const N: usize> Blocks for [T; N] {
    type Each<R: Blocks> = [T::Each<R>; N];

    fn each<R: Blocks>(&self, make: &mut dyn FnMut(&Tensor) -> R) -> Self::Each<R> {
        std::array::from_fn(|index| self[index].each(make))
    }
}

impl<T: Blocks> Blocks for Option<T> {
    type Each<R: Blocks> = Option<T::Each<R>>;

    fn each<R: Blocks>(&self, make: &mut dyn FnMut(&Tensor) -> R) -> Self::Each<R> {
        self.as_ref().map(|inner| inner.each(make))
    }
}

impl<T: Blocks> Blocks for Box<T> {
    type Each<R: Blocks> = Box<T::Each<R>>;

    fn each<R: Blocks>(&self, make: &mut dyn FnMut(&Tensor) -> R) -> Self::Each<R> {
        Box::new((**self).each(make))
    }
}

impl<T: Blocks> Blocks for BTreeMap<String, T> {
    type Each<R: Blocks> = BTreeMap<String, T::Each<R>>;

    fn each<R: Blocks>(&self, make: &mut dyn FnMut(&Tensor) -> R) -> Self::Each<R> {
        let entries = self.iter();
        entries
            .map(|(key, inner)| (key.clone(), inner.each(make)))
            .collect()
    }
}

macro_rules! tuple {
    ($($name:ident $index:tt),+) => {
        impl<$($name: Blocks),+> Blocks for ($($name,)+) {
            type Each<Block: Blocks> = ($($name::Each<Block>,)+);

            fn each<Block: Blocks>(&self, make: &mut dyn FnMut(&Tensor) -> Block) -> Self::Each<Block> {
                ($(self.$index.each(make),)+)
            }
        }
    };
}

tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
