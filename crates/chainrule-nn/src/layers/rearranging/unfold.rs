//! Patches as columns.

use crate::layers::catalogue::Declared;
use crate::{ArgumentError, Arguments, Layer};
use chainrule_core::{ConvolutionOptions, Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { Unfold }

/// The patches that a convolution sees, as the columns of matrices: `[batch, channels, spatial..]` to
/// `[batch, channels · taps, windows]`, or the same without the batch.
///
/// ```
/// use chainrule_core::{ConvolutionOptions, Tensor};
/// use chainrule_nn::{Layer, Unfold};
/// let layer = Unfold::new(&[2, 2], ConvolutionOptions::new());
/// assert_eq!(layer.forward(Tensor::ones([1, 3, 4, 5])).shape()[..], [1, 12, 12]);
/// ```
#[derive(Clone, Debug, Module)]
pub struct Unfold {
    kernel: Vec<usize>,
    #[tree(fixed)]
    options: ConvolutionOptions,
}

impl Unfold {
    /// Patches of these extents, one for each spatial axis, with the options' stride, padding and dilation.
    pub fn new(kernel: &[usize], options: ConvolutionOptions) -> Unfold {
        Unfold {
            kernel: kernel.to_vec(),
            options,
        }
    }
}

impl Layer for Unfold {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        match x.rank() == self.kernel.len() + 1 {
            true => x
                .unsqueeze(0)
                .im2col(&self.kernel, &self.options)
                .squeeze(0),
            false => x.im2col(&self.kernel, &self.options),
        }
    }
}

/// The arguments that [`Unfold`] and [`Fold`](super::Fold) share, for `axes` spatial axes.
pub(super) fn windows(
    arguments: &mut Arguments,
    axes: usize,
) -> Result<(Vec<usize>, ConvolutionOptions), ArgumentError> {
    let kernel = per_axis(arguments, "kernel", axes)?;
    let kernel = match kernel {
        Some(kernel) => kernel,
        None => return Err(arguments.problem("kernel", "the argument `kernel` is missing")),
    };
    let mut options = ConvolutionOptions::new();
    if let Some(stride) = per_axis(arguments, "stride", axes)? {
        options = options.stride(stride);
    }
    if let Some(padding) = per_axis(arguments, "padding", axes)? {
        options = options.padding(padding);
    }
    if let Some(dilation) = per_axis(arguments, "dilation", axes)? {
        options = options.dilation(dilation);
    }
    Ok((kernel, options))
}

/// One number for all axes, or one for each.
pub(super) fn per_axis(
    arguments: &mut Arguments,
    name: &'static str,
    axes: usize,
) -> Result<Option<Vec<usize>>, ArgumentError> {
    if let Ok(Some(one)) = arguments.given::<usize>(name) {
        return Ok(Some(vec![one; axes]));
    }
    match arguments.given::<Vec<usize>>(name)? {
        Some(each) if each.len() != axes => {
            let message = format!("`{name}` has {} entries; there are {axes} axes", each.len());
            Err(arguments.problem(name, message))
        }
        given => Ok(given),
    }
}

/// `kernel`, `stride`, `padding`, `dilation`: a number, or one for each spatial axis.
impl Declared for Unfold {
    const NAME: &'static str = "unfold";

    fn declared(arguments: &mut Arguments, input: &Shape) -> Result<Unfold, ArgumentError> {
        let (kernel, options) = windows(arguments, input.len().saturating_sub(2))?;
        Ok(Unfold { kernel, options })
    }
}
