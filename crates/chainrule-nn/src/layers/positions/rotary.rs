//! Positions as rotations of queries and keys.

use super::{angles, check_features};
use crate::layers::catalogue::{Declared, input_extent};
use crate::{ArgumentError, Arguments, Layer, layer_scope};
use chainrule_core::error::raise;
use chainrule_core::{Error, ErrorKind, Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { RotaryEmbedding }

/// Turns pairs of features of `[.., elements, features]` by angles that grow with the position (Su and others 2021): the
/// product of a turned query and a turned key depends on the distance of their positions only.
///
/// Feature j of the first half and feature j of the second are a pair, turned by `position · 10000^(-2j / features)`.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{Layer, RotaryEmbedding};
/// let x = Tensor::ones([3, 4]);
/// let y = RotaryEmbedding::new(4).forward(&x);
/// assert_eq!(y.index(0).to_vec::<f32>(), [1.0; 4]); // position 0 is not turned
/// ```
#[derive(Clone, Debug, Module)]
pub struct RotaryEmbedding {
    features: usize,
    base: f64,
}

impl RotaryEmbedding {
    /// For vectors of `features` features: those of one head.
    ///
    /// # Panics
    /// When the number is odd.
    #[track_caller]
    pub fn new(features: usize) -> RotaryEmbedding {
        if !features.is_multiple_of(2) {
            let message = format!("rotary: {features} features are no pairs");
            raise(Error::new(ErrorKind::Argument, message));
        }
        RotaryEmbedding {
            features,
            base: 10_000.0,
        }
    }

    /// Another base of the angles than 10000.
    pub fn base(self, base: f64) -> RotaryEmbedding {
        RotaryEmbedding { base, ..self }
    }

    /// As [`forward`](Layer::forward), for elements of which the first stands at position `start`.
    ///
    /// # Panics
    /// When the shape does not fit.
    #[track_caller]
    pub fn forward_from(&self, x: impl AsRef<Tensor>, start: usize) -> Tensor {
        layer_scope(self, || self.turned(x.as_ref(), start))
    }

    #[track_caller]
    pub(crate) fn turned(&self, x: &Tensor, start: usize) -> Tensor {
        check_features("rotary", x, self.features);
        let half = self.features / 2;
        let angles = angles(start, x.shape()[x.rank() - 2], half, self.base);
        let [cosine, sine] =
            [angles.cos(), angles.sin()].map(|wave| wave.cast(x.dtype()).to_device(x.device()));
        let (first, second) = (x.narrow(-1, 0, half), x.narrow(-1, half, half));
        let turned = [
            &first * &cosine - &second * &sine,
            &second * &cosine + &first * &sine,
        ];
        Tensor::concat(&turned, -1)
    }
}

impl Layer for RotaryEmbedding {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        self.turned(x, 0)
    }
}

/// `base`; features from the last axis.
impl Declared for RotaryEmbedding {
    const NAME: &'static str = "rotary";

    fn declared(
        arguments: &mut Arguments,
        input: &Shape,
    ) -> Result<RotaryEmbedding, ArgumentError> {
        let features = input_extent(arguments, input, -1, "features")?;
        if !features.is_multiple_of(2) {
            let problem = format!("its input has {features} features, which are no pairs");
            return Err(arguments.problem("type", problem));
        }
        Ok(RotaryEmbedding::new(features).base(arguments.optional("base", 10_000.0)?))
    }
}
