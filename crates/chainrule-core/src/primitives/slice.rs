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

/// The transpose of [`Slice`]: zeros of `shape`, with the input in the spans.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Unslice {
    pub(crate) spans: Vec<Span>,
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
            spans: self.spans.clone(),
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
        "y[start + i step] = x[i], zero elsewhere"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        check_spans(&self.spans, &self.shape)?;
        if self
            .spans
            .iter()
            .map(|span| span.length)
            .ne(inputs[0].shape().iter().copied())
        {
            return Err(Mismatch::shape(
                "the ranges do not have the input's extents",
            ));
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
        let spans = vec![
            Span {
                start: 3,
                step: -2,
                length: 2,
            },
            Span::whole(3),
        ];
        vec![
            Sample::new(operation(Unslice {
                spans,
                shape: Shape::from([5, 3]),
            }))
            .input([2, 3]),
        ]
    }
}

impl crate::declare::Reference for Unslice {
    fn value(
        &self,
        inputs: &[crate::declare::Array],
        specs: &[Spec],
    ) -> Result<Vec<crate::declare::Array>, crate::Error> {
        let input = &inputs[0];
        let strides = self.shape.contiguous_strides();
        let data = crate::each_type!(&input.data, elements => {
            let mut output = vec![Default::default(); self.shape.elements()];
            for (flat, element) in elements.iter().enumerate() {
                let index = input.shape.unravel(flat);
                let position: isize = self
                    .spans
                    .iter()
                    .zip(index.iter().zip(&strides))
                    .map(|(span, (&index, stride))| span.position(index) as isize * stride)
                    .sum();
                output[position as usize] = element.clone();
            }
            output
        });
        Ok(vec![crate::declare::Array::new(specs[0].shape(), data)])
    }
}

impl Linear for Unslice {
    fn is_fixed(&self, _argument: usize) -> bool {
        false
    }

    fn transpose(
        &self,
        _argument: usize,
        _inputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Tensor {
        let cotangent = cotangents[0]
            .as_ref()
            .expect("the single output has a cotangent");
        operation(Slice {
            spans: self.spans.clone(),
        })
        .of(&[cotangent])
    }
}

impl Shift for Unslice {
    fn shifted(&self, extent: usize) -> OperationRef {
        operation(Unslice {
            spans: with_whole(&self.spans, extent),
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
