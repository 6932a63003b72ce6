//! Operations that apply one scalar function to every element.

use super::facts::facts_of;
use super::family::{Declared, Entry, Registered};
use super::operation::{Evaluation, Operation, OperationRef, Reads, Specs, one};
use super::{Batch, Derivative, Diagonal, Interval, Sample};
use crate::error::Mismatch;
use crate::graph::Spec;
use crate::tensor::Tensor;
use chainrule_kernels::DType;
use chainrule_kernels::leaf::Leaf;
use std::any::Any;
use std::hash::Hasher;

/// One partial derivative of an `N`-ary elementwise function: ordinary tensor code on the inputs and the output.
pub type Partial<const N: usize> = fn([&Tensor; N], &Tensor) -> Tensor;

/// The partials of an elementwise operation, or why there are none.
pub enum PartialRule<const N: usize> {
    /// One for each input.
    Each([Partial<N>; N]),
    /// The function has no derivative, for the reason given.
    None(&'static str),
}

/// The dtype of an elementwise function's result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Result {
    /// That of its operands.
    Same,
    /// Truth values.
    Bool,
}

/// An elementwise operation: a unit struct with four constants.
///
/// All operands have the same shape and dtype; the `Tensor` method broadcasts and promotes before it records.
pub trait Elementwise<const N: usize>: Registered + Send + Sync + 'static {
    /// The name, as the method is called.
    const NAME: &'static str;
    /// The scalar function.
    const LEAF: &'static Leaf;
    /// The partial derivatives.
    const PARTIALS: PartialRule<N>;
    /// Where the checks sample each operand.
    const DOMAIN: [Interval; N];
    /// The dtype of the result.
    const RESULT: Result = Result::Same;
}

/// An [`Elementwise`] declaration as an [`Operation`].
pub struct Each<E, const N: usize>(std::marker::PhantomData<fn() -> E>);

impl<E: Elementwise<N>, const N: usize> Each<E, N> {
    const INSTANCE: &'static Each<E, N> = &Each(std::marker::PhantomData);
}

/// Marks [`Elementwise`] declarations of `N` operands in [`Declared`].
pub struct ElementwiseKind<const N: usize>;

impl<E: Elementwise<N>, const N: usize> Declared<ElementwiseKind<N>> for E {
    const ENTRY: Entry = Entry {
        name: || E::NAME,
        samples: samples::<E, N>,
    };

    fn into_operation(self) -> OperationRef {
        OperationRef::Fixed(Each::<E, N>::INSTANCE)
    }
}

/// The operation of an elementwise declaration.
pub(crate) fn elementwise<E: Elementwise<N>, const N: usize>() -> OperationRef {
    OperationRef::Fixed(Each::<E, N>::INSTANCE)
}

fn samples<E: Elementwise<N>, const N: usize>() -> Vec<Sample> {
    let shapes: [&[usize]; 4] = [&[3, 4], &[], &[0, 3], &[2, 1, 5]];
    let with_operand = |sample: Sample, shape: &[usize], position: usize| {
        if E::LEAF.supports(DType::F64) {
            return sample.input_in(shape, E::DOMAIN[position].clone());
        }
        // A function of truth values: the operands run through all combinations.
        let count = shape.iter().product();
        let values: Vec<bool> = (0..count).map(|index| index >> position & 1 == 1).collect();
        sample.truth(shape, values)
    };
    shapes
        .iter()
        .map(|&shape| {
            let sample = Sample::new(elementwise::<E, N>());
            (0..N).fold(sample, |sample, position| {
                with_operand(sample, shape, position)
            })
        })
        .collect()
}

impl<E: Elementwise<N>, const N: usize> Operation for Each<E, N> {
    fn name(&self) -> &'static str {
        E::NAME
    }

    fn formula(&self) -> String {
        let operands = ["x", "z", "w"];
        format!("y = {}({})", E::NAME, operands[..N.min(3)].join(", "))
    }

    fn infer(&self, inputs: &[&Spec]) -> std::result::Result<Specs, Mismatch> {
        let spec = inputs[0];
        for other in &inputs[1..] {
            if other.shape() != spec.shape() {
                return Err(Mismatch::shape("the shapes differ"));
            }
            if other.dtype() != spec.dtype() {
                return Err(Mismatch::dtype("the dtypes differ"));
            }
        }
        if !E::LEAF.supports(spec.dtype()) {
            return Err(unsupported(spec.dtype()));
        }
        one(match E::RESULT {
            Result::Same => spec.clone(),
            Result::Bool => spec.with_dtype(DType::Bool),
        })
    }

    fn keeps_spec_of(&self, dtype: DType) -> bool {
        matches!(E::RESULT, Result::Same) && E::LEAF.supports(dtype)
    }

    fn evaluation(&self) -> Evaluation<'_> {
        Evaluation::Pointwise(E::LEAF)
    }

    fn derivative(&self) -> Derivative<'_> {
        match E::PARTIALS {
            PartialRule::Each(_) => Derivative::Elementwise(self),
            PartialRule::None(reason) => Derivative::NotDifferentiable(reason),
        }
    }

    fn batch(&self) -> Batch<'_> {
        Batch::Aligned
    }

    fn backward_reads(&self) -> Reads {
        match E::PARTIALS {
            PartialRule::Each(_) => facts_of(E::NAME, N, self).reads,
            PartialRule::None(_) => Reads::NOTHING,
        }
    }

    fn same(&self, other: &dyn Operation) -> bool {
        (other as &dyn Any).is::<Each<E, N>>()
    }

    fn hash(&self, hasher: &mut dyn Hasher) {
        // Names are unique: a test of the registry sees to it.
        hasher.write_usize(E::NAME.as_ptr() as usize);
    }

    fn declaration(&self) -> &dyn Any {
        self
    }
}

fn unsupported(dtype: DType) -> Mismatch {
    let mismatch = Mismatch::dtype(format!("not defined for {dtype}"));
    if dtype.is_floating() {
        mismatch
    } else {
        mismatch.help("convert first: `.cast(DType::F32)`")
    }
}

impl<E: Elementwise<N>, const N: usize> Diagonal for Each<E, N> {
    fn partial(&self, argument: usize, inputs: &[Tensor], output: &Tensor) -> Tensor {
        let PartialRule::Each(partials) = E::PARTIALS else {
            unreachable!("derivative() offers partials only where there are some")
        };
        partials[argument](std::array::from_fn(|index| &inputs[index]), output)
    }

    fn known_partial(&self, argument: usize) -> Option<f64> {
        facts_of(E::NAME, N, self).known[argument].map(f64::from)
    }
}
