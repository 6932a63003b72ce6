//! The rectified linear unit with a random leak.

use crate::layers::catalogue::Declared;
use crate::{ArgumentError, Arguments, Layer, Mode};
use chainrule_core::{Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { RRelu }

/// x where it is positive, slope · x elsewhere: in training each element draws its slope between two limits, in evaluation it
/// is their mean (Xu and others 2015). Same shape.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::{Layer, Module, RRelu};
/// let mut layer = RRelu::new(0.25, 0.75);
/// let y = layer.forward(tensor![-4.0]).item::<f32>();
/// assert!((-3.0..=-1.0).contains(&y));
/// layer.eval();
/// assert_eq!(layer.forward(tensor![-4.0]).item::<f32>(), -2.0);
/// ```
#[derive(Clone, Debug, Module)]
pub struct RRelu {
    lower: f64,
    upper: f64,
    mode: Mode,
}

impl RRelu {
    /// Slopes between `lower` and `upper`; PyTorch's defaults are 1/8 and 1/3.
    pub fn new(lower: f64, upper: f64) -> RRelu {
        RRelu {
            lower,
            upper,
            mode: Mode::Train,
        }
    }
}

impl Default for RRelu {
    fn default() -> RRelu {
        RRelu::new(1.0 / 8.0, 1.0 / 3.0)
    }
}

impl Layer for RRelu {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        if !self.mode.is_training() {
            return x.rrelu(self.lower, self.upper);
        }
        let slopes = Tensor::uniform(x.shape(), self.lower, self.upper);
        x.prelu(slopes.cast(x.dtype()).to_device(x.device()))
    }
}

/// `lower`, `upper`.
impl Declared for RRelu {
    const NAME: &'static str = "rrelu";

    fn declared(arguments: &mut Arguments, _input: &Shape) -> Result<RRelu, ArgumentError> {
        Ok(RRelu::new(
            arguments.optional("lower", 1.0 / 8.0)?,
            arguments.optional("upper", 1.0 / 3.0)?,
        ))
    }
}
