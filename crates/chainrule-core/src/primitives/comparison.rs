//! Comparisons and classifications: truth values from numbers.

use crate::backend::Scalar;
use crate::declare::{Elementwise, Interval, PartialRule, ResultType};
use crate::family;
use crate::tensor::{Like, Tensor};
use chainrule_kernels::DType;
use chainrule_kernels::leaf::Leaf;
use chainrule_kernels::math;

family! { Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual, IsNan, IsInf, IsFinite }

macro_rules! comparison {
    ($($struct:ident, $method:ident, $leaf:ident, $text:literal, $example:literal;)*) => {
        $(
            #[doc = concat!("Whether the left element is ", $text, " the right one.")]
            pub struct $struct;

            impl Elementwise<2> for $struct {
                const NAME: &'static str = stringify!($method);
                const LEAF: &'static Leaf = &math::$leaf;
                const PARTIALS: PartialRule<2> = PartialRule::None("a comparison is constant wherever it is continuous");
                const DOMAIN: [Interval; 2] = [Interval::new(-1.0, 1.0), Interval::new(-1.0, 1.0)];
                const RESULT: ResultType = ResultType::Bool;
            }
        )*
        impl Tensor {
            $(
                #[doc = concat!("Whether each element is ", $text, " the other's, as `bool`. The shapes broadcast, the dtypes promote.")]
                ///
                /// ```
                /// use chainrule_core::tensor;
                #[doc = $example]
                /// ```
                ///
                /// # Panics
                /// When the shapes do not broadcast.
                #[track_caller]
                pub fn $method(&self, other: impl Like) -> Tensor {
                    self.apply_with::<$struct>(other)
                }
            )*
        }
    };
}

comparison! {
    Equal, eq, EQ, "equal to", "assert_eq!(tensor![1.0, 2.0].eq(2.0).to_vec::<bool>(), [false, true]);";
    NotEqual, ne, NE, "different from", "assert_eq!(tensor![1.0, 2.0].ne(2.0).to_vec::<bool>(), [true, false]);";
    Less, lt, LT, "less than", "assert_eq!(tensor![1.0, 2.0].lt(2.0).to_vec::<bool>(), [true, false]);";
    LessEqual, le, LE, "less than or equal to", "assert_eq!(tensor![1.0, 2.0].le(2.0).to_vec::<bool>(), [true, true]);";
    Greater, gt, GT, "greater than", "assert_eq!(tensor![1.0, 3.0].gt(2.0).to_vec::<bool>(), [false, true]);";
    GreaterEqual, ge, GE, "greater than or equal to", "assert_eq!(tensor![1.0, 2.0].ge(2.0).to_vec::<bool>(), [false, true]);";
}

macro_rules! classification {
    ($($struct:ident, $method:ident, $leaf:ident, $integers:literal, $text:literal, $example:literal;)*) => {
        $(
            #[doc = concat!("Whether a number is ", $text, ".")]
            pub struct $struct;

            impl Elementwise<1> for $struct {
                const NAME: &'static str = stringify!($method);
                const LEAF: &'static Leaf = &math::$leaf;
                const PARTIALS: PartialRule<1> = PartialRule::None("a classification is constant wherever it is continuous");
                const DOMAIN: [Interval; 1] = [Interval::new(-1.0, 1.0)];
                const RESULT: ResultType = ResultType::Bool;
            }
        )*
        impl Tensor {
            $(
                #[doc = concat!("Whether each element is ", $text, ", as `bool` of the same shape.")]
                ///
                /// ```
                /// use chainrule_core::tensor;
                /// let x = tensor![1.0, f64::NAN, f64::NEG_INFINITY];
                #[doc = concat!("assert_eq!(x.", stringify!($method), "().to_vec::<bool>(), ", $example, ");")]
                /// ```
                #[track_caller]
                pub fn $method(&self) -> Tensor {
                    if self.dtype().is_floating() {
                        self.apply_as_is::<$struct>()
                    } else {
                        Tensor::filled(Scalar::Truth($integers), self.spec().with_dtype(DType::Bool))
                    }
                }
            )*
        }
    };
}

classification! {
    IsNan, is_nan, ISNAN, false, "NaN", "[false, true, false]";
    IsInf, is_inf, ISINF, false, "infinite", "[false, false, true]";
    IsFinite, is_finite, ISFINITE, true, "a finite number", "[true, false, false]";
}

impl Tensor {
    /// Whether each element is negative or -0, as `bool` of the same shape. The sign of NaN is not looked at.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![1.0, -0.0, 0.0].signbit().to_vec::<bool>(), [false, true, false]);
    /// ```
    #[track_caller]
    pub fn signbit(&self) -> Tensor {
        let negative = self.lt(0);
        if !self.dtype().is_floating() {
            return negative;
        }
        // Only its reciprocal tells -0 from 0.
        negative | (self.eq(0) & self.reciprocal().lt(0))
    }

    /// Whether each pair of elements is equal up to a tolerance, `|x - y| <= absolute + relative |y|`, or equal (infinities
    /// are). NaN is close to nothing. The shapes broadcast, the dtypes promote.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let close = tensor![1.0, 2.0].is_close(tensor![1.0001, 2.1], 1e-3, 0.0);
    /// assert_eq!(close.to_vec::<bool>(), [true, false]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn is_close(&self, other: impl Like, relative: f64, absolute: f64) -> Tensor {
        let other = other.like(self);
        let within = (self - &other).abs().le(other.abs() * relative + absolute);
        self.eq(&other) | (within & self.is_finite() & other.is_finite())
    }
}
