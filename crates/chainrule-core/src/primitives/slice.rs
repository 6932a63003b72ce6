//! Parts of a tensor by ranges with steps.

use crate::declare::{
    Batch, Derivative, Evaluation, Linear, OperationRef, Primitive, Sample, Shift, Specs, Viewing,
    one, operation,
};
use crate::error::{Mismatch, raise};
use crate::family;
use crate::graph::Spec;
use crate::shape::{Layout, Shape};
use crate::tensor::Tensor;

family! { Slice, Unslice }

/// The part of one axis: `length` elements from `start`, `step` apart (negative steps walk backwards).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Span {
    pub(crate) start: usize,
    pub(crate) step: isize,
    pub(crate) length: usize,
}

impl Span {
    pub(crate) fn whole(extent: usize) -> Span {
        Span {
            start: 0,
            step: 1,
            length: extent,
        }
    }

    fn position(&self, index: usize) -> usize {
        (self.start as isize + index as isize * self.step) as usize
    }
}

/// One span an axis.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Slice {
    pub(crate) spans: Vec<Span>,
}

/// The transpose of [`Slice`], and of several slices of one tensor together: zeros of `shape`, with each input in its spans.
/// No two inputs share an element.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Unslice {
    pub(crate) parts: Vec<Vec<Span>>,
    pub(crate) shape: Shape,
}

fn check_spans(spans: &[Span], shape: &Shape) -> Result<(), Mismatch> {
    if spans.len() != shape.rank() {
        return Err(Mismatch::index(format!(
            "{} ranges were given for {} axes",
            spans.len(),
            shape.rank()
        )));
    }
    for (axis, (span, &extent)) in spans.iter().zip(shape.iter()).enumerate() {
        if span.length == 0 {
            continue;
        }
        let last = span.start as isize + (span.length - 1) as isize * span.step;
        if span.start >= extent || last < 0 || last >= extent as isize {
            return Err(Mismatch::index(format!(
                "the range from {} to {last} is outside axis {axis}, which has extent {extent}",
                span.start
            )));
        }
    }
    Ok(())
}

impl Primitive for Slice {
    fn name(&self) -> &'static str {
        "slice"
    }

    fn formula(&self) -> &'static str {
        "y[i] = x[start + i step]"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        check_spans(&self.spans, inputs[0].shape())?;
        one(inputs[0].with_shape(self.spans.iter().map(|span| span.length).collect::<Shape>()))
    }

    fn evaluation(&self) -> Evaluation<'_> {
        Evaluation::View(self)
    }

    fn derivative(&self) -> Derivative<'_> {
        Derivative::Linear(self)
    }

    fn batch(&self) -> Batch<'_> {
        Batch::ShiftAxes(self)
    }

    fn samples() -> Vec<Sample> {
        let with = |spans: &[(usize, isize, usize)]| {
            let spans = spans
                .iter()
                .map(|&(start, step, length)| Span {
                    start,
                    step,
                    length,
                })
                .collect();
            Sample::new(operation(Slice { spans }))
        };
        vec![
            with(&[(1, 2, 2), (0, 1, 3)]).input([5, 3]),
            with(&[(4, -2, 2)]).input([5]),
            with(&[(0, 1, 0)]).input([3]),
        ]
    }
}

impl Viewing for Slice {
    fn view(&self, input: &Layout, output: &Spec) -> Option<Layout> {
        let mut layout = input.clone();
        layout.shape = output.shape().clone();
        if output.elements() == 0 {
            return Some(layout);
        }
        for (axis, span) in self.spans.iter().enumerate() {
            layout.offset =
                (layout.offset as isize + span.start as isize * input.strides[axis]) as usize;
            layout.strides[axis] = input.strides[axis] * span.step;
        }
        Some(layout)
    }
}

impl Linear for Slice {
    fn is_fixed(&self, _argument: usize) -> bool {
        false
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
        let unslice = Unslice {
            parts: vec![self.spans.clone()],
            shape: inputs[0].shape().clone(),
        };
        operation(unslice).of(&[cotangent])
    }
}

impl Shift for Slice {
    fn shifted(&self, extent: usize) -> OperationRef {
        operation(Slice {
            spans: with_whole(&self.spans, extent),
        })
    }
}

fn with_whole(spans: &[Span], extent: usize) -> Vec<Span> {
    std::iter::once(Span::whole(extent))
        .chain(spans.iter().copied())
        .collect()
}

impl Primitive for Unslice {
    fn name(&self) -> &'static str {
        "unslice"
    }

    fn formula(&self) -> &'static str {
        "y[start + i step] = x[i] for each input, zero elsewhere"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        if self.parts.is_empty() || inputs.len() != self.parts.len() {
            return Err(Mismatch::argument(format!(
                "{} tensors are to be placed in {} parts",
                inputs.len(),
                self.parts.len()
            )));
        }
        for (spans, input) in self.parts.iter().zip(inputs) {
            check_spans(spans, &self.shape)?;
            let lengths = spans.iter().map(|span| span.length);
            if lengths.ne(input.shape().iter().copied()) {
                return Err(Mismatch::shape(
                    "the ranges do not have the input's extents",
                ));
            }
            if input.dtype() != inputs[0].dtype() {
                return Err(Mismatch::dtype("the dtypes differ"));
            }
        }
        one(inputs[0].with_shape(&self.shape))
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
        let span = |start, step, length| Span {
            start,
            step,
            length,
        };
        let into = |parts: &[[Span; 2]]| {
            let parts = parts.iter().map(|spans| spans.to_vec()).collect();
            let shape = Shape::from([5, 3]);
            Sample::new(operation(Unslice { parts, shape }))
        };
        vec![
            into(&[[span(3, -2, 2), Span::whole(3)]]).input([2, 3]),
            into(&[
                [span(0, 1, 2), span(0, 1, 3)],
                [span(4, -1, 2), span(0, 2, 2)],
            ])
            .input([2, 3])
            .input([2, 2]),
        ]
    }
}

impl crate::declare::Reference for Unslice {
    fn value(
        &self,
        inputs: &[crate::declare::Array],
        specs: &[Spec],
    ) -> Result<Vec<crate::declare::Array>, crate::Error> {
        let strides = self.shape.contiguous_strides();
        let mut positions = vec![None; self.shape.elements()];
        for (part, (spans, input)) in self.parts.iter().zip(inputs).enumerate() {
            for flat in 0..input.shape.elements() {
                let index = input.shape.unravel(flat);
                let steps = spans.iter().zip(index.iter().zip(&strides));
                let position: isize = steps
                    .map(|(span, (&index, stride))| span.position(index) as isize * stride)
                    .sum();
                positions[position as usize] = Some((part, flat));
            }
        }
        let mut output = crate::declare::Array::new(
            [0],
            crate::each_type!(&inputs[0].data, _elements => Vec::new()),
        );
        let zero = crate::declare::Array::new(
            [1],
            crate::each_type!(&inputs[0].data, _elements => vec![Default::default()]),
        );
        for position in positions {
            match position {
                Some((part, flat)) => output.append(&inputs[part], flat..flat + 1),
                None => output.append(&zero, 0..1),
            }
        }
        Ok(vec![crate::declare::Array::new(
            specs[0].shape(),
            output.data,
        )])
    }
}

impl Linear for Unslice {
    fn is_fixed(&self, _argument: usize) -> bool {
        false
    }

    fn transpose(
        &self,
        argument: usize,
        _inputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Tensor {
        let cotangent = cotangents[0]
            .as_ref()
            .expect("the single output has a cotangent");
        operation(Slice {
            spans: self.parts[argument].clone(),
        })
        .of(&[cotangent])
    }

    /// The gradient of a sequence that is read slice by slice would otherwise be as many tensors of its full size.
    fn sum(&self) -> Option<fn(&[Tensor]) -> Tensor> {
        Some(placed_together)
    }
}

/// The sum of results of [`Unslice`]: those whose parts do not overlap are one operation.
fn placed_together(terms: &[Tensor]) -> Tensor {
    let mut rest: Vec<(Vec<Span>, Tensor)> = Vec::new();
    let mut sums: Vec<Tensor> = Vec::new();
    for term in terms {
        let declared = term.node().operation.declaration();
        let inputs = term.node().edges();
        match declared.downcast_ref::<Unslice>() {
            Some(unslice) if inputs.len() == unslice.parts.len() => {
                let inputs = inputs.iter().cloned().map(Tensor::from_edge);
                rest.extend(unslice.parts.iter().cloned().zip(inputs));
            }
            // A node that has its value forgets its inputs.
            _ => sums.push(term.clone()),
        }
    }
    while !rest.is_empty() {
        let (together, overlapping) = apart_along_an_axis(rest);
        let (parts, inputs): (Vec<Vec<Span>>, Vec<Tensor>) = together.into_iter().unzip();
        let shape = terms[0].shape().clone();
        sums.push(operation(Unslice { parts, shape }).of(&inputs.iter().collect::<Vec<_>>()));
        rest = overlapping;
    }
    let sum = sums.into_iter().reduce(|sum, term| sum + term);
    sum.expect("there is a term to sum")
}

type Parts = Vec<(Vec<Span>, Tensor)>;

/// Parts that do not overlap along one axis, and the others.
fn apart_along_an_axis(mut parts: Parts) -> (Parts, Parts) {
    let reach = |span: &Span| match span.length {
        0 => (0, 0),
        length => {
            let (first, last) = (span.start, span.position(length - 1));
            (first.min(last), first.max(last) + 1)
        }
    };
    let apart = |axis: usize, one: &[Span], other: &[Span]| {
        let (one, other) = (reach(&one[axis]), reach(&other[axis]));
        one.1 <= other.0 || other.1 <= one.0
    };
    let first = parts[0].0.clone();
    let axis = (0..first.len()).find(|&axis| {
        let mut others = parts[1..].iter();
        others.any(|(spans, _)| apart(axis, &first, spans))
    });
    let Some(axis) = axis else {
        let others = parts.split_off(1);
        return (parts, others);
    };
    parts.sort_by_key(|(spans, _)| reach(&spans[axis]));
    let (mut together, mut overlapping, mut end) = (Parts::new(), Parts::new(), 0);
    for part in parts {
        let (low, high) = reach(&part.0[axis]);
        match low >= end {
            true => {
                end = high;
                together.push(part);
            }
            false => overlapping.push(part),
        }
    }
    (together, overlapping)
}

impl Shift for Unslice {
    fn shifted(&self, extent: usize) -> OperationRef {
        let parts = self.parts.iter();
        operation(Unslice {
            parts: parts.map(|spans| with_whole(spans, extent)).collect(),
            shape: self.shape.with_axis(0, extent),
        })
    }
}

impl Tensor {
    /// `length` elements of `axis`, from `start` on. Nothing is copied.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![1.0, 2.0, 3.0].narrow(0, 1, 2).to_vec::<f32>(), [2.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// When the axis does not exist or the range leaves it.
    #[track_caller]
    pub fn narrow(&self, axis: isize, start: usize, length: usize) -> Tensor {
        let axis = self.axis("narrow", axis);
        let extent = self.shape()[axis];
        if start.checked_add(length).is_none_or(|end| end > extent) {
            let reason = format!(
                "{length} elements from {start} on leave axis {axis}, which has extent {extent}"
            );
            raise(Mismatch::index(reason).into_error("narrow", &[self.as_operand()]));
        }
        let mut spans: Vec<Span> = self
            .shape()
            .iter()
            .map(|&extent| Span::whole(extent))
            .collect();
        spans[axis] = Span {
            start: if length == 0 { 0 } else { start },
            step: 1,
            length,
        };
        self.sliced(spans)
    }

    /// The part of the tensor that the spans name, one an axis.
    #[track_caller]
    pub(crate) fn sliced(&self, spans: Vec<Span>) -> Tensor {
        let whole = spans
            .iter()
            .zip(self.shape().iter())
            .all(|(span, &extent)| *span == Span::whole(extent));
        if whole && spans.len() == self.rank() {
            return self.clone();
        }
        operation(Slice { spans }).of(&[self])
    }
}
