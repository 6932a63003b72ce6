//! Indexing as in NumPy: ranges, steps, single positions, new axes, `...`, integer tensors and masks, mixed.

use super::Tensor;
use crate::backend::Scalar;
use crate::error::{Error, Mismatch, attempt, raise};
use crate::primitives::slice::Span;
use crate::shape::{Shape, broadcast};
use chainrule_kernels::DType;
use std::ops::{Range, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};

/// One part of an index, for one axis (or none, or several).
#[derive(Clone, Debug)]
pub enum Index {
    /// One position; the axis disappears. Negative positions count from the end.
    At(isize),
    /// A range with a step, which may be negative; ends that are left out are those of the axis, and ends outside it are
    /// moved to it.
    Span {
        /// The first position.
        start: Option<isize>,
        /// The position behind the last.
        end: Option<isize>,
        /// The distance between neighbours, not 0.
        step: isize,
    },
    /// As many whole axes as the other parts leave.
    Ellipsis,
    /// A new axis of extent 1.
    NewAxis,
    /// Positions (integers), or a mask (truth values) over as many axes as it has.
    By(Tensor),
}

/// `...`: as many whole axes as the other parts of an index leave.
#[derive(Clone, Copy, Debug)]
pub struct Ellipsis;

/// A new axis of extent 1 in an index.
#[derive(Clone, Copy, Debug)]
pub struct NewAxis;

/// A range with a step: `steps(1..10, 2)`, `steps(.., -1)` for all in opposite order.
pub fn steps(range: impl Into<Index>, step: isize) -> Index {
    match range.into() {
        Index::Span { start, end, .. } => Index::Span { start, end, step },
        other => other,
    }
}

impl From<RangeFull> for Index {
    fn from(_: RangeFull) -> Index {
        Index::Span {
            start: None,
            end: None,
            step: 1,
        }
    }
}

impl From<Ellipsis> for Index {
    fn from(_: Ellipsis) -> Index {
        Index::Ellipsis
    }
}

impl From<NewAxis> for Index {
    fn from(_: NewAxis) -> Index {
        Index::NewAxis
    }
}

impl From<&Tensor> for Index {
    fn from(tensor: &Tensor) -> Index {
        Index::By(tensor.clone())
    }
}

impl From<Tensor> for Index {
    fn from(tensor: Tensor) -> Index {
        Index::By(tensor)
    }
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl From<$type> for Index {
            fn from(position: $type) -> Index {
                Index::At(position as isize)
            }
        }
        impl From<Range<$type>> for Index {
            fn from(range: Range<$type>) -> Index {
                Index::Span { start: Some(range.start as isize), end: Some(range.end as isize), step: 1 }
            }
        }
        impl From<RangeFrom<$type>> for Index {
            fn from(range: RangeFrom<$type>) -> Index {
                Index::Span { start: Some(range.start as isize), end: None, step: 1 }
            }
        }
        impl From<RangeTo<$type>> for Index {
            fn from(range: RangeTo<$type>) -> Index {
                Index::Span { start: None, end: Some(range.end as isize), step: 1 }
            }
        }
        impl From<RangeInclusive<$type>> for Index {
            fn from(range: RangeInclusive<$type>) -> Index {
                Index::Span { start: Some(*range.start() as isize), end: behind(*range.end() as isize), step: 1 }
            }
        }
        impl From<RangeToInclusive<$type>> for Index {
            fn from(range: RangeToInclusive<$type>) -> Index {
                Index::Span { start: None, end: behind(range.end as isize), step: 1 }
            }
        }
    )*};
}

integers!(i32, isize, usize);

/// The end of a range that includes `last`: behind -1 comes the end of the axis.
fn behind(last: isize) -> Option<isize> {
    (last != -1).then_some(last + 1)
}

/// What `index` and `set` take: one part, a tuple of parts, or a list.
pub trait IntoIndex {
    /// The parts, first axis first.
    fn parts(self) -> Vec<Index>;
}

impl<T: Into<Index>> IntoIndex for T {
    fn parts(self) -> Vec<Index> {
        vec![self.into()]
    }
}

impl IntoIndex for Vec<Index> {
    fn parts(self) -> Vec<Index> {
        self
    }
}

impl IntoIndex for &[Index] {
    fn parts(self) -> Vec<Index> {
        self.to_vec()
    }
}

macro_rules! tuples {
    ($(($($part:ident $number:tt),+);)*) => {$(
        impl<$($part: Into<Index>),+> IntoIndex for ($($part,)+) {
            fn parts(self) -> Vec<Index> {
                vec![$(self.$number.into()),+]
            }
        }
    )*};
}

tuples! {
    (A 0);
    (A 0, B 1);
    (A 0, B 1, C 2);
    (A 0, B 1, C 2, D 3);
    (A 0, B 1, C 2, D 3, E 4);
    (A 0, B 1, C 2, D 3, E 4, F 5);
}

impl Tensor {
    /// The part of the tensor that an index names, with NumPy's meaning: a position removes its axis, a range keeps it,
    /// integer tensors choose (and broadcast against each other), a mask chooses where it is true, [`NewAxis`] adds an
    /// axis, [`Ellipsis`] stands for the axes that are left. Ranges copy nothing. Differentiable.
    ///
    /// ```
    /// use chainrule_core::{steps, tensor, Ellipsis, NewAxis};
    /// let x = tensor![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
    /// assert_eq!(x.index(-1).to_vec::<f32>(), [4.0, 5.0, 6.0]);
    /// assert_eq!(x.index((.., 1..)).to_vec::<f32>(), [2.0, 3.0, 5.0, 6.0]);
    /// assert_eq!(x.index((0, steps(.., -1))).to_vec::<f32>(), [3.0, 2.0, 1.0]);
    /// assert_eq!(x.index((Ellipsis, NewAxis)).shape().to_string(), "[2, 3, 1]");
    /// assert_eq!(x.index((&tensor![0, 1], &tensor![2, 0])).to_vec::<f32>(), [3.0, 4.0]);
    /// assert_eq!(x.index(&x.gt(4.5)).to_vec::<f32>(), [5.0, 6.0]);
    /// ```
    ///
    /// # Panics
    /// When there are too many parts, a position is outside its axis, index tensors do not broadcast, or a mask does not
    /// have the extents of its axes.
    #[track_caller]
    pub fn index(&self, index: impl IntoIndex) -> Tensor {
        match self.indexed(index.parts()) {
            Ok(part) => part,
            Err(mismatch) => raise(mismatch.into_error("index", &[self.as_operand()])),
        }
    }

    /// Like [`index`](Tensor::index), for indices that come from data or configuration.
    ///
    /// # Errors
    /// As `index` panics.
    #[track_caller]
    pub fn try_index(&self, index: impl IntoIndex) -> Result<Tensor, Error> {
        let parts = index.parts();
        attempt(|| self.index(parts))
    }

    /// This tensor with `value` in the part that an index names; the value broadcasts to the part. A new tensor: the old
    /// one is unchanged. Differentiable in both.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let x = tensor![[1.0, 2.0], [3.0, 4.0]];
    /// assert_eq!(x.set((.., 0), 9.0).to_vec::<f32>(), [9.0, 2.0, 9.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// As [`index`](Tensor::index), and when the value does not broadcast to the part.
    #[track_caller]
    pub fn set(&self, index: impl IntoIndex, value: impl super::Like) -> Tensor {
        let numbers = Tensor::arange(self.elements() as i64)
            .to_device(self.device())
            .shaped(self.shape());
        let places = match numbers.indexed(index.parts()) {
            Ok(places) => places,
            Err(mismatch) => raise(mismatch.into_error("set", &[self.as_operand()])),
        };
        let number = Tensor::filled(Scalar::Float(0.0), self.spec().with_shape(()));
        let value = value.like(&number);
        let chosen = value.cast(self.dtype()).expand(places.shape());
        self.flat()
            .scatter(0, &places.flat(), &chosen.flat())
            .shaped(self.shape())
    }

    /// [`set`](Tensor::set) for an index or value that data or configuration decides.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert!(tensor![1.0, 2.0].try_set(2, 0.0).is_err());
    /// ```
    ///
    /// # Errors
    /// Where [`set`](Tensor::set) panics.
    #[track_caller]
    pub fn try_set(&self, index: impl IntoIndex, value: impl super::Like) -> Result<Tensor, Error> {
        let parts = index.parts();
        attempt(|| self.set(parts, value))
    }

    /// All elements along one axis.
    fn flat(&self) -> Tensor {
        self.shaped(&Shape::from([self.elements()]))
    }

    fn indexed(&self, parts: Vec<Index>) -> Result<Tensor, Mismatch> {
        let parts = whole(parts, self.rank())?;
        let choosing = parts.iter().any(|part| matches!(part, Index::By(_)));
        let mut spans: Vec<Span> = Vec::new();
        // What becomes of each axis of the sliced tensor, and the new axes between them.
        let mut layout: Vec<Axis> = Vec::new();
        for part in parts {
            let axis = spans.len();
            let extent = self.shape().get(axis).copied().unwrap_or(0);
            match part {
                Index::At(position) => {
                    let at = position_on(axis, position, extent)?;
                    if choosing {
                        spans.push(Span::whole(extent));
                        layout.push(Axis::Chosen(
                            Tensor::from(at as i64).to_device(self.device()),
                        ));
                    } else {
                        spans.push(Span {
                            start: at,
                            step: 1,
                            length: 1,
                        });
                        layout.push(Axis::Dropped);
                    }
                }
                Index::Span { start, end, step } => {
                    spans.push(span_on(start, end, step, extent)?);
                    layout.push(Axis::Kept);
                }
                Index::NewAxis => layout.push(Axis::New),
                Index::By(tensor) => {
                    for index in positions_by(&tensor, self.shape(), axis)? {
                        spans.push(Span::whole(self.shape()[spans.len()]));
                        layout.push(Axis::Chosen(index));
                    }
                }
                Index::Ellipsis => unreachable!("`whole` has written it out"),
            }
        }
        let sliced = self.sliced(spans);
        let shaped: Shape = shape_by(&layout, sliced.shape());
        let sliced = sliced.shaped(&shaped);
        if choosing {
            sliced.chosen_by(layout)
        } else {
            Ok(sliced)
        }
    }

    /// Gathers along the chosen axes together: they become one axis, and the index tensors one flat index.
    fn chosen_by(&self, layout: Vec<Axis>) -> Result<Tensor, Mismatch> {
        let visible: Vec<Axis> = layout
            .into_iter()
            .filter(|axis| !matches!(axis, Axis::Dropped))
            .collect();
        let chosen: Vec<(usize, &Tensor)> = visible
            .iter()
            .enumerate()
            .filter_map(|(axis, part)| match part {
                Axis::Chosen(index) => Some((axis, index)),
                _ => None,
            })
            .collect();
        let shapes: Vec<&Shape> = chosen.iter().map(|(_, index)| index.shape()).collect();
        let common = broadcast(&shapes)
            .map_err(|reason| Mismatch::index(format!("of the index tensors, {reason}")))?;
        let axes: Vec<usize> = chosen.iter().map(|(axis, _)| *axis).collect();
        let adjacent = axes.windows(2).all(|pair| pair[1] == pair[0] + 1);
        let mut flat: Option<Tensor> = None;
        for (axis, index) in &chosen {
            let extent = self.shape()[*axis];
            let index = wrapped(index, *axis, extent)?;
            flat = Some(match flat {
                None => index,
                Some(before) => before * extent as i32 + index,
            });
        }
        let flat = flat.expect("there is a chosen axis").expand(&common);
        let others: Vec<usize> = (0..self.rank())
            .filter(|axis| !axes.contains(axis))
            .collect();
        let order: Vec<usize> = axes.iter().chain(&others).copied().collect();
        let rest: Vec<usize> = others.iter().map(|&axis| self.shape()[axis]).collect();
        let merged: usize = axes.iter().map(|&axis| self.shape()[axis]).product();
        let rows = self.permute(order).shaped(
            &std::iter::once(merged)
                .chain(rest.iter().copied())
                .collect(),
        );
        let picked = rows.index_select(0, &flat.flat());
        let full: Shape = common.iter().chain(&rest).copied().collect();
        let result = picked.shaped(&full);
        if !adjacent || axes[0] == 0 {
            return Ok(result);
        }
        // Adjacent indices leave their axes where they were.
        let before = axes[0];
        let moved: Vec<usize> = (common.rank()..common.rank() + before)
            .chain(0..common.rank())
            .chain(common.rank() + before..full.rank())
            .collect();
        Ok(result.permute(moved))
    }
}

/// What becomes of an axis.
enum Axis {
    Kept,
    Dropped,
    New,
    Chosen(Tensor),
}

fn shape_by(layout: &[Axis], sliced: &Shape) -> Shape {
    let mut extents = sliced.iter();
    let mut shape = Vec::new();
    for axis in layout {
        match axis {
            Axis::New => shape.push(1),
            Axis::Dropped => {
                extents.next();
            }
            Axis::Kept | Axis::Chosen(_) => shape.extend(extents.next()),
        }
    }
    Shape::from(shape)
}

/// The parts with `...` written out, so that every axis has one.
fn whole(mut parts: Vec<Index>, rank: usize) -> Result<Vec<Index>, Mismatch> {
    let covers = |part: &Index| match part {
        Index::Ellipsis | Index::NewAxis => 0,
        Index::By(tensor) if tensor.dtype() == DType::Bool => tensor.rank(),
        _ => 1,
    };
    let used: usize = parts.iter().map(covers).sum();
    if used > rank {
        return Err(Mismatch::index(format!(
            "{used} axes are indexed, the tensor has {rank}"
        )));
    }
    let ellipses: Vec<usize> = (0..parts.len())
        .filter(|&at| matches!(parts[at], Index::Ellipsis))
        .collect();
    if ellipses.len() > 1 {
        return Err(Mismatch::index("only one `...` can stand in an index"));
    }
    let at = ellipses.first().copied().unwrap_or(parts.len());
    let rest = std::iter::repeat_with(|| Index::from(..)).take(rank - used);
    parts.splice(at..(at + ellipses.len()), rest);
    Ok(parts)
}

fn position_on(axis: usize, position: isize, extent: usize) -> Result<usize, Mismatch> {
    let from_start = if position < 0 {
        position + extent as isize
    } else {
        position
    };
    let inside = (0..extent as isize).contains(&from_start);
    inside.then_some(from_start as usize).ok_or_else(|| {
        Mismatch::index(format!(
            "position {position} is outside axis {axis}, which has extent {extent}"
        ))
    })
}

/// Python's rule for slices.
fn span_on(
    start: Option<isize>,
    end: Option<isize>,
    step: isize,
    extent: usize,
) -> Result<Span, Mismatch> {
    if step == 0 {
        return Err(Mismatch::index("a step of 0 never moves"));
    }
    let extent = extent as isize;
    let (low, high) = if step > 0 {
        (0, extent)
    } else {
        (-1, extent - 1)
    };
    let place = |given: Option<isize>, otherwise: isize| match given {
        None => otherwise,
        Some(position) => (if position < 0 {
            position + extent
        } else {
            position
        })
        .clamp(low, high),
    };
    let (start, end) = if step > 0 {
        (place(start, low), place(end, high))
    } else {
        (place(start, high), place(end, low))
    };
    let distance = if step > 0 { end - start } else { start - end };
    let length = if distance <= 0 {
        0
    } else {
        ((distance - 1) / step.abs() + 1) as usize
    };
    Ok(Span {
        start: if length == 0 { 0 } else { start as usize },
        step: if length == 0 { 1 } else { step },
        length,
    })
}

/// The index tensors that a tensor in an index stands for: itself, or for a mask one an axis.
fn positions_by(tensor: &Tensor, shape: &Shape, axis: usize) -> Result<Vec<Tensor>, Mismatch> {
    if tensor.dtype().is_floating() {
        let reason = format!(
            "an index tensor holds integers or truth values, not {}",
            tensor.dtype()
        );
        return Err(Mismatch::dtype(reason).help("convert it: `.cast(DType::I64)`"));
    }
    if tensor.dtype() != DType::Bool {
        return Ok(vec![tensor.cast(DType::I64)]);
    }
    if tensor.shape()[..] != shape[axis..axis + tensor.rank()] {
        let reason = format!(
            "the mask has shape {}, the axes from {axis} on have {:?}",
            tensor.shape(),
            &shape[axis..axis + tensor.rank()]
        );
        return Err(Mismatch::index(reason));
    }
    let found = tensor.nonzero();
    Ok((0..tensor.rank() as isize)
        .map(|column| found.narrow(1, column as usize, 1).squeeze(1))
        .collect())
}

/// Negative positions counted from the end; positions that can be read are checked.
fn wrapped(index: &Tensor, axis: usize, extent: usize) -> Result<Tensor, Mismatch> {
    if !index.node().is_abstract() {
        for position in index.to_vec::<i64>() {
            position_on(axis, position as isize, extent)?;
        }
    }
    Ok(index.lt(0).where_(index + extent as i32, index))
}
