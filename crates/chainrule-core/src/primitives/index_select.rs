//! Whole slices picked and added by a vector of positions along an axis.

use super::gather::{Gather, ScatterAdd, added, check_index, integers, out_of_range, refuse_truth};
use crate::declare::{
    Array, Batch, BatchRule, Derivative, Evaluation, Linear, Primitive, Reference, Sample, Specs,
    one, operation,
};
use crate::each_ring;
use crate::error::{Error, Mismatch, raise};
use crate::family;
use crate::graph::Spec;
use crate::shape::Shape;
use crate::tensor::Tensor;

family! { IndexSelect, IndexAdd }

/// Whole slices along `axis`, by a vector of positions. Operands: x, index.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IndexSelect {
    pub(crate) axis: usize,
}

/// Zeros of `extent` along `axis`, with each slice added at its position: the transpose of [`IndexSelect`].
/// Operands: index, source.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IndexAdd {
    pub(crate) axis: usize,
    pub(crate) extent: usize,
}

impl Primitive for IndexSelect {
    fn name(&self) -> &'static str {
        "index_select"
    }

    fn formula(&self) -> &'static str {
        "y[.., i, ..] = x[.., index[i], ..]"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        let names = &["input", "index"];
        check_index(inputs[1]).map_err(|mismatch| mismatch.naming(names))?;
        if inputs[1].rank() != 1 {
            return Err(Mismatch::shape("the index must be a vector").naming(names));
        }
        if self.axis >= inputs[0].rank() {
            return Err(
                Mismatch::shape(format!("axis {} does not exist", self.axis)).naming(names),
            );
        }
        one(inputs[0].with_shape(
            inputs[0]
                .shape()
                .with_extent(self.axis, inputs[1].elements()),
        ))
    }

    fn evaluation(&self) -> Evaluation<'_> {
        Evaluation::Reference(self)
    }

    fn derivative(&self) -> Derivative<'_> {
        Derivative::Linear(self)
    }

    fn batch(&self) -> Batch<'_> {
        Batch::Rule(self)
    }

    fn samples() -> Vec<Sample> {
        let along = |axis| Sample::new(operation(IndexSelect { axis }));
        vec![
            along(1).input([2, 4]).integers([3], integers(&[3, 3, 0])),
            along(0).input([3, 2]).integers([2], integers(&[2, 0])),
            along(0).input([3, 2]).integers([0], integers(&[])),
        ]
    }
}

/// The positions of an index in the slices along `axis`: `[outer, extent, inner]`.
fn slices(name: &str, index: &Array, axis: usize, extent: usize) -> Result<Vec<usize>, Error> {
    let values = index.to_integers().into_iter().enumerate();
    values
        .map(|(position, value)| {
            let chosen = usize::try_from(value)
                .ok()
                .filter(|&chosen| chosen < extent);
            chosen.ok_or_else(|| out_of_range(name, value, position, axis, extent))
        })
        .collect()
}

impl Reference for IndexSelect {
    fn value(&self, inputs: &[Array], specs: &[Spec]) -> Result<Vec<Array>, Error> {
        let shape = &inputs[0].shape;
        let chosen = slices("index_select", &inputs[1], self.axis, shape[self.axis])?;
        let inner: usize = shape[self.axis + 1..].iter().product();
        let outer: usize = shape[..self.axis].iter().product();
        let positions = (0..outer).flat_map(|block| {
            let chosen = &chosen;
            chosen.iter().flat_map(move |slice| {
                let start = (block * shape[self.axis] + slice) * inner;
                start..start + inner
            })
        });
        Ok(vec![inputs[0].picked(specs[0].shape().clone(), positions)])
    }
}

impl Linear for IndexSelect {
    fn is_fixed(&self, argument: usize) -> bool {
        argument == 1
    }

    fn transpose(
        &self,
        _argument: usize,
        inputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Tensor {
        let cotangent = cotangents[0]
            .as_ref()
            .expect("the single output has a cotangent");
        let add = IndexAdd {
            axis: self.axis,
            extent: inputs[0].shape()[self.axis],
        };
        operation(add).of(&[&inputs[1], cotangent])
    }
}

/// A vector of positions for each example, as an index for [`Gather`]: repeated over the other axes of `shape`.
fn repeated_index(index: &Tensor, shape: &Shape, axis: usize) -> Tensor {
    let (batch, count) = (index.shape()[0], index.shape()[1]);
    let aligned: Shape = (0..shape.rank())
        .map(|at| {
            if at == 0 {
                batch
            } else if at == axis {
                count
            } else {
                1
            }
        })
        .collect();
    index
        .shaped(&aligned)
        .expand(shape.with_extent(axis, count))
}

impl BatchRule for IndexSelect {
    fn batch(&self, inputs: &[Tensor], batched: &[bool], extent: usize) -> Vec<Tensor> {
        let axis = self.axis + 1;
        if !batched[1] {
            return vec![operation(IndexSelect { axis }).of(&[&inputs[0], &inputs[1]])];
        }
        let x = if batched[0] {
            inputs[0].clone()
        } else {
            inputs[0]
                .unsqueeze(0)
                .expand(inputs[0].shape().with_axis(0, extent))
        };
        let index = repeated_index(&inputs[1], x.shape(), axis);
        vec![operation(Gather { axis }).of(&[&x, &index])]
    }
}

impl Primitive for IndexAdd {
    fn name(&self) -> &'static str {
        "index_add"
    }

    fn formula(&self) -> &'static str {
        "y[.., index[i], ..] += x[.., i, ..]"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        let names = &["index", "source"];
        check_index(inputs[0]).map_err(|mismatch| mismatch.naming(names))?;
        let fits = inputs[0].rank() == 1
            && self.axis < inputs[1].rank()
            && inputs[1].shape()[self.axis] == inputs[0].elements();
        if !fits {
            let reason = format!(
                "the index must be a vector with a position for each slice along axis {}",
                self.axis
            );
            return Err(Mismatch::shape(reason).naming(names));
        }
        refuse_truth(inputs[1]).map_err(|mismatch| mismatch.naming(names))?;
        one(inputs[1].with_shape(inputs[1].shape().with_extent(self.axis, self.extent)))
    }

    fn evaluation(&self) -> Evaluation<'_> {
        Evaluation::Reference(self)
    }

    fn derivative(&self) -> Derivative<'_> {
        Derivative::Linear(self)
    }

    fn batch(&self) -> Batch<'_> {
        Batch::Rule(self)
    }

    fn samples() -> Vec<Sample> {
        let into = |axis, extent| Sample::new(operation(IndexAdd { axis, extent }));
        vec![
            into(1, 4).integers([3], integers(&[3, 3, 0])).input([2, 3]),
            into(0, 3).integers([2], integers(&[2, 0])).input([2, 2]),
        ]
    }
}

impl Reference for IndexAdd {
    fn value(&self, inputs: &[Array], specs: &[Spec]) -> Result<Vec<Array>, Error> {
        let source = &inputs[1];
        let chosen = slices("index_add", &inputs[0], self.axis, self.extent)?;
        let inner: usize = source.shape[self.axis + 1..].iter().product();
        let outer: usize = source.shape[..self.axis].iter().product();
        let positions: Vec<usize> = (0..outer)
            .flat_map(|block| {
                let chosen = &chosen;
                chosen.iter().flat_map(move |slice| {
                    let start = (block * self.extent + slice) * inner;
                    start..start + inner
                })
            })
            .collect();
        let data = each_ring!(&source.data, elements => {
            let mut sums = vec![Default::default(); specs[0].elements()];
            added(&mut sums, elements, &positions);
            sums
        });
        Ok(vec![Array::new(specs[0].shape(), data)])
    }
}

impl Linear for IndexAdd {
    fn is_fixed(&self, argument: usize) -> bool {
        argument == 0
    }

    fn transpose(
        &self,
        _argument: usize,
        inputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Tensor {
        let cotangent = cotangents[0]
            .as_ref()
            .expect("the single output has a cotangent");
        operation(IndexSelect { axis: self.axis }).of(&[cotangent, &inputs[0]])
    }
}

impl BatchRule for IndexAdd {
    fn batch(&self, inputs: &[Tensor], batched: &[bool], extent: usize) -> Vec<Tensor> {
        let axis = self.axis + 1;
        if !batched[0] {
            let add = IndexAdd {
                axis,
                extent: self.extent,
            };
            return vec![operation(add).of(&[&inputs[0], &inputs[1]])];
        }
        let source = if batched[1] {
            inputs[1].clone()
        } else {
            inputs[1]
                .unsqueeze(0)
                .expand(inputs[1].shape().with_axis(0, extent))
        };
        let index = repeated_index(&inputs[0], source.shape(), axis);
        let shape = source.shape().with_extent(axis, self.extent);
        vec![operation(ScatterAdd { axis, shape }).of(&[&index, &source])]
    }
}

impl Tensor {
    /// Whole slices along `axis`, chosen by a vector of positions.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let x = tensor![[1.0, 2.0], [3.0, 4.0]];
    /// assert_eq!(x.index_select(0, &tensor![1, 1]).to_vec::<f32>(), [3.0, 4.0, 3.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// When the axis does not exist or the index is not a vector of integers.
    #[track_caller]
    pub fn index_select(&self, axis: isize, index: &Tensor) -> Tensor {
        let axis = self.axis("index_select", axis);
        operation(IndexSelect { axis }).of(&[self, index])
    }

    /// This tensor with slices of `source` added at the positions of a vector along `axis`.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let y = tensor![1.0, 2.0].index_add(0, &tensor![1, 1], &tensor![1.0, 1.0]);
    /// assert_eq!(y.to_vec::<f32>(), [1.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// When the axis does not exist or the shapes do not fit.
    #[track_caller]
    pub fn index_add(&self, axis: isize, index: &Tensor, source: &Tensor) -> Tensor {
        let axis = self.axis("index_add", axis);
        let extent = self.shape()[axis];
        if self.shape().with_extent(axis, index.elements()) != *source.shape() {
            let reason = format!(
                "the source must have the tensor's shape, but extent {} along axis {axis}",
                index.elements()
            );
            let operands = [self.as_operand(), index.as_operand(), source.as_operand()];
            raise(
                Mismatch::shape(reason)
                    .naming(&["input", "index", "source"])
                    .into_error("index_add", &operands),
            );
        }
        self + operation(IndexAdd { axis, extent }).of(&[index, source])
    }
}
