//! Maps with weights given as tensors, as layers use them.

use crate::error::{Mismatch, raise};
use crate::shape::Shape;
use crate::tensor::Tensor;

impl Tensor {
    /// x wᵀ + b over the last axis: `self` `[.., in]`, weight `[out, in]`, bias `[out]`; the result is `[.., out]`.
    /// A weight `[in]` gives one number for each vector, without the last axis.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let y = tensor![1.0, 2.0].linear(&tensor![[3.0, 4.0]], Some(&tensor![0.5]));
    /// assert_eq!(y.to_vec::<f32>(), [11.5]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not fit.
    #[track_caller]
    pub fn linear(&self, weight: &Tensor, bias: Option<&Tensor>) -> Tensor {
        if !(1..=2).contains(&weight.rank()) || self.rank() == 0 {
            let mismatch = Mismatch::shape("the weight must be [out, in] and the input [.., in]")
                .naming(&["input", "weight"]);
            raise(mismatch.into_error("linear", &[self.as_operand(), weight.as_operand()]));
        }
        let product = match weight.rank() {
            1 => self.matmul(weight),
            _ => self.matmul(weight.t()),
        };
        bias.map_or(product.clone(), |bias| &product + bias)
    }

    /// `Σ x[i] w[o, i, j] y[j] + b[o]` over the last axes: `self` `[.., in]`, `other` `[.., in2]`, weight `[out, in, in2]`,
    /// bias `[out]`; the result is `[.., out]`.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let weight = tensor![[[1.0, 0.0], [0.0, 2.0]]];
    /// let y = tensor![1.0, 2.0].bilinear(&tensor![3.0, 4.0], &weight, None);
    /// assert_eq!(y.to_vec::<f32>(), [19.0]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not fit.
    #[track_caller]
    pub fn bilinear(&self, other: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Tensor {
        let rank = self.rank();
        let fits = weight.rank() == 3
            && rank >= 1
            && other.rank() == rank
            && self.shape()[..rank - 1] == other.shape()[..rank - 1]
            && self.shape()[rank - 1] == weight.shape()[1]
            && other.shape()[rank - 1] == weight.shape()[2];
        if !fits {
            let reason = "the weight must be [out, in, in2] and the inputs [.., in] and [.., in2]";
            let mismatch = Mismatch::shape(reason).naming(&["input", "other", "weight"]);
            let operands = [self.as_operand(), other.as_operand(), weight.as_operand()];
            raise(mismatch.into_error("bilinear", &operands));
        }
        let product = Tensor::einsum("...i,oij,...j->...o", &[self, weight, other]);
        bias.map_or(product.clone(), |bias| &product + bias)
    }

    /// The rows of this table `[entries, width]` at integer indices of any shape: `[.., width]`. The gradient of a row is
    /// the sum over its uses.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let table = tensor![[1.0, 2.0], [3.0, 4.0]];
    /// assert_eq!(table.embedding(&tensor![1, 0, 1]).to_vec::<f32>(), [3.0, 4.0, 1.0, 2.0, 3.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// When the table is not a matrix, or an index is not one of its rows.
    #[track_caller]
    pub fn embedding(&self, indices: &Tensor) -> Tensor {
        if self.rank() != 2 {
            let mismatch = Mismatch::shape("the table must be a matrix [entries, width]")
                .naming(&["table", "indices"]);
            raise(mismatch.into_error("embedding", &[self.as_operand(), indices.as_operand()]));
        }
        let flat = indices.shaped(&Shape::from([indices.elements()]));
        let width = self.shape()[1];
        let shape: Shape = indices.shape().iter().copied().chain([width]).collect();
        self.index_select(0, &flat).shaped(&shape)
    }
}
