//! A transformer that reads a text.

use super::{Architecture, at_least_one, layer};
use crate::train::model::Stack;
use chainrule::nn::{ArgumentError, Arguments, Value};

/// A language model of the encoder's blocks with a causal mask (Vaswani and others 2017, Radford and others 2018): embedded
/// characters with sinusoidal positions, `blocks` blocks of `heads` heads that normalise first, and a linear layer.
pub struct Transformer;

impl Architecture for Transformer {
    const NAME: &'static str = "transformer";

    fn build(
        arguments: &mut Arguments,
        stack: &mut Stack,
        outputs: usize,
    ) -> Result<(), ArgumentError> {
        let width = at_least_one(arguments, "width", 128)?;
        let blocks = at_least_one(arguments, "blocks", 4)?;
        let heads = at_least_one(arguments, "heads", 4)?;
        let feed_forward = at_least_one(arguments, "feed_forward", 4 * width)?;
        let dropout: f64 = arguments.optional("dropout", 0.0)?;
        if !width.is_multiple_of(heads) {
            let message = format!("`heads` is {heads}, which does not divide the width {width}");
            return Err(arguments.problem("heads", message));
        }
        let table = [("entries", Value::from(outputs)), ("width", width.into())];
        layer(stack, "embedding", &table)?;
        layer(stack, "positional_encoding", &[])?;
        let encoder = [
            ("layers", Value::from(blocks)),
            ("heads", heads.into()),
            ("feed_forward", feed_forward.into()),
            ("activation", "gelu".into()),
            ("dropout", dropout.into()),
            ("norm_first", true.into()),
            ("causal", true.into()),
        ];
        layer(stack, "transformer_encoder", &encoder)?;
        layer(stack, "linear", &[("outputs", outputs.into())])
    }
}
