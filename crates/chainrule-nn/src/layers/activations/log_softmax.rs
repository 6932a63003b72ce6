//! Scores become log-probabilities.

use crate::layers::catalogue::Declared;
use crate::{ArgumentError, Arguments, Layer};
use chainrule_core::{Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { LogSoftmax }

/// The logarithm of [`Softmax`](crate::Softmax) along an axis, exact where that would round to 0. Same shape.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::{Layer, LogSoftmax};
/// assert_eq!(LogSoftmax::new(-1).forward(tensor![[1000.0, 0.0]]).to_vec::<f32>(), [0.0, -1000.0]);
/// ```
///
/// # Panics
/// When the input does not have the axis.
#[derive(Clone, Debug, Module)]
pub struct LogSoftmax {
    axis: isize,
}

impl LogSoftmax {
    /// Along `axis`, negative ones counted from the end.
    pub fn new(axis: isize) -> LogSoftmax {
        LogSoftmax { axis }
    }
}

impl Layer for LogSoftmax {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        x.log_softmax(self.axis)
    }
}

/// `axis`, -1 if it is not given.
impl Declared for LogSoftmax {
    const NAME: &'static str = "log_softmax";

    fn declared(arguments: &mut Arguments, _input: &Shape) -> Result<LogSoftmax, ArgumentError> {
        Ok(LogSoftmax::new(arguments.optional("axis", -1)?))
    }
}
