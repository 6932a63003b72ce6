//! The error function and its complement.

use crate::declare::{Elementwise, Interval, PartialRule};
use crate::family;
use crate::tensor::Tensor;
use chainrule_kernels::leaf::Leaf;
use chainrule_kernels::math;
use std::f64::consts::FRAC_2_SQRT_PI;

family! { Erf, Erfc }

/// Error function.
pub struct Erf;
/// Complementary error function.
pub struct Erfc;

impl Elementwise<1> for Erf {
    const NAME: &'static str = "erf";
    const LEAF: &'static Leaf = &math::ERF;
    const PARTIALS: PartialRule<1> =
        PartialRule::Each([|[x], _| (-x.square()).exp() * FRAC_2_SQRT_PI]);
    const DOMAIN: [Interval; 1] = [Interval::new(-2.0, 2.0)];
}

impl Elementwise<1> for Erfc {
    const NAME: &'static str = "erfc";
    const LEAF: &'static Leaf = &math::ERFC;
    const PARTIALS: PartialRule<1> =
        PartialRule::Each([|[x], _| (-x.square()).exp() * -FRAC_2_SQRT_PI]);
    const DOMAIN: [Interval; 1] = [Interval::new(-2.0, 2.0)];
}

impl Tensor {
    /// The error function of each element, `2/√π ∫₀ˣ exp(-t²) dt`.
    /// Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::{Tensor, tensor};
    /// assert!((Tensor::from(0.5).erf().item::<f64>() - 0.5204998778130465).abs() < 1e-12);
    /// ```
    #[track_caller]
    pub fn erf(&self) -> Tensor {
        self.apply::<Erf>()
    }

    /// The complementary error function `1 - erf(x)` of each element, accurate also where `erf(x)` is near 1.
    /// Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::{Tensor, tensor};
    /// assert!((Tensor::from(0.5).erfc().item::<f64>() - 0.4795001221869535).abs() < 1e-12);
    /// ```
    #[track_caller]
    pub fn erfc(&self) -> Tensor {
        self.apply::<Erfc>()
    }
}
