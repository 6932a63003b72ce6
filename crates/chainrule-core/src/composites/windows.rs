//! Windows over axes as axes of their own: sliding windows, and the patches of a convolution as columns.

use super::convolution::ConvolutionOptions;
use crate::declare::operation;
use crate::error::{Mismatch, raise};
use crate::primitives::index_select::IndexAdd;
use crate::primitives::window::Sliding;
use crate::shape::Shape;
use crate::tensor::Tensor;

/// The positions of all taps of all windows along one axis, windows outermost.
fn tap_positions(windows: usize, stride: usize, taps: usize, dilation: usize) -> Tensor {
    let window = |window| (0..taps).map(move |tap| (window * stride + tap * dilation) as i64);
    Tensor::from((0..windows).flat_map(window).collect::<Vec<i64>>())
}

/// The axes of `[batch, channels, a, b, c, d, ..]` (pairs for each spatial axis) with the second of each pair in front:
/// `[batch, channels, b, d, .., a, c, ..]`.
fn second_before_first(rank: usize) -> Vec<usize> {
    let seconds = (0..rank).map(|axis| 3 + 2 * axis);
    let firsts = (0..rank).map(|axis| 2 + 2 * axis);
    [0, 1].into_iter().chain(seconds).chain(firsts).collect()
}

/// The inverse of [`second_before_first`].
fn first_before_second(rank: usize) -> Vec<usize> {
    let pairs = (0..rank).flat_map(|axis| [2 + rank + axis, 2 + axis]);
    [0, 1].into_iter().chain(pairs).collect()
}

impl Tensor {
    /// All windows of `length` elements along `axis`, `step` apart: the axis counts windows, and a new last axis holds the
    /// elements of each (PyTorch's `Tensor.unfold`). A last part shorter than a window is left out.
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let windows = tensor![1.0, 2.0, 3.0, 4.0].windows(0, 2, 1);
    /// assert_eq!(windows.shape()[..], [3, 2]);
    /// assert_eq!(windows.mean(1).to_vec::<f32>(), [1.5, 2.5, 3.5]);
    /// ```
    ///
    /// # Panics
    /// When the axis does not exist or is shorter than a window, or the step is 0.
    #[track_caller]
    pub fn windows(&self, axis: isize, length: usize, step: usize) -> Tensor {
        let at = self.axis("windows", axis);
        let extent = self.shape()[at];
        if step == 0 || length > extent {
            let reason = format!(
                "windows of {length}, {step} apart, do not fit axis {at} of extent {extent}"
            );
            raise(Mismatch::shape(reason).into_error("windows", &[self.as_operand()]));
        }
        let count = (extent - length) / step + 1;
        let positions = tap_positions(count, step, length, 1).to_device(self.device());
        let shape: Shape = self.shape()[..at]
            .iter()
            .copied()
            .chain([count, length])
            .chain(self.shape()[at + 1..].iter().copied())
            .collect();
        let windows = self.index_select(at as isize, &positions).shaped(&shape);
        windows.move_axis(at as isize + 1, -1)
    }

    /// The patches that a convolution over `[batch, channels, spatial..]` sees, as the columns of matrices
    /// `[batch, channels · taps, windows]` (PyTorch's `unfold`); `kernel` has an extent for each spatial axis. A
    /// convolution is the product of its weight, as a matrix, with them.
    ///
    /// ```
    /// use chainrule_core::{ConvolutionOptions, Tensor, tensor};
    /// let image = tensor![[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]];
    /// let columns = image.im2col(&[2, 2], &ConvolutionOptions::new());
    /// assert_eq!(columns.to_vec::<f32>(), [1.0, 2.0, 2.0, 3.0, 4.0, 5.0, 5.0, 6.0]);
    /// ```
    ///
    /// # Panics
    /// When the tensor does not have two axes more than the kernel, or no window fits.
    #[track_caller]
    pub fn im2col(&self, kernel: &[usize], options: &ConvolutionOptions) -> Tensor {
        let rank = kernel.len();
        if self.rank() != rank + 2 {
            self.complain_of_columns("im2col", patches_mismatch(rank));
        }
        let (sliding, padded) = options
            .padded(self, kernel)
            .unwrap_or_else(|mismatch| self.complain_of_columns("im2col", mismatch));
        let windows = sliding
            .windows(&padded.shape()[2..], kernel)
            .unwrap_or_else(|mismatch| self.complain_of_columns("im2col", mismatch));
        let picked = (0..rank).fold(padded, |picked, axis| {
            let (stride, dilation) = (sliding.stride[axis], sliding.dilation[axis]);
            let positions = tap_positions(windows[axis], stride, kernel[axis], dilation);
            picked.index_select(axis as isize + 2, &positions.to_device(self.device()))
        });
        let pairs = (0..rank).flat_map(|axis| [windows[axis], kernel[axis]]);
        let split: Shape = self.shape()[..2].iter().copied().chain(pairs).collect();
        let (taps, count) = (kernel.iter().product::<usize>(), windows.iter().product());
        let columns = Shape::from([self.shape()[0], self.shape()[1] * taps, count]);
        picked
            .shaped(&split)
            .permute(second_before_first(rank))
            .shaped(&columns)
    }

    /// The transpose of [`im2col`](Tensor::im2col): columns `[batch, channels · taps, windows]` added at their places in
    /// `[batch, channels, extents..]` (PyTorch's `fold`).
    ///
    /// ```
    /// use chainrule_core::{ConvolutionOptions, Tensor};
    /// let options = ConvolutionOptions::new();
    /// let counts = Tensor::ones([1, 1, 3]).im2col(&[2], &options).col2im(&[3], &[2], &options);
    /// assert_eq!(counts.to_vec::<f32>(), [1.0, 2.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// When the columns are not what `im2col` makes of that shape.
    #[track_caller]
    pub fn col2im(
        &self,
        extents: &[usize],
        kernel: &[usize],
        options: &ConvolutionOptions,
    ) -> Tensor {
        let rank = kernel.len();
        let taps: usize = kernel.iter().product();
        if self.rank() != 3 || extents.len() != rank || taps == 0 {
            self.complain_of_columns("col2im", columns_mismatch());
        }
        let geometry = options
            .geometry(extents, kernel)
            .and_then(|(mut sliding, sides)| {
                let padded: Vec<usize> = (0..rank)
                    .map(|axis| extents[axis] + sides[axis].0 + sides[axis].1)
                    .collect();
                sliding.padding = vec![0; rank];
                let windows = sliding.windows(&padded, kernel)?;
                Ok((sliding, sides, padded, windows))
            });
        let (sliding, sides, padded, windows) =
            geometry.unwrap_or_else(|mismatch| self.complain_of_columns("col2im", mismatch));
        let fits = self.shape()[1].is_multiple_of(taps)
            && self.shape()[2] == windows.iter().product::<usize>();
        if !fits {
            self.complain_of_columns("col2im", columns_mismatch());
        }
        let outer = [self.shape()[0], self.shape()[1] / taps];
        let split: Shape = outer
            .into_iter()
            .chain(kernel.iter().copied())
            .chain(windows.iter().copied())
            .collect();
        let lanes = (0..rank).map(|axis| windows[axis] * kernel[axis]);
        let merged: Shape = outer.into_iter().chain(lanes).collect();
        let picked = self
            .shaped(&split)
            .permute(first_before_second(rank))
            .shaped(&merged);
        let added = (0..rank).fold(picked, |picked, axis| {
            let (stride, dilation) = (sliding.stride[axis], sliding.dilation[axis]);
            let positions = tap_positions(windows[axis], stride, kernel[axis], dilation);
            let add = IndexAdd {
                axis: axis + 2,
                extent: padded[axis],
            };
            operation(add).of(&[&positions.to_device(self.device()), &picked])
        });
        (0..rank).fold(added, |inside, axis| {
            inside.narrow(axis as isize + 2, sides[axis].0, extents[axis])
        })
    }

    #[track_caller]
    fn complain_of_columns(&self, name: &str, mismatch: Mismatch) -> ! {
        raise(mismatch.into_error(name, &[self.as_operand()]))
    }
}

fn patches_mismatch(rank: usize) -> Mismatch {
    Mismatch::shape(format!(
        "the input must be [batch, channels, ..] with {rank} spatial axes, one for each extent of the kernel"
    ))
}

fn columns_mismatch() -> Mismatch {
    Mismatch::shape(
        "the input must be [batch, channels · taps, windows] as `im2col` makes it of the extents",
    )
}

impl Sliding {
    /// The number of windows along each axis.
    fn windows(&self, extents: &[usize], kernel: &[usize]) -> Result<Vec<usize>, Mismatch> {
        self.check(kernel)?;
        let windows = |axis: usize| self.output(axis, extents[axis], kernel[axis]);
        (0..kernel.len()).map(windows).collect()
    }
}
