//! Pooling by the maximum.

use crate::layers::catalogue::Declared;
use crate::layers::spatial::{EachAxis, check_spatial, numbered};
use crate::scope::layer_scope;
use crate::{ArgumentError, Arguments, Layer};
use chainrule_core::{PoolOptions, Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { MaxPool1d, MaxPool2d, MaxPool3d }

/// Maxima over `[batch, channels, length]`: see [`MaxPool`].
pub type MaxPool1d = MaxPool<1>;
/// Maxima over `[batch, channels, height, width]`: see [`MaxPool`].
pub type MaxPool2d = MaxPool<2>;
/// Maxima over `[batch, channels, depth, height, width]`: see [`MaxPool`].
pub type MaxPool3d = MaxPool<3>;

/// The greatest element of each window over `AXES` spatial axes: `y[i] = max x[stride·i + dilation·k - padding]` over the
/// taps `k`. All of the gradient goes to the chosen element, the first of equals.
///
/// From `[batch, channels, spatial..]`, also without batch, to the same with other extents: `n` becomes
/// `(n + 2·padding - dilation·(kernel - 1) - 1) / stride + 1`, rounded down, or up in ceil mode.
///
/// ```
/// use chainrule_core::{tensor, Tensor};
/// use chainrule_nn::{Layer, MaxPool1d, MaxPool2d};
/// let y = MaxPool2d::new(3).stride(2).padding(1).forward(Tensor::ones([4, 8, 7, 7]));
/// assert_eq!(y.shape().to_string(), "[4, 8, 4, 4]");
/// let (greatest, positions) = MaxPool1d::new(2).forward_with_positions(tensor![[1.0, 5.0, 4.0, 2.0]]);
/// assert_eq!(greatest.to_vec::<f32>(), [5.0, 4.0]);
/// assert_eq!(positions.to_vec::<i64>(), [1, 2]);
/// ```
#[derive(Clone, Debug, Module)]
pub struct MaxPool<const AXES: usize> {
    #[tree(fixed)]
    options: PoolOptions,
}

impl<const AXES: usize> MaxPool<AXES> {
    const NAME: &'static str = numbered::<AXES>(["max_pool1d", "max_pool2d", "max_pool3d"]);

    /// Windows of `kernel` elements, one number for all axes or an array, side by side.
    pub fn new(kernel: impl EachAxis<AXES>) -> MaxPool<AXES> {
        let options = PoolOptions::new(kernel.each());
        MaxPool { options }
    }

    /// The step from one window to the next, in place of the kernel's extent.
    pub fn stride(self, stride: impl EachAxis<AXES>) -> MaxPool<AXES> {
        let options = self.options.stride(stride.each());
        MaxPool { options }
    }

    /// So many places added on both sides, which are never chosen; at most half the window.
    pub fn padding(self, padding: impl EachAxis<AXES>) -> MaxPool<AXES> {
        let options = self.options.padding(padding.each());
        MaxPool { options }
    }

    /// The distance between neighbouring elements of a window.
    pub fn dilation(self, dilation: impl EachAxis<AXES>) -> MaxPool<AXES> {
        let options = self.options.dilation(dilation.each());
        MaxPool { options }
    }

    /// Also a last window that reaches over the end.
    pub fn ceil_mode(self) -> MaxPool<AXES> {
        let options = self.options.ceil_mode();
        MaxPool { options }
    }

    /// The maxima, and for each its flat position in the spatial axes: what [`MaxUnpool`](crate::MaxUnpool) takes.
    ///
    /// # Panics
    /// When the windows do not fit.
    #[track_caller]
    pub fn forward_with_positions(&self, x: impl AsRef<Tensor>) -> (Tensor, Tensor) {
        layer_scope(self, || self.chosen(x.as_ref()))
    }

    #[track_caller]
    fn chosen(&self, x: &Tensor) -> (Tensor, Tensor) {
        check_spatial::<AXES>(Self::NAME, x, None);
        let options = self.options.clone();
        match AXES {
            1 => x.max_pool1d_with_indices(options),
            2 => x.max_pool2d_with_indices(options),
            _ => x.max_pool3d_with_indices(options),
        }
    }
}

impl<const AXES: usize> Layer for MaxPool<AXES> {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        self.chosen(x).0
    }
}

/// `kernel`, `stride`, `padding`, `dilation`, `ceil_mode`.
impl<const AXES: usize> Declared for MaxPool<AXES> {
    const NAME: &'static str = MaxPool::<AXES>::NAME;

    fn declared(arguments: &mut Arguments, _input: &Shape) -> Result<Self, ArgumentError> {
        let pool = MaxPool::new(arguments.required::<[usize; AXES]>("kernel")?);
        let pool = match arguments.given::<[usize; AXES]>("stride")? {
            Some(stride) => pool.stride(stride),
            None => pool,
        };
        let pool = pool
            .padding(arguments.optional("padding", [0; AXES])?)
            .dilation(arguments.optional("dilation", [1; AXES])?);
        Ok(match arguments.optional("ceil_mode", false)? {
            true => pool.ceil_mode(),
            false => pool,
        })
    }
}
