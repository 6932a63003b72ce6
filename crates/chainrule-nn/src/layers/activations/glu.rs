//! The gated linear unit.

use crate::layers::catalogue::Declared;
use crate::{ArgumentError, Arguments, Layer};
use chainrule_core::{Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { Glu }

/// The first half along an axis times the sigmoid of the second half (Dauphin and others 2016). The axis halves.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::{Layer, Glu};
/// assert_eq!(Glu::new(-1).forward(tensor![[4.0, 0.0]]).to_vec::<f32>(), [2.0]);
/// ```
///
/// # Panics
/// When the input does not have the axis, or its extent there is odd.
#[derive(Clone, Debug, Module)]
pub struct Glu {
    axis: isize,
}

impl Glu {
    /// Along `axis`, negative ones counted from the end.
    pub fn new(axis: isize) -> Glu {
        Glu { axis }
    }
}

impl Layer for Glu {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        x.glu(self.axis)
    }
}

/// `axis`, -1 if it is not given.
impl Declared for Glu {
    const NAME: &'static str = "glu";

    fn declared(arguments: &mut Arguments, _input: &Shape) -> Result<Glu, ArgumentError> {
        Ok(Glu::new(arguments.optional("axis", -1)?))
    }
}
