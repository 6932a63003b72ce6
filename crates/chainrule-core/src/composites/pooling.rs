//! Pooling made of other operations: maxima with their positions and back, maxima over a grid, norms of windows.

use crate::error::{Mismatch, raise};
use crate::primitives::PoolOptions;
use crate::shape::Shape;
use crate::tensor::Tensor;

macro_rules! pools {
    ($($indices:ident, $max:ident, $unpool:ident, $adaptive:ident, $adaptive_indices:ident, $lp:ident, $rank:literal, $layout:literal;)*) => {
        impl Tensor {
            $(
                #[doc = concat!("[`", stringify!($max), "`](Tensor::", stringify!($max), ") over ", $layout, " and, for each window, the flat position of its greatest element in the spatial axes.")]
                ///
                /// # Panics
                /// When the windows do not fit.
                #[track_caller]
                pub fn $indices(&self, options: PoolOptions) -> (Tensor, Tensor) {
                    self.max_pool(&options, $rank, stringify!($max))
                }

                #[doc = concat!("The partial inverse of [`", stringify!($indices), "`](Tensor::", stringify!($indices), "): each element at its position in spatial axes of the given extents, zeros elsewhere. Of elements with one position the last stays.")]
                ///
                /// # Panics
                /// When elements and positions differ in shape, or a position lies outside.
                #[track_caller]
                pub fn $unpool(&self, positions: &Tensor, extents: [usize; $rank]) -> Tensor {
                    self.max_unpool(positions, &extents, stringify!($unpool))
                }

                #[doc = concat!("The greatest elements over a grid of the given extents laid over ", $layout, ", also without batch.")]
                ///
                /// # Panics
                /// When there are not enough axes, or one has extent 0.
                #[track_caller]
                pub fn $adaptive(&self, extents: [usize; $rank]) -> Tensor {
                    self.adaptive_max_pool(&extents, stringify!($adaptive)).0
                }

                #[doc = concat!("[`", stringify!($adaptive), "`](Tensor::", stringify!($adaptive), ") and the flat positions of the chosen elements in the spatial axes.")]
                ///
                /// # Panics
                /// When there are not enough axes, or one has extent 0.
                #[track_caller]
                pub fn $adaptive_indices(&self, extents: [usize; $rank]) -> (Tensor, Tensor) {
                    self.adaptive_max_pool(&extents, stringify!($adaptive))
                }

                #[doc = concat!("The `order`-norm of each window over ", $layout, ", also without batch: (Σ |x|^order)^(1/order), 0 with derivative 0 where all elements are 0. (PyTorch's sums x^order, which differs where order is odd and x negative.)")]
                ///
                /// # Panics
                /// When the windows do not fit or the order is not positive.
                #[track_caller]
                pub fn $lp(&self, order: f64, options: PoolOptions) -> Tensor {
                    let sums = |powers: &Tensor| powers.window_sums(&options, $rank, stringify!($lp));
                    self.norms_of_windows(order, stringify!($lp), sums)
                }
            )*
        }
    };
}

pools! {
    max_pool1d_with_indices, max_pool1d, max_unpool1d, adaptive_max_pool1d, adaptive_max_pool1d_with_indices, lp_pool1d, 1, "`[batch, channels, length]`";
    max_pool2d_with_indices, max_pool2d, max_unpool2d, adaptive_max_pool2d, adaptive_max_pool2d_with_indices, lp_pool2d, 2, "`[batch, channels, height, width]`";
    max_pool3d_with_indices, max_pool3d, max_unpool3d, adaptive_max_pool3d, adaptive_max_pool3d_with_indices, lp_pool3d, 3, "`[batch, channels, depth, height, width]`";
}

/// The elements from floor(i n / cells) to ceil((i + 1) n / cells) of each cell, the last repeated to equal lengths.
fn cell_positions(extent: usize, cells: usize) -> (Vec<i64>, usize) {
    let range = |cell: usize| (cell * extent / cells, ((cell + 1) * extent).div_ceil(cells));
    let longest = (0..cells).map(|cell| range(cell).1 - range(cell).0).max();
    let longest = longest.unwrap_or(0);
    let cell = |cell: usize| {
        let (start, end) = range(cell);
        (0..longest).map(move |tap| (start + tap).min(end - 1) as i64)
    };
    ((0..cells).flat_map(cell).collect(), longest)
}

impl Tensor {
    #[track_caller]
    fn max_unpool(&self, positions: &Tensor, extents: &[usize], name: &str) -> Tensor {
        let rank = extents.len();
        if self.shape() != positions.shape() || self.rank() < rank {
            let reason = "elements and positions must have one shape, as max pooling gives them";
            let mismatch = Mismatch::shape(reason).naming(&["elements", "positions"]);
            raise(mismatch.into_error(name, &[self.as_operand(), positions.as_operand()]));
        }
        let outer = &self.shape()[..self.rank() - rank];
        let planes: usize = outer.iter().product();
        let inside: usize = self.shape()[self.rank() - rank..].iter().product();
        let plane: usize = extents.iter().product();
        let rows = Shape::from([planes, inside]);
        let zeros = Tensor::filled(
            crate::backend::Scalar::Float(0.0),
            self.spec().with_shape([planes, plane]),
        );
        let placed = zeros.scatter(1, &positions.shaped(&rows), &self.shaped(&rows));
        let shape: Shape = outer.iter().chain(extents).copied().collect();
        placed.shaped(&shape)
    }

    /// The greatest elements of the cells of a grid and their flat positions in the plane.
    #[track_caller]
    fn adaptive_max_pool(&self, cells: &[usize], name: &str) -> (Tensor, Tensor) {
        let rank = cells.len();
        let first = self.rank().saturating_sub(rank);
        let fits =
            (rank + 1..=rank + 2).contains(&self.rank()) && !self.shape()[first..].contains(&0);
        if !fits {
            let reason = format!(
                "the input must have {} axes (or {} without batch), none of extent 0",
                rank + 2,
                rank + 1
            );
            raise(Mismatch::shape(reason).into_error(name, &[self.as_operand()]));
        }
        // Every cell with all its elements, and beside it where they stand.
        let extents: Vec<usize> = self.shape()[first..].to_vec();
        let plane = Tensor::arange(extents.iter().product::<usize>() as i64);
        let mut places = plane
            .shaped(&Shape::from(&extents))
            .to_device(self.device());
        let mut elements = self.clone();
        let mut taps = Vec::new();
        for axis in 0..rank {
            let (positions, longest) = cell_positions(extents[axis], cells[axis]);
            let positions = Tensor::from(positions).to_device(self.device());
            elements = elements.index_select((first + axis) as isize, &positions);
            places = places.index_select(axis as isize, &positions);
            taps.push(longest);
        }
        let outer = self.shape()[..first].to_vec();
        let elements = elements.cells_last(&outer, cells, &taps);
        let places = places
            .cells_last(&[], cells, &taps)
            .expand(elements.shape());
        let (greatest, chosen) = elements.max_with_indices(-1);
        let positions = places.gather(-1, &chosen.unsqueeze(-1)).squeeze(-1);
        (greatest, positions)
    }

    /// `[outer.., cells and taps of each axis merged]` as `[outer.., cells.., all taps]`.
    #[track_caller]
    fn cells_last(&self, outer: &[usize], cells: &[usize], taps: &[usize]) -> Tensor {
        let rank = cells.len();
        let pairs = cells
            .iter()
            .zip(taps)
            .flat_map(|(&cells, &taps)| [cells, taps]);
        let split: Shape = outer.iter().copied().chain(pairs).collect();
        let first = outer.len();
        let order: Vec<usize> = (0..first)
            .chain((0..rank).map(|axis| first + 2 * axis))
            .chain((0..rank).map(|axis| first + 2 * axis + 1))
            .collect();
        let merged: Shape = outer
            .iter()
            .chain(cells)
            .copied()
            .chain([taps.iter().product()])
            .collect();
        self.shaped(&split).permute(order).shaped(&merged)
    }

    #[track_caller]
    fn norms_of_windows(
        &self,
        order: f64,
        name: &str,
        sums: impl FnOnce(&Tensor) -> Tensor,
    ) -> Tensor {
        if order <= 0.0 || order.is_nan() {
            let mismatch = Mismatch::argument(format!("the order must be positive, not {order}"));
            raise(mismatch.into_error(name, &[self.as_operand()]));
        }
        let x = self.floating();
        let sum = sums(&super::statistics::power_of_size(&x, order));
        // A root has no derivative at zero; where the sum is zero the root is taken of 1 and not used.
        let some = sum.stop_gradient().ne(0.0);
        let root = some.where_(&sum, sum.ones_like()).pow(1.0 / order);
        some.where_(root, sum.zeros_like())
    }
}
