//! `+ - * /` and what is made of them element by element.

use crate::declare::{Elementwise, Interval, PartialRule, elementwise};
use crate::family;
use crate::tensor::{Like, Tensor, promoted};
use chainrule_kernels::leaf::Leaf;
use chainrule_kernels::math;

family! { Add, Sub, Mul, Div, Rem, Neg, Square, Reciprocal }

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
        let other = other.like(self);
        if other.dtype() == self.dtype() && other.shape() == self.shape() {
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
}
