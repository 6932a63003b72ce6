//! PyTorch's modules as layers and losses of this project, a family a file.
//!
//! A family is one function: from the module's name and what the case gives to the layer, or `None` for a module of another
//! family. It takes every argument and every state that it honours; what it leaves makes the case one that is not supported.

mod activations;
mod attention;
mod convolution;
mod distance;
mod dropout;
mod embedding;
mod linear;
mod losses;
mod normalization;
mod padding;
mod pooling;
mod rearranging;
mod recurrent;
mod transformer;

use super::arguments::{Arguments, Read, Refused, refuse};
use super::state::State;
use chainrule::Tensor;

/// The families, tried in turn.
const FAMILIES: &[fn(&str, &mut Setup) -> Option<Built>] = &[
    activations::build,
    attention::build,
    convolution::build,
    distance::build,
    dropout::build,
    embedding::build,
    linear::build,
    losses::build,
    normalization::build,
    padding::build,
    pooling::build,
    rearranging::build,
    recurrent::build,
    transformer::build,
];

/// What a case says of the module before the call.
pub struct Setup {
    /// The constructor's arguments.
    pub arguments: Arguments,
    /// Parameters and buffers by PyTorch's names.
    pub state: State,
    /// Training or evaluation.
    pub training: bool,
    /// Only shapes and dtypes will be compared.
    pub random: bool,
}

impl Setup {
    /// Refuses a layer that draws where its values would be compared.
    pub fn allow_draws(&self) -> Read<()> {
        if self.training && !self.random {
            return refuse("a layer that draws, in a case that is not marked as random");
        }
        Ok(())
    }
}

/// The layer, or why there is none.
pub type Built = Read<Layer>;

type Forward = dyn Fn(&mut Arguments) -> Read<Vec<Tensor>>;

/// A module that is ready to be called.
pub struct Layer {
    forward: Box<Forward>,
    buffers: Box<dyn Fn() -> Vec<(String, Tensor)>>,
}

impl Layer {
    /// A layer whose call takes its arguments by name and gives the outputs, flattened.
    pub fn new(
        signature: &'static [&'static str],
        forward: impl Fn(&mut Arguments) -> Read<Vec<Tensor>> + 'static,
    ) -> Layer {
        Layer {
            forward: Box::new(move |arguments| {
                arguments.name(signature);
                forward(arguments)
            }),
            buffers: Box::new(Vec::new),
        }
    }

    /// A layer from one tensor to one tensor.
    pub fn map(forward: impl Fn(&Tensor) -> Tensor + 'static) -> Layer {
        Layer::new(&["input"], move |arguments| {
            Ok(vec![forward(&arguments.tensor("input")?)])
        })
    }

    /// With the buffers that a call changes, read after it by PyTorch's names.
    pub fn with_buffers(mut self, buffers: impl Fn() -> Vec<(String, Tensor)> + 'static) -> Layer {
        self.buffers = Box::new(buffers);
        self
    }

    /// The outputs of a call all of whose arguments were understood.
    pub fn call(&self, arguments: &mut Arguments) -> Read<Vec<Tensor>> {
        let outputs = (self.forward)(arguments)?;
        arguments.finish("call")?;
        Ok(outputs)
    }

    /// The buffers as they are now.
    pub fn buffers(&self) -> Vec<(String, Tensor)> {
        (self.buffers)()
    }
}

/// The layer for a case, once every argument and all state were understood.
pub fn build(module: &str, setup: &mut Setup) -> Built {
    setup.arguments.ignore_place()?;
    let built = FAMILIES.iter().find_map(|family| family(module, setup));
    let layer = built.unwrap_or_else(|| Err(Refused(format!("no layer for `{module}`"))))?;
    setup.arguments.finish("constructor")?;
    setup.state.finish()?;
    Ok(layer)
}
