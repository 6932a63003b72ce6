//! Reductions made of sums, extrema and elementwise functions.

use crate::error::{Mismatch, raise};
use crate::shape::ReductionAxes;
use crate::tensor::Tensor;
use chainrule_kernels::DType;

impl Tensor {
    fn count_over(&self, axes: &[usize]) -> usize {
        axes.iter().map(|&axis| self.shape()[axis]).product()
    }

    #[track_caller]
    pub(crate) fn require_floating(&self, name: &str) {
        if !self.dtype().is_floating() {
            let reason = format!("not defined for {}", self.dtype());
            let mismatch = Mismatch::dtype(reason).help("convert first: `.cast(DType::F32)`");
            raise(mismatch.into_error(name, &[self.as_operand()]));
        }
    }

    /// The arithmetic mean over the axes, which disappear unless they are [kept](crate::keep): `..` for all. Of nothing it is NaN.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![[1.0, 3.0], [5.0, 7.0]].mean(1).to_vec::<f32>(), [2.0, 6.0]);
    /// ```
    ///
    /// # Panics
    /// When an axis does not exist, or the elements are integers or truth values.
    #[track_caller]
    pub fn mean(&self, axes: impl Into<ReductionAxes>) -> Tensor {
        self.require_floating("mean");
        let over = self.over("mean", axes.into());
        let count = self.count_over(&over.axes);
        over.result(self.sum(over.axes.clone()) / count as f64)
    }

    /// The sum over the axes, where NaN counts as 0; see [`sum`](Tensor::sum).
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![1.0, f32::NAN, 2.0].nansum(..).item::<f32>(), 3.0);
    /// ```
    ///
    /// # Panics
    /// When an axis does not exist or is given twice.
    #[track_caller]
    pub fn nansum(&self, axes: impl Into<ReductionAxes>) -> Tensor {
        match self.dtype().is_floating() {
            true => self.stop_gradient().is_nan().where_(0.0, self).sum(axes),
            false => self.sum(axes),
        }
    }

    /// The mean over the axes of the elements that are not NaN; NaN where all are.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![1.0, f32::NAN, 3.0].nanmean(..).item::<f32>(), 2.0);
    /// ```
    ///
    /// # Panics
    /// When an axis does not exist, or the elements are integers or truth values.
    #[track_caller]
    pub fn nanmean(&self, axes: impl Into<ReductionAxes>) -> Tensor {
        self.require_floating("nanmean");
        let axes = axes.into();
        let numbers = self.stop_gradient().is_nan().logical_not();
        self.nansum(axes.clone()) / numbers.cast(self.dtype()).sum(axes)
    }

    /// The variance over the axes: the sum of squared deviations from the mean over `count - correction`. A correction of
    /// 1 makes it unbiased, 0 gives the mean square.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![1.0, 3.0].var(.., 1.0).item::<f32>(), 2.0);
    /// assert_eq!(tensor![1.0, 3.0].var(.., 0.0).item::<f32>(), 1.0);
    /// ```
    ///
    /// # Panics
    /// When an axis does not exist, or the elements are integers or truth values.
    #[track_caller]
    pub fn var(&self, axes: impl Into<ReductionAxes>, correction: f64) -> Tensor {
        self.require_floating("var");
        let over = self.over("var", axes.into());
        let count = self.count_over(&over.axes) as f64;
        let mean = self.sum(over.axes.clone()) / count;
        let deviations = self - mean.restored(self.shape(), &over.axes);
        let squares = deviations.square().sum(over.axes.clone());
        over.result(squares / (count - correction).max(0.0))
    }

    /// The standard deviation over the axes: the root of [`var`](Tensor::var).
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![1.0, 3.0].std(.., 0.0).item::<f32>(), 1.0);
    /// ```
    ///
    /// # Panics
    /// When an axis does not exist, or the elements are integers or truth values.
    #[track_caller]
    pub fn std(&self, axes: impl Into<ReductionAxes>, correction: f64) -> Tensor {
        self.require_floating("std");
        // A root has no derivative at zero: where all elements are equal the derivative is 0, as in PyTorch.
        let variance = self.var(axes, correction);
        let some = variance.stop_gradient().ne(0.0);
        some.where_(
            some.where_(&variance, variance.ones_like()).sqrt(),
            variance.zeros_like(),
        )
    }

    /// The product over the axes, which disappear unless they are [kept](crate::keep). Integers multiply in `i64`; the product of nothing is 1. The derivative
    /// is right also where elements are zero.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![[1.0, 2.0], [3.0, 4.0]].prod(0).to_vec::<f32>(), [3.0, 8.0]);
    /// ```
    ///
    /// # Panics
    /// When an axis does not exist or is given twice.
    #[track_caller]
    pub fn prod(&self, axes: impl Into<ReductionAxes>) -> Tensor {
        let over = self.over("prod", axes.into());
        let x = if self.dtype().is_floating() {
            self.clone()
        } else {
            self.cast(DType::I64)
        };
        if over.axes.is_empty() {
            return x;
        }
        // The axes as one last axis, whose halves are multiplied until one element is left.
        let mut factors = x.merged_last(&over.axes);
        let result = factors.shape().without_axis(factors.rank() - 1);
        if x.count_over(&over.axes) == 0 {
            let one = crate::backend::Scalar::Integer(1);
            return over.result(Tensor::filled(one, x.spec().with_shape(&result)));
        }
        while factors.shape()[result.rank()] > 1 {
            let extent = factors.shape()[result.rank()];
            let half = extent / 2;
            let product = factors.narrow(-1, 0, half) * factors.narrow(-1, half, half);
            factors = if extent % 2 == 0 {
                product
            } else {
                Tensor::concat(&[&product, &factors.narrow(-1, extent - 1, 1)], -1)
            };
        }
        over.result(factors.shaped(&result))
    }

    /// log Σ exp(x) over the axes, without overflow. Of nothing, or of nothing but -infinity, it is -infinity.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let y = tensor![1000.0, 1000.0].logsumexp(..).item::<f32>();
    /// assert_eq!(y, 1000.0 + 2.0f32.ln());
    /// ```
    ///
    /// # Panics
    /// When an axis does not exist.
    #[track_caller]
    pub fn logsumexp(&self, axes: impl Into<ReductionAxes>) -> Tensor {
        let x = self.floating();
        let over = x.over("logsumexp", axes.into());
        let axes = &over.axes;
        if axes.is_empty() {
            return x;
        }
        if x.count_over(axes) == 0 {
            return over.result(x.exp().sum(axes.clone()).log());
        }
        // The greatest element is taken out of the sum; an infinite one would make the rest NaN.
        let greatest = x.stop_gradient().max(axes.clone());
        let shift = greatest
            .is_finite()
            .where_(&greatest, greatest.zeros_like());
        let sum = (&x - shift.restored(x.shape(), axes))
            .exp()
            .sum(axes.clone());
        over.result(sum.log() + shift)
    }

    /// The `order`-norm over the axes: (Σ |x|^order)^(1/order). Infinity gives the greatest and -infinity the least
    /// absolute element, 0 the number of elements that are not zero. The derivative at zero is 0.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![3.0, 4.0].norm(2.0, ..).item::<f32>(), 5.0);
    /// assert_eq!(tensor![3.0, -4.0].norm(f64::INFINITY, ..).item::<f32>(), 4.0);
    /// ```
    ///
    /// # Panics
    /// When an axis does not exist, or the elements are integers or truth values.
    #[track_caller]
    pub fn norm(&self, order: f64, axes: impl Into<ReductionAxes>) -> Tensor {
        self.require_floating("norm");
        let over = self.over("norm", axes.into());
        over.result(self.norm_over(order, over.axes.clone()))
    }

    #[track_caller]
    fn norm_over(&self, order: f64, axes: Vec<usize>) -> Tensor {
        if order == f64::INFINITY {
            return self.abs().max(axes);
        }
        if order == f64::NEG_INFINITY {
            return self.abs().min(axes);
        }
        if order == 0.0 {
            return self.ne(0.0).cast(self.dtype()).sum(axes);
        }
        if order == 1.0 {
            return self.abs().sum(axes);
        }
        let powers = if order == 2.0 {
            self.square()
        } else {
            power_of_size(self, order)
        };
        let sum = powers.sum(axes);
        // A root has no derivative at zero; where the sum is zero the root is taken of 1 and not used.
        let some = sum.stop_gradient().ne(0.0);
        let root = some.where_(&sum, sum.ones_like());
        let root = if order == 2.0 {
            root.sqrt()
        } else {
            root.pow(1.0 / order)
        };
        some.where_(
            root,
            if order > 0.0 {
                sum.zeros_like()
            } else {
                sum.filled_like(f64::INFINITY)
            },
        )
    }

    /// Whether any element over the axes is true (not zero).
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert!(tensor![0, 2].any(..).item::<bool>());
    /// ```
    ///
    /// # Panics
    /// When an axis does not exist.
    #[track_caller]
    pub fn any(&self, axes: impl Into<ReductionAxes>) -> Tensor {
        self.count_nonzero(axes).gt(0)
    }

    /// Whether all elements over the axes are true (not zero).
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert!(!tensor![0, 2].all(..).item::<bool>());
    /// ```
    ///
    /// # Panics
    /// When an axis does not exist.
    #[track_caller]
    pub fn all(&self, axes: impl Into<ReductionAxes>) -> Tensor {
        self.cast(DType::Bool)
            .logical_not()
            .count_nonzero(axes)
            .eq(0)
    }

    /// The number of elements over the axes that are not zero, as `i64`.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![0, 2, 3].count_nonzero(..).item::<i64>(), 2);
    /// ```
    ///
    /// # Panics
    /// When an axis does not exist.
    #[track_caller]
    pub fn count_nonzero(&self, axes: impl Into<ReductionAxes>) -> Tensor {
        self.cast(DType::Bool).cast(DType::I64).sum(axes)
    }

    /// The greatest elements along an axis and their positions (over several axes flat, as
    /// [`argmax`](Tensor::argmax)). All of the gradient goes to the chosen elements, the first
    /// of equals (as PyTorch's `max` along an axis).
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let (values, positions) = tensor![[1.0, 5.0], [3.0, 2.0]].max_with_indices(1);
    /// assert_eq!((values.to_vec::<f32>(), positions.to_vec::<i64>()), (vec![5.0, 3.0], vec![1, 0]));
    /// ```
    ///
    /// # Panics
    /// When an axis does not exist or has extent 0.
    #[track_caller]
    pub fn max_with_indices(&self, axes: impl Into<ReductionAxes>) -> (Tensor, Tensor) {
        let over = self.over("max_with_indices", axes.into());
        let (x, axis) = self.along_one(&over.axes);
        let (values, positions) = x.chosen(axis, x.argmax(axis as isize));
        (over.result(values), over.result(positions))
    }

    /// The least elements along an axis and their positions; see [`max_with_indices`](Tensor::max_with_indices).
    ///
    /// # Panics
    /// When an axis does not exist or has extent 0.
    #[track_caller]
    pub fn min_with_indices(&self, axes: impl Into<ReductionAxes>) -> (Tensor, Tensor) {
        let over = self.over("min_with_indices", axes.into());
        let (x, axis) = self.along_one(&over.axes);
        let (values, positions) = x.chosen(axis, x.argmin(axis as isize));
        (over.result(values), over.result(positions))
    }

    #[track_caller]
    fn chosen(&self, axis: usize, positions: Tensor) -> (Tensor, Tensor) {
        let axis = axis as isize;
        let index = positions.unsqueeze(axis);
        (self.gather(axis, &index).squeeze(axis), positions)
    }
}

/// |x|^order with derivative 0 at zero for orders above 1.
pub(super) fn power_of_size(x: &Tensor, order: f64) -> Tensor {
    let size = x.abs();
    let some = size.stop_gradient().ne(0.0);
    let power = some.where_(&size, size.ones_like()).pow(order);
    some.where_(
        power,
        if order > 0.0 {
            size.zeros_like()
        } else {
            size.filled_like(f64::INFINITY)
        },
    )
}
