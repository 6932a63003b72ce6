//! What a reduction works over, and whether the reduced axes stay.

use super::Axes;

/// Which axes a reduction works over, and whether they stay with extent 1 or disappear.
///
/// Reductions take `impl Into<ReductionAxes>`: anything that is [`Axes`] reduces and drops the axes; [`keep`] keeps them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReductionAxes {
    pub(crate) axes: Axes,
    pub(crate) kept: bool,
}

/// The axes of a reduction which stay in the result with extent 1, so that it broadcasts against the reduced tensor.
///
/// ```
/// use chainrule_core::{keep, tensor};
/// let x = tensor![[1.0, 3.0], [5.0, 7.0]];
/// let mean = x.mean(keep(1));
/// assert_eq!(mean.shape()[..], [2, 1]);
/// assert_eq!((x - mean).to_vec::<f32>(), [-1.0, 1.0, -1.0, 1.0]);
/// ```
pub fn keep(axes: impl Into<Axes>) -> ReductionAxes {
    ReductionAxes {
        axes: axes.into(),
        kept: true,
    }
}

impl<A: Into<Axes>> From<A> for ReductionAxes {
    fn from(axes: A) -> ReductionAxes {
        ReductionAxes {
            axes: axes.into(),
            kept: false,
        }
    }
}
