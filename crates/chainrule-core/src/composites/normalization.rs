//! Normalisation to mean 0 and variance 1: over the last axes, over groups of channels, over the batch.

use crate::declare::{Batch, Composite, Derivative, OperationRef, Real, Sample, Shift, operation};
use crate::error::{Mismatch, raise};
use crate::family;
use crate::graph::Spec;
use crate::shape::Shape;
use crate::tensor::Tensor;

family! { LayerNorm }

/// `(x - mean) / sqrt(variance + epsilon)` over the last `axes` axes, with the biased variance.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LayerNorm {
    pub(crate) axes: usize,
    pub(crate) epsilon: Real,
}

impl Composite for LayerNorm {
    fn name(&self) -> &'static str {
        "layer_norm"
    }

    fn formula(&self) -> &'static str {
        "y = (x - mean x) / √(var x + ε) over the last axes"
    }

    fn check(&self, inputs: &[&Spec]) -> Result<(), Mismatch> {
        if !inputs[0].dtype().is_floating() {
            let reason = format!("not defined for {}", inputs[0].dtype());
            return Err(Mismatch::dtype(reason).help("convert first: `.cast(DType::F32)`"));
        }
        if inputs[0].rank() < self.axes {
            let reason = format!(
                "{} axes are to be normalised, the tensor has {}",
                self.axes,
                inputs[0].rank()
            );
            return Err(Mismatch::shape(reason));
        }
        Ok(())
    }

    fn body(&self, inputs: &[Tensor]) -> Vec<Tensor> {
        let x = &inputs[0];
        let axes: Vec<usize> = (x.rank() - self.axes..x.rank()).collect();
        vec![standardised(x, &axes, self.epsilon.0)]
    }

    fn derivative(&self) -> Derivative<'_> {
        Derivative::Body
    }

    fn batch(&self) -> Batch<'_> {
        Batch::ShiftAxes(self)
    }

    fn samples() -> Vec<Sample> {
        let over = |axes| {
            Sample::new(operation(LayerNorm {
                axes,
                epsilon: Real(1e-5),
            }))
        };
        vec![
            over(1).input([3, 4]),
            over(2).input([2, 3, 2]),
            over(1).input([5]),
            over(1).input([0, 3]),
        ]
    }
}

impl Shift for LayerNorm {
    /// The last axes stay the last axes.
    fn shifted(&self, _extent: usize) -> OperationRef {
        operation(self.clone())
    }
}

/// The mean over `axes`, repeated to the full shape.
fn mean_over(x: &Tensor, axes: &[usize]) -> Tensor {
    let count: usize = axes.iter().map(|&axis| x.shape()[axis]).product();
    (x.sum(axes.to_vec()) / count as f64).restored(x.shape(), axes)
}

fn standardised(x: &Tensor, axes: &[usize], epsilon: f64) -> Tensor {
    let centred = x - mean_over(x, axes);
    let variance = mean_over(&centred.square(), axes);
    centred * (variance + epsilon).rsqrt()
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
        let axes = weight.or(bias).map_or(1, Tensor::rank);
        let layer_norm = LayerNorm {
            axes,
            epsilon: Real(epsilon),
        };
        let y = operation(layer_norm).of(&[&self.floating()]);
        let y = weight.map_or(y.clone(), |weight| &y * weight);
        bias.map_or(y.clone(), |bias| &y + bias)
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
