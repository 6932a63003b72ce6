//! Elements picked and placed by integer positions along an axis: four maps, each the transpose of another.

use crate::declare::{
    Array, Batch, Derivative, Evaluation, Linear, OperationRef, Primitive, Reference, Ring, Sample,
    Shift, Specs, one, operation,
};
use crate::each_ring;
use crate::error::{Error, ErrorKind, Mismatch, raise};
use crate::family;
use crate::graph::Spec;
use crate::shape::Shape;
use crate::tensor::Tensor;
use chainrule_kernels::DType;

family! { Gather, ScatterAdd }

/// `y[.., i, ..] = x[.., index[.., i, ..], ..]` along `axis`; the index has the rank of x.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Gather {
    pub(crate) axis: usize,
}

/// Zeros of `extent` along `axis`, with each source element added at its position: the transpose of [`Gather`].
/// Operands: index, source.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ScatterAdd {
    pub(crate) axis: usize,
    pub(crate) shape: Shape,
}

pub(super) fn check_index(index: &Spec) -> Result<(), Mismatch> {
    if index.dtype().is_floating() || index.dtype() == DType::Bool {
        let reason = format!("the index must be integers, not {}", index.dtype());
        return Err(Mismatch::dtype(reason).help("convert it: `.cast(DType::I64)`"));
    }
    Ok(())
}

/// Truth values cannot be added.
pub(super) fn refuse_truth(source: &Spec) -> Result<(), Mismatch> {
    if source.dtype() != DType::Bool {
        return Ok(());
    }
    Err(Mismatch::dtype("truth values have no sum").help("convert first: `.cast(DType::I64)`"))
}

/// Whether `index` fits into `shape` on all axes but one.
pub(super) fn check_aligned(index: &Shape, shape: &Shape, axis: usize) -> Result<(), Mismatch> {
    if index.rank() != shape.rank() || axis >= shape.rank() {
        return Err(Mismatch::shape(
            "the index must have as many axes as the tensor",
        ));
    }
    match (0..shape.rank()).find(|&other| other != axis && index[other] > shape[other]) {
        Some(other) => Err(Mismatch::shape(format!(
            "the index has extent {} along axis {other}, the tensor {}",
            index[other], shape[other]
        ))),
        None => Ok(()),
    }
}

pub(crate) fn out_of_range(
    name: &str,
    value: i64,
    position: usize,
    axis: usize,
    extent: usize,
) -> Error {
    let message = format!(
        "{name}: index {value} (element {position} of the index) is outside axis {axis}, which has extent {extent}"
    );
    Error::new(ErrorKind::Index, message)
}

/// For each element of an index, the flat position in a tensor of `shape` that it means.
pub(super) fn positions(
    name: &str,
    index: &Array,
    shape: &Shape,
    axis: usize,
) -> Result<Vec<usize>, Error> {
    let strides = shape.contiguous_strides();
    index
        .to_integers()
        .into_iter()
        .enumerate()
        .map(|(flat, value)| {
            let chosen = usize::try_from(value)
                .ok()
                .filter(|&chosen| chosen < shape[axis]);
            let chosen =
                chosen.ok_or_else(|| out_of_range(name, value, flat, axis, shape[axis]))?;
            let at = index.shape.unravel(flat);
            let along = |other: usize| if other == axis { chosen } else { at[other] };
            Ok((0..shape.rank())
                .map(|other| along(other) * strides[other] as usize)
                .sum())
        })
        .collect()
}

pub(super) fn integers(values: &[i64]) -> Vec<i64> {
    values.to_vec()
}

impl Primitive for Gather {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn formula(&self) -> &'static str {
        "y[.., i, ..] = x[.., index[.., i, ..], ..]"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        let names = &["input", "index"];
        check_index(inputs[1]).map_err(|mismatch| mismatch.naming(names))?;
        check_aligned(inputs[1].shape(), inputs[0].shape(), self.axis)
            .map_err(|mismatch| mismatch.naming(names))?;
        one(inputs[0].with_shape(inputs[1].shape()))
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
        let along = |axis| Sample::new(operation(Gather { axis }));
        vec![
            along(1)
                .input([2, 4])
                .integers([2, 3], integers(&[0, 3, 3, 1, 0, 1])),
            along(0)
                .input([3, 2])
                .integers([2, 2], integers(&[2, 0, 0, 0])),
            along(0)
                .input([4])
                .integers([5], integers(&[3, 3, 0, 1, 2])),
        ]
    }
}

impl Reference for Gather {
    fn value(&self, inputs: &[Array], specs: &[Spec]) -> Result<Vec<Array>, Error> {
        let chosen = positions("gather", &inputs[1], &inputs[0].shape, self.axis)?;
        Ok(vec![
            inputs[0].picked(specs[0].shape().clone(), chosen.into_iter()),
        ])
    }
}

impl Linear for Gather {
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
        let scatter = ScatterAdd {
            axis: self.axis,
            shape: inputs[0].shape().clone(),
        };
        operation(scatter).of(&[&inputs[1], cotangent])
    }
}

impl Shift for Gather {
    fn shifted(&self, _extent: usize) -> OperationRef {
        operation(Gather {
            axis: self.axis + 1,
        })
    }
}

impl Primitive for ScatterAdd {
    fn name(&self) -> &'static str {
        "scatter_add"
    }

    fn formula(&self) -> &'static str {
        "y[.., index[.., i, ..], ..] += x[.., i, ..]"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        let names = &["index", "source"];
        check_index(inputs[0]).map_err(|mismatch| mismatch.naming(names))?;
        check_aligned(inputs[0].shape(), &self.shape, self.axis)
            .map_err(|mismatch| mismatch.naming(names))?;
        if inputs[0].shape() != inputs[1].shape() {
            return Err(Mismatch::shape("index and source differ in shape").naming(names));
        }
        refuse_truth(inputs[1]).map_err(|mismatch| mismatch.naming(names))?;
        one(inputs[1].with_shape(&self.shape))
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
        let into = |axis, shape: &[usize]| {
            Sample::new(operation(ScatterAdd {
                axis,
                shape: Shape::from(shape),
            }))
        };
        vec![
            into(1, &[2, 4])
                .integers([2, 3], integers(&[0, 3, 3, 1, 0, 1]))
                .input([2, 3]),
            into(0, &[3, 2])
                .integers([2, 2], integers(&[2, 0, 0, 0]))
                .input([2, 2]),
        ]
    }
}

impl Reference for ScatterAdd {
    fn value(&self, inputs: &[Array], specs: &[Spec]) -> Result<Vec<Array>, Error> {
        let chosen = positions("scatter_add", &inputs[0], &self.shape, self.axis)?;
        let data = each_ring!(&inputs[1].data, elements => {
            let mut sums = vec![Default::default(); specs[0].elements()];
            added(&mut sums, elements, &chosen);
            sums
        });
        Ok(vec![Array::new(specs[0].shape(), data)])
    }
}

pub(super) fn added<T: Ring>(sums: &mut [T], elements: &[T], chosen: &[usize]) {
    for (element, &position) in elements.iter().zip(chosen) {
        sums[position] = sums[position].plus(element);
    }
}

impl Linear for ScatterAdd {
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
        operation(Gather { axis: self.axis }).of(&[cotangent, &inputs[0]])
    }
}

impl Shift for ScatterAdd {
    fn shifted(&self, extent: usize) -> OperationRef {
        operation(ScatterAdd {
            axis: self.axis + 1,
            shape: self.shape.with_axis(0, extent),
        })
    }
}

impl Tensor {
    /// `y[.., i, ..] = x[.., index[.., i, ..], ..]` along `axis`: the index has as many axes as the tensor, and the result
    /// has its shape. Indices are integers from 0 on; one that is out of range is an error when the value is computed.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let x = tensor![[1.0, 2.0], [3.0, 4.0]];
    /// assert_eq!(x.gather(1, &tensor![[1], [0]]).to_vec::<f32>(), [2.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// When the axis does not exist or the shapes do not fit.
    #[track_caller]
    pub fn gather(&self, axis: isize, index: &Tensor) -> Tensor {
        let axis = self.axis("gather", axis);
        operation(Gather { axis }).of(&[self, index])
    }

    /// Like [`gather`](Tensor::gather), with the other axes of tensor and index broadcast against each other and negative
    /// indices counted from the end.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let x = tensor![[1.0, 2.0], [3.0, 4.0]];
    /// assert_eq!(x.take_along_axis(&tensor![[1]], 1).to_vec::<f32>(), [2.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// When the axis does not exist or the shapes do not broadcast.
    #[track_caller]
    pub fn take_along_axis(&self, index: &Tensor, axis: isize) -> Tensor {
        let axis = self.axis("take_along_axis", axis);
        if index.rank() != self.rank() {
            let mismatch = Mismatch::shape("the index must have as many axes as the tensor");
            raise(mismatch.into_error("take_along_axis", &[self.as_operand(), index.as_operand()]));
        }
        let extent = self.shape()[axis] as i32;
        let index = &index.lt(0).where_(index + extent, index);
        let common = |at: usize| self.shape()[at].max(index.shape()[at]);
        let of = |own: &Shape| {
            (0..own.rank())
                .map(|at| if at == axis { own[at] } else { common(at) })
                .collect::<Shape>()
        };
        operation(Gather { axis }).of(&[
            &self.expand(of(self.shape())),
            &index.expand(of(index.shape())),
        ])
    }

    /// This tensor with `source` added at the positions of `index` along `axis`.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let y = tensor![1.0, 2.0, 3.0].scatter_add(0, &tensor![2, 2], &tensor![1.0, 1.0]);
    /// assert_eq!(y.to_vec::<f32>(), [1.0, 2.0, 5.0]);
    /// ```
    ///
    /// # Panics
    /// When the axis does not exist or the shapes do not fit.
    #[track_caller]
    pub fn scatter_add(&self, axis: isize, index: &Tensor, source: &Tensor) -> Tensor {
        let axis = self.axis("scatter_add", axis);
        let shape = self.shape().clone();
        self + operation(ScatterAdd { axis, shape }).of(&[index, source])
    }
}
