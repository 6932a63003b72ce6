//! Means over a grid.

use super::grid::Grid;
use crate::layers::catalogue::Declared;
use crate::layers::spatial::{EachAxis, check_spatial, numbered};
use crate::{ArgumentError, Arguments, Layer};
use chainrule_core::{Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d }

/// Means over a grid on `[batch, channels, length]`: see [`AdaptiveAvgPool`].
pub type AdaptiveAvgPool1d = AdaptiveAvgPool<1>;
/// Means over a grid on `[batch, channels, height, width]`: see [`AdaptiveAvgPool`].
pub type AdaptiveAvgPool2d = AdaptiveAvgPool<2>;
/// Means over a grid on `[batch, channels, depth, height, width]`: see [`AdaptiveAvgPool`].
pub type AdaptiveAvgPool3d = AdaptiveAvgPool<3>;

/// The mean of each cell of a grid that is laid over `AXES` spatial axes: cell `i` of `m` along an axis of extent `n`
/// holds the elements from `⌊i n / m⌋` to `⌈(i + 1) n / m⌉`.
///
/// From `[batch, channels, spatial..]`, also without batch, to the same with the grid's extents.
///
/// ```
/// use chainrule_core::{tensor, Tensor};
/// use chainrule_nn::{AdaptiveAvgPool1d, AdaptiveAvgPool2d, Layer};
/// let y = AdaptiveAvgPool1d::new(2).forward(tensor![[1.0, 2.0, 3.0, 5.0]]);
/// assert_eq!(y.to_vec::<f32>(), [1.5, 4.0]);
/// let keeps_width = AdaptiveAvgPool2d::with_extents([Some(1), None]);
/// assert_eq!(keeps_width.forward(Tensor::ones([3, 5, 7])).shape().to_string(), "[3, 1, 7]");
/// ```
#[derive(Clone, Debug, Module)]
pub struct AdaptiveAvgPool<const AXES: usize> {
    #[tree(fixed)]
    grid: Grid<AXES>,
}

impl<const AXES: usize> AdaptiveAvgPool<AXES> {
    const NAME: &'static str = numbered::<AXES>([
        "adaptive_avg_pool1d",
        "adaptive_avg_pool2d",
        "adaptive_avg_pool3d",
    ]);

    /// A grid of these extents, one number for all axes or an array.
    pub fn new(extents: impl EachAxis<AXES>) -> Self {
        let grid = Grid::of(extents);
        AdaptiveAvgPool { grid }
    }

    /// A grid of these extents; where there is none, that of the input.
    pub fn with_extents(extents: [Option<usize>; AXES]) -> Self {
        let grid = Grid(extents);
        AdaptiveAvgPool { grid }
    }
}

impl<const AXES: usize> Layer for AdaptiveAvgPool<AXES> {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        check_spatial::<AXES>(Self::NAME, x, None);
        match self.grid.extents(x)[..] {
            [length] => x.adaptive_avg_pool1d([length]),
            [height, width] => x.adaptive_avg_pool2d([height, width]),
            [depth, height, width] => x.adaptive_avg_pool3d([depth, height, width]),
            _ => unreachable!("`NAME` admits 1, 2 and 3 axes"),
        }
    }
}

/// `extents`: numbers, or "keep" for the input's.
impl<const AXES: usize> Declared for AdaptiveAvgPool<AXES> {
    const NAME: &'static str = AdaptiveAvgPool::<AXES>::NAME;

    fn declared(arguments: &mut Arguments, _input: &Shape) -> Result<Self, ArgumentError> {
        let grid = Grid::declared(arguments)?;
        Ok(AdaptiveAvgPool { grid })
    }
}
