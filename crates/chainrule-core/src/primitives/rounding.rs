//! Rounding: piecewise constant, so every derivative is zero.

use crate::declare::{Elementwise, Interval, PartialRule};
use crate::family;
use crate::tensor::Tensor;
use chainrule_kernels::leaf::Leaf;
use chainrule_kernels::math;

family! { Floor, Ceil, Round, Trunc }

/// The next lower integer.
pub struct Floor;
/// The next higher integer.
pub struct Ceil;
/// The nearest integer.
pub struct Round;
/// The integer part.
pub struct Trunc;

impl Elementwise<1> for Floor {
    const NAME: &'static str = "floor";
    const LEAF: &'static Leaf = &math::FLOOR;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|_, y| y.zeros_like()]);
    const DOMAIN: [Interval; 1] = [Interval::new(0.1, 0.9)];
}

impl Elementwise<1> for Ceil {
    const NAME: &'static str = "ceil";
    const LEAF: &'static Leaf = &math::CEIL;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|_, y| y.zeros_like()]);
    const DOMAIN: [Interval; 1] = [Interval::new(0.1, 0.9)];
}

impl Elementwise<1> for Round {
    const NAME: &'static str = "round";
    const LEAF: &'static Leaf = &math::ROUND;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|_, y| y.zeros_like()]);
    const DOMAIN: [Interval; 1] = [Interval::new(0.1, 0.4)];
}

impl Elementwise<1> for Trunc {
    const NAME: &'static str = "trunc";
    const LEAF: &'static Leaf = &math::TRUNC;
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
        self.rounded::<Floor>()
    }

    /// The smallest integer not below each element. Same shape and dtype; the derivative is zero.
    ///
    /// ```
    /// use chainrule_core::{Tensor, tensor};
    /// assert_eq!(tensor![1.5, -1.5].ceil().to_vec::<f32>(), [2.0, -1.0]);
    /// ```
    #[track_caller]
    pub fn ceil(&self) -> Tensor {
        self.rounded::<Ceil>()
    }

    /// The integer nearest to each element, ties to the even one as in IEEE 754. Same shape and dtype; the derivative is
    /// zero.
    ///
    /// ```
    /// use chainrule_core::{Tensor, tensor};
    /// assert_eq!(tensor![0.5, 1.5, -1.7].round().to_vec::<f32>(), [0.0, 2.0, -2.0]);
    /// ```
    #[track_caller]
    pub fn round(&self) -> Tensor {
        self.rounded::<Round>()
    }

    /// The integer part of each element, rounded towards zero. Same shape and dtype; the derivative is zero.
    ///
    /// ```
    /// use chainrule_core::{Tensor, tensor};
    /// assert_eq!(tensor![1.5, -1.5].trunc().to_vec::<f32>(), [1.0, -1.0]);
    /// ```
    #[track_caller]
    pub fn trunc(&self) -> Tensor {
        self.rounded::<Trunc>()
    }

    /// Each element rounded to so many decimal places (to tens, hundreds, ... where negative). Same shape and dtype; the
    /// derivative is zero.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::from(vec![1.25, 3.14159]).round_to(2).to_vec::<f64>(), [1.25, 3.14]);
    /// assert_eq!(Tensor::from(149.0).round_to(-2).item::<f64>(), 100.0);
    /// ```
    #[track_caller]
    pub fn round_to(&self, decimals: i32) -> Tensor {
        if !self.dtype().is_floating() && decimals >= 0 {
            return self.clone();
        }
        let scale = 10f64.powi(decimals.abs());
        if decimals < 0 {
            ((self / scale).round() * scale).cast(self.dtype())
        } else {
            (self * scale).round() / scale
        }
    }

    /// The fractional part of each element, `x - trunc(x)`, with the sign of x. Same shape and dtype; the derivative is 1.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![1.5, -1.25].frac().to_vec::<f32>(), [0.5, -0.25]);
    /// ```
    #[track_caller]
    pub fn frac(&self) -> Tensor {
        self - self.trunc()
    }

    /// Records a rounding; integers are round already.
    #[track_caller]
    fn rounded<E: Elementwise<1>>(&self) -> Tensor {
        if self.dtype().is_floating() {
            self.apply_as_is::<E>()
        } else {
            self.clone()
        }
    }
}
