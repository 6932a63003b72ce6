//! Layer normalisation.

use crate::layers::catalogue::Declared;
use crate::layers::spatial::refuse;
use crate::{ArgumentError, Arguments, Layer, Parameter};
use chainrule_core::{Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { LayerNorm }

/// Layer normalisation (Ba, Kiros, Hinton 2016) over the last axes, each example on its own:
/// `y = (x - mean) / √(variance + ε) · weight + bias`, with the biased variance. The shape stays.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{Layer, LayerNorm};
/// let y = LayerNorm::new([4, 6]).forward(Tensor::normal([8, 4, 6], 5.0, 2.0));
/// assert!(y.mean([1, 2]).abs().max(..).item::<f64>() < 1e-5);
/// ```
#[derive(Clone, Debug, Module)]
pub struct LayerNorm {
    /// The factor of each element, of the shape of the normalised axes, first 1.
    pub weight: Option<Parameter>,
    /// The number added to each element, of the same shape, first 0.
    pub bias: Option<Parameter>,
    shape: Shape,
    epsilon: f64,
}

impl LayerNorm {
    /// Over the last axes, which have this shape; weight and bias, ε = 1e-5.
    #[track_caller]
    pub fn new(shape: impl Into<Shape>) -> LayerNorm {
        let shape = shape.into();
        LayerNorm {
            weight: Some(Parameter::new(Tensor::ones(shape.clone()))),
            bias: Some(Parameter::new(Tensor::zeros(shape.clone()))),
            shape,
            epsilon: 1e-5,
        }
    }

    /// What is added to the variance.
    pub fn epsilon(self, epsilon: f64) -> LayerNorm {
        LayerNorm { epsilon, ..self }
    }

    /// Without bias, with weight.
    pub fn without_bias(self) -> LayerNorm {
        LayerNorm { bias: None, ..self }
    }

    /// Without weight and bias.
    pub fn without_affine(self) -> LayerNorm {
        LayerNorm {
            weight: None,
            bias: None,
            ..self
        }
    }
}

/// Refuses what does not end in `shape`.
#[track_caller]
pub(crate) fn check_last_axes(layer: &str, shape: &Shape, x: &Tensor) {
    if shape.is_empty() || !x.shape().ends_with(shape) {
        refuse(layer, &format!("the layer takes [.., the axes {shape}]"), x);
    }
}

/// The weight, or ones where there is none: they say how many axes are normalised.
#[track_caller]
pub(crate) fn weight_or_ones(weight: &Option<Parameter>, shape: &Shape, x: &Tensor) -> Tensor {
    match weight {
        Some(weight) => Tensor::clone(weight),
        None => Tensor::ones(shape.clone())
            .cast(x.dtype())
            .to_device(x.device()),
    }
}

impl Layer for LayerNorm {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        check_last_axes("layer_norm", &self.shape, x);
        let weight = weight_or_ones(&self.weight, &self.shape, x);
        x.layer_norm(Some(&weight), self.bias.as_deref(), self.epsilon)
    }
}

/// `axes` (how many of the last, 1 if not given), `epsilon`, `affine`, `bias`; their shape from the input.
impl Declared for LayerNorm {
    const NAME: &'static str = "layer_norm";

    fn declared(arguments: &mut Arguments, input: &Shape) -> Result<LayerNorm, ArgumentError> {
        let norm = LayerNorm::new(declared_axes(arguments, input)?)
            .epsilon(arguments.optional("epsilon", 1e-5)?);
        let affine = arguments.optional("affine", true)?;
        let bias = arguments.optional("bias", true)?;
        Ok(match (affine, bias) {
            (false, _) => norm.without_affine(),
            (true, false) => norm.without_bias(),
            (true, true) => norm,
        })
    }
}

/// The shape of the last axes, of which the argument `axes` gives the number, 1 if it is not there.
pub(crate) fn declared_axes(
    arguments: &mut Arguments,
    input: &Shape,
) -> Result<Shape, ArgumentError> {
    let axes: usize = arguments.optional("axes", 1)?;
    if axes == 0 || axes > input.len() {
        let message = format!("its input has shape {input}, of which {axes} axes are no part");
        return Err(arguments.problem("axes", message));
    }
    Ok(Shape::from(&input[input.len() - axes..]))
}
