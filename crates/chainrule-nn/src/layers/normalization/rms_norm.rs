//! Normalisation by the root of the mean square.

use super::layer_norm::{check_last_axes, declared_axes, weight_or_ones};
use crate::layers::catalogue::Declared;
use crate::{ArgumentError, Arguments, Layer, Parameter};
use chainrule_core::{DType, Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { RmsNorm }

/// RMS normalisation (Zhang, Sennrich 2019) over the last axes: `y = x / √(mean x² + ε) · weight`. The shape stays.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::{Layer, RmsNorm};
/// let y = RmsNorm::new([2]).epsilon(0.0).forward(tensor![[3.0, -3.0]]);
/// assert_eq!(y.to_vec::<f32>(), [1.0, -1.0]);
/// ```
#[derive(Clone, Debug, Module)]
pub struct RmsNorm {
    /// The factor of each element, of the shape of the normalised axes, first 1.
    pub weight: Option<Parameter>,
    shape: Shape,
    epsilon: Option<f64>,
}

impl RmsNorm {
    /// Over the last axes, which have this shape; with weight, ε the distance from 1 to the next number of the dtype.
    #[track_caller]
    pub fn new(shape: impl Into<Shape>) -> RmsNorm {
        let shape = shape.into();
        RmsNorm {
            weight: Some(Parameter::new(Tensor::ones(shape.clone()))),
            shape,
            epsilon: None,
        }
    }

    /// What is added to the mean square.
    pub fn epsilon(self, epsilon: f64) -> RmsNorm {
        let epsilon = Some(epsilon);
        RmsNorm { epsilon, ..self }
    }

    /// Without weight.
    pub fn without_affine(self) -> RmsNorm {
        RmsNorm {
            weight: None,
            ..self
        }
    }
}

impl Layer for RmsNorm {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        check_last_axes("rms_norm", &self.shape, x);
        let epsilon = self.epsilon.unwrap_or(match x.dtype() {
            DType::F64 => f64::EPSILON,
            _ => f32::EPSILON.into(),
        });
        let weight = weight_or_ones(&self.weight, &self.shape, x);
        x.rms_norm(Some(&weight), epsilon)
    }
}

/// `axes` (how many of the last, 1 if not given), `epsilon`, `affine`; their shape from the input.
impl Declared for RmsNorm {
    const NAME: &'static str = "rms_norm";

    fn declared(arguments: &mut Arguments, input: &Shape) -> Result<RmsNorm, ArgumentError> {
        let norm = RmsNorm::new(declared_axes(arguments, input)?);
        let norm = match arguments.given("epsilon")? {
            Some(epsilon) => norm.epsilon(epsilon),
            None => norm,
        };
        Ok(match arguments.optional("affine", true)? {
            true => norm,
            false => norm.without_affine(),
        })
    }
}
