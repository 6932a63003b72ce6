//! Padding.

use crate::declare::operation;
use crate::error::{Mismatch, raise};
use crate::primitives::slice::{Span, Unslice};
use crate::shape::Shape;
use crate::tensor::Tensor;

/// What stands beside a tensor's elements when it is padded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Padding {
    /// A number.
    Constant(f64),
    /// The elements mirrored at the edge, which is not repeated: `c b | a b c | b a`.
    Reflect,
    /// The element at the edge: `a a | a b c | c c`.
    Replicate,
    /// The elements from the other end: `b c | a b c | a b`.
    Circular,
}

impl Tensor {
    /// The tensor with elements added before and after along its last axes: `amounts` are (before, after) for each, the
    /// last pair for the last axis.
    ///
    /// ```
    /// use chainrule_core::{tensor, Padding};
    /// let x = tensor![1.0, 2.0, 3.0];
    /// assert_eq!(x.pad(&[(1, 2)], Padding::Constant(0.0)).to_vec::<f32>(), [0.0, 1.0, 2.0, 3.0, 0.0, 0.0]);
    /// assert_eq!(x.pad(&[(2, 1)], Padding::Reflect).to_vec::<f32>(), [3.0, 2.0, 1.0, 2.0, 3.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// When there are more pairs than axes, or an axis is too short to mirror or wrap around.
    #[track_caller]
    pub fn pad(&self, amounts: &[(usize, usize)], padding: Padding) -> Tensor {
        if amounts.len() > self.rank() {
            let reason = format!(
                "{} pairs were given for {} axes",
                amounts.len(),
                self.rank()
            );
            raise(Mismatch::argument(reason).into_error("pad", &[self.as_operand()]));
        }
        let first = self.rank() - amounts.len();
        match padding {
            Padding::Constant(number) => self.padded_with(first, amounts, number),
            _ => amounts
                .iter()
                .enumerate()
                .fold(self.clone(), |padded, (axis, &amounts)| {
                    padded.pad_axis(first + axis, amounts, padding)
                }),
        }
    }

    #[track_caller]
    fn padded_with(&self, first: usize, amounts: &[(usize, usize)], number: f64) -> Tensor {
        let amount = |axis: usize| {
            if axis < first {
                (0, 0)
            } else {
                amounts[axis - first]
            }
        };
        let shape: Shape = (0..self.rank())
            .map(|axis| amount(axis).0 + self.shape()[axis] + amount(axis).1)
            .collect();
        if shape == *self.shape() {
            return self.clone();
        }
        let spans: Vec<Span> = (0..self.rank())
            .map(|axis| Span {
                start: if self.shape()[axis] == 0 {
                    0
                } else {
                    amount(axis).0
                },
                step: 1,
                length: self.shape()[axis],
            })
            .collect();
        let placed = |tensor: &Tensor| {
            operation(Unslice {
                parts: vec![spans.clone()],
                shape: shape.clone(),
            })
            .of(&[tensor])
        };
        let padded = placed(self);
        if number == 0.0 {
            return padded;
        }
        let inside = placed(&self.ones_like()).ne(0.0);
        inside.where_(&padded, padded.filled_like(number))
    }

    #[track_caller]
    fn pad_axis(&self, axis: usize, (before, after): (usize, usize), padding: Padding) -> Tensor {
        let extent = self.shape()[axis];
        let most = match padding {
            Padding::Reflect => extent.saturating_sub(1),
            Padding::Circular => extent,
            _ if extent > 0 => usize::MAX,
            _ => 0,
        };
        if before > most || after > most {
            let reason = format!(
                "axis {axis} of extent {extent} can be padded by at most {most}, not by {before} and {after}"
            );
            raise(Mismatch::shape(reason).into_error("pad", &[self.as_operand()]));
        }
        let last = extent as i64 - 1;
        let source = |position: i64| match padding {
            Padding::Reflect => last - (last - position.abs()).abs(),
            Padding::Circular => position.rem_euclid(extent as i64),
            _ => position.clamp(0, last),
        };
        let positions: Vec<i64> = (-(before as i64)..(extent + after) as i64)
            .map(source)
            .collect();
        self.index_select(
            axis as isize,
            &Tensor::from(positions).to_device(self.device()),
        )
    }
}
