//! Several elements put at one position, reduced to one.

use crate::tensor::Tensor;
use chainrule_kernels::DType;

/// What becomes of elements that are put at one position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScatterReduction {
    /// Their sum.
    Sum,
    /// Their mean.
    Mean,
    /// The greatest, which gets all of the gradient (the last of equals); NaN wins.
    Max,
    /// The least, which gets all of the gradient; NaN wins.
    Min,
}

impl Tensor {
    /// This tensor, where at each position of `index` along `axis` the elements of `source` put there stand, reduced to one;
    /// with `include_self` the element that was there counts too. Positions that nothing is put at stay as they are.
    ///
    /// ```
    /// use chainrule_core::{ScatterReduction, tensor};
    /// let (x, index, source) = (tensor![9.0, 9.0], tensor![1, 1], tensor![2.0, 4.0]);
    /// let y = x.scatter_reduce(0, &index, &source, ScatterReduction::Mean, false);
    /// assert_eq!(y.to_vec::<f32>(), [9.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// When the axis does not exist or the shapes do not fit.
    #[track_caller]
    pub fn scatter_reduce(
        &self,
        axis: isize,
        index: &Tensor,
        source: &Tensor,
        reduction: ScatterReduction,
        include_self: bool,
    ) -> Tensor {
        let none = self.zeros_like().cast(DType::I64);
        let count = none.scatter_add(axis, index, &source.ones_like().cast(DType::I64));
        let touched = count.gt(0);
        let base = if include_self {
            self.clone()
        } else {
            touched.where_(self.zeros_like(), self)
        };
        match reduction {
            ScatterReduction::Sum => base.scatter_add(axis, index, source),
            ScatterReduction::Mean => {
                let count = if include_self {
                    count + 1
                } else {
                    count.maximum(1)
                };
                base.scatter_add(axis, index, source) / count.cast(self.dtype())
            }
            ScatterReduction::Max | ScatterReduction::Min => {
                let greatest = reduction == ScatterReduction::Max;
                let chosen = self.last_of(axis, index, source, greatest);
                match (include_self, greatest) {
                    (false, _) => chosen,
                    (true, true) => touched.where_(self.maximum(&chosen), self),
                    (true, false) => touched.where_(self.minimum(&chosen), self),
                }
            }
        }
    }

    /// The greatest (or least) at each position: of elements put in order the last stays.
    #[track_caller]
    fn last_of(&self, axis: isize, index: &Tensor, source: &Tensor, greatest: bool) -> Tensor {
        // NaN counts as greatest in either order, so for the least it is looked for as the greatest of -x.
        let key = if greatest { source.clone() } else { -source };
        let order = key.argsort(axis, false);
        self.scatter(
            axis,
            &index.gather(axis, &order),
            &source.gather(axis, &order),
        )
    }
}
