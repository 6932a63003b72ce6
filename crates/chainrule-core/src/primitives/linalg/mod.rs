//! Linear algebra over the last two axes: solving, factors, determinants, eigenvalues, with derivatives written as rules,
//! so that derivatives of any order follow by composition.

mod dense;
pub(crate) mod determinant;
pub(crate) mod factors;
mod function;
pub(crate) mod solve;
mod spectral;
pub(crate) mod spectrum;

use crate::tensor::Tensor;

impl Tensor {
    /// The last two axes exchanged.
    #[track_caller]
    pub(crate) fn adjoint(&self) -> Tensor {
        self.transpose(-1, -2)
    }

    /// The mean of the matrices and their transposes.
    #[track_caller]
    pub(crate) fn symmetric_part(&self) -> Tensor {
        (self + self.adjoint()) * 0.5
    }
}
