//! Exponentials, logarithms, roots and powers.

use crate::declare::{Elementwise, Interval, PartialRule};
use crate::family;
use crate::tensor::Tensor;
use chainrule_kernels::leaf::Leaf;
use chainrule_kernels::math;

family! { Exp, Log, Sqrt, Rsqrt }

/// Exponential.
pub struct Exp;
/// Natural logarithm.
pub struct Log;
/// Square root.
pub struct Sqrt;
/// Reciprocal square root.
pub struct Rsqrt;

const POSITIVE: Interval = Interval::new(0.2, 5.0);

impl Elementwise<1> for Exp {
    const NAME: &'static str = "exp";
    const LEAF: &'static Leaf = &math::EXP;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|_, y| y.clone()]);
    const DOMAIN: [Interval; 1] = [Interval::new(-4.0, 3.0)];
}

impl Elementwise<1> for Log {
    const NAME: &'static str = "log";
    const LEAF: &'static Leaf = &math::LOG;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|[x], _| x.reciprocal()]);
    const DOMAIN: [Interval; 1] = [POSITIVE];
}

impl Elementwise<1> for Sqrt {
    const NAME: &'static str = "sqrt";
    const LEAF: &'static Leaf = &math::SQRT;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|_, y| 0.5 / y]);
    const DOMAIN: [Interval; 1] = [POSITIVE];
}

impl Elementwise<1> for Rsqrt {
    const NAME: &'static str = "rsqrt";
    const LEAF: &'static Leaf = &math::RSQRT;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|_, y| y * y.square() * -0.5]);
    const DOMAIN: [Interval; 1] = [POSITIVE];
}

impl Tensor {
    /// e to the power of each element. Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::scalar(0.0).exp().item::<f32>(), 1.0);
    /// ```
    #[track_caller]
    pub fn exp(&self) -> Tensor {
        self.apply::<Exp>()
    }

    /// Natural logarithm of each element: -infinity at 0, NaN below. Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::scalar(1.0).log().item::<f32>(), 0.0);
    /// ```
    #[track_caller]
    pub fn log(&self) -> Tensor {
        self.apply::<Log>()
    }

    /// Square root of each element; NaN for negative ones. Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::scalar(9.0).sqrt().item::<f32>(), 3.0);
    /// ```
    #[track_caller]
    pub fn sqrt(&self) -> Tensor {
        self.apply::<Sqrt>()
    }

    /// One over the square root of each element. Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::scalar(4.0).rsqrt().item::<f32>(), 0.5);
    /// ```
    #[track_caller]
    pub fn rsqrt(&self) -> Tensor {
        self.apply::<Rsqrt>()
    }
}
