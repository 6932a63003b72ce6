//! Transposed convolution.

use super::conv::{check_groups, check_weight, declared_groups};
use crate::layers::catalogue::Declared;
use crate::layers::spatial::{EachAxis, channels_of, check_spatial, numbered, refuse};
use crate::scope::layer_scope;
use crate::{ArgumentError, Arguments, Layer, Parameter};
use chainrule_core::{ConvolutionOptions, Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d }

/// Transposed convolution over `[batch, channels, length]`: see [`ConvTranspose`].
pub type ConvTranspose1d = ConvTranspose<1>;
/// Transposed convolution over `[batch, channels, height, width]`: see [`ConvTranspose`].
pub type ConvTranspose2d = ConvTranspose<2>;
/// Transposed convolution over `[batch, channels, depth, height, width]`: see [`ConvTranspose`].
pub type ConvTranspose3d = ConvTranspose<3>;

/// The transpose of a convolution over `AXES` spatial axes, which makes extents greater (also called deconvolution):
/// each input element adds its multiple of the kernel to the output, `stride` apart.
///
/// From `[batch, inputs, spatial..]` to `[batch, outputs, spatial..]`, also without batch; an extent `n` becomes
/// `(n - 1)·stride - 2·padding + dilation·(kernel - 1) + output_padding + 1`.
/// Weight and bias start uniform in ±1/√(outputs / groups · taps), as PyTorch's do.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{ConvTranspose2d, Layer};
/// let layer = ConvTranspose2d::new(8, 3, 4).stride(2).padding(1);
/// assert_eq!(layer.forward(Tensor::ones([4, 8, 16, 16])).shape().to_string(), "[4, 3, 32, 32]");
/// ```
#[derive(Clone, Debug, Module)]
pub struct ConvTranspose<const AXES: usize> {
    /// `[inputs, outputs / groups, kernel..]`.
    pub weight: Parameter,
    /// `[outputs]`.
    pub bias: Option<Parameter>,
    #[tree(fixed)]
    stride: [usize; AXES],
    #[tree(fixed)]
    padding: [usize; AXES],
    #[tree(fixed)]
    output_padding: [usize; AXES],
    #[tree(fixed)]
    dilation: [usize; AXES],
    groups: usize,
}

impl<const AXES: usize> ConvTranspose<AXES> {
    const NAME: &'static str =
        numbered::<AXES>(["conv_transpose1d", "conv_transpose2d", "conv_transpose3d"]);

    /// Windows of `kernel` taps, one number for all axes or an array; stride 1, no padding, with bias.
    #[track_caller]
    pub fn new(inputs: usize, outputs: usize, kernel: impl EachAxis<AXES>) -> Self {
        ConvTranspose::grouped(inputs, outputs, kernel, 1)
    }

    /// Channels in `groups` groups: outputs of a group depend on its inputs only.
    ///
    /// # Panics
    /// When inputs or outputs do not divide into the groups.
    #[track_caller]
    pub fn grouped(
        inputs: usize,
        outputs: usize,
        kernel: impl EachAxis<AXES>,
        groups: usize,
    ) -> Self {
        check_groups(Self::NAME, inputs, outputs, groups);
        let kernel = kernel.each();
        let fan = outputs / groups * kernel.iter().product::<usize>();
        let bound = 1.0 / (fan.max(1) as f64).sqrt();
        let shape: Shape = [inputs, outputs / groups]
            .into_iter()
            .chain(kernel)
            .collect();
        let weight = Parameter::new(Tensor::uniform(shape, -bound, bound));
        let bias = Parameter::new(Tensor::uniform([outputs], -bound, bound));
        ConvTranspose::from_weights(weight, Some(bias), groups)
    }

    /// A layer with the given weight `[inputs, outputs / groups, kernel..]` and bias `[outputs]`.
    ///
    /// # Panics
    /// When the weight has another number of axes.
    #[track_caller]
    pub fn from_weights(weight: Parameter, bias: Option<Parameter>, groups: usize) -> Self {
        check_weight::<AXES>(Self::NAME, &weight, "[inputs, outputs / groups, kernel..]");
        ConvTranspose {
            weight,
            bias,
            stride: [1; AXES],
            padding: [0; AXES],
            output_padding: [0; AXES],
            dilation: [1; AXES],
            groups,
        }
    }

    /// The step from one window to the next in the output.
    pub fn stride(self, stride: impl EachAxis<AXES>) -> Self {
        let stride = stride.each();
        ConvTranspose { stride, ..self }
    }

    /// So many elements taken off both sides of each axis of the output.
    pub fn padding(self, padding: impl EachAxis<AXES>) -> Self {
        let padding = padding.each();
        ConvTranspose { padding, ..self }
    }

    /// So many elements added after each axis of the output: extents that a strided convolution maps to one extent differ
    /// by less than the stride, and this tells which is meant.
    pub fn output_padding(self, padding: impl EachAxis<AXES>) -> Self {
        let output_padding = padding.each();
        ConvTranspose {
            output_padding,
            ..self
        }
    }

    /// The distance between neighbouring taps.
    pub fn dilation(self, dilation: impl EachAxis<AXES>) -> Self {
        let dilation = dilation.each();
        ConvTranspose { dilation, ..self }
    }

    /// The same layer without bias.
    pub fn without_bias(self) -> Self {
        ConvTranspose { bias: None, ..self }
    }

    /// The output with spatial axes of the given extents, in place of those that `output_padding` gives.
    ///
    /// # Panics
    /// When `x` does not fit the layer, or the layer cannot put out these extents.
    #[track_caller]
    pub fn forward_to(&self, x: impl AsRef<Tensor>, extents: [usize; AXES]) -> Tensor {
        layer_scope(self, || {
            let x = x.as_ref();
            let padding = self.padding_for(x, extents);
            self.transposed(x, padding)
        })
    }

    /// The output padding that gives `extents`.
    #[track_caller]
    fn padding_for(&self, x: &Tensor, extents: [usize; AXES]) -> [usize; AXES] {
        check_spatial::<AXES>(Self::NAME, x, Some(self.weight.shape()[0]));
        std::array::from_fn(|axis| {
            let input = x.shape()[x.rank() - AXES + axis];
            let reach = self.dilation[axis] * self.weight.shape()[axis + 2].saturating_sub(1) + 1;
            let covered = input.saturating_sub(1) * self.stride[axis] + reach;
            let least = covered.saturating_sub(2 * self.padding[axis]);
            let given = extents[axis].checked_sub(least);
            given
                .filter(|&padding| padding < self.stride[axis])
                .unwrap_or_else(|| {
                    let most = least + self.stride[axis] - 1;
                    let extent = extents[axis];
                    let problem = format!(
                        "spatial axis {axis} can have extents from {least} to {most}, not {extent}"
                    );
                    refuse(Self::NAME, &problem, x)
                })
        })
    }

    #[track_caller]
    fn transposed(&self, x: &Tensor, output_padding: [usize; AXES]) -> Tensor {
        check_spatial::<AXES>(Self::NAME, x, Some(self.weight.shape()[0]));
        let mut options = ConvolutionOptions::new()
            .stride(self.stride)
            .padding(self.padding)
            .output_padding(output_padding)
            .dilation(self.dilation)
            .groups(self.groups);
        if let Some(bias) = &self.bias {
            options = options.bias(bias);
        }
        match AXES {
            1 => x.conv_transpose1d(&self.weight, options),
            2 => x.conv_transpose2d(&self.weight, options),
            _ => x.conv_transpose3d(&self.weight, options),
        }
    }
}

impl<const AXES: usize> Layer for ConvTranspose<AXES> {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        self.transposed(x, self.output_padding)
    }
}

/// `outputs`, `kernel`, `stride`, `padding`, `output_padding`, `dilation`, `groups`, `bias`; inputs from the channels.
impl<const AXES: usize> Declared for ConvTranspose<AXES> {
    const NAME: &'static str = ConvTranspose::<AXES>::NAME;

    fn declared(arguments: &mut Arguments, input: &Shape) -> Result<Self, ArgumentError> {
        let inputs = channels_of::<AXES>(arguments, input)?;
        let outputs = arguments.required("outputs")?;
        let kernel: [usize; AXES] = arguments.required("kernel")?;
        let groups = declared_groups(arguments, inputs, outputs)?;
        let layer = ConvTranspose::grouped(inputs, outputs, kernel, groups);
        let layer = ConvTranspose {
            stride: arguments.optional("stride", layer.stride)?,
            padding: arguments.optional("padding", layer.padding)?,
            output_padding: arguments.optional("output_padding", layer.output_padding)?,
            dilation: arguments.optional("dilation", layer.dilation)?,
            ..layer
        };
        Ok(match arguments.optional("bias", true)? {
            true => layer,
            false => layer.without_bias(),
        })
    }
}
