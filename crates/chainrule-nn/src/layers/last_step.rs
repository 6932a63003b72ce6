//! The last step of a sequence.

use super::catalogue::{Declared, input_extent};
use super::{ArgumentError, Arguments};
use crate::Layer;
use chainrule_core::error::raise;
use chainrule_core::{Error, ErrorKind, Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { LastStep }

/// The last element of every sequence: `[.., elements, features]` to `[.., features]`. Behind a recurrent layer it is what the
/// whole sequence left.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{LastStep, Layer, Lstm, Sequential};
/// let net = Sequential::new().then(Lstm::new(3, 5)).then(LastStep::new());
/// assert_eq!(net.forward(Tensor::ones([2, 7, 3])).shape().to_string(), "[2, 5]");
/// ```
#[derive(Clone, Debug, Module)]
pub struct LastStep {
    // Layers are told apart by their addresses, and what has no size has none of its own.
    addressed: bool,
}

impl LastStep {
    /// The layer.
    pub fn new() -> LastStep {
        LastStep { addressed: true }
    }
}

impl Default for LastStep {
    fn default() -> LastStep {
        LastStep::new()
    }
}

impl Layer for LastStep {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        let elements = x.rank().checked_sub(2).map_or(0, |axis| x.shape()[axis]);
        if elements == 0 {
            let message = format!(
                "last_step: the layer takes [.., elements, features] with at least one element, the input has shape {} \
                 (from `{}` at {})",
                x.shape(),
                x.operation_name(),
                x.place()
            );
            raise(Error::new(ErrorKind::Shape, message));
        }
        x.narrow(-2, elements - 1, 1).squeeze(-2)
    }
}

/// No arguments.
impl Declared for LastStep {
    const NAME: &'static str = "last_step";

    fn declared(arguments: &mut Arguments, input: &Shape) -> Result<LastStep, ArgumentError> {
        let _ = input_extent(arguments, input, -2, "elements")?;
        Ok(LastStep::new())
    }
}
