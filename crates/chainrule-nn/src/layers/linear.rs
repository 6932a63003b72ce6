//! A fully connected layer.

use super::catalogue::{Declared, input_extent};
use super::{ArgumentError, Arguments};
use crate::{Layer, Parameter};
use chainrule_core::error::raise;
use chainrule_core::{Error, ErrorKind, Generator, Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { Linear }

/// `y = x Wᵀ + b` over the last axis: `[.., inputs]` to `[.., outputs]`.
///
/// Weight `[outputs, inputs]` and bias `[outputs]` start uniform in ±1/√inputs, as PyTorch's do.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{Layer, Linear};
/// let layer = Linear::new(3, 2);
/// assert_eq!(layer.forward(&Tensor::ones([5, 3])).shape().to_string(), "[5, 2]");
/// ```
#[derive(Clone, Debug, Module)]
pub struct Linear {
    /// `[outputs, inputs]`.
    pub weight: Parameter,
    /// `[outputs]`.
    pub bias: Option<Parameter>,
}

impl Linear {
    /// A layer with bias, drawn from the thread's default generator.
    #[track_caller]
    pub fn new(inputs: usize, outputs: usize) -> Linear {
        let bound = bound(inputs);
        Linear {
            weight: Parameter::new(Tensor::uniform([outputs, inputs], -bound, bound)),
            bias: Some(Parameter::new(Tensor::uniform([outputs], -bound, bound))),
        }
    }

    /// A layer with bias, drawn from `generator`.
    #[track_caller]
    pub fn from_generator(inputs: usize, outputs: usize, generator: &Generator) -> Linear {
        let bound = bound(inputs);
        Linear {
            weight: Parameter::new(generator.uniform([outputs, inputs], -bound, bound)),
            bias: Some(Parameter::new(generator.uniform([outputs], -bound, bound))),
        }
    }

    /// The same layer without bias.
    pub fn without_bias(self) -> Linear {
        Linear { bias: None, ..self }
    }

    /// The user speaks of layers: a product that does not fit would name the transposed weight.
    #[track_caller]
    fn check(&self, x: &Tensor) {
        let inputs = self.weight.shape()[1];
        if x.shape().last() != Some(&inputs) {
            let message = format!(
                "linear: the layer takes {inputs} features along the last axis, the input has shape {} (from `{}` at {})",
                x.shape(),
                x.operation_name(),
                x.place()
            );
            raise(Error::new(ErrorKind::Shape, message));
        }
    }
}

impl Layer for Linear {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        self.check(x);
        let product = x.matmul(self.weight.t());
        match &self.bias {
            Some(bias) => product + bias,
            None => product,
        }
    }
}

/// `outputs`, `bias`; inputs from the last axis.
impl Declared for Linear {
    const NAME: &'static str = "linear";

    fn declared(arguments: &mut Arguments, input: &Shape) -> Result<Linear, ArgumentError> {
        let inputs = input_extent(arguments, input, -1, "features")?;
        let layer = Linear::new(inputs, arguments.required("outputs")?);
        Ok(match arguments.optional("bias", true)? {
            true => layer,
            false => layer.without_bias(),
        })
    }
}

fn bound(inputs: usize) -> f64 {
    1.0 / (inputs.max(1) as f64).sqrt()
}
