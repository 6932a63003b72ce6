//! The rectified linear unit with a learnt leak.

use crate::layers::catalogue::{Declared, input_extent};
use crate::{ArgumentError, Arguments, Layer, Parameter};
use chainrule_core::error::raise;
use chainrule_core::{Error, ErrorKind, Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { PRelu }

/// x where it is positive, slope · x elsewhere, with slopes that are learnt (He and others 2015): one for all, or one for
/// each channel (axis 1 of `[batch, channels, ..]`). Same shape.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::{Layer, PRelu};
/// assert_eq!(PRelu::new().forward(tensor![-2.0, 3.0]).to_vec::<f32>(), [-0.5, 3.0]);
/// ```
#[derive(Clone, Debug, Module)]
pub struct PRelu {
    /// `[1]` or `[channels]`, first 0.25.
    pub slopes: Parameter,
}

impl PRelu {
    /// One slope for all, at first 0.25.
    #[track_caller]
    pub fn new() -> PRelu {
        PRelu::of_channels(1, 0.25)
    }

    /// A slope for each channel, at first `initial`.
    #[track_caller]
    pub fn of_channels(channels: usize, initial: f64) -> PRelu {
        PRelu {
            slopes: Parameter::new(Tensor::full([channels], initial)),
        }
    }

    /// The slopes as a shape that broadcasts.
    #[track_caller]
    fn broadcast(&self, x: &Tensor) -> Tensor {
        let slopes = self.slopes.elements();
        if slopes == 1 {
            return self.slopes.reshape(());
        }
        if x.rank() < 2 || x.shape()[1] != slopes {
            let message = format!(
                "prelu: the layer takes [batch, channels, ..] with {slopes} channels, the input has shape {} (from `{}` at {})",
                x.shape(),
                x.operation_name(),
                x.place()
            );
            raise(Error::new(ErrorKind::Shape, message));
        }
        let axes = (0..x.rank()).map(|axis| if axis == 1 { slopes } else { 1 });
        self.slopes.reshape(axes.collect::<Shape>())
    }
}

impl Default for PRelu {
    fn default() -> PRelu {
        PRelu::new()
    }
}

impl Layer for PRelu {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        x.prelu(self.broadcast(x))
    }
}

/// `each_channel`, `initial`; channels from the input.
impl Declared for PRelu {
    const NAME: &'static str = "prelu";

    fn declared(arguments: &mut Arguments, input: &Shape) -> Result<PRelu, ArgumentError> {
        let channels = match arguments.optional("each_channel", false)? {
            true => input_extent(arguments, input, 1, "channels")?,
            false => 1,
        };
        let initial = arguments.optional("initial", 0.25)?;
        Ok(PRelu::of_channels(channels, initial))
    }
}
