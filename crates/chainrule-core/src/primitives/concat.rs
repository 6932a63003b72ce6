//! Joining tensors along an axis.

use crate::declare::{
    Array, Batch, Derivative, Evaluation, Linear, OperationRef, Primitive, Reference, Sample,
    Shift, Specs, one, operation,
};
use crate::error::{Error, Mismatch, raise};
use crate::family;
use crate::graph::Spec;
use crate::shape::{Shape, normalize_axis};
use crate::tensor::Tensor;

family! { Concat }

/// The inputs one after the other along `axis`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Concat {
    pub(crate) axis: usize,
}

impl Primitive for Concat {
    fn name(&self) -> &'static str {
        "concat"
    }

    fn formula(&self) -> &'static str {
        "y = the inputs one after the other along an axis"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        let Some(first) = inputs.first() else {
            return Err(Mismatch::argument("there is nothing to join"));
        };
        let mut total = 0;
        for input in inputs {
            if input.dtype() != first.dtype() {
                return Err(Mismatch::dtype("the dtypes differ").help("convert with `.cast(..)`"));
            }
            let comparable = input.rank() == first.rank() && self.axis < input.rank();
            if !comparable
                || input.shape().without_axis(self.axis) != first.shape().without_axis(self.axis)
            {
                return Err(Mismatch::shape(format!(
                    "the shapes differ in other axes than {}",
                    self.axis
                )));
            }
            total += input.shape()[self.axis];
        }
        one(first.with_shape(first.shape().with_extent(self.axis, total)))
    }

    fn evaluation(&self) -> Evaluation<'_> {
        Evaluation::Reference(self)
    }

    fn derivative(&self) -> Derivative<'_> {
        Derivative::Linear(self)
    }

    fn batch(&self) -> Batch<'_> {
        Batch::ShiftAxes(self)
    }

    fn samples() -> Vec<Sample> {
        let along = |axis| Sample::new(operation(Concat { axis }));
        vec![
            along(0).input([2, 3]).input([1, 3]),
            along(1).input([2, 3]).input([2, 0]).input([2, 2]),
            along(0).input([4]),
        ]
    }
}

impl Reference for Concat {
    fn value(&self, inputs: &[Array], specs: &[Spec]) -> Result<Vec<Array>, Error> {
        // Every input seen as [outer, row]: the rows of all inputs alternate.
        let outer: usize = specs[0].shape()[..self.axis].iter().product();
        let rows: Vec<usize> = inputs
            .iter()
            .map(|input| input.shape[self.axis..].iter().product())
            .collect();
        let mut joined = Array::new(
            [0],
            crate::each_type!(&inputs[0].data, _elements => Vec::new()),
        );
        for block in 0..outer {
            for (input, &row) in inputs.iter().zip(&rows) {
                joined.append(input, block * row..(block + 1) * row);
            }
        }
        Ok(vec![Array::new(specs[0].shape(), joined.data)])
    }
}

impl Linear for Concat {
    fn is_fixed(&self, _argument: usize) -> bool {
        false
    }

    fn transpose(
        &self,
        argument: usize,
        inputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Tensor {
        let cotangent = cotangents[0]
            .as_ref()
            .expect("the single output has a cotangent");
        let start = inputs[..argument]
            .iter()
            .map(|input| input.shape()[self.axis])
            .sum();
        cotangent.narrow(
            self.axis as isize,
            start,
            inputs[argument].shape()[self.axis],
        )
    }
}

impl Shift for Concat {
    fn shifted(&self, _extent: usize) -> OperationRef {
        operation(Concat {
            axis: self.axis + 1,
        })
    }
}

/// The tensors in one dtype, the one that holds all of theirs.
#[track_caller]
fn in_common_dtype(tensors: &[impl AsRef<Tensor>]) -> Vec<Tensor> {
    let common = tensors
        .iter()
        .map(|tensor| tensor.as_ref().dtype())
        .reduce(crate::promote);
    tensors
        .iter()
        .map(|tensor| tensor.as_ref().cast(common.expect("there is a tensor")))
        .collect()
}

impl Tensor {
    /// The tensors one after the other along an existing axis; the dtypes promote.
    ///
    /// ```
    /// use chainrule_core::{tensor, Tensor};
    /// let x = Tensor::concat(&[tensor![1.0], tensor![2.0, 3.0]], 0);
    /// assert_eq!(x.to_vec::<f32>(), [1.0, 2.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// When there are no tensors, the axis does not exist, or the shapes differ elsewhere.
    #[track_caller]
    pub fn concat(tensors: &[impl AsRef<Tensor>], axis: isize) -> Tensor {
        let Some(first) = tensors.first() else {
            raise(Mismatch::argument("there is nothing to join").into_error("concat", &[]))
        };
        let axis = first.as_ref().axis("concat", axis);
        let tensors = in_common_dtype(tensors);
        operation(Concat { axis }).of(&tensors.iter().collect::<Vec<_>>())
    }

    /// The tensors, all of one shape, along a new axis.
    ///
    /// ```
    /// use chainrule_core::{tensor, Tensor};
    /// let x = Tensor::stack(&[tensor![1.0, 2.0], tensor![3.0, 4.0]], 1);
    /// assert_eq!(x.to_vec::<f32>(), [1.0, 3.0, 2.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// When there are no tensors, the axis is out of range, or the shapes differ.
    #[track_caller]
    pub fn stack(tensors: &[impl AsRef<Tensor>], axis: isize) -> Tensor {
        let Some(first) = tensors.first() else {
            raise(Mismatch::argument("there is nothing to stack").into_error("stack", &[]))
        };
        let operands = || {
            tensors
                .iter()
                .map(|tensor| tensor.as_ref().as_operand())
                .collect::<Vec<_>>()
        };
        let shape: &Shape = first.as_ref().shape();
        if tensors
            .iter()
            .any(|tensor| tensor.as_ref().shape() != shape)
        {
            raise(Mismatch::shape("the shapes differ").into_error("stack", &operands()));
        }
        let position = normalize_axis(axis, shape.rank() + 1).unwrap_or_else(|reason| {
            raise(Mismatch::shape(reason).into_error("stack", &operands()))
        });
        let layers: Vec<Tensor> = in_common_dtype(tensors)
            .iter()
            .map(|tensor| tensor.unsqueeze(position as isize))
            .collect();
        operation(Concat { axis: position }).of(&layers.iter().collect::<Vec<_>>())
    }
}
