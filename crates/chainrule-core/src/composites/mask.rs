//! Choosing by truth values.

use crate::shape::Shape;
use crate::tensor::{Like, Tensor, common_shape};
use chainrule_kernels::DType;

impl Tensor {
    /// This tensor with `value` where `mask` holds; the shapes broadcast.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![1.0, 2.0].masked_fill(&tensor![true, false], 0.0).to_vec::<f32>(), [0.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// When the mask is not truth values or the shapes do not broadcast.
    #[track_caller]
    pub fn masked_fill(&self, mask: &Tensor, value: impl Like) -> Tensor {
        let value = value.like(self).cast(self.dtype());
        mask.where_(value, self)
    }

    /// The indices of the elements that are not zero, one row an element, in row-major order, as `i64`. The result's shape
    /// depends on the values, so they are computed now.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![[0, 5], [6, 0]].nonzero().to_vec::<i64>(), [0, 1, 1, 0]);
    /// ```
    #[track_caller]
    pub fn nonzero(&self) -> Tensor {
        let found = self.truth_positions();
        let index: Vec<i64> = found
            .iter()
            .flat_map(|&flat| self.shape().unravel(flat))
            .map(|along| along as i64)
            .collect();
        Tensor::from_vec(index, [found.len(), self.rank()]).to_device(self.device())
    }

    /// The elements where `mask` holds, in row-major order, as a vector. The mask is read now; the derivative passes to
    /// the chosen elements.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let x = tensor![1.0, 2.0, 3.0];
    /// assert_eq!(x.masked_select(&x.gt(1.5)).to_vec::<f32>(), [2.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    #[track_caller]
    pub fn masked_select(&self, mask: &Tensor) -> Tensor {
        let shape = common_shape("masked_select", &[self.clone(), mask.clone()]);
        let positions: Vec<i64> = mask
            .expand(&shape)
            .truth_positions()
            .iter()
            .map(|&flat| flat as i64)
            .collect();
        let flat = self.expand(&shape).shaped(&Shape::from([shape.elements()]));
        flat.index_select(0, &Tensor::from(positions).to_device(self.device()))
    }

    /// The flat positions of the elements that are not zero.
    #[track_caller]
    pub(crate) fn truth_positions(&self) -> Vec<usize> {
        let truth = self.cast(DType::Bool).to_vec::<bool>();
        truth
            .iter()
            .enumerate()
            .filter(|(_, holds)| **holds)
            .map(|(flat, _)| flat)
            .collect()
    }
}
