//! Exponentials, logarithms, roots and powers.

use crate::declare::{Elementwise, Interval, PartialRule};
use crate::error::Mismatch;
use crate::family;
use crate::tensor::{Like, Tensor};
use chainrule_kernels::leaf::Leaf;
use chainrule_kernels::math;
use std::f64::consts::{LN_2, LN_10};

family! { Exp, Exp2, Expm1, Log, Log2, Log10, Log1p, Sqrt, Rsqrt, Pow, Sigmoid, Softplus }

/// Exponential.
pub struct Exp;
/// Natural logarithm.
pub struct Log;
/// Square root.
pub struct Sqrt;
/// Reciprocal square root.
pub struct Rsqrt;
/// Power.
pub struct Pow;
/// Power of two.
pub struct Exp2;
/// Exponential minus one.
pub struct Expm1;
/// Logarithm to base 2.
pub struct Log2;
/// Logarithm to base 10.
pub struct Log10;
/// Logarithm of one plus a number.
pub struct Log1p;
/// Logistic function.
pub struct Sigmoid;
/// Smooth rectifier.
pub struct Softplus;

const POSITIVE: Interval = Interval::new(0.2, 5.0);

impl Elementwise<1> for Exp {
    const NAME: &'static str = "exp";
    const LEAF: &'static Leaf = &math::EXP;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|_, y| y.clone()]);
    const DOMAIN: [Interval; 1] = [Interval::new(-4.0, 3.0)];
}

impl Elementwise<1> for Log {
    const NAME: &'static str = "log";
    const LEAF: &'static Leaf = &math::LOG;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|[x], _| x.reciprocal()]);
    const DOMAIN: [Interval; 1] = [POSITIVE];
}

impl Elementwise<1> for Sqrt {
    const NAME: &'static str = "sqrt";
    const LEAF: &'static Leaf = &math::SQRT;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|_, y| 0.5 / y]);
    const DOMAIN: [Interval; 1] = [POSITIVE];
}

impl Elementwise<1> for Rsqrt {
    const NAME: &'static str = "rsqrt";
    const LEAF: &'static Leaf = &math::RSQRT;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|_, y| y * y.square() * -0.5]);
    const DOMAIN: [Interval; 1] = [POSITIVE];
}

impl Elementwise<2> for Pow {
    const NAME: &'static str = "pow";
    const LEAF: &'static Leaf = &math::POW;
    const PARTIALS: PartialRule<2> = PartialRule::Each([
        |[base, exponent], _| match exponent.known_fill() {
            Some(0.0) => base.zeros_like(),
            Some(number) => base.pow(number - 1.0) * number,
            None => {
                let constant = exponent.eq(0.0);
                constant.where_(0.0, exponent * base.pow(exponent - 1.0))
            }
        },
        |[base, exponent], y| {
            // At 0 the logarithm is infinite, but 0 to the power of nonnegative numbers stays 0 (or jumps from 1).
            let flat = base.eq(0.0) & exponent.ge(0.0);
            flat.where_(0.0, y * flat.where_(1.0, base).log())
        },
    ]);
    const DOMAIN: [Interval; 2] = [POSITIVE, Interval::new(-2.0, 3.0)];
}

impl Elementwise<1> for Exp2 {
    const NAME: &'static str = "exp2";
    const LEAF: &'static Leaf = &math::EXP2;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|_, y| y * LN_2]);
    const DOMAIN: [Interval; 1] = [Interval::new(-4.0, 3.0)];
}

impl Elementwise<1> for Expm1 {
    const NAME: &'static str = "expm1";
    const LEAF: &'static Leaf = &math::EXPM1;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|_, y| y + 1.0]);
    const DOMAIN: [Interval; 1] = [Interval::new(-4.0, 3.0)];
}

impl Elementwise<1> for Log2 {
    const NAME: &'static str = "log2";
    const LEAF: &'static Leaf = &math::LOG2;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|[x], _| (x * LN_2).reciprocal()]);
    const DOMAIN: [Interval; 1] = [POSITIVE];
}

impl Elementwise<1> for Log10 {
    const NAME: &'static str = "log10";
    const LEAF: &'static Leaf = &math::LOG10;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|[x], _| (x * LN_10).reciprocal()]);
    const DOMAIN: [Interval; 1] = [POSITIVE];
}

impl Elementwise<1> for Log1p {
    const NAME: &'static str = "log1p";
    const LEAF: &'static Leaf = &math::LOG1P;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|[x], _| (x + 1.0).reciprocal()]);
    const DOMAIN: [Interval; 1] = [Interval::new(-0.8, 4.0)];
}

impl Elementwise<1> for Sigmoid {
    const NAME: &'static str = "sigmoid";
    const LEAF: &'static Leaf = &math::SIGMOID;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|_, y| y * (1.0 - y)]);
    const DOMAIN: [Interval; 1] = [Interval::new(-5.0, 5.0)];
}

impl Elementwise<1> for Softplus {
    const NAME: &'static str = "softplus";
    const LEAF: &'static Leaf = &math::SOFTPLUS;
    const PARTIALS: PartialRule<1> = PartialRule::Each([|[x], _| x.sigmoid()]);
    const DOMAIN: [Interval; 1] = [Interval::new(-5.0, 5.0)];
}

impl Tensor {
    /// e to the power of each element. Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::scalar(0.0).exp().item::<f32>(), 1.0);
    /// ```
    #[track_caller]
    pub fn exp(&self) -> Tensor {
        self.apply::<Exp>()
    }

    /// Natural logarithm of each element: -infinity at 0, NaN below. Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::scalar(1.0).log().item::<f32>(), 0.0);
    /// ```
    #[track_caller]
    pub fn log(&self) -> Tensor {
        self.apply::<Log>()
    }

    /// Square root of each element; NaN for negative ones. Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::scalar(9.0).sqrt().item::<f32>(), 3.0);
    /// ```
    #[track_caller]
    pub fn sqrt(&self) -> Tensor {
        self.apply::<Sqrt>()
    }

    /// One over the square root of each element. Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::scalar(4.0).rsqrt().item::<f32>(), 0.5);
    /// ```
    #[track_caller]
    pub fn rsqrt(&self) -> Tensor {
        self.apply::<Rsqrt>()
    }

    /// 2 to the power of each element.
    /// Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::{Tensor, tensor};
    /// assert_eq!(tensor![0.0, 3.0].exp2().to_vec::<f32>(), [1.0, 8.0]);
    /// ```
    #[track_caller]
    pub fn exp2(&self) -> Tensor {
        self.apply::<Exp2>()
    }

    /// `exp(x) - 1`, accurate also for small x.
    /// Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::{Tensor, tensor};
    /// assert_eq!(Tensor::from(1e-20).expm1().item::<f64>(), 1e-20);
    /// ```
    #[track_caller]
    pub fn expm1(&self) -> Tensor {
        self.apply::<Expm1>()
    }

    /// Logarithm to base 2 of each element: -infinity at 0, NaN below.
    /// Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::{Tensor, tensor};
    /// assert_eq!(tensor![1.0, 8.0].log2().to_vec::<f32>(), [0.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn log2(&self) -> Tensor {
        self.apply::<Log2>()
    }

    /// Logarithm to base 10 of each element: -infinity at 0, NaN below.
    /// Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::{Tensor, tensor};
    /// assert_eq!(tensor![1.0, 100.0].log10().to_vec::<f32>(), [0.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn log10(&self) -> Tensor {
        self.apply::<Log10>()
    }

    /// `log(1 + x)`, accurate also for small x: -infinity at -1, NaN below.
    /// Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::{Tensor, tensor};
    /// assert_eq!(Tensor::from(1e-20).log1p().item::<f64>(), 1e-20);
    /// ```
    #[track_caller]
    pub fn log1p(&self) -> Tensor {
        self.apply::<Log1p>()
    }

    /// The logistic function `1 / (1 + exp(-x))`, which maps the real line to (0, 1).
    /// Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::{Tensor, tensor};
    /// assert_eq!(tensor![0.0, 1000.0].sigmoid().to_vec::<f32>(), [0.5, 1.0]);
    /// ```
    #[track_caller]
    pub fn sigmoid(&self) -> Tensor {
        self.apply::<Sigmoid>()
    }

    /// `log(1 + exp(x))`, a smooth [`relu`](Tensor::relu); large elements do not overflow.
    /// Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::{Tensor, tensor};
    /// assert_eq!(tensor![1000.0, -1000.0].softplus().to_vec::<f32>(), [1000.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn softplus(&self) -> Tensor {
        self.apply::<Softplus>()
    }

    /// Each element to the power of another number or tensor. The shapes broadcast, the dtypes promote; integers to an
    /// integer power stay integers and wrap.
    ///
    /// The derivatives are `b aᵇ⁻¹` by the base (0 where b = 0) and `aᵇ log(a)` by the exponent (0 where a = 0 and b is
    /// not negative). A negative base has no real power unless the exponent is an integer: NaN.
    ///
    /// ```
    /// use chainrule_core::{Tensor, tensor};
    /// assert_eq!(tensor![1.0, 2.0, 3.0].pow(2.0).to_vec::<f32>(), [1.0, 4.0, 9.0]);
    /// assert_eq!(tensor![2, 3].pow(tensor![10, 2]).to_vec::<i64>(), [1024, 9]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast, or integers are raised to a negative integer number.
    #[track_caller]
    pub fn pow(&self, exponent: impl Like) -> Tensor {
        let exponent = exponent.like(self);
        let number = exponent.known_fill();
        if let Some(number) = number
            && number < 0.0
            && !self.dtype().is_floating()
            && !exponent.dtype().is_floating()
        {
            crate::error::raise(
                Mismatch::argument("integers have no integer power with a negative exponent")
                    .help("convert first: `.cast(DType::F32)`")
                    .into_error("pow", &[self.as_operand()]),
            );
        }
        let alike = exponent.dtype() == self.dtype() && exponent.shape() == self.shape();
        match number {
            Some(2.0) if alike => self.square(),
            _ => self.apply_with::<Pow>(exponent),
        }
    }

    /// The logarithm of the odds, `log(x / (1 - x))`, the inverse of [`sigmoid`](Tensor::sigmoid): infinite at 0 and 1,
    /// NaN outside. Same shape; integers become the default dtype.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![0.5, 1.0].logit().to_vec::<f32>(), [0.0, f32::INFINITY]);
    /// ```
    #[track_caller]
    pub fn logit(&self) -> Tensor {
        self.log() - (-self.floating()).log1p()
    }

    /// `x log(y)`, and 0 where x is 0 whatever y is (unless NaN). The shapes broadcast, the dtypes promote.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![0.0, 2.0].xlogy(tensor![0.0, 1.0]).to_vec::<f32>(), [0.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn xlogy(&self, other: impl Like) -> Tensor {
        let other = other.like(self);
        let nothing = self.eq(0.0) & !other.is_nan();
        nothing.where_(0.0, self * nothing.where_(1.0, other).log())
    }

    /// `x log(1 + y)`, and 0 where x is 0 whatever y is (unless NaN). The shapes broadcast, the dtypes promote.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![0.0, 2.0].xlog1py(tensor![-1.0, 0.0]).to_vec::<f32>(), [0.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn xlog1py(&self, other: impl Like) -> Tensor {
        let other = other.like(self);
        let nothing = self.eq(0.0) & !other.is_nan();
        nothing.where_(0.0, self * nothing.where_(0.0, other).log1p())
    }

    /// `log(exp(x) + exp(y))` without overflow: the sum of two numbers given by their logarithms. The shapes broadcast,
    /// the dtypes promote.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// let sum = Tensor::from(1000.0).logaddexp(1000.0);
    /// assert!((sum.item::<f64>() - (1000.0 + 2f64.ln())).abs() < 1e-12);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn logaddexp(&self, other: impl Like) -> Tensor {
        let (greater, distance) = self.floating().ordered(other);
        greater + distance.softplus()
    }

    /// `log2(2^x + 2^y)` without overflow. The shapes broadcast, the dtypes promote.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::from(1000.0).logaddexp2(1000.0).item::<f64>(), 1001.0);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn logaddexp2(&self, other: impl Like) -> Tensor {
        let (greater, distance) = self.floating().ordered(other);
        greater + (distance * LN_2).softplus() / LN_2
    }

    /// The greater of two numbers, and how far (not above zero) the other is from it; equal infinities are 0 apart.
    #[track_caller]
    fn ordered(&self, other: impl Like) -> (Tensor, Tensor) {
        let other = other.like(self);
        let less = self.lt(&other);
        let (greater, lesser) = (less.where_(&other, self), less.where_(self, &other));
        let together = greater.eq(&lesser) & greater.is_inf();
        let distance = together.where_(0.0, lesser - &greater);
        (greater, distance)
    }
}
