//! To and from arrays of the crate `ndarray`, behind the feature of that name.

use super::{Number, Tensor};
use chainrule_kernels::Element;
use ndarray::{Array, ArrayD, Dimension, IxDyn};

impl<T: Element, D: Dimension> From<&Array<T, D>> for Tensor {
    /// A tensor with the array's shape and elements, which are copied; the dtype is that of the elements.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// let array = ndarray::array![[1.0f64, 2.0], [3.0, 4.0]];
    /// assert_eq!(Tensor::from(&array).t().to_vec::<f64>(), [1.0, 3.0, 2.0, 4.0]);
    /// ```
    #[track_caller]
    fn from(array: &Array<T, D>) -> Tensor {
        Tensor::from_vec(array.iter().copied().collect(), array.shape())
    }
}

impl Tensor {
    /// The elements as an array of the crate `ndarray`, computed now and copied.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let array = tensor![[1.0, 2.0], [3.0, 4.0]].t().to_ndarray::<f32>();
    /// assert_eq!(array, ndarray::array![[1.0, 3.0], [2.0, 4.0]].into_dyn());
    /// ```
    ///
    /// # Panics
    /// When the elements are not of this type.
    #[track_caller]
    pub fn to_ndarray<T: Number>(&self) -> ArrayD<T> {
        ArrayD::from_shape_vec(IxDyn(self.shape()), self.to_vec())
            .expect("a tensor has as many elements as its shape says")
    }
}
