//! Comparisons: truth values from two numbers.

use crate::declare::{Elementwise, Interval, PartialRule, ResultType};
use crate::family;
use crate::tensor::{Like, Tensor};
use chainrule_kernels::leaf::Leaf;
use chainrule_kernels::math;

family! { Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual }

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
