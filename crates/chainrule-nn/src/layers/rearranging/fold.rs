//! Columns back to patches.

use super::unfold::windows;
use crate::layers::catalogue::Declared;
use crate::{ArgumentError, Arguments, Layer};
use chainrule_core::{ConvolutionOptions, Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { Fold }

/// The transpose of [`Unfold`](crate::Unfold): columns `[batch, channels · taps, windows]`, or the same without the batch,
/// added at their places in `[batch, channels, extents..]`.
///
/// ```
/// use chainrule_core::{ConvolutionOptions, Tensor};
/// use chainrule_nn::{Fold, Layer};
/// let layer = Fold::new(&[3], &[2], ConvolutionOptions::new());
/// assert_eq!(layer.forward(Tensor::ones([1, 2, 2])).to_vec::<f32>(), [1.0, 2.0, 1.0]);
/// ```
#[derive(Clone, Debug, Module)]
pub struct Fold {
    extents: Vec<usize>,
    kernel: Vec<usize>,
    #[tree(fixed)]
    options: ConvolutionOptions,
}

impl Fold {
    /// Patches of the kernel's extents in an image of `extents`, with the options' stride, padding and dilation.
    pub fn new(extents: &[usize], kernel: &[usize], options: ConvolutionOptions) -> Fold {
        Fold {
            extents: extents.to_vec(),
            kernel: kernel.to_vec(),
            options,
        }
    }
}

impl Layer for Fold {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        let folded = |x: &Tensor| x.col2im(&self.extents, &self.kernel, &self.options);
        match x.rank() {
            2 => folded(&x.unsqueeze(0)).squeeze(0),
            _ => folded(x),
        }
    }
}

/// `extents`, and `kernel`, `stride`, `padding`, `dilation`: a number, or one for each extent.
impl Declared for Fold {
    const NAME: &'static str = "fold";

    fn declared(arguments: &mut Arguments, _input: &Shape) -> Result<Fold, ArgumentError> {
        let extents: Vec<usize> = arguments.required("extents")?;
        let (kernel, options) = windows(arguments, extents.len())?;
        Ok(Fold::new(&extents, &kernel, options))
    }
}
