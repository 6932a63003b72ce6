//! The partial inverse of max pooling.

use crate::layers::spatial::{EachAxis, check_spatial, numbered, refuse};
use crate::scope::layer_scope;
use chainrule_core::Tensor;
use chainrule_derive::Module;

/// The partial inverse of [`MaxPool1d`](crate::MaxPool1d): see [`MaxUnpool`].
pub type MaxUnpool1d = MaxUnpool<1>;
/// The partial inverse of [`MaxPool2d`](crate::MaxPool2d): see [`MaxUnpool`].
pub type MaxUnpool2d = MaxUnpool<2>;
/// The partial inverse of [`MaxPool3d`](crate::MaxPool3d): see [`MaxUnpool`].
pub type MaxUnpool3d = MaxUnpool<3>;

/// Puts each element back where a [`MaxPool`](crate::MaxPool) with the same numbers took it from, zeros elsewhere.
///
/// Elements and positions are `[batch, channels, spatial..]`, also without batch; an extent `n` becomes
/// `(n - 1)·stride - 2·padding + kernel`, unless [`forward_to`](MaxUnpool::forward_to) says otherwise.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::{MaxPool1d, MaxUnpool1d};
/// let (greatest, positions) = MaxPool1d::new(2).forward_with_positions(tensor![[1.0, 5.0, 4.0, 2.0]]);
/// let y = MaxUnpool1d::new(2).forward(&greatest, &positions);
/// assert_eq!(y.to_vec::<f32>(), [0.0, 5.0, 4.0, 0.0]);
/// ```
#[derive(Clone, Debug, Module)]
pub struct MaxUnpool<const AXES: usize> {
    #[tree(fixed)]
    kernel: [usize; AXES],
    #[tree(fixed)]
    stride: [usize; AXES],
    #[tree(fixed)]
    padding: [usize; AXES],
}

impl<const AXES: usize> MaxUnpool<AXES> {
    const NAME: &'static str = numbered::<AXES>(["max_unpool1d", "max_unpool2d", "max_unpool3d"]);

    /// For windows of `kernel` elements, one number for all axes or an array, side by side.
    pub fn new(kernel: impl EachAxis<AXES>) -> MaxUnpool<AXES> {
        let kernel = kernel.each();
        MaxUnpool {
            kernel,
            stride: kernel,
            padding: [0; AXES],
        }
    }

    /// The step from one window to the next.
    pub fn stride(self, stride: impl EachAxis<AXES>) -> MaxUnpool<AXES> {
        let stride = stride.each();
        MaxUnpool { stride, ..self }
    }

    /// How much the pooling padded on both sides.
    pub fn padding(self, padding: impl EachAxis<AXES>) -> MaxUnpool<AXES> {
        let padding = padding.each();
        MaxUnpool { padding, ..self }
    }

    /// The elements `x` at their `positions`.
    ///
    /// # Panics
    /// When elements and positions differ in shape, or a position lies outside.
    #[track_caller]
    pub fn forward(&self, x: impl AsRef<Tensor>, positions: impl AsRef<Tensor>) -> Tensor {
        layer_scope(self, || {
            let x = x.as_ref();
            let extents = self.usual_extents(x);
            unpooled(x, positions.as_ref(), extents)
        })
    }

    /// The elements `x` at their `positions` in spatial axes of the given extents: several extents are pooled to the same.
    ///
    /// # Panics
    /// As [`forward`](MaxUnpool::forward), and when an extent differs by `stride` or more from the usual one.
    #[track_caller]
    pub fn forward_to(
        &self,
        x: impl AsRef<Tensor>,
        positions: impl AsRef<Tensor>,
        extents: [usize; AXES],
    ) -> Tensor {
        layer_scope(self, || {
            let x = x.as_ref();
            let usual = self.usual_extents(x);
            for axis in 0..AXES {
                if extents[axis].abs_diff(usual[axis]) >= self.stride[axis] {
                    let problem = format!(
                        "spatial axis {axis} can have an extent that differs from {} by less than the stride, {}, not {}",
                        usual[axis], self.stride[axis], extents[axis]
                    );
                    refuse(Self::NAME, &problem, x);
                }
            }
            unpooled(x, positions.as_ref(), extents)
        })
    }

    #[track_caller]
    fn usual_extents(&self, x: &Tensor) -> [usize; AXES] {
        check_spatial::<AXES>(Self::NAME, x, None);
        std::array::from_fn(|axis| {
            let windows = x.shape()[x.rank() - AXES + axis];
            let covered = windows.saturating_sub(1) * self.stride[axis] + self.kernel[axis];
            covered.saturating_sub(2 * self.padding[axis])
        })
    }
}

#[track_caller]
fn unpooled<const AXES: usize>(x: &Tensor, positions: &Tensor, extents: [usize; AXES]) -> Tensor {
    match extents[..] {
        [length] => x.max_unpool1d(positions, [length]),
        [height, width] => x.max_unpool2d(positions, [height, width]),
        [depth, height, width] => x.max_unpool3d(positions, [depth, height, width]),
        _ => unreachable!("`NAME` admits 1, 2 and 3 axes"),
    }
}
