//! The Gaussian error linear unit.

use crate::layers::catalogue::Declared;
use crate::{ArgumentError, Arguments, Layer};
use chainrule_core::{Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { Gelu }

/// x Φ(x), with Φ the distribution function of the standard normal (Hendrycks, Gimpel 2016), or its approximation
/// x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))). Same shape.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::{Gelu, Layer};
/// let (exact, near) = (Gelu::new(), Gelu::new().approximate());
/// let (y, z) = (exact.forward(tensor![1.0]).item::<f32>(), near.forward(tensor![1.0]).item::<f32>());
/// assert!((y - 0.8413447).abs() < 1e-5 && (y - z).abs() < 1e-3 && y != z);
/// ```
#[derive(Clone, Debug, Default, Module)]
pub struct Gelu {
    approximate: bool,
}

impl Gelu {
    /// The exact function.
    pub fn new() -> Gelu {
        Gelu::default()
    }

    /// The approximation by tanh.
    pub fn approximate(self) -> Gelu {
        Gelu { approximate: true }
    }
}

impl Layer for Gelu {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        match self.approximate {
            true => x.gelu_tanh(),
            false => x.gelu(),
        }
    }
}

/// `approximate`.
impl Declared for Gelu {
    const NAME: &'static str = "gelu";

    fn declared(arguments: &mut Arguments, _input: &Shape) -> Result<Gelu, ArgumentError> {
        Ok(Gelu {
            approximate: arguments.optional("approximate", false)?,
        })
    }
}
