//! A choice between two values by a condition.

use crate::lane::Truth;
use crate::leaf::{Ternary, leaf};
use crate::simd::Simd;

pub(crate) struct Select;

macro_rules! select {
    ($($lane:ident)*) => {$(
        impl Ternary<$lane> for Select {
            type First = Truth;
            #[inline(always)]
            fn call<S: Simd>(condition: Truth, yes: $lane, no: $lane) -> $lane {
                if condition.0 != 0 { yes } else { no }
            }
        }
    )*};
}
select! { f32 f64 i64 i32 u8 Truth }

leaf! {
    /// b where the condition a holds, else c.
    SELECT = ternary Select, "select", "(a ? b : c)", [f32, f64, i64, i32, u8, Truth];
}
