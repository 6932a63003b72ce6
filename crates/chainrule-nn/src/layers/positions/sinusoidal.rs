//! Positions as waves that are added.

use super::{angles, check_features};
use crate::layers::catalogue::{Declared, input_extent};
use crate::{ArgumentError, Arguments, Layer, layer_scope};
use chainrule_core::{Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { SinusoidalPositions }

/// Adds to `[.., elements, features]` the waves of each position (Vaswani and others 2017):
/// `sin(position / 10000^(2j / features))` at feature 2j and the cosine at 2j + 1. Any number of elements; nothing is learnt.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{Layer, SinusoidalPositions};
/// let y = SinusoidalPositions::new(4).forward(Tensor::zeros([3, 4]));
/// assert_eq!(y.index(0).to_vec::<f32>(), [0.0, 1.0, 0.0, 1.0]);
/// ```
#[derive(Clone, Debug, Module)]
pub struct SinusoidalPositions {
    features: usize,
    base: f64,
}

impl SinusoidalPositions {
    /// For `features` features.
    pub fn new(features: usize) -> SinusoidalPositions {
        SinusoidalPositions {
            features,
            base: 10_000.0,
        }
    }

    /// Another base of the wavelengths than 10000.
    pub fn base(self, base: f64) -> SinusoidalPositions {
        SinusoidalPositions { base, ..self }
    }

    /// As [`forward`](Layer::forward), for elements of which the first stands at position `start`.
    ///
    /// # Panics
    /// When the shape does not fit.
    #[track_caller]
    pub fn forward_from(&self, x: impl AsRef<Tensor>, start: usize) -> Tensor {
        layer_scope(self, || self.added(x.as_ref(), start))
    }

    #[track_caller]
    fn added(&self, x: &Tensor, start: usize) -> Tensor {
        check_features("positional_encoding", x, self.features);
        let elements = x.shape()[x.rank() - 2];
        let pairs = self.features.div_ceil(2);
        let base = self.base.powf(2.0 * pairs as f64 / self.features as f64);
        let angles = angles(start, elements, pairs, base);
        let waves = Tensor::stack(&[angles.sin(), angles.cos()], -1)
            .reshape([elements as isize, 2 * pairs as isize])
            .narrow(1, 0, self.features);
        x + waves.cast(x.dtype()).to_device(x.device())
    }
}

impl Layer for SinusoidalPositions {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        self.added(x, 0)
    }
}

/// `base`; features from the last axis.
impl Declared for SinusoidalPositions {
    const NAME: &'static str = "positional_encoding";

    fn declared(
        arguments: &mut Arguments,
        input: &Shape,
    ) -> Result<SinusoidalPositions, ArgumentError> {
        let features = input_extent(arguments, input, -1, "features")?;
        Ok(SinusoidalPositions::new(features).base(arguments.optional("base", 10_000.0)?))
    }
}
