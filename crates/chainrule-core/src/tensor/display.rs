//! Printing, in the manner of NumPy.

use super::Tensor;
use std::fmt;

impl fmt::Debug for Tensor {
    /// Shape and dtype, without computing anything.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "Tensor({} {}, {})",
            self.shape(),
            self.dtype(),
            self.operation_name()
        )
    }
}
