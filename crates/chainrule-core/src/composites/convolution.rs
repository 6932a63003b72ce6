//! The methods of convolution: options, tensors without batch, transposed convolution.

use crate::declare::operation;
use crate::error::{Mismatch, raise};
use crate::primitives::convolution::{Convolution, ConvolutionInput, INPUT_WEIGHT};
use crate::primitives::window::{PerAxis, Sliding};
use crate::tensor::Tensor;

/// How a convolution moves over its input: strides, zeros around it, distance between taps, groups of channels.
///
/// Each takes one number for all spatial axes or an array with one for each.
///
/// ```
/// use chainrule_core::ConvolutionOptions;
/// let options = ConvolutionOptions::new().stride(2).padding([1, 0]);
/// ```
#[derive(Clone, Debug)]
pub struct ConvolutionOptions {
    stride: PerAxis,
    padding: PerAxis,
    output_padding: PerAxis,
    dilation: PerAxis,
    groups: usize,
}

impl Default for ConvolutionOptions {
    fn default() -> ConvolutionOptions {
        ConvolutionOptions::new()
    }
}

impl ConvolutionOptions {
    /// Stride 1, no padding, dilation 1, one group.
    pub fn new() -> ConvolutionOptions {
        ConvolutionOptions {
            stride: PerAxis::All(1),
            padding: PerAxis::All(0),
            output_padding: PerAxis::All(0),
            dilation: PerAxis::All(1),
            groups: 1,
        }
    }

    /// The step from one window to the next.
    pub fn stride(mut self, stride: impl Into<PerAxis>) -> ConvolutionOptions {
        self.stride = stride.into();
        self
    }

    /// Zeros added on both sides.
    pub fn padding(mut self, padding: impl Into<PerAxis>) -> ConvolutionOptions {
        self.padding = padding.into();
        self
    }

    /// Elements added on one side of a transposed convolution's output.
    pub fn output_padding(mut self, padding: impl Into<PerAxis>) -> ConvolutionOptions {
        self.output_padding = padding.into();
        self
    }

    /// The distance between neighbouring taps.
    pub fn dilation(mut self, dilation: impl Into<PerAxis>) -> ConvolutionOptions {
        self.dilation = dilation.into();
        self
    }

    /// The number of groups into which the channels are divided.
    pub fn groups(mut self, groups: usize) -> ConvolutionOptions {
        self.groups = groups;
        self
    }

    fn sliding(&self, rank: usize) -> Result<Sliding, Mismatch> {
        Ok(Sliding {
            stride: self.stride.resolve(rank, "stride")?,
            padding: self.padding.resolve(rank, "padding")?,
            dilation: self.dilation.resolve(rank, "dilation")?,
        })
    }
}

macro_rules! convolutions {
    ($($forward:ident, $transposed:ident, $rank:literal, $layout:literal, $kernel:literal;)*) => {
        impl Tensor {
            $(
                #[doc = concat!("Convolution (cross-correlation, as in all deep learning) over ", $layout, ", also without batch.")]
                ///
                #[doc = concat!("The weight is `[out, in / groups, ", $kernel, "]`; see [`ConvolutionOptions`] for stride, padding, dilation and groups.")]
                ///
                /// # Panics
                /// When the shapes, dtypes or options do not fit.
                #[track_caller]
                pub fn $forward(&self, weight: impl AsRef<Tensor>, options: ConvolutionOptions) -> Tensor {
                    self.convolution(weight.as_ref(), &options, $rank, stringify!($forward))
                }

                #[doc = concat!("Transposed convolution over ", $layout, ", also without batch: the transpose of the convolution with these options.")]
                ///
                #[doc = concat!("The weight is `[in, out / groups, ", $kernel, "]`.")]
                ///
                /// # Panics
                /// When the shapes, dtypes or options do not fit.
                #[track_caller]
                pub fn $transposed(&self, weight: impl AsRef<Tensor>, options: ConvolutionOptions) -> Tensor {
                    self.transposed_convolution(weight.as_ref(), &options, $rank, stringify!($transposed))
                }
            )*
        }
    };
}

convolutions! {
    conv1d, conv_transpose1d, 1, "`[batch, channels, length]`", "kernel";
    conv2d, conv_transpose2d, 2, "`[batch, channels, height, width]`", "kernel height, kernel width";
    conv3d, conv_transpose3d, 3, "`[batch, channels, depth, height, width]`", "kernel depth, kernel height, kernel width";
}

impl Tensor {
    #[track_caller]
    fn refuse(&self, weight: &Tensor, name: &str, mismatch: Mismatch) -> ! {
        raise(
            mismatch
                .naming(INPUT_WEIGHT)
                .into_error(name, &[self.as_operand(), weight.as_operand()]),
        )
    }

    /// The input with a batch axis, and whether it was added.
    #[track_caller]
    fn with_batch(&self, weight: &Tensor, rank: usize, name: &str) -> (Tensor, bool) {
        if weight.rank() != rank + 2 || !(rank + 1..=rank + 2).contains(&self.rank()) {
            let reason = format!(
                "the input must have {} axes (or {} without batch) and the weight {}",
                rank + 2,
                rank + 1,
                rank + 2
            );
            self.refuse(weight, name, Mismatch::shape(reason));
        }
        let added = self.rank() == rank + 1;
        (
            if added {
                self.unsqueeze(0)
            } else {
                self.clone()
            },
            added,
        )
    }

    #[track_caller]
    fn convolution(
        &self,
        weight: &Tensor,
        options: &ConvolutionOptions,
        rank: usize,
        name: &str,
    ) -> Tensor {
        let (input, added) = self.with_batch(weight, rank, name);
        let sliding = options
            .sliding(rank)
            .unwrap_or_else(|mismatch| self.refuse(weight, name, mismatch));
        let groups = options.groups;
        let output = operation(Convolution { sliding, groups }).of(&[&input, weight]);
        if added { output.squeeze(0) } else { output }
    }

    #[track_caller]
    fn transposed_convolution(
        &self,
        weight: &Tensor,
        options: &ConvolutionOptions,
        rank: usize,
        name: &str,
    ) -> Tensor {
        let (input, added) = self.with_batch(weight, rank, name);
        let geometry = || -> Result<(Sliding, Vec<usize>), Mismatch> {
            let sliding = options.sliding(rank)?;
            sliding.check(&weight.shape()[2..])?;
            let further = options.output_padding.resolve(rank, "output padding")?;
            let extents: Result<Vec<usize>, Mismatch> = (0..rank)
                .map(|axis| {
                    let windows = (input.shape()[axis + 2].max(1) - 1) * sliding.stride[axis];
                    let reach = sliding.reach(axis, weight.shape()[axis + 2]);
                    if further[axis] >= sliding.stride[axis].max(sliding.dilation[axis]) {
                        return Err(Mismatch::argument(
                            "the output padding must be smaller than stride or dilation",
                        ));
                    }
                    (windows + reach + further[axis])
                        .checked_sub(2 * sliding.padding[axis])
                        .filter(|&extent| extent > 0)
                        .ok_or_else(|| {
                            Mismatch::shape(format!(
                                "the padding leaves nothing of spatial axis {axis}"
                            ))
                        })
                })
                .collect();
            Ok((sliding, extents?))
        };
        let (sliding, extents) =
            geometry().unwrap_or_else(|mismatch| self.refuse(weight, name, mismatch));
        let groups = options.groups;
        let output = operation(ConvolutionInput {
            sliding,
            groups,
            extents,
        })
        .of(&[&input, weight]);
        if added { output.squeeze(0) } else { output }
    }
}
