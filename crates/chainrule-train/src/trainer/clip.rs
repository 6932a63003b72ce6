//! Gradients that are too large.

use chainrule_core::tree::Tree;
use chainrule_nn::clip::{clip_norm, clip_value};

/// How gradients are clipped.
#[derive(Clone, Copy, Debug)]
pub(super) enum Clip {
    Norm(f64),
    Value(f64),
}

impl Clip {
    pub(super) fn apply<T: Tree>(self, gradients: &mut T) {
        match self {
            Clip::Value(limit) => clip_value(gradients, limit),
            Clip::Norm(limit) => drop(clip_norm(gradients, limit, 2.0)),
        }
    }
}
