//! The greater, the lesser, and numbers kept within bounds.

use crate::declare::{Elementwise, Interval, PartialRule};
use crate::family;
use crate::tensor::{Like, Tensor};
use chainrule_kernels::leaf::Leaf;
use chainrule_kernels::math;

family! { Maximum, Minimum, Relu }

/// The greater of two numbers.
pub struct Maximum;
/// The lesser of two numbers.
pub struct Minimum;
/// The positive part.
pub struct Relu;

/// The share of the first operand in the derivative: 1 where it is the greater, 0 where it is the lesser, a half where
/// the two are equal. NaN passes on to both.
fn share_of_greater(first: &Tensor, second: &Tensor) -> Tensor {
    // A step: its own derivative is zero, silently.
    let (first, second) = (first.stop_gradient(), second.stop_gradient());
    let untied = first
        .lt(&second)
        .where_(first.zeros_like(), first.ones_like());
    first.eq(second).where_(first.filled_like(0.5), untied)
}

// The two operands are sampled apart: within 0.05 of each other is a kink.
const LOWER: Interval = Interval::new(-2.0, 0.0);
const UPPER: Interval = Interval::new(0.1, 2.0);

impl Elementwise<2> for Maximum {
    const NAME: &'static str = "maximum";
    const LEAF: &'static Leaf = &math::MAXIMUM;
    const PARTIALS: PartialRule<2> = PartialRule::Each([
        |[a, b], _| share_of_greater(a, b),
        |[a, b], _| share_of_greater(b, a),
    ]);
    const DOMAIN: [Interval; 2] = [LOWER, UPPER];
}

impl Elementwise<2> for Minimum {
    const NAME: &'static str = "minimum";
    const LEAF: &'static Leaf = &math::MINIMUM;
    const PARTIALS: PartialRule<2> = PartialRule::Each([
        |[a, b], _| share_of_greater(b, a),
        |[a, b], _| share_of_greater(a, b),
    ]);
    const DOMAIN: [Interval; 2] = [LOWER, UPPER];
}

impl Elementwise<1> for Relu {
    const NAME: &'static str = "relu";
    const LEAF: &'static Leaf = &math::RELU;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|_, y| {
        let nothing = y.stop_gradient().le(0.0);
        nothing.where_(y.zeros_like(), y.ones_like())
    }]);
    const DOMAIN: [Interval; 1] = [Interval::new(-1.0, 3.0).except(0.0)];
}

impl Tensor {
    /// The greater of each pair of elements; NaN where either is NaN. The shapes broadcast, the dtypes promote.
    ///
    /// The derivative goes to the greater one; equal elements get a half each.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![1.0, 5.0].maximum(3.0).to_vec::<f32>(), [3.0, 5.0]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn maximum(&self, other: impl Like) -> Tensor {
        self.apply_with::<Maximum>(other)
    }

    /// The lesser of each pair of elements; NaN where either is NaN. The shapes broadcast, the dtypes promote.
    ///
    /// The derivative goes to the lesser one; equal elements get a half each.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![1.0, 5.0].minimum(3.0).to_vec::<f32>(), [1.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn minimum(&self, other: impl Like) -> Tensor {
        self.apply_with::<Minimum>(other)
    }

    /// The greater of each pair of elements, the number where the other is NaN. The shapes broadcast, the dtypes promote.
    ///
    /// The derivative goes to the greater one; of equal elements to the left.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![1.0, f64::NAN].fmax(3.0).to_vec::<f32>(), [3.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn fmax(&self, other: impl Like) -> Tensor {
        let other = other.like(self);
        (self.ge(&other) | other.is_nan()).where_(self, other)
    }

    /// The lesser of each pair of elements, the number where the other is NaN. The shapes broadcast, the dtypes promote.
    ///
    /// The derivative goes to the lesser one; of equal elements to the left.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![1.0, f64::NAN].fmin(3.0).to_vec::<f32>(), [1.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn fmin(&self, other: impl Like) -> Tensor {
        let other = other.like(self);
        (self.le(&other) | other.is_nan()).where_(self, other)
    }

    /// The positive part `max(x, 0)` of each element; NaN stays. Same shape and dtype. The derivative at 0 is 0.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![-1.0, 2.0].relu().to_vec::<f32>(), [0.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn relu(&self) -> Tensor {
        self.apply_as_is::<Relu>()
    }

    /// Each element kept between two bounds, `min(max(x, low), high)`; NaN stays. Bounds are numbers or tensors; the
    /// shapes broadcast, the dtypes promote. See [`clamp_min`](Tensor::clamp_min) and [`clamp_max`](Tensor::clamp_max)
    /// for one bound alone.
    ///
    /// The derivative passes strictly between the bounds, and goes to the bound elsewhere.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![-1.0, 0.5, 2.0].clamp(0.0, 1.0).to_vec::<f32>(), [0.0, 0.5, 1.0]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn clamp(&self, low: impl Like, high: impl Like) -> Tensor {
        self.clamp_min(low).clamp_max(high)
    }

    /// Each element, or the bound where the element is below it; NaN stays. The shapes broadcast, the dtypes promote.
    ///
    /// The derivative passes where the element exceeds the bound, and goes to the bound elsewhere.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![-1.0, 0.5, 2.0].clamp_min(0.0).to_vec::<f32>(), [0.0, 0.5, 2.0]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn clamp_min(&self, low: impl Like) -> Tensor {
        let low = low.like(self);
        self.le(&low).where_(low, self)
    }

    /// Each element, or the bound where the element is above it; NaN stays. The shapes broadcast, the dtypes promote.
    ///
    /// The derivative passes where the element is below the bound, and goes to the bound elsewhere.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![-1.0, 0.5, 2.0].clamp_max(1.0).to_vec::<f32>(), [-1.0, 0.5, 1.0]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn clamp_max(&self, high: impl Like) -> Tensor {
        let high = high.like(self);
        self.ge(&high).where_(high, self)
    }
}
