//! One axis divided into several.

use crate::layers::catalogue::Declared;
use crate::{ArgumentError, Arguments, Layer};
use chainrule_core::error::raise;
use chainrule_core::{Error, ErrorKind};
use chainrule_core::{Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { Unflatten }

/// One axis divided into several of given extents, of which one may be -1, to be inferred.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{Layer, Unflatten};
/// assert_eq!(Unflatten::new(1, &[3, -1]).forward(Tensor::ones([2, 12])).shape()[..], [2, 3, 4]);
/// ```
#[derive(Clone, Debug, Module)]
pub struct Unflatten {
    axis: isize,
    extents: Vec<i64>,
}

impl Unflatten {
    /// Divides `axis`, a negative one counted from the end.
    pub fn new(axis: isize, extents: &[i64]) -> Unflatten {
        Unflatten {
            axis,
            extents: extents.to_vec(),
        }
    }

    /// The extents for an axis of `extent`, if they make it up.
    fn divided(&self, extent: usize) -> Option<Vec<usize>> {
        let known = self.extents.iter().filter(|&&extent| extent != -1);
        let known: Vec<usize> = known
            .map(|&extent| usize::try_from(extent).ok())
            .collect::<Option<_>>()?;
        let product: usize = known.iter().product();
        let open = self.extents.len() - known.len();
        let rest = match open {
            0 if product == extent => 1,
            1 if product > 0 && extent.is_multiple_of(product) => extent / product,
            _ => return None,
        };
        let extents = self.extents.iter();
        let extents = extents.map(|&extent| if extent == -1 { rest } else { extent as usize });
        Some(extents.collect())
    }
}

impl Layer for Unflatten {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        let rank = x.rank() as isize;
        let axis = if self.axis < 0 {
            self.axis + rank
        } else {
            self.axis
        };
        let extents = (0..rank).contains(&axis).then(|| x.shape()[axis as usize]);
        let Some(extents) = extents.and_then(|extent| self.divided(extent)) else {
            let message = format!(
                "unflatten: axis {} of the input's shape {} does not divide into {:?} (from `{}` at {})",
                self.axis,
                x.shape(),
                self.extents,
                x.operation_name(),
                x.place()
            );
            raise(Error::new(ErrorKind::Shape, message));
        };
        let (before, after) = x.shape().split_at(axis as usize);
        let shape = before.iter().copied().chain(extents);
        let shape: Shape = shape.chain(after[1..].iter().copied()).collect();
        x.reshape(shape)
    }
}

/// `axis`, 1 if it is not given, and `extents`.
impl Declared for Unflatten {
    const NAME: &'static str = "unflatten";

    fn declared(arguments: &mut Arguments, _input: &Shape) -> Result<Unflatten, ArgumentError> {
        let axis = arguments.optional("axis", 1)?;
        let extents: Vec<i64> = arguments.required("extents")?;
        Ok(Unflatten::new(axis, &extents))
    }
}
