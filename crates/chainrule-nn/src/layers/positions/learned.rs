//! Positions as vectors that are learnt.

use super::check_features;
use crate::layers::catalogue::{Declared, input_extent};
use crate::{ArgumentError, Arguments, Layer, Parameter, layer_scope};
use chainrule_core::error::raise;
use chainrule_core::{Error, ErrorKind, Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { LearnedPositions }

/// Adds to `[.., elements, features]` a learnt vector for each position, for at most as many elements as there are vectors.
/// They start normal with deviation 0.02 (Radford and others 2019).
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{Layer, LearnedPositions};
/// let positions = LearnedPositions::new(16, 4);
/// assert_eq!(positions.forward(Tensor::zeros([2, 3, 4])).shape().to_string(), "[2, 3, 4]");
/// ```
#[derive(Clone, Debug, Module)]
pub struct LearnedPositions {
    /// `[positions, features]`.
    pub weight: Parameter,
}

impl LearnedPositions {
    /// For at most `positions` elements of `features` features, drawn from the thread's default generator.
    #[track_caller]
    pub fn new(positions: usize, features: usize) -> LearnedPositions {
        LearnedPositions {
            weight: Parameter::new(Tensor::normal([positions, features], 0.0, 0.02)),
        }
    }

    /// As [`forward`](Layer::forward), for elements of which the first stands at position `start`.
    ///
    /// # Panics
    /// When the shape does not fit, or there are more elements than positions.
    #[track_caller]
    pub fn forward_from(&self, x: impl AsRef<Tensor>, start: usize) -> Tensor {
        layer_scope(self, || self.added(x.as_ref(), start))
    }

    #[track_caller]
    fn added(&self, x: &Tensor, start: usize) -> Tensor {
        check_features("learned_positions", x, self.weight.shape()[1]);
        let (elements, positions) = (x.shape()[x.rank() - 2], self.weight.shape()[0]);
        if start + elements > positions {
            let message = format!(
                "learned_positions: {elements} elements from position {start} on, but there are {positions} positions"
            );
            raise(Error::new(ErrorKind::Shape, message));
        }
        x + self.weight.narrow(0, start, elements)
    }
}

impl Layer for LearnedPositions {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        self.added(x, 0)
    }
}

/// `positions`, the number of elements of the input if it is not given; features from the last axis.
impl Declared for LearnedPositions {
    const NAME: &'static str = "learned_positions";

    fn declared(
        arguments: &mut Arguments,
        input: &Shape,
    ) -> Result<LearnedPositions, ArgumentError> {
        let features = input_extent(arguments, input, -1, "features")?;
        let elements = input_extent(arguments, input, -2, "elements")?;
        let positions = arguments.optional("positions", elements)?;
        Ok(LearnedPositions::new(positions, features))
    }
}
