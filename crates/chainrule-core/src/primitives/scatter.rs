//! Putting elements at integer positions along an axis.

use super::gather::{Gather, check_aligned, check_index, positions};
use crate::backend::Scalar;
use crate::declare::{
    Array, Batch, Data, Derivative, Evaluation, Linear, OperationRef, Primitive, Reference, Sample,
    Shift, Specs, one, operation,
};
use crate::each_ring_pair;
use crate::error::{Error, Mismatch};
use crate::family;
use crate::graph::Spec;
use crate::tensor::Tensor;
use chainrule_kernels::DType;

family! { Scatter }

/// The base with each source element put at its position along `axis`; of several, the last stays.
/// Operands: base, index, source.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Scatter {
    pub(crate) axis: usize,
}

impl Primitive for Scatter {
    fn name(&self) -> &'static str {
        "scatter"
    }

    fn formula(&self) -> &'static str {
        "y = x, but y[.., index[.., i, ..], ..] = source[.., i, ..]"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        let names = &["base", "index", "source"];
        check_index(inputs[1]).map_err(|mismatch| mismatch.naming(names))?;
        check_aligned(inputs[1].shape(), inputs[0].shape(), self.axis)
            .map_err(|mismatch| mismatch.naming(names))?;
        if inputs[1].shape() != inputs[2].shape() {
            return Err(Mismatch::shape("index and source differ in shape").naming(names));
        }
        if inputs[0].dtype() != inputs[2].dtype() {
            return Err(Mismatch::dtype("base and source differ in dtype")
                .naming(names)
                .help("convert one with `.cast(..)`"));
        }
        one(inputs[0].clone())
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
        let along = |axis| Sample::new(operation(Scatter { axis }));
        vec![
            along(1)
                .input([2, 4])
                .integers([2, 2], [0, 3, 1, 2])
                .input([2, 2]),
            along(0).input([5]).integers([2], [4, 1]).input([2]),
        ]
    }
}

impl Reference for Scatter {
    fn value(&self, inputs: &[Array], specs: &[Spec]) -> Result<Vec<Array>, Error> {
        let chosen = positions("scatter", &inputs[1], &inputs[0].shape, self.axis)?;
        let data = match (&inputs[0].data, &inputs[2].data) {
            (Data::Bool(base), Data::Bool(source)) => Data::Bool(placed(base, source, &chosen)),
            (base, source) => {
                each_ring_pair!(base, source, (base, source) => placed(base, source, &chosen))
            }
        };
        Ok(vec![Array::new(specs[0].shape(), data)])
    }
}

fn placed<T: Clone>(base: &[T], source: &[T], chosen: &[usize]) -> Vec<T> {
    let mut result = base.to_vec();
    for (element, &position) in source.iter().zip(chosen) {
        result[position] = element.clone();
    }
    result
}

impl Linear for Scatter {
    fn is_fixed(&self, argument: usize) -> bool {
        argument == 1
    }

    /// Where several sources meet, only the last has an influence.
    fn transpose(
        &self,
        argument: usize,
        inputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Tensor {
        let cotangent = cotangents[0]
            .as_ref()
            .expect("the single output has a cotangent");
        let scatter = operation(Scatter { axis: self.axis });
        if argument == 0 {
            let zeros = inputs[2].zeros_like();
            return scatter.of(&[cotangent, &inputs[1], &zeros]);
        }
        let index = &inputs[1];
        let order = Tensor::arange(index.elements() as i64)
            .to_device(index.device())
            .shaped(index.shape());
        let nobody = cotangent.spec().with_dtype(DType::I64);
        let base = Tensor::filled(Scalar::Integer(-1), nobody);
        let last = scatter.of(&[&base, &inputs[1], &order]);
        let gather = operation(Gather { axis: self.axis });
        let stays = gather.of(&[&last, &inputs[1]]).eq(&order);
        stays.where_(gather.of(&[cotangent, &inputs[1]]), inputs[2].zeros_like())
    }
}

impl Shift for Scatter {
    fn shifted(&self, _extent: usize) -> OperationRef {
        operation(Scatter {
            axis: self.axis + 1,
        })
    }
}

impl Tensor {
    /// This tensor with `source` put at the positions of `index` along `axis`; of several at one place the last stays.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let y = tensor![1.0, 2.0, 3.0].scatter(0, &tensor![2], &tensor![9.0]);
    /// assert_eq!(y.to_vec::<f32>(), [1.0, 2.0, 9.0]);
    /// ```
    ///
    /// # Panics
    /// When the axis does not exist or the shapes or dtypes do not fit.
    #[track_caller]
    pub fn scatter(&self, axis: isize, index: &Tensor, source: &Tensor) -> Tensor {
        let axis = self.axis("scatter", axis);
        operation(Scatter { axis }).of(&[self, index, source])
    }
}
