//! Operations that carry their body of other operations.

use super::family::{Declared, Entry, Registered};
use super::operation::{Evaluation, Operation, OperationRef, Reads, Specs};
use super::{Batch, Derivative, Sample};
use crate::error::Mismatch;
use crate::graph::Spec;
use crate::tensor::Tensor;
use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::hash::{Hash, Hasher};
use std::panic::RefUnwindSafe;
use std::sync::Arc;

/// A composite: one node whose meaning is a function of other operations.
///
/// Transforms run the body again on their own inputs and differentiate that, so a fast kernel can never lose a
/// gradient; it recomputes the body in the backward pass (the planner merges the copies when both run in one plan).
pub trait Composite:
    Registered + Clone + Eq + Hash + Send + Sync + RefUnwindSafe + 'static
{
    /// The name, as the method is called.
    fn name(&self) -> &'static str;
    /// What it computes, as a formula.
    fn formula(&self) -> &'static str;
    /// The meaning. Shape and dtype mistakes are found here too, so it checks what the user may get wrong.
    ///
    /// # Errors
    /// Why the inputs do not fit.
    fn check(&self, inputs: &[&Spec]) -> Result<(), Mismatch>;
    /// The meaning: outputs from inputs by other operations. A function rerun by transforms, never a captured graph.
    fn body(&self, inputs: &[Tensor]) -> Vec<Tensor>;
    /// The derivative: [`Derivative::Body`], or a [`Rule`](super::Rule) built of other composites that have kernels.
    fn derivative(&self) -> Derivative<'_>;
    /// How a further leading axis passes through: [`Batch::Body`], or a shift of axes that keeps the kernel.
    fn batch(&self) -> Batch<'_>;
    /// Instances and inputs on which the checks try this declaration.
    fn samples() -> Vec<Sample>;
}

/// The body of a composite as the engine sees it.
pub trait Body {
    /// Runs the body on `inputs`.
    fn body(&self, inputs: &[Tensor]) -> Vec<Tensor>;
}

/// A [`Composite`] declaration as an [`Operation`].
struct Bodied<C>(C);

/// Marks [`Composite`] declarations in [`Declared`].
pub struct CompositeKind;

impl<C: Composite> Declared<CompositeKind> for C {
    const ENTRY: Entry = Entry {
        name: std::any::type_name::<C>,
        samples: C::samples,
    };

    fn into_operation(self) -> OperationRef {
        OperationRef::Shared(Arc::new(Bodied(self)))
    }
}

impl<C: Composite> Body for Bodied<C> {
    fn body(&self, inputs: &[Tensor]) -> Vec<Tensor> {
        self.0.body(inputs)
    }
}

impl<C: Composite> Operation for Bodied<C> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn formula(&self) -> String {
        self.0.formula().to_owned()
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        self.0.check(inputs)?;
        remembered_specs(self, inputs)
    }

    fn evaluation(&self) -> Evaluation<'_> {
        Evaluation::Body(self)
    }

    fn derivative(&self) -> Derivative<'_> {
        self.0.derivative()
    }

    fn batch(&self) -> Batch<'_> {
        self.0.batch()
    }

    fn backward_reads(&self) -> Reads {
        match self.0.derivative() {
            Derivative::Body => Reads::INPUTS,
            _ => Reads::EVERYTHING,
        }
    }

    fn same(&self, other: &dyn Operation) -> bool {
        (other as &dyn Any)
            .downcast_ref::<Bodied<C>>()
            .is_some_and(|other| other.0 == self.0)
    }

    fn hash(&self, mut hasher: &mut dyn Hasher) {
        TypeId::of::<C>().hash(&mut hasher);
        self.0.hash(&mut hasher);
    }

    fn declaration(&self) -> &dyn Any {
        &self.0
    }
}

/// Recording a body only to learn the outputs' specs is not cheap, so the last few answers are remembered.
const REMEMBERED: usize = 64;

struct Answer {
    operation: Arc<dyn Operation>,
    inputs: Vec<Spec>,
    outputs: Specs,
}

thread_local! {
    static ANSWERS: RefCell<Vec<Answer>> = const { RefCell::new(Vec::new()) };
}

fn remembered_specs<C: Composite>(
    composite: &Bodied<C>,
    inputs: &[&Spec],
) -> Result<Specs, Mismatch> {
    let known = ANSWERS.with_borrow(|answers| {
        let matching = |answer: &&Answer| {
            answer.inputs.len() == inputs.len()
                && answer
                    .inputs
                    .iter()
                    .zip(inputs)
                    .all(|(known, asked)| known == *asked)
                && composite.same(answer.operation.as_ref())
        };
        answers
            .iter()
            .rev()
            .find(matching)
            .map(|answer| answer.outputs.clone())
    });
    if let Some(specs) = known {
        return Ok(specs);
    }
    let placeholders: Vec<Tensor> = inputs
        .iter()
        .map(|spec| Tensor::placeholder((*spec).clone()))
        .collect();
    let outputs: Specs = composite
        .0
        .body(&placeholders)
        .iter()
        .map(|output| output.spec().clone())
        .collect();
    ANSWERS.with_borrow_mut(|answers| {
        if answers.len() == REMEMBERED {
            answers.remove(0);
        }
        answers.push(Answer {
            operation: Arc::new(Bodied(composite.0.clone())),
            inputs: inputs.iter().map(|spec| (*spec).clone()).collect(),
            outputs: outputs.clone(),
        });
    });
    Ok(outputs)
}
