//! The methods of convolution: options, tensors without batch, transposed convolution.

use super::pad::Padding;
use crate::declare::operation;
use crate::error::{Mismatch, raise};
use crate::primitives::convolution::{Convolution, ConvolutionInput, INPUT_WEIGHT};
use crate::primitives::window::{PerAxis, Sliding};
use crate::shape::Shape;
use crate::tensor::Tensor;

/// How a convolution moves over its input: strides, zeros around it, distance between taps, groups of channels.
///
/// Each takes one number for all spatial axes or an array with one for each.
///
/// ```
/// use chainrule_core::ConvolutionOptions;
/// let options = ConvolutionOptions::new().stride(2).padding([1, 0]);
/// let causal = ConvolutionOptions::new().padding_sides(&[(2, 0)]);
/// let same = ConvolutionOptions::new().padding_same();
/// ```
#[derive(Clone, Debug)]
pub struct ConvolutionOptions {
    stride: PerAxis,
    padding: Around,
    output_padding: PerAxis,
    dilation: PerAxis,
    groups: usize,
    bias: Option<Tensor>,
}

/// The zeros around the input.
#[derive(Clone, Debug)]
enum Around {
    /// The same number before and after.
    Both(PerAxis),
    /// Before and after each spatial axis.
    Sides(Vec<(usize, usize)>),
    /// As many as keep the extents, the odd one after.
    Same,
}

impl Default for ConvolutionOptions {
    fn default() -> ConvolutionOptions {
        ConvolutionOptions::new()
    }
}

impl ConvolutionOptions {
    /// Stride 1, no padding (only windows wholly inside: "valid"), dilation 1, one group, no bias.
    pub fn new() -> ConvolutionOptions {
        ConvolutionOptions {
            stride: PerAxis::All(1),
            padding: Around::Both(PerAxis::All(0)),
            output_padding: PerAxis::All(0),
            dilation: PerAxis::All(1),
            groups: 1,
            bias: None,
        }
    }

    /// The step from one window to the next.
    pub fn stride(mut self, stride: impl Into<PerAxis>) -> ConvolutionOptions {
        self.stride = stride.into();
        self
    }

    /// Zeros added on both sides.
    pub fn padding(mut self, padding: impl Into<PerAxis>) -> ConvolutionOptions {
        self.padding = Around::Both(padding.into());
        self
    }

    /// Zeros added (before, after) each spatial axis.
    pub fn padding_sides(mut self, sides: &[(usize, usize)]) -> ConvolutionOptions {
        self.padding = Around::Sides(sides.to_vec());
        self
    }

    /// As many zeros as keep the extents, the odd one after the elements; for stride 1.
    pub fn padding_same(mut self) -> ConvolutionOptions {
        self.padding = Around::Same;
        self
    }

    /// A number for each output channel, added to it.
    pub fn bias(mut self, bias: &Tensor) -> ConvolutionOptions {
        self.bias = Some(bias.clone());
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

    /// The movement over spatial axes, without padding, and the zeros before and after each.
    pub(crate) fn geometry(
        &self,
        extents: &[usize],
        kernel: &[usize],
    ) -> Result<(Sliding, Vec<(usize, usize)>), Mismatch> {
        let rank = extents.len();
        let sliding = Sliding {
            stride: self.stride.resolve(rank, "stride")?,
            padding: vec![0; rank],
            dilation: self.dilation.resolve(rank, "dilation")?,
        };
        let sides = match &self.padding {
            Around::Both(padding) => {
                let padding = padding.resolve(rank, "padding")?;
                padding.into_iter().map(|number| (number, number)).collect()
            }
            Around::Sides(sides) if sides.len() == rank => sides.clone(),
            Around::Sides(sides) => {
                let given = sides.len();
                return Err(Mismatch::argument(format!(
                    "{given} pairs were given as padding for {rank} spatial axes"
                )));
            }
            Around::Same if sliding.stride.iter().any(|&stride| stride != 1) => {
                return Err(Mismatch::argument(
                    "padding that keeps the extents needs stride 1",
                ));
            }
            Around::Same => (0..rank)
                .map(|axis| {
                    let total = sliding.reach(axis, kernel[axis]) - 1;
                    (total / 2, total - total / 2)
                })
                .collect(),
        };
        Ok((sliding, sides))
    }

    /// The movement with the padding that both sides of an axis have, and the input with the rest of it.
    fn evened(&self, input: &Tensor, kernel: &[usize]) -> Result<(Sliding, Tensor), Mismatch> {
        let (mut sliding, sides) = self.geometry(&input.shape()[2..], kernel)?;
        sliding.padding = sides
            .iter()
            .map(|&(before, after)| before.min(after))
            .collect();
        let rest: Vec<(usize, usize)> = sides
            .iter()
            .map(|&(before, after)| (before - before.min(after), after - before.min(after)))
            .collect();
        let input = match rest.iter().all(|&rest| rest == (0, 0)) {
            true => input.clone(),
            false => input.pad(&rest, Padding::Constant(0.0)),
        };
        Ok((sliding, input))
    }

    /// The movement without padding, and the input with all of it.
    pub(crate) fn padded(
        &self,
        input: &Tensor,
        kernel: &[usize],
    ) -> Result<(Sliding, Tensor), Mismatch> {
        let (sliding, sides) = self.geometry(&input.shape()[2..], kernel)?;
        Ok((sliding, input.pad(&sides, Padding::Constant(0.0))))
    }

    /// The output with the bias added over its channels.
    #[track_caller]
    fn biased(&self, output: Tensor, rank: usize, name: &str) -> Tensor {
        let Some(bias) = &self.bias else {
            return output;
        };
        if bias.rank() != 1 || bias.elements() != output.shape()[1] {
            let reason = format!(
                "the bias must have the {} output channels",
                output.shape()[1]
            );
            let mismatch = Mismatch::shape(reason).naming(&["output", "bias"]);
            raise(mismatch.into_error(name, &[output.as_operand(), bias.as_operand()]));
        }
        let aligned: Shape = [bias.elements()].into_iter().chain(vec![1; rank]).collect();
        output + bias.shaped(&aligned)
    }
}

macro_rules! convolutions {
    ($($forward:ident, $transposed:ident, $rank:literal, $layout:literal, $kernel:literal;)*) => {
        impl Tensor {
            $(
                #[doc = concat!("Convolution (cross-correlation, as in all deep learning) over ", $layout, ", also without batch.")]
                ///
                #[doc = concat!("The weight is `[out, in / groups, ", $kernel, "]`; see [`ConvolutionOptions`] for stride, padding, dilation, groups and bias.")]
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
        let (sliding, input) = options
            .evened(&input, &weight.shape()[2..])
            .unwrap_or_else(|mismatch| self.refuse(weight, name, mismatch));
        let groups = options.groups;
        let output = operation(Convolution { sliding, groups }).of(&[&input, weight]);
        let output = options.biased(output, rank, name);
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
            let (mut sliding, sides) =
                options.geometry(&input.shape()[2..], &weight.shape()[2..])?;
            if sides.iter().any(|(before, after)| before != after) {
                return Err(Mismatch::argument(
                    "a transposed convolution has the same padding on both sides",
                ));
            }
            sliding.padding = sides.into_iter().map(|(before, _)| before).collect();
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
        let output = options.biased(output, rank, name);
        if added { output.squeeze(0) } else { output }
    }
}
