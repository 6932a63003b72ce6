//! And, or, exclusive or, not: of truth values, and of the bits of integers.

use crate::lane::Truth;
use crate::leaf::{binary_for, leaf, unary_for};

macro_rules! bitwise {
    ($($function:ident $operator:tt;)*) => {$(
        pub(crate) struct $function;
        binary_for!($function:
            i64 => |a, b, S| a $operator b;
            i32 => |a, b, S| a $operator b;
            u8 => |a, b, S| a $operator b;
            Truth => |a, b, S| Truth(a.0 $operator b.0);
        );
    )*};
}
bitwise! {
    And &;
    Or |;
    Xor ^;
}
pub(crate) struct Not;
unary_for!(Not:
    i64 => |x, S| !x;
    i32 => |x, S| !x;
    u8 => |x, S| !x;
    Truth => |x, S| Truth(x.0 ^ 1);
);

leaf! {
    /// a and b.
    AND = binary And, "and", "a & b", [i64, i32, u8, Truth];
    /// a or b.
    OR = binary Or, "or", "a | b", [i64, i32, u8, Truth];
    /// Either a or b, not both.
    XOR = binary Xor, "xor", "a ^ b", [i64, i32, u8, Truth];
    /// Not x.
    NOT = unary Not, "not", "~a", [i64, i32, u8, Truth];
}
