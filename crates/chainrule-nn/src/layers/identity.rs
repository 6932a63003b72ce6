//! Nothing.

use super::catalogue::Declared;
use crate::{ArgumentError, Arguments, Layer};
use chainrule_core::{Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { Identity }

/// The input itself: a place holder in a list of layers.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::{Identity, Layer};
/// assert_eq!(Identity::new().forward(tensor![1.0, 2.0]).to_vec::<f32>(), [1.0, 2.0]);
/// ```
#[derive(Clone, Debug, Default, Module)]
pub struct Identity {
    // Layers are told apart by their addresses, and what has no size has none of its own.
    addressed: bool,
}

impl Identity {
    /// The layer; it has no options.
    pub fn new() -> Identity {
        Identity { addressed: true }
    }
}

impl Layer for Identity {
    fn compute(&self, x: &Tensor) -> Tensor {
        x.clone()
    }
}

/// No arguments.
impl Declared for Identity {
    const NAME: &'static str = "identity";

    fn declared(_arguments: &mut Arguments, _input: &Shape) -> Result<Identity, ArgumentError> {
        Ok(Identity::new())
    }
}
