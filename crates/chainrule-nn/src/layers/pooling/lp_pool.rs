//! Pooling by a norm.

use super::avg_pool::averages;
use crate::layers::catalogue::Declared;
use crate::layers::spatial::{EachAxis, check_spatial, numbered};
use crate::{ArgumentError, Arguments, Layer};
use chainrule_core::{PoolOptions, Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { LpPool1d, LpPool2d, LpPool3d }

/// Norms over `[batch, channels, length]`: see [`LpPool`].
pub type LpPool1d = LpPool<1>;
/// Norms over `[batch, channels, height, width]`: see [`LpPool`].
pub type LpPool2d = LpPool<2>;
/// Norms over `[batch, channels, depth, height, width]`: see [`LpPool`].
pub type LpPool3d = LpPool<3>;

/// The `order`-norm of each window over `AXES` spatial axes: `y[i] = (Σ |x[stride·i + k]|^order)^(1/order)` over the taps
/// `k`; 0 with derivative 0 where all elements are 0.
///
/// From `[batch, channels, spatial..]`, also without batch, to the same with other extents: `n` becomes
/// `(n - kernel) / stride + 1`, rounded down, or up in ceil mode.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::{Layer, LpPool1d};
/// let y = LpPool1d::new(2.0, 2).forward(tensor![[3.0, -4.0, 1.0]]);
/// assert_eq!(y.to_vec::<f32>(), [5.0]);
/// ```
#[derive(Clone, Debug, Module)]
pub struct LpPool<const AXES: usize> {
    order: f64,
    signed: bool,
    #[tree(fixed)]
    kernel: [usize; AXES],
    #[tree(fixed)]
    options: PoolOptions,
}

impl<const AXES: usize> LpPool<AXES> {
    const NAME: &'static str = numbered::<AXES>(["lp_pool1d", "lp_pool2d", "lp_pool3d"]);

    /// Norms of the given order of windows of `kernel` elements, one number for all axes or an array, side by side.
    pub fn new(order: f64, kernel: impl EachAxis<AXES>) -> LpPool<AXES> {
        let kernel = kernel.each();
        LpPool {
            order,
            signed: false,
            kernel,
            options: PoolOptions::new(kernel),
        }
    }

    /// The step from one window to the next, in place of the kernel's extent.
    pub fn stride(self, stride: impl EachAxis<AXES>) -> LpPool<AXES> {
        let options = self.options.stride(stride.each());
        LpPool { options, ..self }
    }

    /// Also a last window that reaches over the end.
    pub fn ceil_mode(self) -> LpPool<AXES> {
        let options = self.options.ceil_mode();
        LpPool { options, ..self }
    }

    /// What PyTorch computes: `(taps · mean x^order)^(1/order)`. It is no norm where the order is not an even number and an
    /// element is negative (NaN then, mostly), and a window that reaches over the end counts as if it were filled.
    pub fn signed(self) -> LpPool<AXES> {
        LpPool {
            signed: true,
            ..self
        }
    }

    #[track_caller]
    fn signed_norms(&self, x: &Tensor) -> Tensor {
        let taps = self.kernel.iter().product::<usize>() as f64;
        let sums = averages::<AXES>(&x.pow(self.order), self.options.clone()) * taps;
        // A root has no derivative at zero; where the sum is zero the root is taken of 1 and not used.
        let some = sums.stop_gradient().ne(0.0);
        let root = some.where_(&sums, sums.ones_like()).pow(1.0 / self.order);
        some.where_(root, sums.zeros_like())
    }
}

impl<const AXES: usize> Layer for LpPool<AXES> {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        check_spatial::<AXES>(Self::NAME, x, None);
        if self.signed {
            return self.signed_norms(x);
        }
        let options = self.options.clone();
        match AXES {
            1 => x.lp_pool1d(self.order, options),
            2 => x.lp_pool2d(self.order, options),
            _ => x.lp_pool3d(self.order, options),
        }
    }
}

/// `order`, `kernel`, `stride`, `ceil_mode`.
impl<const AXES: usize> Declared for LpPool<AXES> {
    const NAME: &'static str = LpPool::<AXES>::NAME;

    fn declared(arguments: &mut Arguments, _input: &Shape) -> Result<Self, ArgumentError> {
        let order = arguments.required("order")?;
        let pool = LpPool::new(order, arguments.required::<[usize; AXES]>("kernel")?);
        let pool = match arguments.given::<[usize; AXES]>("stride")? {
            Some(stride) => pool.stride(stride),
            None => pool,
        };
        Ok(match arguments.optional("ceil_mode", false)? {
            true => pool.ceil_mode(),
            false => pool,
        })
    }
}
