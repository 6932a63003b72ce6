//! Logic on truth values.

use crate::declare::{Elementwise, Interval, PartialRule};
use crate::family;
use crate::tensor::Tensor;
use chainrule_kernels::leaf::Leaf;
use chainrule_kernels::math;

family! { LogicalNot }

/// Negation of truth values.
pub struct LogicalNot;

impl Elementwise<1> for LogicalNot {
    const NAME: &'static str = "logical_not";
    const LEAF: &'static Leaf = &math::NOT;
    const PARTIALS: PartialRule<1> = PartialRule::None("truth values have no tangent space");
    const DOMAIN: [Interval; 1] = [Interval::new(0.0, 1.0)];
}

impl Tensor {
    /// The opposite truth value of each element; numbers count as true where they are not zero. The operator `!`.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!((!tensor![true, false]).to_vec::<bool>(), [false, true]);
    /// ```
    #[track_caller]
    pub fn logical_not(&self) -> Tensor {
        self.cast(chainrule_kernels::DType::Bool)
            .apply_as_is::<LogicalNot>()
    }
}
