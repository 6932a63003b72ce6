//! Parts, repetitions and turns of tensors, made of slices, joins and reshapes.

use crate::error::{Mismatch, raise};
use crate::primitives::slice::Span;
use crate::shape::{Axes, Shape};
use crate::tensor::Tensor;

impl Tensor {
    /// The tensor in pieces of `extent` along `axis`; the last piece is shorter where it does not divide.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let pieces = tensor![1.0, 2.0, 3.0].split(2, 0);
    /// assert_eq!(pieces[1].to_vec::<f32>(), [3.0]);
    /// ```
    ///
    /// # Panics
    /// When the axis does not exist or the extent is 0.
    #[track_caller]
    pub fn split(&self, extent: usize, axis: isize) -> Vec<Tensor> {
        let position = self.axis("split", axis);
        let total = self.shape()[position];
        if extent == 0 {
            raise(
                Mismatch::argument("a piece must have an extent")
                    .into_error("split", &[self.as_operand()]),
            );
        }
        if total == 0 {
            return vec![self.clone()];
        }
        let starts = (0..total).step_by(extent);
        starts
            .map(|start| self.narrow(position as isize, start, extent.min(total - start)))
            .collect()
    }

    /// The tensor in pieces of the given extents along `axis`.
    ///
    /// # Panics
    /// When the axis does not exist or the extents do not add up to its own.
    #[track_caller]
    pub fn split_at(&self, extents: &[usize], axis: isize) -> Vec<Tensor> {
        let position = self.axis("split_at", axis);
        if extents.iter().sum::<usize>() != self.shape()[position] {
            let reason = format!(
                "the extents {extents:?} do not add up to {}",
                self.shape()[position]
            );
            raise(Mismatch::shape(reason).into_error("split_at", &[self.as_operand()]));
        }
        let mut start = 0;
        let piece = |&extent: &usize| {
            start += extent;
            self.narrow(position as isize, start - extent, extent)
        };
        extents.iter().map(piece).collect()
    }

    /// The tensor in `count` pieces of equal extent along `axis`, the last one shorter (or fewer pieces) where it does not
    /// divide.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![1.0, 2.0, 3.0].chunk(2, 0).len(), 2);
    /// ```
    ///
    /// # Panics
    /// When the axis does not exist or the count is 0.
    #[track_caller]
    pub fn chunk(&self, count: usize, axis: isize) -> Vec<Tensor> {
        let position = self.axis("chunk", axis);
        if count == 0 {
            raise(
                Mismatch::argument("there must be at least one piece")
                    .into_error("chunk", &[self.as_operand()]),
            );
        }
        self.split(self.shape()[position].div_ceil(count).max(1), axis)
    }

    /// The tensors along `axis`, which disappears.
    ///
    /// # Panics
    /// When the axis does not exist.
    #[track_caller]
    pub fn unbind(&self, axis: isize) -> Vec<Tensor> {
        let position = self.axis("unbind", axis) as isize;
        (0..self.shape()[position as usize])
            .map(|at| self.narrow(position, at, 1).squeeze(position))
            .collect()
    }

    /// The elements in opposite order along the axes. Nothing is copied.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![1.0, 2.0, 3.0].flip(0).to_vec::<f32>(), [3.0, 2.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// When an axis does not exist or is given twice.
    #[track_caller]
    pub fn flip(&self, axes: impl Into<Axes>) -> Tensor {
        let axes = self.axes("flip", axes.into());
        let span = |(axis, &extent): (usize, &usize)| match axes.contains(&axis) && extent > 0 {
            true => Span {
                start: extent - 1,
                step: -1,
                length: extent,
            },
            false => Span::whole(extent),
        };
        self.sliced(self.shape().iter().enumerate().map(span).collect())
    }

    /// The elements moved by `shift` places along `axis`; what leaves one end enters at the other.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![1.0, 2.0, 3.0].roll(1, 0).to_vec::<f32>(), [3.0, 1.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// When the axis does not exist.
    #[track_caller]
    pub fn roll(&self, shift: isize, axis: isize) -> Tensor {
        let position = self.axis("roll", axis);
        let extent = self.shape()[position];
        if extent == 0 {
            return self.clone();
        }
        let shift = shift.rem_euclid(extent as isize) as usize;
        if shift == 0 {
            return self.clone();
        }
        let axis = position as isize;
        let (head, tail) = (
            self.narrow(axis, 0, extent - shift),
            self.narrow(axis, extent - shift, shift),
        );
        Tensor::concat(&[&tail, &head], axis)
    }

    /// The tensor repeated along its axes; further leading counts add axes.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![1.0, 2.0].tile(&[2]).to_vec::<f32>(), [1.0, 2.0, 1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn tile(&self, counts: &[usize]) -> Tensor {
        let rank = self.rank().max(counts.len());
        let own: Shape = std::iter::repeat_n(1, rank - self.rank())
            .chain(self.shape().iter().copied())
            .collect();
        let count = |axis: usize| {
            (axis + counts.len())
                .checked_sub(rank)
                .map_or(1, |at| counts[at])
        };
        // Each axis as [count, extent], repeated, and merged again.
        let pairs = |first: &dyn Fn(usize) -> usize| {
            (0..rank)
                .flat_map(|axis| [first(axis), own[axis]])
                .collect::<Shape>()
        };
        let merged: Shape = (0..rank).map(|axis| count(axis) * own[axis]).collect();
        self.shaped(&pairs(&|_| 1))
            .expand(pairs(&count))
            .shaped(&merged)
    }

    /// Each element repeated `count` times in place along `axis`.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![1.0, 2.0].repeat_interleave(2, 0).to_vec::<f32>(), [1.0, 1.0, 2.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// When the axis does not exist.
    #[track_caller]
    pub fn repeat_interleave(&self, count: usize, axis: isize) -> Tensor {
        let position = self.axis("repeat_interleave", axis);
        let repeated = self.shape().with_axis(position + 1, count);
        let merged = self
            .shape()
            .with_extent(position, self.shape()[position] * count);
        self.shaped(&self.shape().with_axis(position + 1, 1))
            .expand(repeated)
            .shaped(&merged)
    }

    /// The elements whose indices on two axes differ by `offset` (second minus first), as a new last axis.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let x = tensor![[1.0, 2.0], [3.0, 4.0]];
    /// assert_eq!(x.diagonal(0, 0, 1).to_vec::<f32>(), [1.0, 4.0]);
    /// assert_eq!(x.diagonal(1, 0, 1).to_vec::<f32>(), [2.0]);
    /// ```
    ///
    /// # Panics
    /// When the axes do not exist or are the same.
    #[track_caller]
    pub fn diagonal(&self, offset: isize, first: isize, second: isize) -> Tensor {
        let (first, second) = (self.axis("diagonal", first), self.axis("diagonal", second));
        if first == second {
            raise(
                Mismatch::shape("the two axes are the same")
                    .into_error("diagonal", &[self.as_operand()]),
            );
        }
        let others: Vec<usize> = (0..self.rank())
            .filter(|&axis| axis != first && axis != second)
            .collect();
        let lead: Vec<usize> = others.iter().map(|&axis| self.shape()[axis]).collect();
        let order: Vec<usize> = others.into_iter().chain([first, second]).collect();
        let (rows, columns) = (self.shape()[first], self.shape()[second]);
        let (row, column) = (offset.min(0).unsigned_abs(), offset.max(0).unsigned_abs());
        let count = rows.saturating_sub(row).min(columns.saturating_sub(column));
        let flat: Shape = lead.iter().copied().chain([rows * columns]).collect();
        let positions: Vec<i64> = (0..count)
            .map(|k| ((row + k) * columns + column + k) as i64)
            .collect();
        let index = Tensor::from(positions).to_device(self.device());
        self.permute(order).shaped(&flat).index_select(-1, &index)
    }

    /// A matrix (or a stack of them) with the last axis on the diagonal `offset` places above the main one.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// assert_eq!(tensor![1.0, 2.0].diag_embed(0).to_vec::<f32>(), [1.0, 0.0, 0.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// When the tensor is 0-dimensional.
    #[track_caller]
    pub fn diag_embed(&self, offset: isize) -> Tensor {
        let extent = self.shape()[self.axis("diag_embed", -1)];
        let side = extent + offset.unsigned_abs();
        let (row, column) = (offset.min(0).unsigned_abs(), offset.max(0).unsigned_abs());
        let positions: Vec<i64> = (0..extent)
            .map(|k| ((row + k) * side + column + k) as i64)
            .collect();
        let index = Tensor::from(positions).to_device(self.device());
        let last = self.rank() - 1;
        let flat = self.shape().with_extent(last, side * side);
        let zeros = Tensor::filled(
            crate::backend::Scalar::Float(0.0),
            self.spec().with_shape(&flat),
        );
        let square = self.shape().with_extent(last, side).with_axis(last, side);
        zeros.index_add(-1, &index, self).shaped(&square)
    }

    /// The sum of the main diagonal of a matrix.
    ///
    /// # Panics
    /// When the tensor is not a matrix.
    #[track_caller]
    pub fn trace(&self) -> Tensor {
        if self.rank() != 2 {
            raise(Mismatch::shape("a matrix is needed").into_error("trace", &[self.as_operand()]));
        }
        self.diagonal(0, 0, 1).sum(0)
    }

    /// All products of the elements of two vectors: `[n, m]`.
    ///
    /// # Panics
    /// When the operands are not vectors.
    #[track_caller]
    pub fn outer(&self, other: &Tensor) -> Tensor {
        if self.rank() != 1 || other.rank() != 1 {
            let mismatch = Mismatch::shape("two vectors are needed");
            raise(mismatch.into_error("outer", &[self.as_operand(), other.as_operand()]));
        }
        self.unsqueeze(1) * other.unsqueeze(0)
    }
}
