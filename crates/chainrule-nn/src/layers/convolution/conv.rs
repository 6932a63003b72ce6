//! Convolution.

use crate::layers::catalogue::Declared;
use crate::layers::spatial::{Around, EachAxis, channels_of, check_spatial, numbered};
use crate::{ArgumentError, Arguments, Layer, Parameter};
use chainrule_core::error::raise;
use chainrule_core::{ConvolutionOptions, Error, ErrorKind, Padding, Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { Conv1d, Conv2d, Conv3d }

/// Convolution over `[batch, channels, length]`: see [`Conv`].
pub type Conv1d = Conv<1>;
/// Convolution over `[batch, channels, height, width]`: see [`Conv`].
pub type Conv2d = Conv<2>;
/// Convolution over `[batch, channels, depth, height, width]`: see [`Conv`].
pub type Conv3d = Conv<3>;

/// Convolution over `AXES` spatial axes (as in all deep learning, cross-correlation):
/// `y[o, i] = b[o] + Σ w[o, c, k] x[c, stride·i + dilation·k - padding]` over the channels `c` of the group and the taps `k`.
///
/// From `[batch, inputs, spatial..]` to `[batch, outputs, spatial..]`, also without batch; an extent `n` becomes
/// `(n + padding before and after - dilation·(kernel - 1) - 1) / stride + 1`, rounded down.
/// Weight and bias start uniform in ±1/√(inputs / groups · taps), as PyTorch's do.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{Conv2d, Layer};
/// let layer = Conv2d::new(3, 8, 5).stride(2).padding(2);
/// assert_eq!(layer.forward(Tensor::ones([4, 3, 32, 32])).shape().to_string(), "[4, 8, 16, 16]");
/// let grouped = Conv2d::grouped(8, 8, [3, 1], 4).padding_same();
/// assert_eq!(grouped.forward(Tensor::ones([8, 6, 6])).shape().to_string(), "[8, 6, 6]");
/// ```
#[derive(Clone, Debug, Module)]
pub struct Conv<const AXES: usize> {
    /// `[outputs, inputs / groups, kernel..]`.
    pub weight: Parameter,
    /// `[outputs]`.
    pub bias: Option<Parameter>,
    #[tree(fixed)]
    stride: [usize; AXES],
    #[tree(fixed)]
    padding: Around<AXES>,
    #[tree(fixed)]
    mode: Padding,
    #[tree(fixed)]
    dilation: [usize; AXES],
    groups: usize,
}

impl<const AXES: usize> Conv<AXES> {
    const NAME: &'static str = numbered::<AXES>(["conv1d", "conv2d", "conv3d"]);

    /// Windows of `kernel` taps, one number for all axes or an array; stride 1, no padding, with bias.
    #[track_caller]
    pub fn new(inputs: usize, outputs: usize, kernel: impl EachAxis<AXES>) -> Conv<AXES> {
        Conv::grouped(inputs, outputs, kernel, 1)
    }

    /// Channels in `groups` groups: outputs of a group depend on its inputs only. As many groups as inputs make a depthwise
    /// convolution.
    ///
    /// # Panics
    /// When inputs or outputs do not divide into the groups.
    #[track_caller]
    pub fn grouped(
        inputs: usize,
        outputs: usize,
        kernel: impl EachAxis<AXES>,
        groups: usize,
    ) -> Conv<AXES> {
        check_groups(Self::NAME, inputs, outputs, groups);
        let kernel = kernel.each();
        let fan = inputs / groups * kernel.iter().product::<usize>();
        let bound = 1.0 / (fan.max(1) as f64).sqrt();
        let shape: Shape = [outputs, inputs / groups]
            .into_iter()
            .chain(kernel)
            .collect();
        let weight = Parameter::new(Tensor::uniform(shape, -bound, bound));
        let bias = Parameter::new(Tensor::uniform([outputs], -bound, bound));
        Conv::from_weights(weight, Some(bias), groups)
    }

    /// A layer with the given weight `[outputs, inputs / groups, kernel..]` and bias `[outputs]`.
    ///
    /// # Panics
    /// When the weight has another number of axes.
    #[track_caller]
    pub fn from_weights(weight: Parameter, bias: Option<Parameter>, groups: usize) -> Conv<AXES> {
        check_weight::<AXES>(Self::NAME, &weight, "[outputs, inputs / groups, kernel..]");
        Conv {
            weight,
            bias,
            stride: [1; AXES],
            padding: Around::both([0; AXES]),
            mode: Padding::Constant(0.0),
            dilation: [1; AXES],
            groups,
        }
    }

    /// The step from one window to the next.
    pub fn stride(self, stride: impl EachAxis<AXES>) -> Conv<AXES> {
        let stride = stride.each();
        Conv { stride, ..self }
    }

    /// So many elements added on both sides of each axis.
    pub fn padding(self, padding: impl EachAxis<AXES>) -> Conv<AXES> {
        let padding = Around::both(padding.each());
        Conv { padding, ..self }
    }

    /// So many elements added (before, after) each axis.
    pub fn padding_sides(self, sides: [(usize, usize); AXES]) -> Conv<AXES> {
        let padding = Around::Sides(sides);
        Conv { padding, ..self }
    }

    /// As many elements added as keep the extents, the odd one after; for stride 1.
    pub fn padding_same(self) -> Conv<AXES> {
        let padding = Around::Same;
        Conv { padding, ..self }
    }

    /// What is added on the sides: zeros, unless this says otherwise.
    pub fn padding_mode(self, mode: Padding) -> Conv<AXES> {
        Conv { mode, ..self }
    }

    /// The distance between neighbouring taps.
    pub fn dilation(self, dilation: impl EachAxis<AXES>) -> Conv<AXES> {
        let dilation = dilation.each();
        Conv { dilation, ..self }
    }

    /// The same layer without bias.
    pub fn without_bias(self) -> Conv<AXES> {
        Conv { bias: None, ..self }
    }
}

impl<const AXES: usize> Layer for Conv<AXES> {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        check_spatial::<AXES>(Self::NAME, x, Some(self.weight.shape()[1] * self.groups));
        let mut options = ConvolutionOptions::new()
            .stride(self.stride)
            .dilation(self.dilation)
            .groups(self.groups);
        if let Some(bias) = &self.bias {
            options = options.bias(bias);
        }
        let sides = self
            .padding
            .sides(&self.weight.shape()[2..], &self.dilation);
        let mut x = x.clone();
        options = match (self.padding, self.mode) {
            (Around::Same, _) if self.stride != [1; AXES] => options.padding_same(),
            (_, Padding::Constant(0.0)) => options.padding_sides(&sides),
            (_, mode) => {
                x = x.pad(&sides, mode);
                options
            }
        };
        match AXES {
            1 => x.conv1d(&self.weight, options),
            2 => x.conv2d(&self.weight, options),
            _ => x.conv3d(&self.weight, options),
        }
    }
}

/// `outputs`, `kernel`, `stride`, `padding`, `padding_mode`, `dilation`, `groups`, `bias`; inputs from the channels.
impl<const AXES: usize> Declared for Conv<AXES> {
    const NAME: &'static str = Conv::<AXES>::NAME;

    fn declared(arguments: &mut Arguments, input: &Shape) -> Result<Conv<AXES>, ArgumentError> {
        let inputs = channels_of::<AXES>(arguments, input)?;
        let outputs = arguments.required("outputs")?;
        let kernel: [usize; AXES] = arguments.required("kernel")?;
        let groups = declared_groups(arguments, inputs, outputs)?;
        let layer = Conv::grouped(inputs, outputs, kernel, groups);
        let layer = Conv {
            stride: arguments.optional("stride", layer.stride)?,
            padding: arguments.optional("padding", layer.padding)?,
            mode: padding_mode(arguments)?,
            dilation: arguments.optional("dilation", layer.dilation)?,
            ..layer
        };
        Ok(match arguments.optional("bias", true)? {
            true => layer,
            false => layer.without_bias(),
        })
    }
}

fn padding_mode(arguments: &mut Arguments) -> Result<Padding, ArgumentError> {
    let name: String = arguments.optional("padding_mode", "zeros".to_owned())?;
    Ok(match name.as_str() {
        "zeros" => Padding::Constant(0.0),
        "reflect" => Padding::Reflect,
        "replicate" => Padding::Replicate,
        "circular" => Padding::Circular,
        other => {
            let message = format!(
                "`padding_mode` is \"{other}\"; expected \"zeros\", \"reflect\", \"replicate\" or \"circular\""
            );
            return Err(arguments.problem("padding_mode", message));
        }
    })
}

/// The argument `groups`, into which the channels must divide.
pub(crate) fn declared_groups(
    arguments: &mut Arguments,
    inputs: usize,
    outputs: usize,
) -> Result<usize, ArgumentError> {
    let groups = arguments.optional("groups", 1)?;
    match groups_fit(inputs, outputs, groups) {
        true => Ok(groups),
        false => Err(arguments.problem("groups", uneven(inputs, outputs, groups))),
    }
}

fn groups_fit(inputs: usize, outputs: usize, groups: usize) -> bool {
    groups > 0 && inputs.is_multiple_of(groups) && outputs.is_multiple_of(groups)
}

fn uneven(inputs: usize, outputs: usize, groups: usize) -> String {
    format!("{inputs} inputs and {outputs} outputs do not divide into {groups} groups")
}

#[track_caller]
pub(crate) fn check_groups(layer: &str, inputs: usize, outputs: usize, groups: usize) {
    if !groups_fit(inputs, outputs, groups) {
        let message = format!("{layer}: {}", uneven(inputs, outputs, groups));
        raise(Error::new(ErrorKind::Argument, message));
    }
}

#[track_caller]
pub(crate) fn check_weight<const AXES: usize>(layer: &str, weight: &Tensor, axes: &str) {
    if weight.rank() != AXES + 2 {
        let message = format!(
            "{layer}: the weight has shape {}; expected {} axes {axes}",
            weight.shape(),
            AXES + 2
        );
        raise(Error::new(ErrorKind::Shape, message));
    }
}
