//! A value that must not be computed before another one: how recomputation is kept from running early.

use crate::declare::{
    Batch, Derivative, Evaluation, Linear, Primitive, Sample, Specs, Viewing, one, operation,
};
use crate::error::Mismatch;
use crate::family;
use crate::graph::Spec;
use crate::shape::Layout;
use crate::tensor::Tensor;

family! { After }

/// The first input, once the others are there.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct After;

impl Primitive for After {
    fn name(&self) -> &'static str {
        "after"
    }

    fn formula(&self) -> &'static str {
        "y = x, not before z is computed"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        one(inputs[0].clone())
    }

    fn evaluation(&self) -> Evaluation<'_> {
        Evaluation::View(self)
    }

    fn derivative(&self) -> Derivative<'_> {
        Derivative::Linear(self)
    }

    fn batch(&self) -> Batch<'_> {
        Batch::LeadingAxes
    }

    fn samples() -> Vec<Sample> {
        let sample = || Sample::new(operation(After));
        vec![
            sample().input([2, 3]).input([4]),
            sample().input(()).input(()),
        ]
    }
}

impl Viewing for After {
    fn view(&self, input: &Layout, _output: &Spec) -> Option<Layout> {
        Some(input.clone())
    }
}

impl Linear for After {
    fn is_fixed(&self, argument: usize) -> bool {
        argument > 0
    }

    fn transpose(
        &self,
        _argument: usize,
        _inputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Tensor {
        cotangents[0]
            .clone()
            .expect("the single output has a cotangent")
    }
}

impl Tensor {
    /// This tensor, computed from here on only when all of `others` are there, and never merged with an equal one that is
    /// computed earlier.
    pub(crate) fn after(&self, others: &[&Tensor]) -> Tensor {
        let inputs: Vec<&Tensor> = std::iter::once(self)
            .chain(others.iter().copied())
            .collect();
        operation(After).of(&inputs)
    }
}
