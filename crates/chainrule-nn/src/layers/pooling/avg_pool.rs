//! Pooling by the mean.

use crate::layers::catalogue::Declared;
use crate::layers::spatial::{EachAxis, check_spatial, numbered};
use crate::{ArgumentError, Arguments, Layer};
use chainrule_core::{PoolOptions, Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { AvgPool1d, AvgPool2d, AvgPool3d }

/// Means over `[batch, channels, length]`: see [`AvgPool`].
pub type AvgPool1d = AvgPool<1>;
/// Means over `[batch, channels, height, width]`: see [`AvgPool`].
pub type AvgPool2d = AvgPool<2>;
/// Means over `[batch, channels, depth, height, width]`: see [`AvgPool`].
pub type AvgPool3d = AvgPool<3>;

/// The mean of each window over `AXES` spatial axes: `y[i] = 1/taps Σ x[stride·i + k - padding]` over the taps `k`.
///
/// From `[batch, channels, spatial..]`, also without batch, to the same with other extents: `n` becomes
/// `(n + 2·padding - kernel) / stride + 1`, rounded down, or up in ceil mode.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::{AvgPool1d, Layer};
/// let x = tensor![[1.0, 3.0, 5.0]];
/// assert_eq!(AvgPool1d::new(2).stride(1).forward(&x).to_vec::<f32>(), [2.0, 4.0]);
/// let padded = AvgPool1d::new(2).padding(1);
/// assert_eq!(padded.clone().forward(&x).to_vec::<f32>(), [0.5, 4.0]);
/// assert_eq!(padded.without_padding_in_mean().forward(&x).to_vec::<f32>(), [1.0, 4.0]);
/// ```
#[derive(Clone, Debug, Module)]
pub struct AvgPool<const AXES: usize> {
    #[tree(fixed)]
    options: PoolOptions,
}

impl<const AXES: usize> AvgPool<AXES> {
    const NAME: &'static str = numbered::<AXES>(["avg_pool1d", "avg_pool2d", "avg_pool3d"]);

    /// Windows of `kernel` elements, one number for all axes or an array, side by side.
    pub fn new(kernel: impl EachAxis<AXES>) -> AvgPool<AXES> {
        let options = PoolOptions::new(kernel.each());
        AvgPool { options }
    }

    /// The step from one window to the next, in place of the kernel's extent.
    pub fn stride(self, stride: impl EachAxis<AXES>) -> AvgPool<AXES> {
        let options = self.options.stride(stride.each());
        AvgPool { options }
    }

    /// So many zeros added on both sides; at most half the kernel.
    pub fn padding(self, padding: impl EachAxis<AXES>) -> AvgPool<AXES> {
        let options = self.options.padding(padding.each());
        AvgPool { options }
    }

    /// Also a last window that reaches over the end.
    pub fn ceil_mode(self) -> AvgPool<AXES> {
        let options = self.options.ceil_mode();
        AvgPool { options }
    }

    /// Means are over the elements inside only, not over padding.
    pub fn without_padding_in_mean(self) -> AvgPool<AXES> {
        let options = self.options.without_padding_in_mean();
        AvgPool { options }
    }

    /// What sums are divided by, instead of the number of elements.
    pub fn divisor(self, divisor: f64) -> AvgPool<AXES> {
        let options = self.options.divisor(divisor);
        AvgPool { options }
    }
}

impl<const AXES: usize> Layer for AvgPool<AXES> {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        check_spatial::<AXES>(Self::NAME, x, None);
        averages::<AXES>(x, self.options.clone())
    }
}

/// The means of windows over the last `AXES` axes.
#[track_caller]
pub(crate) fn averages<const AXES: usize>(x: &Tensor, options: PoolOptions) -> Tensor {
    match AXES {
        1 => x.avg_pool1d(options),
        2 => x.avg_pool2d(options),
        _ => x.avg_pool3d(options),
    }
}

/// `kernel`, `stride`, `padding`, `ceil_mode`, `count_padding`, `divisor`.
impl<const AXES: usize> Declared for AvgPool<AXES> {
    const NAME: &'static str = AvgPool::<AXES>::NAME;

    fn declared(arguments: &mut Arguments, _input: &Shape) -> Result<Self, ArgumentError> {
        let mut pool = AvgPool::new(arguments.required::<[usize; AXES]>("kernel")?);
        if let Some(stride) = arguments.given::<[usize; AXES]>("stride")? {
            pool = pool.stride(stride);
        }
        pool = pool.padding(arguments.optional("padding", [0; AXES])?);
        if arguments.optional("ceil_mode", false)? {
            pool = pool.ceil_mode();
        }
        if !arguments.optional("count_padding", true)? {
            pool = pool.without_padding_in_mean();
        }
        Ok(match arguments.given("divisor")? {
            Some(divisor) => pool.divisor(divisor),
            None => pool,
        })
    }
}
