//! Maxima over a grid.

use super::grid::Grid;
use crate::layers::catalogue::Declared;
use crate::layers::spatial::{EachAxis, check_spatial, numbered};
use crate::scope::layer_scope;
use crate::{ArgumentError, Arguments, Layer};
use chainrule_core::{Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { AdaptiveMaxPool1d, AdaptiveMaxPool2d, AdaptiveMaxPool3d }

/// Maxima over a grid on `[batch, channels, length]`: see [`AdaptiveMaxPool`].
pub type AdaptiveMaxPool1d = AdaptiveMaxPool<1>;
/// Maxima over a grid on `[batch, channels, height, width]`: see [`AdaptiveMaxPool`].
pub type AdaptiveMaxPool2d = AdaptiveMaxPool<2>;
/// Maxima over a grid on `[batch, channels, depth, height, width]`: see [`AdaptiveMaxPool`].
pub type AdaptiveMaxPool3d = AdaptiveMaxPool<3>;

/// The greatest element of each cell of a grid that is laid over `AXES` spatial axes: cell `i` of `m` along an axis of extent `n`
/// holds the elements from `⌊i n / m⌋` to `⌈(i + 1) n / m⌉`.
///
/// From `[batch, channels, spatial..]`, also without batch, to the same with the grid's extents.
///
/// ```
/// use chainrule_core::{tensor, Tensor};
/// use chainrule_nn::{AdaptiveMaxPool1d, AdaptiveMaxPool2d, Layer};
/// let y = AdaptiveMaxPool1d::new(2).forward(tensor![[1.0, 2.0, 3.0, 5.0]]);
/// assert_eq!(y.to_vec::<f32>(), [2.0, 5.0]);
/// let keeps_width = AdaptiveMaxPool2d::with_extents([Some(1), None]);
/// assert_eq!(keeps_width.forward(Tensor::ones([3, 5, 7])).shape().to_string(), "[3, 1, 7]");
/// ```
#[derive(Clone, Debug, Module)]
pub struct AdaptiveMaxPool<const AXES: usize> {
    #[tree(fixed)]
    grid: Grid<AXES>,
}

impl<const AXES: usize> AdaptiveMaxPool<AXES> {
    const NAME: &'static str = numbered::<AXES>([
        "adaptive_max_pool1d",
        "adaptive_max_pool2d",
        "adaptive_max_pool3d",
    ]);

    /// A grid of these extents, one number for all axes or an array.
    pub fn new(extents: impl EachAxis<AXES>) -> Self {
        let grid = Grid::of(extents);
        AdaptiveMaxPool { grid }
    }

    /// A grid of these extents; where there is none, that of the input.
    pub fn with_extents(extents: [Option<usize>; AXES]) -> Self {
        let grid = Grid(extents);
        AdaptiveMaxPool { grid }
    }
}

impl<const AXES: usize> AdaptiveMaxPool<AXES> {
    /// The maxima, and for each its flat position in the spatial axes.
    ///
    /// # Panics
    /// When the input has other axes, or one of extent 0.
    #[track_caller]
    pub fn forward_with_positions(&self, x: impl AsRef<Tensor>) -> (Tensor, Tensor) {
        layer_scope(self, || self.chosen(x.as_ref()))
    }

    #[track_caller]
    fn chosen(&self, x: &Tensor) -> (Tensor, Tensor) {
        check_spatial::<AXES>(Self::NAME, x, None);
        match self.grid.extents(x)[..] {
            [length] => x.adaptive_max_pool1d_with_indices([length]),
            [height, width] => x.adaptive_max_pool2d_with_indices([height, width]),
            [depth, height, width] => x.adaptive_max_pool3d_with_indices([depth, height, width]),
            _ => unreachable!("`NAME` admits 1, 2 and 3 axes"),
        }
    }
}

impl<const AXES: usize> Layer for AdaptiveMaxPool<AXES> {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        self.chosen(x).0
    }
}

/// `extents`: numbers, or "keep" for the input's.
impl<const AXES: usize> Declared for AdaptiveMaxPool<AXES> {
    const NAME: &'static str = AdaptiveMaxPool::<AXES>::NAME;

    fn declared(arguments: &mut Arguments, _input: &Shape) -> Result<Self, ArgumentError> {
        let grid = Grid::declared(arguments)?;
        Ok(AdaptiveMaxPool { grid })
    }
}
