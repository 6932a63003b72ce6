//! Hyperbolic functions and their inverses.

use crate::declare::{Elementwise, Interval, PartialRule};
use crate::family;
use crate::tensor::Tensor;
use chainrule_kernels::leaf::Leaf;
use chainrule_kernels::math;

family! { Sinh, Cosh, Tanh, Asinh, Acosh, Atanh }

/// Hyperbolic sine.
pub struct Sinh;
/// Hyperbolic cosine.
pub struct Cosh;
/// Hyperbolic tangent.
pub struct Tanh;
/// Inverse hyperbolic sine.
pub struct Asinh;
/// Inverse hyperbolic cosine.
pub struct Acosh;
/// Inverse hyperbolic tangent.
pub struct Atanh;

impl Elementwise<1> for Sinh {
    const NAME: &'static str = "sinh";
    const LEAF: &'static Leaf = &math::SINH;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|[x], _| x.cosh()]);
    const DOMAIN: [Interval; 1] = [Interval::new(-3.0, 3.0)];
}

impl Elementwise<1> for Cosh {
    const NAME: &'static str = "cosh";
    const LEAF: &'static Leaf = &math::COSH;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|[x], _| x.sinh()]);
    const DOMAIN: [Interval; 1] = [Interval::new(-3.0, 3.0)];
}

impl Elementwise<1> for Tanh {
    const NAME: &'static str = "tanh";
    const LEAF: &'static Leaf = &math::TANH;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|_, y| 1.0 - y.square()]);
    const DOMAIN: [Interval; 1] = [Interval::new(-2.5, 2.5)];
}

impl Elementwise<1> for Asinh {
    const NAME: &'static str = "asinh";
    const LEAF: &'static Leaf = &math::ASINH;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|[x], _| (x.square() + 1.0).rsqrt()]);
    const DOMAIN: [Interval; 1] = [Interval::new(-3.0, 3.0)];
}

impl Elementwise<1> for Acosh {
    const NAME: &'static str = "acosh";
    const LEAF: &'static Leaf = &math::ACOSH;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|[x], _| ((x - 1.0) * (x + 1.0)).rsqrt()]);
    const DOMAIN: [Interval; 1] = [Interval::new(1.3, 5.0)];
}

impl Elementwise<1> for Atanh {
    const NAME: &'static str = "atanh";
    const LEAF: &'static Leaf = &math::ATANH;
    const PARTIALS: PartialRule<1> =
        PartialRule::Each([|[x], _| ((1.0 - x) * (x + 1.0)).reciprocal()]);
    const DOMAIN: [Interval; 1] = [Interval::new(-0.8, 0.8)];
}

impl Tensor {
    /// Hyperbolic sine of each element, `(exp(x) - exp(-x)) / 2`.
    /// Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::{Tensor, tensor};
    /// assert!((Tensor::from(2f64.ln()).sinh().item::<f64>() - 0.75).abs() < 1e-12);
    /// ```
    #[track_caller]
    pub fn sinh(&self) -> Tensor {
        self.apply::<Sinh>()
    }

    /// Hyperbolic cosine of each element, `(exp(x) + exp(-x)) / 2`.
    /// Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::{Tensor, tensor};
    /// assert!((Tensor::from(2f64.ln()).cosh().item::<f64>() - 1.25).abs() < 1e-12);
    /// ```
    #[track_caller]
    pub fn cosh(&self) -> Tensor {
        self.apply::<Cosh>()
    }

    /// Hyperbolic tangent of each element, `sinh(x) / cosh(x)`.
    /// Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::{Tensor, tensor};
    /// assert!((Tensor::from(2f64.ln()).tanh().item::<f64>() - 0.6).abs() < 1e-12);
    /// ```
    #[track_caller]
    pub fn tanh(&self) -> Tensor {
        self.apply::<Tanh>()
    }

    /// Inverse hyperbolic sine of each element, `log(x + sqrt(x² + 1))`.
    /// Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::{Tensor, tensor};
    /// assert!((Tensor::from(0.75).asinh().item::<f64>() - 2f64.ln()).abs() < 1e-12);
    /// ```
    #[track_caller]
    pub fn asinh(&self) -> Tensor {
        self.apply::<Asinh>()
    }

    /// Inverse hyperbolic cosine of each element, `log(x + sqrt(x² - 1))`: NaN below 1.
    /// Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::{Tensor, tensor};
    /// assert!((Tensor::from(1.25).acosh().item::<f64>() - 2f64.ln()).abs() < 1e-12);
    /// ```
    #[track_caller]
    pub fn acosh(&self) -> Tensor {
        self.apply::<Acosh>()
    }

    /// Inverse hyperbolic tangent of each element, `log((1 + x) / (1 - x)) / 2`: infinite at ±1, NaN beyond.
    /// Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::{Tensor, tensor};
    /// assert!((Tensor::from(0.6).atanh().item::<f64>() - 2f64.ln()).abs() < 1e-12);
    /// ```
    #[track_caller]
    pub fn atanh(&self) -> Tensor {
        self.apply::<Atanh>()
    }
}
