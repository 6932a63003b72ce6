//! A form of two vectors.

use crate::{Parameter, layer_scope};
use chainrule_core::Tensor;
use chainrule_derive::Module;

/// `y[o] = Σ x[i] W[o, i, j] z[j] + b[o]` over the last axes of two inputs: `[.., first]` and `[.., second]` to
/// `[.., outputs]`.
///
/// Weight `[outputs, first, second]` and bias `[outputs]` start uniform in ±1/√first, as PyTorch's do.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::Bilinear;
/// let y = Bilinear::new(3, 4, 2).forward(&Tensor::ones([5, 3]), &Tensor::ones([5, 4]));
/// assert_eq!(y.shape().to_string(), "[5, 2]");
/// ```
#[derive(Clone, Debug, Module)]
pub struct Bilinear {
    /// `[outputs, first, second]`.
    pub weight: Parameter,
    /// `[outputs]`.
    pub bias: Option<Parameter>,
}

impl Bilinear {
    /// A layer with bias, drawn from the thread's default generator.
    #[track_caller]
    pub fn new(first: usize, second: usize, outputs: usize) -> Bilinear {
        let bound = 1.0 / (first.max(1) as f64).sqrt();
        let weight = Tensor::uniform([outputs, first, second], -bound, bound);
        Bilinear {
            weight: Parameter::new(weight),
            bias: Some(Parameter::new(Tensor::uniform([outputs], -bound, bound))),
        }
    }

    /// The same layer without bias.
    pub fn without_bias(self) -> Bilinear {
        Bilinear { bias: None, ..self }
    }

    /// The output for `[.., first]` and `[.., second]`.
    ///
    /// # Panics
    /// When the last axes are not those of the weight, or the other axes differ.
    #[track_caller]
    pub fn forward(&self, first: &Tensor, second: &Tensor) -> Tensor {
        layer_scope(self, || {
            first.bilinear(second, &self.weight, self.bias.as_deref())
        })
    }
}
