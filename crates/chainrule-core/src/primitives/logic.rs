//! Logic on truth values, and the same bit by bit on integers.

use crate::declare::{Elementwise, Interval, PartialRule};
use crate::family;
use crate::tensor::{Like, Tensor};
use chainrule_kernels::DType;
use chainrule_kernels::leaf::Leaf;
use chainrule_kernels::math;

family! { BitwiseAnd, BitwiseOr, BitwiseXor, BitwiseNot }

macro_rules! bitwise {
    ($($struct:ident, $n:literal, $name:literal, $leaf:ident, $text:literal;)*) => {$(
        #[doc = $text]
        pub struct $struct;

        impl Elementwise<$n> for $struct {
            const NAME: &'static str = $name;
            const LEAF: &'static Leaf = &math::$leaf;
            const PARTIALS: PartialRule<$n> = PartialRule::None("truth values and integers have no tangent space");
            const DOMAIN: [Interval; $n] = [const { Interval::new(0.0, 1.0) }; $n];
        }
    )*};
}

bitwise! {
    BitwiseAnd, 2, "bitwise_and", AND, "Both.";
    BitwiseOr, 2, "bitwise_or", OR, "At least one.";
    BitwiseXor, 2, "bitwise_xor", XOR, "Exactly one.";
    BitwiseNot, 1, "bitwise_not", NOT, "Not.";
}

macro_rules! logic {
    ($($logical:ident, $bitwise:ident, $struct:ident, $text:literal, $operator:literal, $example:literal;)*) => {
        impl Tensor {
            $(
                #[doc = concat!("Whether ", $text, " true, as `bool`; numbers count as true where they are not zero. The shapes broadcast.")]
                ///
                /// ```
                /// use chainrule_core::tensor;
                #[doc = concat!("let (a, b) = (tensor![true, true, false], tensor![true, false, false]);\nassert_eq!(a.", stringify!($logical), "(b).to_vec::<bool>(), ", $example, ");")]
                /// ```
                ///
                /// # Panics
                /// When the shapes do not broadcast.
                #[track_caller]
                pub fn $logical(&self, other: impl Like) -> Tensor {
                    let other = other.like(self).cast(DType::Bool);
                    self.cast(DType::Bool).apply_with::<$struct>(other)
                }

                #[doc = concat!("Whether ", $text, " true; on integers bit by bit. The operator `", $operator, "`. The shapes broadcast, the dtypes promote.")]
                ///
                /// ```
                /// use chainrule_core::tensor;
                #[doc = concat!("let (a, b) = (tensor![true, true, false], tensor![true, false, false]);\nassert_eq!((a ", $operator, " b).to_vec::<bool>(), ", $example, ");")]
                /// ```
                ///
                /// # Panics
                /// When the shapes do not broadcast, or an operand is floating point.
                #[track_caller]
                pub fn $bitwise(&self, other: impl Like) -> Tensor {
                    self.apply_with::<$struct>(other)
                }
            )*
        }
    };
}

logic! {
    logical_and, bitwise_and, BitwiseAnd, "both elements are", "&", "[true, false, false]";
    logical_or, bitwise_or, BitwiseOr, "at least one of the elements is", "|", "[true, true, false]";
    logical_xor, bitwise_xor, BitwiseXor, "exactly one of the elements is", "^", "[false, true, false]";
}

impl Tensor {
    /// The opposite truth value of each element, as `bool`; numbers count as true where they are not zero.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![0.0, 2.0].logical_not().to_vec::<bool>(), [true, false]);
    /// ```
    #[track_caller]
    pub fn logical_not(&self) -> Tensor {
        self.cast(DType::Bool).apply_as_is::<BitwiseNot>()
    }

    /// The opposite truth value of each element; on integers bit by bit. The operator `!`.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!((!tensor![true, false]).to_vec::<bool>(), [false, true]);
    /// assert_eq!((!tensor![0, 1]).to_vec::<i64>(), [-1, -2]);
    /// ```
    ///
    /// # Panics
    /// When the elements are floating point.
    #[track_caller]
    pub fn bitwise_not(&self) -> Tensor {
        self.apply_as_is::<BitwiseNot>()
    }
}
