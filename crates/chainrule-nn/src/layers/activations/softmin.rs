//! Small scores become large probabilities.

use crate::layers::catalogue::Declared;
use crate::{ArgumentError, Arguments, Layer};
use chainrule_core::{Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { Softmin }

/// [`Softmax`](crate::Softmax) of -x along an axis. Same shape.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::{Layer, Softmin};
/// assert_eq!(Softmin::new(-1).forward(tensor![[0.0, 0.0]]).to_vec::<f32>(), [0.5, 0.5]);
/// ```
///
/// # Panics
/// When the input does not have the axis.
#[derive(Clone, Debug, Module)]
pub struct Softmin {
    axis: isize,
}

impl Softmin {
    /// Along `axis`, negative ones counted from the end.
    pub fn new(axis: isize) -> Softmin {
        Softmin { axis }
    }
}

impl Layer for Softmin {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        (-x).softmax(self.axis)
    }
}

/// `axis`, -1 if it is not given.
impl Declared for Softmin {
    const NAME: &'static str = "softmin";

    fn declared(arguments: &mut Arguments, _input: &Shape) -> Result<Softmin, ArgumentError> {
        Ok(Softmin::new(arguments.optional("axis", -1)?))
    }
}
