//! Training or evaluation.

use chainrule_core::Tensor;
use chainrule_core::tree::{Blocks, Part, Path, Tree};
use std::any::Any;

/// Whether a layer behaves as in training (dropout drops, batch norm takes the statistics of the batch) or as in
/// evaluation. Layers that differ have a field of this type; [`Module::train`](crate::Module::train) and
/// [`Module::eval`](crate::Module::eval) set it in all of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// As in training: where every layer begins.
    #[default]
    Train,
    /// As in evaluation.
    Eval,
}

impl Mode {
    /// Whether this is [`Mode::Train`].
    pub fn is_training(self) -> bool {
        self == Mode::Train
    }
}

impl Tree for Mode {
    fn visit<'a>(&'a self, _path: &mut Path, _visit: &mut dyn FnMut(&Path, &'a Tensor)) {}

    fn map(&self, _path: &mut Path, _replace: &mut dyn FnMut(&Path, &Tensor) -> Tensor) -> Mode {
        *self
    }

    fn visit_parts<'a>(&'a self, path: &mut Path, visit: &mut dyn FnMut(&Path, Part<'a>)) {
        visit(path, Part::Cell(self));
    }

    fn visit_cells(&mut self, path: &mut Path, visit: &mut dyn FnMut(&Path, &mut dyn Any)) {
        visit(path, self);
    }
}

impl Blocks for Mode {
    type Each<R: Blocks> = Mode;

    fn each<R: Blocks>(&self, _make: &mut dyn FnMut(&Tensor) -> R) -> Mode {
        *self
    }
}
