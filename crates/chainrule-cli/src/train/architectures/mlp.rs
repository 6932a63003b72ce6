//! Fully connected layers.

use super::{Architecture, layer};
use crate::train::model::Stack;
use chainrule::nn::{ArgumentError, Arguments, Value};

/// Linear layers with `activation` between them; `hidden` lists their extents.
pub struct Mlp;

impl Architecture for Mlp {
    const NAME: &'static str = "mlp";

    fn build(
        arguments: &mut Arguments,
        stack: &mut Stack,
        outputs: usize,
    ) -> Result<(), ArgumentError> {
        let hidden: Vec<usize> = arguments.optional("hidden", vec![128])?;
        let activation: String = arguments.optional("activation", "relu".to_owned())?;
        if stack.shape().len() > 2 {
            layer(stack, "flatten", &[])?;
        }
        for extent in hidden {
            layer(stack, "linear", &[("outputs", Value::from(extent))])?;
            layer(stack, &activation, &[])?;
        }
        layer(stack, "linear", &[("outputs", Value::from(outputs))])
    }
}
