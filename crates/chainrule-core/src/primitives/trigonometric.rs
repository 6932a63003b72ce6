//! Trigonometric functions and their inverses; angles are in radians.
//!
//! To add a function: a unit struct, its declaration, its method, its name in `family!`.

use crate::declare::{Elementwise, Interval, PartialRule};
use crate::family;
use crate::tensor::{Like, Tensor};
use chainrule_kernels::leaf::Leaf;
use chainrule_kernels::math;

family! { Sin, Cos, Tan, Asin, Acos, Atan, Atan2 }

/// Sine.
pub struct Sin;
/// Cosine.
pub struct Cos;
/// Tangent.
pub struct Tan;
/// Inverse sine.
pub struct Asin;
/// Inverse cosine.
pub struct Acos;
/// Inverse tangent.
pub struct Atan;
/// Angle of a point.
pub struct Atan2;

impl Elementwise<1> for Sin {
    const NAME: &'static str = "sin";
    const LEAF: &'static Leaf = &math::SIN;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|[x], _y| x.cos()]);
    const DOMAIN: [Interval; 1] = [Interval::new(-8.0, 8.0)];
}

impl Elementwise<1> for Cos {
    const NAME: &'static str = "cos";
    const LEAF: &'static Leaf = &math::COS;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|[x], _y| -x.sin()]);
    const DOMAIN: [Interval; 1] = [Interval::new(-8.0, 8.0)];
}

impl Elementwise<1> for Tan {
    const NAME: &'static str = "tan";
    const LEAF: &'static Leaf = &math::TAN;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|_x, y| y.square() + 1.0]);
    const DOMAIN: [Interval; 1] = [Interval::new(-1.2, 1.2)];
}

impl Elementwise<1> for Asin {
    const NAME: &'static str = "asin";
    const LEAF: &'static Leaf = &math::ASIN;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|[x], _y| (1.0 - x.square()).rsqrt()]);
    const DOMAIN: [Interval; 1] = [Interval::new(-0.9, 0.9)];
}

impl Elementwise<1> for Acos {
    const NAME: &'static str = "acos";
    const LEAF: &'static Leaf = &math::ACOS;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|[x], _y| -(1.0 - x.square()).rsqrt()]);
    const DOMAIN: [Interval; 1] = [Interval::new(-0.9, 0.9)];
}

impl Elementwise<1> for Atan {
    const NAME: &'static str = "atan";
    const LEAF: &'static Leaf = &math::ATAN;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|[x], _y| (x.square() + 1.0).reciprocal()]);
    const DOMAIN: [Interval; 1] = [Interval::new(-4.0, 4.0)];
}

impl Elementwise<2> for Atan2 {
    const NAME: &'static str = "atan2";
    const LEAF: &'static Leaf = &math::ATAN2;
    const PARTIALS: PartialRule<2> = PartialRule::Each([
        |[y, x], _angle| x / (x.square() + y.square()),
        |[y, x], _angle| -y / (x.square() + y.square()),
    ]);
    const DOMAIN: [Interval; 2] = [
        Interval::new(-3.0, 3.0).except(0.0),
        Interval::new(-3.0, 3.0).except(0.0),
    ];
}

impl Tensor {
    /// Sine of each element, in radians. Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::scalar(0.0).sin().item::<f32>(), 0.0);
    /// ```
    #[track_caller]
    pub fn sin(&self) -> Tensor {
        self.apply::<Sin>()
    }

    /// Cosine of each element, in radians. Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::scalar(0.0).cos().item::<f32>(), 1.0);
    /// ```
    #[track_caller]
    pub fn cos(&self) -> Tensor {
        self.apply::<Cos>()
    }

    /// Tangent of each element, in radians. Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::scalar(0.0).tan().item::<f32>(), 0.0);
    /// ```
    #[track_caller]
    pub fn tan(&self) -> Tensor {
        self.apply::<Tan>()
    }

    /// Inverse sine of each element, from -pi/2 to pi/2; NaN outside [-1, 1]. Same shape.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert!(Tensor::scalar(2.0).asin().item::<f32>().is_nan());
    /// ```
    #[track_caller]
    pub fn asin(&self) -> Tensor {
        self.apply::<Asin>()
    }

    /// Inverse cosine of each element, from 0 to pi; NaN outside [-1, 1]. Same shape.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::scalar(1.0).acos().item::<f32>(), 0.0);
    /// ```
    #[track_caller]
    pub fn acos(&self) -> Tensor {
        self.apply::<Acos>()
    }

    /// Inverse tangent of each element, from -pi/2 to pi/2. Same shape.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::scalar(0.0).atan().item::<f32>(), 0.0);
    /// ```
    #[track_caller]
    pub fn atan(&self) -> Tensor {
        self.apply::<Atan>()
    }

    /// The angle of the point (`x`, `self`), from -pi to pi; `self` is the ordinate. The shapes broadcast.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// let angle = Tensor::scalar(1.0).atan2(Tensor::scalar(-1.0)).item::<f64>();
    /// assert!((angle - 3.0 * std::f64::consts::FRAC_PI_4).abs() < 1e-6);
    /// ```
    #[track_caller]
    pub fn atan2(&self, x: impl Like) -> Tensor {
        self.floating().apply_with::<Atan2>(x)
    }

    /// The normalized cardinal sine `sin(πx) / (πx)`, 1 at 0. Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![0.0].sinc().to_vec::<f32>(), [1.0]);
    /// ```
    #[track_caller]
    pub fn sinc(&self) -> Tensor {
        let zero = self.eq(0);
        let angle = zero.where_(1.0, self.floating()) * std::f64::consts::PI;
        zero.where_(1.0, angle.sin() / &angle)
    }

    /// Degrees as radians. Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert!((Tensor::from(180.0).deg2rad().item::<f64>() - std::f64::consts::PI).abs() < 1e-15);
    /// ```
    #[track_caller]
    pub fn deg2rad(&self) -> Tensor {
        self * (std::f64::consts::PI / 180.0)
    }

    /// Radians as degrees. Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert!((Tensor::from(std::f64::consts::PI).rad2deg().item::<f64>() - 180.0).abs() < 1e-12);
    /// ```
    #[track_caller]
    pub fn rad2deg(&self) -> Tensor {
        self * (180.0 / std::f64::consts::PI)
    }
}
