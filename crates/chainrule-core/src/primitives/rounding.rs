//! Rounding: piecewise constant, so every derivative is zero.

use crate::declare::{Elementwise, Interval, PartialRule};
use crate::family;
use crate::tensor::Tensor;
use chainrule_kernels::leaf::Leaf;
use chainrule_kernels::math;

family! { Floor }

/// The next lower integer.
pub struct Floor;

impl Elementwise<1> for Floor {
    const NAME: &'static str = "floor";
    const LEAF: &'static Leaf = &math::FLOOR;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|_, y| y.zeros_like()]);
    const DOMAIN: [Interval; 1] = [Interval::new(0.1, 0.9)];
}

impl Tensor {
    /// The largest integer not above each element. Same shape and dtype; the derivative is zero.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![1.5, -1.5].floor().to_vec::<f32>(), [1.0, -2.0]);
    /// ```
    #[track_caller]
    pub fn floor(&self) -> Tensor {
        if self.dtype().is_floating() {
            self.apply_as_is::<Floor>()
        } else {
            self.clone()
        }
    }
}
