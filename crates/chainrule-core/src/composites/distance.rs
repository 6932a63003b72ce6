//! Distances and angles between vectors.

use crate::error::{Mismatch, raise};
use crate::tensor::Tensor;

impl Tensor {
    /// The cosine of the angle between vectors along `axis`: x · y / (max(|x|, `epsilon`) max(|y|, `epsilon`)).
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let cosine = tensor![1.0, 0.0].cosine_similarity(&tensor![3.0, 4.0], 0, 1e-8);
    /// assert_eq!(cosine.item::<f32>(), 0.6);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast or the axis does not exist.
    #[track_caller]
    pub fn cosine_similarity(&self, other: &Tensor, axis: isize, epsilon: f64) -> Tensor {
        let product = self * other;
        // An element that is broadcast along the axis counts once for each place there.
        let size = |x: &Tensor| {
            let vectors = x.expand(product.shape().clone());
            vectors.norm(2.0, axis).maximum(epsilon)
        };
        product.sum(axis) / (size(self) * size(other))
    }

    /// The `order`-norm of the differences along the last axis, which disappears. `epsilon` is added to each difference, so
    /// that equal vectors have a derivative, as PyTorch does (there 1e-6).
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let distance = tensor![0.0, 0.0].pairwise_distance(&tensor![3.0, 4.0], 2.0, 0.0);
    /// assert_eq!(distance.item::<f32>(), 5.0);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not broadcast or there is no axis.
    #[track_caller]
    pub fn pairwise_distance(&self, other: &Tensor, order: f64, epsilon: f64) -> Tensor {
        (self - other + epsilon).norm(order, -1)
    }

    /// The distances (`order`-norms) of all rows of `self` `[.., m, width]` to all rows of `other` `[.., n, width]`, as
    /// `[.., m, n]`. The derivative at distance 0 is 0.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let d = tensor![[0.0, 0.0], [1.0, 0.0]].cdist(&tensor![[0.0, 1.0]], 1.0);
    /// assert_eq!(d.to_vec::<f32>(), [1.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// When there are fewer than two axes, the widths differ or the leading axes do not broadcast.
    #[track_caller]
    pub fn cdist(&self, other: &Tensor, order: f64) -> Tensor {
        let fits = self.rank() >= 2
            && other.rank() >= 2
            && self.shape()[self.rank() - 1] == other.shape()[other.rank() - 1];
        if !fits {
            let mismatch = Mismatch::shape("both must be [.., rows, width] with one width");
            raise(mismatch.into_error("cdist", &[self.as_operand(), other.as_operand()]));
        }
        (self.unsqueeze(-2) - other.unsqueeze(-3)).norm(order, -1)
    }

    /// The distances (`order`-norms) of all pairs of rows i < j of a matrix, in the order (0, 1), (0, 2), .., (1, 2), ...
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let d = tensor![[0.0], [1.0], [3.0]].pdist(2.0);
    /// assert_eq!(d.to_vec::<f32>(), [1.0, 3.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// When the tensor is not a matrix.
    #[track_caller]
    pub fn pdist(&self, order: f64) -> Tensor {
        if self.rank() != 2 {
            let mismatch = Mismatch::shape("the input must be a matrix of rows");
            raise(mismatch.into_error("pdist", &[self.as_operand()]));
        }
        let rows = self.shape()[0] as i64;
        let pairs = (0..rows).flat_map(|i| (i + 1..rows).map(move |j| (i, j)));
        let (first, second): (Vec<i64>, Vec<i64>) = pairs.unzip();
        let row =
            |which: Vec<i64>| self.index_select(0, &Tensor::from(which).to_device(self.device()));
        (row(first) - row(second)).norm(order, -1)
    }

    /// The vectors along `axis` divided by their `order`-norm, or by `epsilon` where that is greater.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![3.0, 4.0].normalize(2.0, 0, 1e-12).to_vec::<f32>(), [0.6, 0.8]);
    /// ```
    ///
    /// # Panics
    /// When the axis does not exist, or the elements are integers or truth values.
    #[track_caller]
    pub fn normalize(&self, order: f64, axis: isize, epsilon: f64) -> Tensor {
        self / self.norm(order, crate::keep(axis)).maximum(epsilon)
    }
}
