//! A fully connected layer.

use crate::Parameter;
use chainrule_core::error::raise;
use chainrule_core::graph::module_scope;
use chainrule_core::{Error, ErrorKind, Generator, Tensor};
use chainrule_derive::Module;

/// `y = x Wᵀ + b` over the last axis: `[.., inputs]` to `[.., outputs]`.
///
/// Weight `[outputs, inputs]` and bias `[outputs]` start uniform in ±1/√inputs, as PyTorch's do.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::Linear;
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

    /// The layer's output for `x`, `[.., inputs]`.
    ///
    /// # Panics
    /// When the last axis of `x` is not the number of inputs.
    #[track_caller]
    pub fn forward(&self, x: impl AsRef<Tensor>) -> Tensor {
        let x = x.as_ref();
        self.check(x);
        module_scope("linear", || {
            let product = x.matmul(self.weight.t());
            match &self.bias {
                Some(bias) => product + bias,
                None => product,
            }
        })
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

fn bound(inputs: usize) -> f64 {
    1.0 / (inputs.max(1) as f64).sqrt()
}
