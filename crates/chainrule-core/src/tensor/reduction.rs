//! The axes of a reduction over a given tensor, and the shape of its result.

use super::Tensor;
use crate::shape::{ReductionAxes, Shape};

/// Positions to reduce over, and the shape of the result where the axes stay.
pub(crate) struct Over {
    pub(crate) axes: Vec<usize>,
    kept: Option<Shape>,
}

impl Over {
    /// The result of the reduction, its axes put back with extent 1 where the user keeps them.
    #[track_caller]
    pub(crate) fn result(&self, reduced: Tensor) -> Tensor {
        match &self.kept {
            Some(shape) => reduced.shaped(shape),
            None => reduced,
        }
    }
}

impl Tensor {
    /// The axes as ascending positions; bad ones are reported for `operation`.
    #[track_caller]
    pub(crate) fn over(&self, operation: &str, over: ReductionAxes) -> Over {
        let mut axes = self.axes(operation, over.axes);
        axes.sort_unstable();
        let extent = |axis: usize| match axes.contains(&axis) {
            true => 1,
            false => self.shape()[axis],
        };
        let kept = over.kept.then(|| (0..self.rank()).map(extent).collect());
        Over { axes, kept }
    }

    /// The tensor with `axes` (ascending) brought behind the others and merged to one last axis.
    #[track_caller]
    pub(crate) fn merged_last(&self, axes: &[usize]) -> Tensor {
        let kept: Vec<usize> = (0..self.rank())
            .filter(|axis| !axes.contains(axis))
            .collect();
        let count = axes.iter().map(|&axis| self.shape()[axis]).product();
        let shape: Shape = kept
            .iter()
            .map(|&axis| self.shape()[axis])
            .chain([count])
            .collect();
        let order: Vec<usize> = kept.into_iter().chain(axes.iter().copied()).collect();
        let ordered = if order.is_sorted() {
            self.clone()
        } else {
            self.permute(order)
        };
        ordered.shaped(&shape)
    }
}
