//! A power of a straight line.

use crate::layers::catalogue::Declared;
use crate::{ArgumentError, Arguments, Layer};
use chainrule_core::{Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { Power }

/// `y = (shift + scale x)^power`, element by element. Caffe's layer of this name.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::{Layer, Power};
/// let y = Power::new(2.0).scale(3.0).shift(1.0).forward(tensor![1.0, 2.0]);
/// assert_eq!(y.to_vec::<f32>(), [16.0, 49.0]);
/// ```
#[derive(Clone, Debug, Module)]
pub struct Power {
    power: f64,
    scale: f64,
    shift: f64,
}

impl Power {
    /// `x^power`.
    pub fn new(power: f64) -> Power {
        Power {
            power,
            scale: 1.0,
            shift: 0.0,
        }
    }

    /// The factor of the input.
    pub fn scale(self, scale: f64) -> Power {
        Power { scale, ..self }
    }

    /// What is added to the scaled input.
    pub fn shift(self, shift: f64) -> Power {
        Power { shift, ..self }
    }
}

impl Layer for Power {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        let line = x * self.scale + self.shift;
        match self.power {
            1.0 => line,
            power => line.pow(power),
        }
    }
}

/// `power`, `scale`, `shift`.
impl Declared for Power {
    const NAME: &'static str = "power";

    fn declared(arguments: &mut Arguments, _input: &Shape) -> Result<Power, ArgumentError> {
        Ok(Power::new(arguments.optional("power", 1.0)?)
            .scale(arguments.optional("scale", 1.0)?)
            .shift(arguments.optional("shift", 0.0)?))
    }
}
