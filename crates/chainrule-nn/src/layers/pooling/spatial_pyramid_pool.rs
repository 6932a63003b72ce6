//! Pooling over grids of several sizes.

use crate::layers::catalogue::Declared;
use crate::layers::spatial::check_spatial;
use crate::{ArgumentError, Arguments, Layer};
use chainrule_core::{Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { SpatialPyramidPool }

/// Spatial pyramid pooling (He, Zhang, Ren, Sun 2014): maxima or means over grids of 1×1, 2×2, 4×4, .. cells, one vector of
/// one length whatever the input's height and width.
///
/// `[batch, channels, height, width]`, also without batch, to `[batch, channels · (1 + 4 + .. + 4^(levels - 1))]`: for each
/// level its channels, for each channel its cells. Cells are those of [`AdaptiveMaxPool`](crate::AdaptiveMaxPool).
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{Layer, SpatialPyramidPool};
/// let pool = SpatialPyramidPool::new(3);
/// assert_eq!(pool.forward(Tensor::ones([2, 5, 13, 9])).shape().to_string(), "[2, 105]");
/// ```
#[derive(Clone, Debug, Module)]
pub struct SpatialPyramidPool {
    levels: usize,
    mean: bool,
}

impl SpatialPyramidPool {
    /// Maxima over so many grids.
    pub fn new(levels: usize) -> SpatialPyramidPool {
        SpatialPyramidPool {
            levels,
            mean: false,
        }
    }

    /// Means in place of maxima.
    pub fn mean(self) -> SpatialPyramidPool {
        SpatialPyramidPool { mean: true, ..self }
    }
}

impl Layer for SpatialPyramidPool {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        check_spatial::<2>("spatial_pyramid_pool", x, None);
        let channel_axis = x.rank() - 3;
        let level = |level: usize| {
            let cells = 1 << level;
            let pooled = match self.mean {
                true => x.adaptive_avg_pool2d([cells, cells]),
                false => x.adaptive_max_pool2d([cells, cells]),
            };
            let batch = x.shape()[..channel_axis].iter().copied();
            let shape: Shape = batch
                .chain([x.shape()[channel_axis] * cells * cells])
                .collect();
            pooled.reshape(shape)
        };
        let levels: Vec<Tensor> = (0..self.levels).map(level).collect();
        Tensor::concat(&levels, -1)
    }
}

/// `levels`, `mean`.
impl Declared for SpatialPyramidPool {
    const NAME: &'static str = "spatial_pyramid_pool";

    fn declared(arguments: &mut Arguments, _input: &Shape) -> Result<Self, ArgumentError> {
        let levels = arguments.required("levels")?;
        if !(1..=16).contains(&levels) {
            let message = format!("`levels` is {levels}; expected 1 to 16");
            return Err(arguments.problem("levels", message));
        }
        Ok(SpatialPyramidPool {
            levels,
            mean: arguments.optional("mean", false)?,
        })
    }
}
