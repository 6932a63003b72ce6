//! What stands at the edge of a graph: constants, tracked leaves, stand-ins, and identities that give a value a new name.

use crate::backend::Scalar;
use crate::declare::{
    Batch, Derivative, Evaluation, Linear, OperationRef, Primitive, Sample, Shift, Specs, Viewing,
    Whole, one, operation,
};
use crate::error::Mismatch;
use crate::family;
use crate::graph::Spec;
use crate::shape::Layout;
use crate::tensor::Tensor;

family! { Constant, Absent, TrackedLeaf, Placeholder, Identity, StopGradient }

macro_rules! unit {
    ($($name:ident),*) => {$(
        impl $name {
            pub(crate) fn operation() -> OperationRef {
                static INSTANCE: Whole<$name> = Whole($name);
                OperationRef::Fixed(&INSTANCE)
            }
        }
    )*};
}

unit!(
    Constant,
    Absent,
    TrackedLeaf,
    Placeholder,
    Identity,
    StopGradient
);

/// Given data.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Constant;

/// Zeros that stand for a derivative along no path.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Absent;

/// A leaf to differentiate by. It looks at what it was made from and hides its history.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TrackedLeaf;

/// A stand-in without a value.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Placeholder;

/// The input under another name: what a transform differentiates by.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Identity;

/// The input as a constant: derivatives by it are zero.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct StopGradient;

macro_rules! source {
    ($($name:ident, $text:literal, $formula:literal;)*) => {$(
        impl Primitive for $name {
            fn name(&self) -> &'static str {
                $text
            }
            fn formula(&self) -> &'static str {
                $formula
            }
            fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
                inputs.iter().map(|spec| Ok((*spec).clone())).collect()
            }
            fn evaluation(&self) -> Evaluation<'_> {
                Evaluation::View(self)
            }
            fn derivative(&self) -> Derivative<'_> {
                Derivative::Source
            }
            fn batch(&self) -> Batch<'_> {
                Batch::Source
            }
            fn samples() -> Vec<Sample> {
                Vec::new() // nothing is computed, so there is nothing to check
            }
        }
        impl Viewing for $name {
            fn view(&self, input: &Layout, _output: &Spec) -> Option<Layout> {
                Some(input.clone())
            }
        }
    )*};
}

source! {
    Constant, "constant", "given data";
    Absent, "absent", "zero, because there is no path";
    TrackedLeaf, "tracked", "a leaf to differentiate by";
    Placeholder, "placeholder", "a value that is not there yet";
}

macro_rules! identity {
    ($($name:ident, $text:literal, $derivative:expr;)*) => {$(
        impl Primitive for $name {
            fn name(&self) -> &'static str {
                $text
            }
            fn formula(&self) -> &'static str {
                "y = x"
            }
            fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
                one(inputs[0].clone())
            }
            fn evaluation(&self) -> Evaluation<'_> {
                Evaluation::View(self)
            }
            fn derivative(&self) -> Derivative<'_> {
                let derivative: fn(&$name) -> Derivative<'_> = $derivative;
                derivative(self)
            }
            fn batch(&self) -> Batch<'_> {
                Batch::ShiftAxes(self)
            }
            fn samples() -> Vec<Sample> {
                vec![Sample::new(operation($name)).input([2, 3]), Sample::new(operation($name)).input(())]
            }
        }
        impl Viewing for $name {
            fn view(&self, input: &Layout, _output: &Spec) -> Option<Layout> {
                Some(input.clone())
            }
        }
        impl Linear for $name {
            fn is_fixed(&self, _argument: usize) -> bool {
                false
            }
            fn transpose(&self, _argument: usize, _inputs: &[Tensor], cotangents: &[Option<Tensor>]) -> Tensor {
                cotangents[0].clone().expect("the single output has a cotangent")
            }
        }
        impl Shift for $name {
            fn shifted(&self, _extent: usize) -> OperationRef {
                $name::operation()
            }
        }
    )*};
}

identity! {
    Identity, "identity", |identity| Derivative::Linear(identity);
    StopGradient, "stop_gradient", |_| Derivative::Source;
}

impl Tensor {
    /// Zeros like `tensor`, marked as a derivative along no path.
    #[track_caller]
    pub(crate) fn absent(tensor: &Tensor) -> Tensor {
        Tensor::filled_leaf(
            Absent::operation(),
            Scalar::Float(0.0),
            tensor.shared_specs(),
        )
    }

    /// Whether this is a gradient of something that the result does not depend on; it reads as zeros.
    ///
    /// ```
    /// use chainrule_core::{grad, Tensor};
    /// let (dx, dy) = grad(|(x, _): &(Tensor, Tensor)| x * x)(&(Tensor::from(1.0), Tensor::from(1.0)));
    /// assert!(!dx.is_absent() && dy.is_absent());
    /// assert_eq!(dy.item::<f64>(), 0.0);
    /// ```
    pub fn is_absent(&self) -> bool {
        self.node().operation.declaration().is::<Absent>()
    }

    /// The same value as a constant: no derivative flows through it.
    ///
    /// ```
    /// use chainrule_core::{grad, Tensor};
    /// let slope = grad(|x: &Tensor| x * x.stop_gradient())(&Tensor::from(3.0));
    /// assert_eq!(slope.item::<f64>(), 3.0);
    /// ```
    #[track_caller]
    pub fn stop_gradient(&self) -> Tensor {
        StopGradient::operation().of(&[self])
    }
}
