//! Normalisation to mean 0 and variance 1: over the last axes, over groups of channels, over the batch.

use super::pad::Padding;
use crate::backend::Scalar;
use crate::declare::{Batch, BatchRule, Composite, Derivative, Real, Rule, Sample, operation};
use crate::error::{Mismatch, raise};
use crate::family;
use crate::graph::Spec;
use crate::shape::Shape;
use crate::tensor::{Tensor, common_dtype};

family! { LayerNorm, LayerNormBackward }

/// `(x - mean) / sqrt(variance + epsilon) * weight + bias` over the last `axes` axes, with the biased variance.
/// Operands: x, weight, bias.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LayerNorm {
    pub(crate) axes: usize,
    pub(crate) epsilon: Real,
}

/// The cotangents of the operands of [`LayerNorm`]. Operands: x, weight, the cotangent of the result.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LayerNormBackward {
    pub(crate) axes: usize,
    pub(crate) epsilon: Real,
}

fn check(inputs: &[&Spec], axes: usize, names: &'static [&'static str]) -> Result<(), Mismatch> {
    let x = inputs[0];
    if !x.dtype().is_floating() {
        let reason = format!("not defined for {}", x.dtype());
        return Err(Mismatch::dtype(reason).help("convert first: `.cast(DType::F32)`"));
    }
    if x.rank() < axes || axes == 0 {
        let reason = format!(
            "{axes} axes are to be normalised, the tensor has {}",
            x.rank()
        );
        return Err(Mismatch::shape(reason).naming(names));
    }
    let normalised = &x.shape()[x.rank() - axes..];
    for (spec, name) in inputs.iter().zip(names).skip(1) {
        let expected = if *name == "cotangent" {
            &x.shape()[..]
        } else {
            normalised
        };
        if spec.shape()[..] != *expected {
            let reason = format!(
                "the {name} must have the shape of the normalised axes, {}",
                Shape::from(expected)
            );
            return Err(Mismatch::shape(reason).naming(names));
        }
        if spec.dtype() != x.dtype() {
            return Err(Mismatch::dtype("the dtypes differ").naming(names));
        }
    }
    Ok(())
}

impl Composite for LayerNorm {
    fn name(&self) -> &'static str {
        "layer_norm"
    }

    fn formula(&self) -> &'static str {
        "y = w (x - mean x) / √(var x + ε) + b over the last axes"
    }

    fn check(&self, inputs: &[&Spec]) -> Result<(), Mismatch> {
        check(inputs, self.axes, &["input", "weight", "bias"])
    }

    fn body(&self, inputs: &[Tensor]) -> Vec<Tensor> {
        let [x, weight, bias] = inputs else {
            unreachable!("layer normalisation has three operands")
        };
        let standard = standardised(x, &last_axes(x, self.axes), self.epsilon.0);
        vec![standard * weight + bias]
    }

    fn derivative(&self) -> Derivative<'_> {
        Derivative::Rule(self)
    }

    fn batch(&self) -> Batch<'_> {
        Batch::Rule(self)
    }

    fn samples() -> Vec<Sample> {
        let over = |axes, shape: &[usize]| {
            let layer_norm = LayerNorm {
                axes,
                epsilon: Real(1e-5),
            };
            let normalised = &shape[shape.len() - axes..];
            Sample::new(operation(layer_norm))
                .input(shape)
                .input(normalised)
                .input(normalised)
        };
        vec![
            over(1, &[3, 4]),
            over(2, &[2, 3, 2]),
            over(1, &[5]),
            over(1, &[0, 3]),
        ]
    }
}

impl BatchRule for LayerNorm {
    /// The last axes stay the last axes; weights of each example's own are applied behind.
    fn batch(&self, inputs: &[Tensor], batched: &[bool], extent: usize) -> Vec<Tensor> {
        let x = if batched[0] {
            inputs[0].clone()
        } else {
            let shape = inputs[0].shape().with_axis(0, extent);
            inputs[0].unsqueeze(0).expand(shape)
        };
        let layer_norm = operation(self.clone());
        if !batched[1] && !batched[2] {
            return vec![layer_norm.of(&[&x, &inputs[1], &inputs[2]])];
        }
        let rank = x.rank() - self.axes;
        let neutral = |number| neutral(&x, self.axes, number);
        let standard = layer_norm.of(&[&x, &neutral(1.0), &neutral(0.0)]);
        let aligned = |operand: usize| {
            let tensor = &inputs[operand];
            if !batched[operand] {
                return tensor.clone();
            }
            let shape: Shape = [extent]
                .into_iter()
                .chain(std::iter::repeat_n(1, rank - 1))
                .chain(tensor.shape()[1..].iter().copied())
                .collect();
            tensor.shaped(&shape)
        };
        vec![standard * aligned(1) + aligned(2)]
    }
}

impl Rule for LayerNorm {
    fn jvp(
        &self,
        inputs: &[Tensor],
        _outputs: &[Tensor],
        tangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        let (x, weight) = (&inputs[0], &inputs[1]);
        let axes = last_axes(x, self.axes);
        let (standard, scale) = standard_and_scale(x, &axes, self.epsilon.0);
        let along = |tangent: &Tensor| {
            let moved = tangent - mean_over(tangent, &axes);
            let turned = mean_over(&(&standard * tangent), &axes);
            (moved - &standard * turned) * &scale * weight
        };
        let terms = [
            tangents[0].as_ref().map(along),
            tangents[1].as_ref().map(|tangent| &standard * tangent),
            tangents[2]
                .as_ref()
                .map(|tangent| tangent.expand(x.shape().clone())),
        ];
        vec![terms.into_iter().flatten().reduce(|sum, term| sum + term)]
    }

    fn vjp(
        &self,
        inputs: &[Tensor],
        _outputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Vec<Option<Tensor>> {
        let cotangent = cotangents[0]
            .as_ref()
            .expect("the only output has a cotangent");
        let backward = LayerNormBackward {
            axes: self.axes,
            epsilon: self.epsilon,
        };
        let outputs = operation(backward).all_of(&[&inputs[0], &inputs[1], cotangent]);
        outputs.into_iter().map(Some).collect()
    }
}

impl Composite for LayerNormBackward {
    fn name(&self) -> &'static str {
        "layer_norm_backward"
    }

    fn formula(&self) -> &'static str {
        "with h = (x - mean x) r, r = 1 / √(var x + ε): r (w c - mean w c - h mean h w c); Σ c h; Σ c"
    }

    fn check(&self, inputs: &[&Spec]) -> Result<(), Mismatch> {
        check(inputs, self.axes, &["input", "weight", "cotangent"])
    }

    fn body(&self, inputs: &[Tensor]) -> Vec<Tensor> {
        let [x, weight, cotangent] = inputs else {
            unreachable!("the derivative of layer normalisation has three operands")
        };
        let axes = last_axes(x, self.axes);
        let (standard, scale) = standard_and_scale(x, &axes, self.epsilon.0);
        let weighed = cotangent * weight;
        let moved = &weighed - mean_over(&weighed, &axes);
        let turned = mean_over(&(&standard * &weighed), &axes);
        let rows: Vec<usize> = (0..x.rank() - self.axes).collect();
        vec![
            (moved - &standard * turned) * scale,
            (cotangent * standard).sum(rows.clone()),
            cotangent.sum(rows),
        ]
    }

    fn derivative(&self) -> Derivative<'_> {
        Derivative::Body
    }

    fn batch(&self) -> Batch<'_> {
        Batch::Body
    }

    fn samples() -> Vec<Sample> {
        let over = |axes, shape: &[usize]| {
            let backward = LayerNormBackward {
                axes,
                epsilon: Real(1e-5),
            };
            Sample::new(operation(backward))
                .input(shape)
                .input(&shape[shape.len() - axes..])
                .input(shape)
        };
        vec![
            over(1, &[3, 4]),
            over(2, &[2, 3, 2]),
            over(1, &[5]),
            over(1, &[0, 3]),
        ]
    }
}

/// `number` over the last `axes` axes of `x`.
fn neutral(x: &Tensor, axes: usize, number: f64) -> Tensor {
    let normalised = &x.shape()[x.rank().saturating_sub(axes)..];
    let spec = x.spec().with_shape(Shape::from(normalised));
    Tensor::filled(Scalar::Float(number), spec)
}

fn last_axes(x: &Tensor, count: usize) -> Vec<usize> {
    (x.rank() - count..x.rank()).collect()
}

/// The mean over `axes`, repeated to the full shape.
fn mean_over(x: &Tensor, axes: &[usize]) -> Tensor {
    let count: usize = axes.iter().map(|&axis| x.shape()[axis]).product();
    (x.sum(axes.to_vec()) / count as f64).restored(x.shape(), axes)
}

fn standardised(x: &Tensor, axes: &[usize], epsilon: f64) -> Tensor {
    standard_and_scale(x, axes, epsilon).0
}

/// `x` with mean 0 and variance 1 over `axes`, and what it was divided by for that, as a factor.
fn standard_and_scale(x: &Tensor, axes: &[usize], epsilon: f64) -> (Tensor, Tensor) {
    let centred = x - mean_over(x, axes);
    let variance = mean_over(&centred.square(), axes);
    let scale = (variance + epsilon).rsqrt();
    (centred * &scale, scale)
}

/// A vector over the channels of `[batch, channels, ..]`, ready to broadcast.
fn over_channels(vector: &Tensor, x: &Tensor) -> Tensor {
    let shape: Shape = (0..x.rank())
        .map(|axis| if axis == 1 { vector.elements() } else { 1 })
        .collect();
    vector.shaped(&shape)
}

fn scaled_and_moved(y: Tensor, weight: Option<&Tensor>, bias: Option<&Tensor>) -> Tensor {
    let y = weight.map_or(y.clone(), |weight| &y * over_channels(weight, &y));
    bias.map_or(y.clone(), |bias| &y + over_channels(bias, &y))
}

impl Tensor {
    /// Layer normalisation over the last axes, as many as `weight` (or else `bias`) has, or one: mean 0 and variance 1,
    /// then times `weight` plus `bias`, which have the shape of those axes (Ba, Kiros, Hinton 2016).
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let y = tensor![[1.0, 3.0]].layer_norm(None, None, 0.0);
    /// assert_eq!(y.to_vec::<f32>(), [-1.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// When the shapes do not fit.
    #[track_caller]
    pub fn layer_norm(
        &self,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        epsilon: f64,
    ) -> Tensor {
        let x = self.floating();
        let axes = weight.or(bias).map_or(1, Tensor::rank);
        let weight = weight.cloned().unwrap_or_else(|| neutral(&x, axes, 1.0));
        let bias = bias.cloned().unwrap_or_else(|| neutral(&x, axes, 0.0));
        let dtype = common_dtype(&[x.spec(), weight.spec(), bias.spec()]);
        let [x, weight, bias] = [x, weight, bias].map(|tensor| tensor.cast(dtype));
        let layer_norm = LayerNorm {
            axes,
            epsilon: Real(epsilon),
        };
        operation(layer_norm).of(&[&x, &weight, &bias])
    }

    /// Division by the root of the mean square over the last axes, as many as `weight` has, or one; then times `weight`
    /// (Zhang, Sennrich 2019).
    ///
    /// # Panics
    /// When the shapes do not fit.
    #[track_caller]
    pub fn rms_norm(&self, weight: Option<&Tensor>, epsilon: f64) -> Tensor {
        let x = self.floating();
        let count = weight.map_or(1, Tensor::rank).min(x.rank());
        let axes: Vec<usize> = (x.rank() - count..x.rank()).collect();
        let y = &x * (mean_over(&x.square(), &axes) + epsilon).rsqrt();
        weight.map_or(y.clone(), |weight| &y * weight)
    }

    /// Group normalisation of `[batch, channels, ..]`: mean 0 and variance 1 over each of `groups` groups of channels,
    /// then times `weight` plus `bias`, vectors over the channels (Wu, He 2018).
    ///
    /// # Panics
    /// When the channels do not divide into the groups.
    #[track_caller]
    pub fn group_norm(
        &self,
        groups: usize,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        epsilon: f64,
    ) -> Tensor {
        let x = self.floating();
        if x.rank() < 2 || groups == 0 || !x.shape()[1].is_multiple_of(groups) {
            let reason = format!(
                "axis 1 of shape {} does not divide into {groups} groups",
                x.shape()
            );
            raise(Mismatch::shape(reason).into_error("group_norm", &[self.as_operand()]));
        }
        let inside = x.elements().checked_div(x.shape()[0] * groups).unwrap_or(0);
        let grouped = x.shaped(&Shape::from([x.shape()[0], groups, inside]));
        let y = standardised(&grouped, &[2], epsilon).shaped(x.shape());
        scaled_and_moved(y, weight, bias)
    }

    /// Instance normalisation of `[batch, channels, spatial..]`: each channel of each example on its own
    /// (Ulyanov, Vedaldi, Lempitsky 2016).
    ///
    /// # Panics
    /// When there is no spatial axis.
    #[track_caller]
    pub fn instance_norm(
        &self,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        epsilon: f64,
    ) -> Tensor {
        let x = self.floating();
        if x.rank() < 3 {
            let mismatch = Mismatch::shape("there is no spatial axis behind batch and channels");
            raise(mismatch.into_error("instance_norm", &[self.as_operand()]));
        }
        let axes: Vec<usize> = (2..x.rank()).collect();
        scaled_and_moved(standardised(&x, &axes, epsilon), weight, bias)
    }

    /// Local response normalisation of `[batch, channels, ..]`: x / (`k` + `alpha` m)^`beta`, where m is the mean square over
    /// a window of `size` channels around each, with zeros outside (Krizhevsky, Sutskever, Hinton 2012).
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let y = tensor![[2.0, 0.0]].local_response_norm(1, 1.0, 0.5, 0.0);
    /// assert_eq!(y.to_vec::<f32>()[0], 1.0);
    /// ```
    ///
    /// # Panics
    /// When there is no channel axis or the size is 0.
    #[track_caller]
    pub fn local_response_norm(&self, size: usize, alpha: f64, beta: f64, k: f64) -> Tensor {
        let x = self.floating();
        let _ = x.axes_but_channels("local_response_norm");
        if size == 0 {
            let mismatch = Mismatch::argument("a window of 0 channels has no mean");
            raise(mismatch.into_error("local_response_norm", &[self.as_operand()]));
        }
        let sides: Vec<(usize, usize)> = (1..x.rank())
            .map(|axis| {
                if axis == 1 {
                    (size / 2, (size - 1) / 2)
                } else {
                    (0, 0)
                }
            })
            .collect();
        let squares = x.square().pad(&sides, Padding::Constant(0.0));
        let channels = x.shape()[1];
        let sum = (1..size).fold(squares.narrow(1, 0, channels), |sum, shift| {
            sum + squares.narrow(1, shift, channels)
        });
        let divisor = sum * (alpha / size as f64) + k;
        // The usual exponent by two roots, which cost a fraction of a power. At 0 their derivative would be undefined.
        if beta == 0.75 && alpha >= 0.0 && k > 0.0 {
            let root = divisor.sqrt();
            return x / (root.sqrt() * root);
        }
        x / divisor.pow(beta)
    }

    /// Batch normalisation of `[batch, channels, ..]` by the batch's own statistics, for training: the normalised tensor,
    /// and the mean and the unbiased variance of each channel, with which running statistics are updated
    /// (Ioffe, Szegedy 2015).
    ///
    /// # Panics
    /// When there is no channel axis.
    #[track_caller]
    pub fn batch_norm(
        &self,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        epsilon: f64,
    ) -> (Tensor, Tensor, Tensor) {
        let x = self.floating();
        let axes = x.axes_but_channels("batch_norm");
        let count: usize = axes.iter().map(|&axis| x.shape()[axis]).product();
        let mean = x.sum(axes.clone()) / count as f64;
        let centred = &x - over_channels(&mean, &x);
        let variance = centred.square().sum(axes) / count as f64;
        let scale = over_channels(&(&variance + epsilon).rsqrt(), &x);
        let y = scaled_and_moved(centred * scale, weight, bias);
        let unbiased = variance * (count as f64 / (count as f64 - 1.0));
        (y, mean, unbiased)
    }

    /// Batch normalisation of `[batch, channels, ..]` by given statistics, for evaluation.
    ///
    /// # Panics
    /// When there is no channel axis, or the statistics are not vectors over the channels.
    #[track_caller]
    pub fn batch_norm_with(
        &self,
        mean: &Tensor,
        variance: &Tensor,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        epsilon: f64,
    ) -> Tensor {
        let x = self.floating();
        let _ = x.axes_but_channels("batch_norm");
        let scale = over_channels(&(variance + epsilon).rsqrt(), &x);
        scaled_and_moved((&x - over_channels(mean, &x)) * scale, weight, bias)
    }

    #[track_caller]
    fn axes_but_channels(&self, name: &str) -> Vec<usize> {
        if self.rank() < 2 {
            let mismatch = Mismatch::shape("there is no channel axis behind the batch");
            raise(mismatch.into_error(name, &[self.as_operand()]));
        }
        (0..self.rank()).filter(|&axis| axis != 1).collect()
    }
}
