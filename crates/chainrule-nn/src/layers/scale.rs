//! Learnt factors and addends, without mixing anything.

use crate::layers::catalogue::Declared;
use crate::layers::spatial::refuse;
use crate::{ArgumentError, Arguments, Layer, Parameter};
use chainrule_core::{Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { Scale, Bias }

/// A learnt factor for each channel, optionally also an addend: `y[b, c, ..] = weight[c] x[b, c, ..] + bias[c]`. The shape
/// stays. Caffe's layer of this name.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{Layer, Scale};
/// let layer = Scale::new([3]).with_bias();
/// assert_eq!(layer.forward(Tensor::ones([2, 3, 4])).shape().to_string(), "[2, 3, 4]");
/// ```
#[derive(Clone, Debug, Module)]
pub struct Scale {
    /// The factors, of the shape of the axes they belong to, first 1.
    pub weight: Parameter,
    /// The addends, of the same shape, first 0.
    pub bias: Option<Parameter>,
    axis: usize,
}

/// A learnt addend for each channel: `y[b, c, ..] = x[b, c, ..] + bias[c]`. The shape stays. Caffe's layer of this name.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{Bias, Layer};
/// let y = Bias::new([3]).forward(Tensor::ones([2, 3]));
/// assert_eq!(y.to_vec::<f32>(), [1.0; 6]);
/// ```
#[derive(Clone, Debug, Module)]
pub struct Bias {
    /// The addends, of the shape of the axes they belong to, first 0.
    pub bias: Parameter,
    axis: usize,
}

impl Scale {
    /// Factors of this shape for the axes from the first behind the batch.
    #[track_caller]
    pub fn new(shape: impl Into<Shape>) -> Scale {
        Scale {
            weight: Parameter::new(Tensor::ones(shape)),
            bias: None,
            axis: 1,
        }
    }

    /// Factors for the axes from this one on.
    pub fn axis(self, axis: usize) -> Scale {
        Scale { axis, ..self }
    }

    /// Also addends.
    #[track_caller]
    pub fn with_bias(self) -> Scale {
        let bias = Some(Parameter::new(self.weight.zeros_like()));
        Scale { bias, ..self }
    }
}

impl Bias {
    /// Addends of this shape for the axes from the first behind the batch.
    #[track_caller]
    pub fn new(shape: impl Into<Shape>) -> Bias {
        Bias {
            bias: Parameter::new(Tensor::zeros(shape)),
            axis: 1,
        }
    }

    /// Addends for the axes from this one on.
    pub fn axis(self, axis: usize) -> Bias {
        Bias { axis, ..self }
    }
}

/// `numbers` with as many axes of extent 1 behind as align them with the axes of `x` from `axis` on.
#[track_caller]
fn aligned(layer: &str, numbers: &Tensor, axis: usize, x: &Tensor) -> Tensor {
    let end = axis + numbers.rank();
    if x.rank() < end || x.shape()[axis..end] != numbers.shape()[..] {
        let shape = numbers.shape();
        let problem = format!("the layer takes tensors with the axes {shape} from axis {axis} on");
        refuse(layer, &problem, x);
    }
    let behind = std::iter::repeat_n(1, x.rank() - end);
    let shape: Shape = numbers.shape().iter().copied().chain(behind).collect();
    numbers.reshape(shape)
}

impl Layer for Scale {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        let scaled = x * aligned("scale", &self.weight, self.axis, x);
        match &self.bias {
            Some(bias) => scaled + aligned("scale", bias, self.axis, x),
            None => scaled,
        }
    }
}

impl Layer for Bias {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        x + aligned("bias", &self.bias, self.axis, x)
    }
}

/// The arguments `axis` and `axes`: the first axis that has numbers of its own, and how many; and their shape.
fn declared_axes(
    arguments: &mut Arguments,
    input: &Shape,
) -> Result<(usize, Shape), ArgumentError> {
    let axis: usize = arguments.optional("axis", 1)?;
    let axes: usize = arguments.optional("axes", 1)?;
    match input.get(axis..axis + axes) {
        Some(extents) => Ok((axis, Shape::from(extents))),
        None => {
            let message =
                format!("its input has shape {input}, without {axes} axes from {axis} on");
            Err(arguments.problem("axis", message))
        }
    }
}

/// `axis`, `axes`, `bias`; the shape of the factors from the input.
impl Declared for Scale {
    const NAME: &'static str = "scale";

    fn declared(arguments: &mut Arguments, input: &Shape) -> Result<Scale, ArgumentError> {
        let (axis, shape) = declared_axes(arguments, input)?;
        let layer = Scale::new(shape).axis(axis);
        Ok(match arguments.optional("bias", false)? {
            true => layer.with_bias(),
            false => layer,
        })
    }
}

/// `axis`, `axes`; the shape of the addends from the input.
impl Declared for Bias {
    const NAME: &'static str = "bias";

    fn declared(arguments: &mut Arguments, input: &Shape) -> Result<Bias, ArgumentError> {
        let (axis, shape) = declared_axes(arguments, input)?;
        Ok(Bias::new(shape).axis(axis))
    }
}
