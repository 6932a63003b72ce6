//! Axes merged into one.

use crate::layers::catalogue::Declared;
use crate::{ArgumentError, Arguments, Layer};
use chainrule_core::{Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { Flatten }

/// The axes from `first` to `last`, both included, merged into one: by default all but the batch, `[batch, ..]` to
/// `[batch, features]`.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{Flatten, Layer};
/// assert_eq!(Flatten::new().forward(Tensor::ones([2, 3, 4])).shape()[..], [2, 12]);
/// ```
#[derive(Clone, Debug, Module)]
pub struct Flatten {
    first: isize,
    last: isize,
}

impl Default for Flatten {
    fn default() -> Flatten {
        Flatten::new()
    }
}

impl Flatten {
    /// All axes but the first.
    pub fn new() -> Flatten {
        Flatten::axes(1, -1)
    }

    /// The axes from `first` to `last`, negative ones counted from the end.
    pub fn axes(first: isize, last: isize) -> Flatten {
        Flatten { first, last }
    }
}

impl Layer for Flatten {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        x.flatten(self.first, self.last)
    }
}

/// `first`, 1 if it is not given, and `last`, -1.
impl Declared for Flatten {
    const NAME: &'static str = "flatten";

    fn declared(arguments: &mut Arguments, _input: &Shape) -> Result<Flatten, ArgumentError> {
        Ok(Flatten::axes(
            arguments.optional("first", 1)?,
            arguments.optional("last", -1)?,
        ))
    }
}
