//! Pooling over all spatial axes.

use crate::layers::catalogue::Declared;
use crate::layers::spatial::refuse;
use crate::{ArgumentError, Arguments, Layer};
use chainrule_core::{Shape, Tensor, keep};
use chainrule_derive::Module;

crate::catalogue! { GlobalAvgPool, GlobalMaxPool }

/// The mean of each channel: `[batch, channels, spatial..]` to `[batch, channels]`, or `[batch, channels, 1..]` with the
/// axes kept (Lin, Chen, Yan 2013).
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{GlobalAvgPool, Layer};
/// assert_eq!(GlobalAvgPool::new().forward(Tensor::ones([4, 3, 5, 5])).shape().to_string(), "[4, 3]");
/// ```
#[derive(Clone, Debug, Default, Module)]
pub struct GlobalAvgPool {
    keep: bool,
}

/// The greatest element of each channel: `[batch, channels, spatial..]` to `[batch, channels]`, or `[batch, channels, 1..]`
/// with the axes kept.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{GlobalMaxPool, Layer};
/// let pool = GlobalMaxPool::new().keep_axes();
/// assert_eq!(pool.forward(Tensor::ones([4, 3, 5, 5])).shape().to_string(), "[4, 3, 1, 1]");
/// ```
#[derive(Clone, Debug, Default, Module)]
pub struct GlobalMaxPool {
    keep: bool,
}

#[track_caller]
fn spatial_axes(layer: &str, x: &Tensor) -> Vec<usize> {
    if x.rank() < 3 {
        refuse(layer, "the layer takes [batch, channels, spatial..]", x);
    }
    (2..x.rank()).collect()
}

macro_rules! global_pool {
    ($layer:ident, $name:literal, $reduce:ident) => {
        impl $layer {
            /// A layer that takes the spatial axes away.
            pub fn new() -> $layer {
                $layer { keep: false }
            }

            /// The spatial axes stay, with extent 1.
            pub fn keep_axes(self) -> $layer {
                $layer { keep: true }
            }
        }

        impl Layer for $layer {
            #[track_caller]
            fn compute(&self, x: &Tensor) -> Tensor {
                let axes = spatial_axes($name, x);
                match self.keep {
                    true => x.$reduce(keep(axes)),
                    false => x.$reduce(axes),
                }
            }
        }

        /// `keep_axes`.
        impl Declared for $layer {
            const NAME: &'static str = $name;

            fn declared(arguments: &mut Arguments, _input: &Shape) -> Result<Self, ArgumentError> {
                let keep = arguments.optional("keep_axes", false)?;
                Ok($layer { keep })
            }
        }
    };
}

global_pool! { GlobalAvgPool, "global_avg_pool", mean }
global_pool! { GlobalMaxPool, "global_max_pool", max }
