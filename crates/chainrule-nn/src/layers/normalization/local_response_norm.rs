//! Normalisation by neighbouring channels.

use crate::layers::catalogue::Declared;
use crate::layers::spatial::refuse;
use crate::{ArgumentError, Arguments, Layer};
use chainrule_core::{Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { LocalResponseNorm }

/// Local response normalisation (Krizhevsky, Sutskever, Hinton 2012) of `[batch, channels, ..]`:
/// `y = x / (k + alpha/size Σ x²)^beta`, the sum over a window of `size` channels around each. The shape stays.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{Layer, LocalResponseNorm};
/// let y = LocalResponseNorm::new(5).alpha(5.0).beta(0.5).forward(Tensor::ones([1, 9, 2, 2]));
/// assert_eq!(y.shape().to_string(), "[1, 9, 2, 2]");
/// ```
#[derive(Clone, Debug, Module)]
pub struct LocalResponseNorm {
    size: usize,
    alpha: f64,
    beta: f64,
    k: f64,
}

impl LocalResponseNorm {
    /// Windows of `size` channels; alpha = 1e-4, beta = 0.75, k = 1.
    pub fn new(size: usize) -> LocalResponseNorm {
        LocalResponseNorm {
            size,
            alpha: 1e-4,
            beta: 0.75,
            k: 1.0,
        }
    }

    /// The factor of the mean square.
    pub fn alpha(self, alpha: f64) -> LocalResponseNorm {
        LocalResponseNorm { alpha, ..self }
    }

    /// The exponent of the divisor.
    pub fn beta(self, beta: f64) -> LocalResponseNorm {
        LocalResponseNorm { beta, ..self }
    }

    /// What is added to the mean square.
    pub fn k(self, k: f64) -> LocalResponseNorm {
        LocalResponseNorm { k, ..self }
    }
}

impl Layer for LocalResponseNorm {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        if x.rank() < 2 {
            refuse(
                "local_response_norm",
                "the layer takes [batch, channels, ..]",
                x,
            );
        }
        x.local_response_norm(self.size, self.alpha, self.beta, self.k)
    }
}

/// `size`, `alpha`, `beta`, `k`.
impl Declared for LocalResponseNorm {
    const NAME: &'static str = "local_response_norm";

    fn declared(arguments: &mut Arguments, _input: &Shape) -> Result<Self, ArgumentError> {
        let size = arguments.required("size")?;
        if size == 0 {
            return Err(arguments.problem("size", "a window of 0 channels has no mean"));
        }
        Ok(LocalResponseNorm::new(size)
            .alpha(arguments.optional("alpha", 1e-4)?)
            .beta(arguments.optional("beta", 0.75)?)
            .k(arguments.optional("k", 1.0)?))
    }
}
