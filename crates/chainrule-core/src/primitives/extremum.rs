//! Greatest and least elements over axes, and where they stand.

use super::sum::{reduction_layout, without_axes};
use crate::declare::{
    Array, Batch, Data, Derivative, Evaluation, OperationRef, Primitive, Reference, Routed, Sample,
    Shift, Specs, one, operation,
};
use crate::error::{Error, Mismatch};
use crate::family;
use crate::graph::Spec;
use crate::shape::{Layout, ReductionAxes};
use crate::tensor::Tensor;
use chainrule_kernels::DType;

family! { Amax, Amin, Argmax, Argmin }

/// The greatest element over `axes`, which disappear. Elements that tie share the derivative equally.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Amax {
    pub(crate) axes: Vec<usize>,
}

/// The least element over `axes`, which disappear. Elements that tie share the derivative equally.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Amin {
    pub(crate) axes: Vec<usize>,
}

/// The position of the greatest element along `axis`, the first of equals; NaN counts as greatest.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Argmax {
    pub(crate) axis: usize,
}

/// The position of the least element along `axis`, the first of equals; NaN counts as least.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Argmin {
    pub(crate) axis: usize,
}

/// Elements that can be put in order; NaN goes before everything.
pub(crate) trait Ordered: Clone {
    fn is_nan(&self) -> bool;
    fn exceeds(&self, other: &Self) -> bool;
}

macro_rules! ordered {
    ($($type:ty, $nan:expr;)*) => {$(
        impl Ordered for $type {
            fn is_nan(&self) -> bool {
                let nan: fn($type) -> bool = $nan;
                nan(*self)
            }
            fn exceeds(&self, other: &$type) -> bool {
                self > other
            }
        }
    )*};
}

ordered! {
    f32, f32::is_nan;
    f64, f64::is_nan;
    i64, |_| false;
    i32, |_| false;
    u8, |_| false;
    bool, |_| false;
}

/// For each output, the number of the element (in the order of the reduced axes) that wins.
fn winners<T: Ordered>(
    elements: &[T],
    layout: &Layout,
    outputs: usize,
    count: usize,
    wins: fn(&T, &T) -> bool,
) -> Vec<(usize, T)> {
    let mut positions = layout.positions();
    (0..outputs)
        .map(|_| {
            let mut best: Option<(usize, T)> = None;
            for (number, position) in positions.by_ref().take(count).enumerate() {
                let element = &elements[position];
                let better = match &best {
                    None => true,
                    Some((_, holder)) => {
                        !holder.is_nan() && (element.is_nan() || wins(element, holder))
                    }
                };
                if better {
                    best = Some((number, element.clone()));
                }
            }
            best.expect("shape rules refuse an empty choice")
        })
        .collect()
}

fn exceeds<T: Ordered>(candidate: &T, holder: &T) -> bool {
    candidate.exceeds(holder)
}

fn falls_below<T: Ordered>(candidate: &T, holder: &T) -> bool {
    holder.exceeds(candidate)
}

/// Runs `$body` on the elements of any ordered type, in `$layout`.
macro_rules! each_ordered {
    ($data:expr, $elements:ident => $body:expr) => {
        match $data {
            Data::F32($elements) => Data::F32($body),
            Data::F64($elements) => Data::F64($body),
            Data::I64($elements) => Data::I64($body),
            Data::I32($elements) => Data::I32($body),
            Data::U8($elements) => Data::U8($body),
            Data::Bool($elements) => Data::Bool($body),
            Data::Sets(_) => unreachable!("a choice by value has no pattern of its own"),
        }
    };
}

fn refuse_empty(shape: &crate::shape::Shape, axes: &[usize]) -> Result<(), Mismatch> {
    match axes.iter().find(|&&axis| shape[axis] == 0) {
        Some(axis) => Err(Mismatch::shape(format!(
            "axis {axis} has extent 0: there is no element to choose"
        ))),
        None => Ok(()),
    }
}

macro_rules! extremum {
    ($($name:ident, $text:literal, $formula:literal, $wins:ident;)*) => {$(
        impl Primitive for $name {
            fn name(&self) -> &'static str {
                $text
            }

            fn formula(&self) -> &'static str {
                $formula
            }

            fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
                refuse_empty(inputs[0].shape(), &self.axes)?;
                one(inputs[0].with_shape(without_axes(inputs[0].shape(), &self.axes)))
            }

            fn evaluation(&self) -> Evaluation<'_> {
                Evaluation::Reference(self)
            }

            fn derivative(&self) -> Derivative<'_> {
                Derivative::Routed(self)
            }

            fn batch(&self) -> Batch<'_> {
                Batch::ShiftAxes(self)
            }

            fn samples() -> Vec<Sample> {
                let over = |axes: &[usize]| Sample::new(operation($name { axes: axes.to_vec() }));
                vec![
                    over(&[0]).distinct([3, 4]),
                    over(&[1]).distinct([3, 4]),
                    over(&[0, 2]).distinct([2, 3, 2]),
                    over(&[0]).distinct([5]),
                    over(&[1]).distinct([0, 2]),
                ]
            }
        }

        impl Reference for $name {
            fn value(&self, inputs: &[Array], specs: &[Spec]) -> Result<Vec<Array>, Error> {
                let (layout, count) = reduction_layout(&inputs[0].shape, &self.axes);
                let outputs = specs[0].elements();
                let data = each_ordered!(&inputs[0].data, elements => {
                    winners(elements, &layout, outputs, count, $wins).into_iter().map(|(_, element)| element).collect()
                });
                Ok(vec![Array::new(specs[0].shape(), data)])
            }
        }

        impl Routed for $name {
            /// The share of each element: one over the number that tie with the chosen one, 0 for the others.
            fn route(&self, inputs: &[Tensor], outputs: &[Tensor]) -> Tensor {
                let (x, chosen) = (inputs[0].stop_gradient(), outputs[0].stop_gradient());
                let wins = x.eq(chosen.restored(x.shape(), &self.axes)).where_(x.ones_like(), x.zeros_like());
                let ties = wins.sum(self.axes.clone());
                &wins / ties.restored(x.shape(), &self.axes)
            }

            fn apply(&self, route: &Tensor, tangents: &[Tensor]) -> Tensor {
                (route * &tangents[0]).sum(self.axes.clone())
            }

            fn transpose(&self, route: &Tensor, _argument: usize, inputs: &[Tensor], cotangent: &Tensor) -> Tensor {
                route * cotangent.restored(inputs[0].shape(), &self.axes)
            }
        }

        impl Shift for $name {
            fn shifted(&self, _extent: usize) -> OperationRef {
                operation($name { axes: self.axes.iter().map(|axis| axis + 1).collect() })
            }
        }
    )*};
}

extremum! {
    Amax, "max", "y = max x over the axes", exceeds;
    Amin, "min", "y = min x over the axes", falls_below;
}

macro_rules! position {
    ($($name:ident, $text:literal, $formula:literal, $wins:ident;)*) => {$(
        impl Primitive for $name {
            fn name(&self) -> &'static str {
                $text
            }

            fn formula(&self) -> &'static str {
                $formula
            }

            fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
                refuse_empty(inputs[0].shape(), &[self.axis])?;
                one(inputs[0].with_shape(inputs[0].shape().without_axis(self.axis)).with_dtype(DType::I64))
            }

            fn evaluation(&self) -> Evaluation<'_> {
                Evaluation::Reference(self)
            }

            fn derivative(&self) -> Derivative<'_> {
                Derivative::NotDifferentiable("a position is an integer, constant wherever it is continuous")
            }

            fn batch(&self) -> Batch<'_> {
                Batch::ShiftAxes(self)
            }

            fn samples() -> Vec<Sample> {
                let along = |axis| Sample::new(operation($name { axis }));
                vec![along(0).distinct([3, 4]), along(1).distinct([3, 4]), along(0).distinct([5])]
            }
        }

        impl Reference for $name {
            fn value(&self, inputs: &[Array], specs: &[Spec]) -> Result<Vec<Array>, Error> {
                let (layout, count) = reduction_layout(&inputs[0].shape, &[self.axis]);
                let outputs = specs[0].elements();
                let mut positions = Vec::new();
                let _ = each_ordered!(&inputs[0].data, elements => {
                    let chosen = winners(elements, &layout, outputs, count, $wins);
                    positions.extend(chosen.iter().map(|(number, _)| *number as i64));
                    Vec::new()
                });
                Ok(vec![Array::new(specs[0].shape(), Data::I64(positions))])
            }
        }

        impl Shift for $name {
            fn shifted(&self, _extent: usize) -> OperationRef {
                operation($name { axis: self.axis + 1 })
            }
        }
    )*};
}

position! {
    Argmax, "argmax", "y = the position of max x along an axis", exceeds;
    Argmin, "argmin", "y = the position of min x along an axis", falls_below;
}

impl Tensor {
    /// The tensor with several axes merged to one last axis, and the number of the one axis.
    #[track_caller]
    pub(crate) fn along_one(&self, axes: &[usize]) -> (Tensor, usize) {
        match axes {
            [axis] => (self.clone(), *axis),
            _ => (self.merged_last(axes), self.rank() - axes.len()),
        }
    }

    /// The greatest element over the axes, which disappear unless they are [kept](crate::keep): `..` for all. NaN wins.
    ///
    /// Elements that tie share the gradient equally (as PyTorch's `amax`).
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let x = tensor![[1.0, 5.0], [3.0, 2.0]];
    /// assert_eq!(x.max(1).to_vec::<f32>(), [5.0, 3.0]);
    /// assert_eq!(x.max(..).item::<f32>(), 5.0);
    /// ```
    ///
    /// # Panics
    /// When an axis does not exist, is given twice, or has extent 0.
    #[track_caller]
    pub fn max(&self, axes: impl Into<ReductionAxes>) -> Tensor {
        let over = self.over("max", axes.into());
        if over.axes.is_empty() {
            return self.clone();
        }
        let axes = over.axes.clone();
        over.result(operation(Amax { axes }).of(&[self]))
    }

    /// The least element over the axes, which disappear unless they are [kept](crate::keep): `..` for all. NaN wins.
    ///
    /// Elements that tie share the gradient equally (as PyTorch's `amin`).
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![[1.0, 5.0], [3.0, 2.0]].min(0).to_vec::<f32>(), [1.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// When an axis does not exist, is given twice, or has extent 0.
    #[track_caller]
    pub fn min(&self, axes: impl Into<ReductionAxes>) -> Tensor {
        let over = self.over("min", axes.into());
        if over.axes.is_empty() {
            return self.clone();
        }
        let axes = over.axes.clone();
        over.result(operation(Amin { axes }).of(&[self]))
    }

    /// The position of the greatest element along an axis, as `i64`; the first of equals, NaN wins. Over several axes (`..`
    /// for all) it is the flat position in those axes, row-major.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![[1.0, 5.0], [3.0, 2.0]].argmax(1).to_vec::<i64>(), [1, 0]);
    /// ```
    ///
    /// # Panics
    /// When an axis does not exist or has extent 0.
    #[track_caller]
    pub fn argmax(&self, axes: impl Into<ReductionAxes>) -> Tensor {
        let over = self.over("argmax", axes.into());
        let (x, axis) = self.along_one(&over.axes);
        over.result(operation(Argmax { axis }).of(&[&x]))
    }

    /// The position of the least element along an axis, as `i64`; the first of equals, NaN wins. Over several axes (`..`
    /// for all) it is the flat position in those axes, row-major.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![[1.0, 5.0], [3.0, 2.0]].argmin(1).to_vec::<i64>(), [0, 1]);
    /// assert_eq!(tensor![[1.0, 5.0], [3.0, 0.0]].argmin(..).item::<i64>(), 3);
    /// ```
    ///
    /// # Panics
    /// When an axis does not exist or has extent 0.
    #[track_caller]
    pub fn argmin(&self, axes: impl Into<ReductionAxes>) -> Tensor {
        let over = self.over("argmin", axes.into());
        let (x, axis) = self.along_one(&over.axes);
        over.result(operation(Argmin { axis }).of(&[&x]))
    }
}
