//! Conversion between dtypes.

use crate::declare::{
    Batch, Derivative, Evaluation, Linear, OperationRef, Primitive, Sample, Shift, Specs, one,
    operation,
};
use crate::error::Mismatch;
use crate::family;
use crate::graph::Spec;
use crate::tensor::Tensor;
use chainrule_kernels::DType;

family! { Cast, CastToDiscrete }

/// Conversion to a floating dtype: linear up to rounding.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Cast {
    pub(crate) dtype: DType,
}

/// Conversion to integers or truth values, which have no tangent space.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CastToDiscrete {
    pub(crate) dtype: DType,
}

impl Primitive for Cast {
    fn name(&self) -> &'static str {
        "cast"
    }

    fn formula(&self) -> &'static str {
        "y = x, rounded to the dtype"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        one(inputs[0].with_dtype(self.dtype))
    }

    fn evaluation(&self) -> Evaluation<'_> {
        Evaluation::Cast
    }

    fn derivative(&self) -> Derivative<'_> {
        Derivative::Linear(self)
    }

    fn batch(&self) -> Batch<'_> {
        Batch::ShiftAxes(self)
    }

    fn samples() -> Vec<Sample> {
        vec![Sample::new(operation(Cast { dtype: DType::F64 })).input([2, 3])]
    }
}

impl Linear for Cast {
    fn is_fixed(&self, _argument: usize) -> bool {
        false
    }

    fn transpose(
        &self,
        _argument: usize,
        inputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Tensor {
        cotangents[0]
            .as_ref()
            .expect("the single output has a cotangent")
            .cast(inputs[0].dtype())
    }
}

impl Shift for Cast {
    fn shifted(&self, _extent: usize) -> OperationRef {
        operation(self.clone())
    }
}

impl Primitive for CastToDiscrete {
    fn name(&self) -> &'static str {
        "cast"
    }

    fn formula(&self) -> &'static str {
        "y = x, converted to the dtype"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        one(inputs[0].with_dtype(self.dtype))
    }

    fn evaluation(&self) -> Evaluation<'_> {
        Evaluation::Cast
    }

    fn derivative(&self) -> Derivative<'_> {
        Derivative::NotDifferentiable("integers and truth values have no tangent space")
    }

    fn batch(&self) -> Batch<'_> {
        Batch::ShiftAxes(self)
    }

    fn samples() -> Vec<Sample> {
        [DType::I64, DType::Bool]
            .map(|dtype| Sample::new(operation(CastToDiscrete { dtype })).input([2, 3]))
            .to_vec()
    }
}

impl Shift for CastToDiscrete {
    fn shifted(&self, _extent: usize) -> OperationRef {
        operation(self.clone())
    }
}

impl Tensor {
    /// The elements converted to `dtype`; the tensor itself where it has that dtype already.
    ///
    /// Floats convert to integers by truncation, saturating at the ends of the range (NaN becomes 0), and to `bool` as
    /// "not zero". Between floats the derivative passes through; to integers there is none.
    ///
    /// ```
    /// use chainrule_core::{tensor, DType};
    /// assert_eq!(tensor![1.9, -1.9].cast(DType::I32).to_vec::<i32>(), [1, -1]);
    /// ```
    #[track_caller]
    pub fn cast(&self, dtype: DType) -> Tensor {
        if self.dtype() == dtype {
            self.clone()
        } else if dtype.is_floating() {
            operation(Cast { dtype }).of(&[self])
        } else {
            operation(CastToDiscrete { dtype }).of(&[self])
        }
    }
}
