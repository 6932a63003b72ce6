//! Operations that cannot be written by other operations and are not elementwise.

use super::family::{Declared, Entry, Registered};
use super::operation::{Evaluation, Operation, OperationRef, Reads, Specs};
use super::{Batch, Derivative, Sample};
use crate::error::Mismatch;
use crate::graph::Spec;
use std::any::{Any, TypeId};
use std::hash::{Hash, Hasher};
use std::panic::RefUnwindSafe;
use std::sync::Arc;

/// A primitive: a struct whose fields are the operation's attributes. No method has a default, so what is not declared
/// does not compile.
pub trait Primitive:
    Registered + Clone + Eq + Hash + Send + Sync + RefUnwindSafe + 'static
{
    /// The name, as the method is called.
    fn name(&self) -> &'static str;
    /// What it computes, as a formula.
    fn formula(&self) -> &'static str;
    /// The specs of the outputs, or why the inputs do not fit.
    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch>;
    /// How the value comes about.
    fn evaluation(&self) -> Evaluation<'_>;
    /// The local derivative.
    fn derivative(&self) -> Derivative<'_>;
    /// How a further leading axis passes through.
    fn batch(&self) -> Batch<'_>;
    /// Instances and inputs on which the checks try this declaration.
    fn samples() -> Vec<Sample>;
}

/// A [`Primitive`] declaration as an [`Operation`].
pub struct Whole<P>(pub(crate) P);

/// Marks [`Primitive`] declarations in [`Declared`].
pub struct PrimitiveKind;

impl<P: Primitive> Declared<PrimitiveKind> for P {
    const ENTRY: Entry = Entry {
        name: std::any::type_name::<P>,
        samples: P::samples,
    };

    fn into_operation(self) -> OperationRef {
        OperationRef::Shared(Arc::new(Whole(self)))
    }
}

impl<P: Primitive> Operation for Whole<P> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn formula(&self) -> String {
        self.0.formula().to_owned()
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        self.0.shape(inputs)
    }

    fn evaluation(&self) -> Evaluation<'_> {
        self.0.evaluation()
    }

    fn derivative(&self) -> Derivative<'_> {
        self.0.derivative()
    }

    fn batch(&self) -> Batch<'_> {
        self.0.batch()
    }

    fn backward_reads(&self) -> Reads {
        match self.0.derivative() {
            Derivative::Linear(linear) => Reads {
                inputs: (0..31)
                    .filter(|&position| linear.is_fixed(position))
                    .fold(0, |mask, position| mask | 1 << position),
                outputs: false,
            },
            Derivative::Multilinear(_) => Reads::INPUTS,
            Derivative::Elementwise(_) | Derivative::Routed(_) | Derivative::Rule(_) => {
                Reads::EVERYTHING
            }
            Derivative::Body => Reads::INPUTS,
            Derivative::NotDifferentiable(_) | Derivative::Source => Reads::NOTHING,
        }
    }

    fn same(&self, other: &dyn Operation) -> bool {
        (other as &dyn Any)
            .downcast_ref::<Whole<P>>()
            .is_some_and(|other| other.0 == self.0)
    }

    fn hash(&self, mut hasher: &mut dyn Hasher) {
        TypeId::of::<P>().hash(&mut hasher);
        self.0.hash(&mut hasher);
    }

    fn declaration(&self) -> &dyn Any {
        &self.0
    }
}
