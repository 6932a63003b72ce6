//! `+ - * /` and what is made of them element by element.

use crate::declare::{Elementwise, Interval, PartialRule, elementwise};
use crate::family;
use crate::tensor::{Like, Tensor, promote, promoted};
use chainrule_kernels::leaf::Leaf;
use chainrule_kernels::math;

family! { Add, Sub, Mul, Div, Rem, Neg, Abs, Sign, Square, Reciprocal, Hypot }

/// Sum.
pub struct Add;
/// Difference.
pub struct Sub;
/// Product.
pub struct Mul;
/// Quotient.
pub struct Div;
/// Remainder.
pub struct Rem;
/// Negation.
pub struct Neg;
/// Square.
pub struct Square;
/// Reciprocal.
pub struct Reciprocal;
/// Absolute value.
pub struct Abs;
/// Sign.
pub struct Sign;
/// Length of a vector in the plane.
pub struct Hypot;

const ANY: Interval = Interval::new(-3.0, 3.0);
const NOT_ZERO: Interval = Interval::new(-3.0, 3.0).except(0.0);

impl Elementwise<2> for Add {
    const NAME: &'static str = "add";
    const LEAF: &'static Leaf = &math::ADD;
    const PARTIALS: PartialRule<2> =
        PartialRule::Each([|_, y| y.ones_like(), |_, y| y.ones_like()]);
    const DOMAIN: [Interval; 2] = [ANY, ANY];
}

impl Elementwise<2> for Sub {
    const NAME: &'static str = "sub";
    const LEAF: &'static Leaf = &math::SUB;
    const PARTIALS: PartialRule<2> =
        PartialRule::Each([|_, y| y.ones_like(), |_, y| y.filled_like(-1.0)]);
    const DOMAIN: [Interval; 2] = [ANY, ANY];
}

impl Elementwise<2> for Mul {
    const NAME: &'static str = "mul";
    const LEAF: &'static Leaf = &math::MUL;
    const PARTIALS: PartialRule<2> =
        PartialRule::Each([|[_, b], _| b.clone(), |[a, _], _| a.clone()]);
    const DOMAIN: [Interval; 2] = [ANY, ANY];
}

impl Elementwise<2> for Div {
    const NAME: &'static str = "div";
    const LEAF: &'static Leaf = &math::DIV;
    const PARTIALS: PartialRule<2> =
        PartialRule::Each([|[_, b], _| b.reciprocal(), |[_, b], y| -(y / b)]);
    const DOMAIN: [Interval; 2] = [ANY, NOT_ZERO];
}

impl Elementwise<2> for Rem {
    const NAME: &'static str = "rem";
    const LEAF: &'static Leaf = &math::REM;
    const PARTIALS: PartialRule<2> =
        PartialRule::Each([|_, y| y.ones_like(), |[a, b], _| -(a / b).floor()]);
    const DOMAIN: [Interval; 2] = [Interval::new(0.3, 0.9), Interval::new(1.0, 3.0)];
}

impl Elementwise<1> for Neg {
    const NAME: &'static str = "neg";
    const LEAF: &'static Leaf = &math::NEG;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|_, y| y.filled_like(-1.0)]);
    const DOMAIN: [Interval; 1] = [ANY];
}

impl Elementwise<1> for Square {
    const NAME: &'static str = "square";
    const LEAF: &'static Leaf = &math::SQUARE;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|[x], _| x * 2.0]);
    const DOMAIN: [Interval; 1] = [ANY];
}

impl Elementwise<1> for Reciprocal {
    const NAME: &'static str = "reciprocal";
    const LEAF: &'static Leaf = &math::RECIPROCAL;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|_, y| -y.square()]);
    const DOMAIN: [Interval; 1] = [NOT_ZERO];
}

impl Elementwise<1> for Abs {
    const NAME: &'static str = "abs";
    const LEAF: &'static Leaf = &math::ABS;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|[x], _| x.sign()]);
    const DOMAIN: [Interval; 1] = [NOT_ZERO];
}

impl Elementwise<1> for Sign {
    const NAME: &'static str = "sign";
    const LEAF: &'static Leaf = &math::SIGN;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|_, y| y.zeros_like()]);
    const DOMAIN: [Interval; 1] = [NOT_ZERO];
}

impl Elementwise<2> for Hypot {
    const NAME: &'static str = "hypot";
    const LEAF: &'static Leaf = &math::HYPOT;
    const PARTIALS: PartialRule<2> = PartialRule::Each([|[a, _], y| a / y, |[_, b], y| b / y]);
    const DOMAIN: [Interval; 2] = [NOT_ZERO, NOT_ZERO];
}

impl Tensor {
    /// Records a function of one floating-point operand; other dtypes become the default dtype.
    #[track_caller]
    pub(crate) fn apply<E: Elementwise<1>>(&self) -> Tensor {
        if self.dtype().is_floating() {
            elementwise::<E, 1>().of(&[self])
        } else {
            elementwise::<E, 1>().of(&[&self.floating()])
        }
    }

    /// Records a function of one operand in the operand's own dtype.
    #[track_caller]
    pub(crate) fn apply_as_is<E: Elementwise<1>>(&self) -> Tensor {
        elementwise::<E, 1>().of(&[self])
    }

    /// Records a function of two operands, promoted and broadcast.
    #[track_caller]
    pub(crate) fn apply_with<E: Elementwise<2>>(&self, other: impl Like) -> Tensor {
        if let Some(other) = other.as_tensor()
            && self.has_kind_of(other)
        {
            return elementwise::<E, 2>().of(&[self, other]);
        }
        let other = other.like(self);
        if self.has_kind_of(&other) {
            return elementwise::<E, 2>().of(&[self, &other]);
        }
        let [left, right] = promoted(E::NAME, [self.clone(), other]);
        elementwise::<E, 2>().of(&[&left, &right])
    }

    /// Sum, element by element; the operator `+`. The shapes broadcast, the dtypes promote.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!((tensor![1.0, 2.0] + 0.5).to_vec::<f32>(), [1.5, 2.5]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn add(&self, other: impl Like) -> Tensor {
        self.apply_with::<Add>(other)
    }

    /// Difference, element by element; the operator `-`. The shapes broadcast, the dtypes promote.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!((1.0 - tensor![1.0, 2.0]).to_vec::<f32>(), [0.0, -1.0]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn sub(&self, other: impl Like) -> Tensor {
        self.apply_with::<Sub>(other)
    }

    /// Product, element by element; the operator `*`. The shapes broadcast, the dtypes promote.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!((tensor![[1.0], [2.0]] * tensor![3.0, 4.0]).to_vec::<f32>(), [3.0, 4.0, 6.0, 8.0]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn mul(&self, other: impl Like) -> Tensor {
        self.apply_with::<Mul>(other)
    }

    /// Quotient, element by element; the operator `/`. Always a true division: integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!((tensor![1, 3] / 2).to_vec::<f32>(), [0.5, 1.5]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn div(&self, other: impl Like) -> Tensor {
        let other = other.like(self);
        if other.dtype().is_floating() || self.dtype().is_floating() {
            return self.apply_with::<Div>(other);
        }
        self.floating().apply_with::<Div>(other.floating())
    }

    /// Remainder of the division, with the sign of the divisor as in Python; the operator `%`.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!((tensor![5, -5] % 3).to_vec::<i64>(), [2, 1]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn rem(&self, other: impl Like) -> Tensor {
        self.apply_with::<Rem>(other)
    }

    /// The elements with opposite sign; the operator `-`.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!((-tensor![1.0, -2.0]).to_vec::<f32>(), [-1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn neg(&self) -> Tensor {
        self.apply_as_is::<Neg>()
    }

    /// The square of each element.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![3, -2].square().to_vec::<i64>(), [9, 4]);
    /// ```
    #[track_caller]
    pub fn square(&self) -> Tensor {
        self.apply_as_is::<Square>()
    }

    /// One over each element; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::scalar(4.0).reciprocal().item::<f32>(), 0.25);
    /// ```
    #[track_caller]
    pub fn reciprocal(&self) -> Tensor {
        self.apply::<Reciprocal>()
    }

    /// The absolute value of each element. Same shape and dtype. The derivative at 0 is 0.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![1.0, -2.0].abs().to_vec::<f32>(), [1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn abs(&self) -> Tensor {
        self.apply_as_is::<Abs>()
    }

    /// The sign of each element, -1, 0 or 1; NaN stays. Same shape and dtype; the derivative is zero.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![3.0, 0.0, -2.0].sign().to_vec::<f32>(), [1.0, 0.0, -1.0]);
    /// ```
    #[track_caller]
    pub fn sign(&self) -> Tensor {
        self.apply_as_is::<Sign>()
    }

    /// The size of each element with the sign of the other's, -0 counting as negative. The shapes broadcast, the dtypes
    /// promote; integers become the default dtype. The derivative by the sign is zero.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![1.0, -2.0].copysign(tensor![-0.0, 5.0]).to_vec::<f32>(), [-1.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn copysign(&self, other: impl Like) -> Tensor {
        let size = self.floating().abs();
        let other = other.like(self).stop_gradient();
        let dtype = promote(size.dtype(), other.dtype());
        size * other.signbit().where_(-1.0, 1.0).cast(dtype)
    }

    /// `sqrt(x² + y²)` without overflow, the length of the vector (x, y). The shapes broadcast, the dtypes promote;
    /// integers become the default dtype. NaN derivatives at the origin.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![3.0, 5.0].hypot(tensor![4.0, 12.0]).to_vec::<f32>(), [5.0, 13.0]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn hypot(&self, other: impl Like) -> Tensor {
        let other = other.like(self);
        if other.dtype().is_floating() || self.dtype().is_floating() {
            return self.apply_with::<Hypot>(other);
        }
        self.floating().apply_with::<Hypot>(other.floating())
    }

    /// The quotient rounded down, as Python's `//`. The shapes broadcast, the dtypes promote; integers stay integers
    /// (a quotient by zero is 0). The derivative is zero.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![7, -7].floor_divide(2).to_vec::<i64>(), [3, -4]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn floor_divide(&self, other: impl Like) -> Tensor {
        let other = other.like(self);
        if !other.dtype().is_floating() && !self.dtype().is_floating() {
            return self.apply_with::<Div>(other);
        }
        // From the exact remainder, because a rounded quotient may lie on the other side of an integer.
        let remainder = self.fmod(&other);
        let quotient = (self - &remainder) / &other;
        let below = remainder.ne(0.0) & other.lt(0.0).ne(remainder.lt(0.0));
        let quotient = below.where_(&quotient - 1.0, &quotient).round();
        let infinite = (self / &other).stop_gradient();
        other.eq(0.0).where_(infinite, quotient)
    }

    /// Remainder of the division, with the sign of the dividend as in C; `%` has the sign of the divisor. The shapes
    /// broadcast, the dtypes promote. The derivatives are 1 and `-trunc(x / y)`.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![5, -5].fmod(3).to_vec::<i64>(), [2, -2]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn fmod(&self, other: impl Like) -> Tensor {
        let other = other.like(self);
        let negative = self.lt(0);
        let size = negative.where_(-self, self);
        let remainder = size.rem(other.lt(0).where_(-&other, &other));
        negative.where_(-&remainder, &remainder)
    }

    /// The point between `self` (weight 0) and `end` (weight 1): `x + weight (end - x)`. The shapes broadcast, the dtypes
    /// promote.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![0.0, 10.0].lerp(tensor![4.0, 20.0], 0.25).to_vec::<f32>(), [1.0, 12.5]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn lerp(&self, end: impl Like, weight: impl Like) -> Tensor {
        let way = end.like(self) - self;
        self + way.mul(weight)
    }

    /// 0 below 0, 1 above, and `at_zero` at 0: the step function. The shapes broadcast, the dtypes promote.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![-2.0, 0.0, 3.0].heaviside(0.5).to_vec::<f32>(), [0.0, 0.5, 1.0]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn heaviside(&self, at_zero: impl Like) -> Tensor {
        self.eq(0).where_(at_zero, self.gt(0).cast(self.dtype()))
    }
}
