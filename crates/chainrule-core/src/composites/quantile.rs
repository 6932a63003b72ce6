//! Medians and quantiles: elements by their rank, and numbers between them.

use crate::backend::Scalar;
use crate::error::{Mismatch, raise};
use crate::shape::{ReductionAxes, Shape};
use crate::tensor::{Like, Tensor};
use chainrule_kernels::DType;

/// What a quantile is when its rank falls between two elements.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum QuantileMethod {
    /// On the straight line from the lower to the higher.
    #[default]
    Linear,
    /// The lower.
    Lower,
    /// The higher.
    Higher,
    /// Their mean.
    Midpoint,
    /// The nearer; halfway the one of even rank.
    Nearest,
}

impl Tensor {
    /// The median along an axis, which disappears unless it is [kept](crate::keep), and its position (over several axes
    /// flat in them); of an even number of elements the lower one. NaN, if there is one.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![4.0, 1.0, 2.0, 3.0].median(0).0.item::<f32>(), 2.0);
    /// ```
    ///
    /// # Panics
    /// When an axis does not exist or has extent 0.
    #[track_caller]
    pub fn median(&self, axes: impl Into<ReductionAxes>) -> (Tensor, Tensor) {
        self.middle("median", axes.into(), false)
    }

    /// The [`median`](Tensor::median) of the elements that are not NaN; NaN where all are.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![4.0, f32::NAN, 1.0, 2.0].nanmedian(0).0.item::<f32>(), 2.0);
    /// ```
    ///
    /// # Panics
    /// When an axis does not exist or has extent 0.
    #[track_caller]
    pub fn nanmedian(&self, axes: impl Into<ReductionAxes>) -> (Tensor, Tensor) {
        self.middle("nanmedian", axes.into(), true)
    }

    #[track_caller]
    fn middle(&self, name: &str, axes: ReductionAxes, ignore_nan: bool) -> (Tensor, Tensor) {
        let over = self.over(name, axes);
        let (x, axis) = self.along_one(&over.axes);
        let extent = x.shape()[axis];
        x.require_elements(name, axis);
        let axis = axis as isize;
        let order = x.argsort(axis, false); // NaN last
        let position = if x.dtype().is_floating() {
            let numbers = x.stop_gradient().is_nan().logical_not();
            let numbers = numbers.cast(DType::I64).sum(crate::keep(axis));
            let rank = if ignore_nan {
                (&numbers - 1).maximum(0).floor_divide(2)
            } else {
                let middle = numbers.ones_like() * (extent as i32 - 1).div_euclid(2);
                numbers.lt(extent as i32).where_(&numbers, middle)
            };
            order.gather(axis, &rank)
        } else {
            order.narrow(axis, (extent - 1) / 2, 1)
        };
        let value = x.gather(axis, &position);
        let (value, position) = (value.squeeze(axis), position.squeeze(axis));
        (over.result(value), over.result(position))
    }

    /// A 0-dimensional partner for plain numbers.
    fn number(&self) -> Tensor {
        Tensor::filled(Scalar::Float(0.0), self.spec().with_shape(()))
    }

    #[track_caller]
    fn require_elements(&self, name: &str, axis: usize) {
        if self.shape()[axis] == 0 {
            let reason = format!("axis {axis} has extent 0: there is no element to choose");
            raise(Mismatch::shape(reason).into_error(name, &[self.as_operand()]));
        }
    }

    /// The element of rank `q` (n - 1) over the axes, which disappear unless they are [kept](crate::keep), in ascending
    /// order; `method` says what it is between two elements. NaN if there is one. A vector of `q` gives a leading axis.
    /// Differentiable also in `q`, where the method is linear.
    ///
    /// ```
    /// use chainrule_core::{tensor, QuantileMethod};
    /// let x = tensor![1.0, 2.0, 4.0];
    /// assert_eq!(x.quantile(0.75, 0, QuantileMethod::Linear).item::<f32>(), 3.0);
    /// assert_eq!(x.quantile(&tensor![0.0, 1.0], 0, QuantileMethod::Lower).to_vec::<f32>(), [1.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// When an axis does not exist or has extent 0, `q` is neither a number nor a vector or not in [0, 1], or the
    /// elements are integers or truth values.
    #[track_caller]
    pub fn quantile(
        &self,
        q: impl Like,
        axes: impl Into<ReductionAxes>,
        method: QuantileMethod,
    ) -> Tensor {
        self.ranked(
            "quantile",
            &q.like(&self.number()),
            axes.into(),
            method,
            false,
        )
    }

    /// The [`quantile`](Tensor::quantile) of the elements that are not NaN; NaN where all are.
    ///
    /// ```
    /// use chainrule_core::{tensor, QuantileMethod};
    /// let x = tensor![1.0, f32::NAN, 3.0];
    /// assert_eq!(x.nanquantile(0.5, 0, QuantileMethod::Linear).item::<f32>(), 2.0);
    /// ```
    ///
    /// # Panics
    /// As [`quantile`](Tensor::quantile).
    #[track_caller]
    pub fn nanquantile(
        &self,
        q: impl Like,
        axes: impl Into<ReductionAxes>,
        method: QuantileMethod,
    ) -> Tensor {
        self.ranked(
            "nanquantile",
            &q.like(&self.number()),
            axes.into(),
            method,
            true,
        )
    }

    #[track_caller]
    fn ranked(
        &self,
        name: &str,
        q: &Tensor,
        axes: ReductionAxes,
        method: QuantileMethod,
        ignore_nan: bool,
    ) -> Tensor {
        self.require_floating(name);
        self.check_fraction(name, q);
        let over = self.over(name, axes);
        let x = self.merged_last(&over.axes);
        let last = x.rank() - 1;
        x.require_elements(name, last);
        let (ordered, _) = x.sort(-1, false); // NaN last
        let numbers = x.stop_gradient().is_nan().logical_not();
        let numbers = numbers.cast(self.dtype()).sum(crate::keep(-1));
        let greatest = (x.shape()[last] - 1) as f64;
        // One rank for each row and each q.
        let q = q.cast(self.dtype());
        let row = q.shaped(&Shape::from([q.elements()]));
        let ranks = if ignore_nan {
            row * (&numbers - 1.0).maximum(0.0)
        } else {
            let whole = numbers.gt(greatest);
            whole.where_(&row * greatest, greatest)
        };
        let element = |rank: &Tensor| ordered.gather(-1, &rank.stop_gradient().cast(DType::I64));
        let found = match method {
            QuantileMethod::Lower => element(&ranks.floor()),
            QuantileMethod::Higher => element(&ranks.ceil()),
            QuantileMethod::Nearest => element(&ranks.round()),
            QuantileMethod::Linear => {
                let below = ranks.stop_gradient().floor();
                let weight = &ranks - &below;
                element(&below).lerp(element(&ranks.ceil()), &weight)
            }
            QuantileMethod::Midpoint => element(&ranks.floor()).lerp(element(&ranks.ceil()), 0.5),
        };
        if q.rank() == 0 {
            return over.result(found.squeeze(-1));
        }
        let rows = found.move_axis(-1, 0);
        let each = rows
            .unbind(0)
            .iter()
            .map(|row| over.result(row.clone()))
            .collect::<Vec<_>>();
        Tensor::stack(&each, 0)
    }

    #[track_caller]
    fn check_fraction(&self, name: &str, q: &Tensor) {
        let complain = |reason: &str| -> ! {
            let mismatch = Mismatch::argument(reason).naming(&["input", "q"]);
            raise(mismatch.into_error(name, &[self.as_operand(), q.as_operand()]))
        };
        if q.rank() > 1 || q.elements() == 0 {
            complain("q must be a number or a vector of numbers");
        }
        let known = !q.node().is_abstract();
        if known
            && !q
                .cast(DType::F64)
                .to_vec::<f64>()
                .iter()
                .all(|q| (0.0..=1.0).contains(q))
        {
            complain("q must lie in [0, 1]");
        }
    }
}
