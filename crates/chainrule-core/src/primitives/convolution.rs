//! Convolution over spatial axes, and the two maps it is transposed to.
//!
//! `y = Convolution(x, w)`, `x = ConvolutionInput(y, w)`, `w = ConvolutionWeight(x, y)`: one sum over taps, read for each of
//! the three. Each is linear in both operands and the others are its transposes, so derivatives of every order close.

use super::window::Sliding;
use crate::declare::{
    Array, Batch, BatchRule, Derivative, Evaluation, Multilinear, Primitive, Reference, Ring,
    Sample, Specs, one, operation,
};
use crate::each_ring_pair;
use crate::error::{Error, Mismatch};
use crate::family;
use crate::graph::Spec;
use crate::shape::Shape;
use crate::tensor::Tensor;

family! { Convolution, ConvolutionInput, ConvolutionWeight }

/// `y[n, o, i] = Σ x[n, c, i stride + k dilation - padding] w[o, c, k]`, channels in `groups` that do not mix.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Convolution {
    pub(crate) sliding: Sliding,
    pub(crate) groups: usize,
}

/// The transpose in the input: from the cotangent of the output and the weight, an input of `extents`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ConvolutionInput {
    pub(crate) sliding: Sliding,
    pub(crate) groups: usize,
    pub(crate) extents: Vec<usize>,
}

/// The transpose in the weight: from the input and the cotangent of the output, a weight of `extents`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ConvolutionWeight {
    pub(crate) sliding: Sliding,
    pub(crate) groups: usize,
    pub(crate) extents: Vec<usize>,
}

/// The sizes of one convolution, whichever of the three maps computes it.
pub(crate) struct Sizes {
    pub(crate) batch: usize,
    pub(crate) groups: usize,
    /// Channels of the input and of the output, in one group.
    pub(crate) channels: [usize; 2],
    pub(crate) input: Vec<usize>,
    pub(crate) kernel: Vec<usize>,
    pub(crate) output: Vec<usize>,
}

impl Sizes {
    /// From the shapes of input, weight and output.
    pub(crate) fn of(x: &Shape, w: &Shape, y: &Shape, groups: usize) -> Sizes {
        Sizes {
            batch: x[0],
            groups,
            channels: [w[1], w[0].checked_div(groups).unwrap_or(0)],
            input: x[2..].to_vec(),
            kernel: w[2..].to_vec(),
            output: y[2..].to_vec(),
        }
    }

    /// Calls `visit(x, w, y)` with the flat positions of every product in the sum.
    fn each_product(&self, sliding: &Sliding, visit: &mut dyn FnMut(usize, usize, usize)) {
        let [inward, outward] = self.channels;
        let plane = |extents: &[usize]| extents.iter().product::<usize>();
        let (x_plane, w_plane, y_plane) =
            (plane(&self.input), plane(&self.kernel), plane(&self.output));
        for n in 0..self.batch {
            for group in 0..self.groups {
                for o in 0..outward {
                    for c in 0..inward {
                        let x = (n * self.groups * inward + group * inward + c) * x_plane;
                        let w = ((group * outward + o) * inward + c) * w_plane;
                        let y = (n * self.groups * outward + group * outward + o) * y_plane;
                        sliding.each_tap(
                            &self.input,
                            &self.kernel,
                            &self.output,
                            &mut |window, tap, position| {
                                visit(x + position, w + tap, y + window);
                            },
                        );
                    }
                }
            }
        }
    }
}

fn pair<'a>(
    inputs: &[&'a Spec],
    names: &'static [&'static str],
) -> Result<[&'a Spec; 2], Mismatch> {
    let [first, second] = inputs else {
        return Err(Mismatch::argument("two operands are needed"));
    };
    if first.dtype() != second.dtype() {
        let reason = format!(
            "the dtypes differ: {} and {}",
            first.dtype(),
            second.dtype()
        );
        return Err(Mismatch::dtype(reason)
            .naming(names)
            .help("convert one with `.cast(..)`"));
    }
    if first.dtype() == crate::DType::Bool {
        return Err(Mismatch::dtype("truth values have no product").naming(names));
    }
    if first.rank() != second.rank() || first.rank() < 3 {
        let reason = format!(
            "the operands have {} and {} axes, not [batch, channels, spatial..] and [out, in, kernel..]",
            first.rank(),
            second.rank()
        );
        return Err(Mismatch::shape(reason).naming(names));
    }
    Ok([first, second])
}

pub(crate) const INPUT_WEIGHT: &[&str] = &["input", "weight"];

impl Primitive for Convolution {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn formula(&self) -> &'static str {
        "y[n, o, i] = Σ x[n, c, i stride + k dilation - padding] w[o, c, k]"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        let [x, w] = pair(inputs, INPUT_WEIGHT)?;
        let (x_shape, w_shape) = (x.shape(), w.shape());
        self.sliding
            .check(&w_shape[2..])
            .map_err(|mismatch| mismatch.naming(INPUT_WEIGHT))?;
        if self.groups == 0 || w_shape[1] * self.groups != x_shape[1] {
            let reason = format!(
                "the input has {} channels, the weight takes {} in each of {} groups",
                x_shape[1], w_shape[1], self.groups
            );
            return Err(Mismatch::shape(reason).naming(INPUT_WEIGHT));
        }
        if !w_shape[0].is_multiple_of(self.groups) {
            let reason = format!(
                "{} output channels do not divide into {} groups",
                w_shape[0], self.groups
            );
            return Err(Mismatch::shape(reason).naming(INPUT_WEIGHT));
        }
        let spatial = (0..x.rank() - 2).map(|axis| {
            self.sliding
                .output(axis, x_shape[axis + 2], w_shape[axis + 2])
        });
        let spatial: Result<Vec<usize>, Mismatch> = spatial.collect();
        let spatial = spatial.map_err(|mismatch| mismatch.naming(INPUT_WEIGHT))?;
        one(x.with_shape(
            [x_shape[0], w_shape[0]]
                .into_iter()
                .chain(spatial)
                .collect::<Shape>(),
        ))
    }

    fn evaluation(&self) -> Evaluation<'_> {
        Evaluation::Reference(self)
    }

    fn derivative(&self) -> Derivative<'_> {
        Derivative::Multilinear(self)
    }

    fn batch(&self) -> Batch<'_> {
        Batch::Rule(self)
    }

    fn samples() -> Vec<Sample> {
        cases()
            .into_iter()
            .map(|(sliding, groups, x, w)| {
                Sample::new(operation(Convolution { sliding, groups }))
                    .input(x)
                    .input(w)
            })
            .collect()
    }
}

/// Geometries that the checks try: one, two and three spatial axes, strides, padding, dilation, groups.
fn cases() -> Vec<(Sliding, usize, Vec<usize>, Vec<usize>)> {
    let sliding = |stride: &[usize], padding: &[usize], dilation: &[usize]| Sliding {
        stride: stride.to_vec(),
        padding: padding.to_vec(),
        dilation: dilation.to_vec(),
    };
    vec![
        (sliding(&[1], &[0], &[1]), 1, vec![2, 3, 5], vec![2, 3, 3]),
        (sliding(&[2], &[1], &[2]), 2, vec![1, 4, 6], vec![2, 2, 2]),
        (
            sliding(&[1, 2], &[1, 0], &[1, 1]),
            1,
            vec![2, 2, 4, 5],
            vec![3, 2, 3, 2],
        ),
        (
            sliding(&[1, 1, 1], &[0, 1, 0], &[1, 1, 1]),
            1,
            vec![1, 1, 2, 3, 2],
            vec![1, 1, 2, 2, 1],
        ),
    ]
}

impl Reference for Convolution {
    fn value(&self, inputs: &[Array], specs: &[Spec]) -> Result<Vec<Array>, Error> {
        let sizes = Sizes::of(
            &inputs[0].shape,
            &inputs[1].shape,
            specs[0].shape(),
            self.groups,
        );
        let data = each_ring_pair!(&inputs[0].data, &inputs[1].data, (x, w) => {
            let mut y = zeros(specs[0].elements(), x);
            sizes.each_product(&self.sliding, &mut |i, k, o| y[o] = y[o].plus(&x[i].times(&w[k])));
            y
        });
        Ok(vec![Array::new(specs[0].shape(), data)])
    }
}

fn zeros<T: Ring>(count: usize, _like: &[T]) -> Vec<T> {
    vec![T::zero(); count]
}

impl Multilinear for Convolution {
    fn transpose(&self, argument: usize, inputs: &[Tensor], cotangent: &Tensor) -> Tensor {
        let (sliding, groups) = (self.sliding.clone(), self.groups);
        if argument == 0 {
            let extents = inputs[0].shape()[2..].to_vec();
            operation(ConvolutionInput {
                sliding,
                groups,
                extents,
            })
            .of(&[cotangent, &inputs[1]])
        } else {
            let extents = inputs[1].shape()[2..].to_vec();
            operation(ConvolutionWeight {
                sliding,
                groups,
                extents,
            })
            .of(&[&inputs[0], cotangent])
        }
    }
}

impl Primitive for ConvolutionInput {
    fn name(&self) -> &'static str {
        "convolution_input"
    }

    fn formula(&self) -> &'static str {
        "x[n, c, i stride + k dilation - padding] = Σ y[n, o, i] w[o, c, k]"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        let [y, w] = pair(inputs, INPUT_WEIGHT)?;
        self.sliding
            .check(&w.shape()[2..])
            .map_err(|mismatch| mismatch.naming(INPUT_WEIGHT))?;
        if y.shape()[1] != w.shape()[0]
            || self.groups == 0
            || !w.shape()[0].is_multiple_of(self.groups)
        {
            let reason = format!(
                "the input has {} channels, the weight {} in {} groups",
                y.shape()[1],
                w.shape()[0],
                self.groups
            );
            return Err(Mismatch::shape(reason).naming(INPUT_WEIGHT));
        }
        let channels = w.shape()[1] * self.groups;
        one(y.with_shape(
            [y.shape()[0], channels]
                .into_iter()
                .chain(self.extents.iter().copied())
                .collect::<Shape>(),
        ))
    }

    fn evaluation(&self) -> Evaluation<'_> {
        Evaluation::Reference(self)
    }

    fn derivative(&self) -> Derivative<'_> {
        Derivative::Multilinear(self)
    }

    fn batch(&self) -> Batch<'_> {
        Batch::Rule(self)
    }

    fn samples() -> Vec<Sample> {
        let sample = |(sliding, groups, x, w): (Sliding, usize, Vec<usize>, Vec<usize>)| {
            let spatial = (2..x.len()).map(|axis| {
                sliding
                    .output(axis - 2, x[axis], w[axis])
                    .expect("the window fits")
            });
            let y: Vec<usize> = [x[0], w[0]].into_iter().chain(spatial).collect();
            let extents = x[2..].to_vec();
            Sample::new(operation(ConvolutionInput {
                sliding,
                groups,
                extents,
            }))
            .input(y)
            .input(w)
        };
        cases().into_iter().map(sample).collect()
    }
}

impl Reference for ConvolutionInput {
    fn value(&self, inputs: &[Array], specs: &[Spec]) -> Result<Vec<Array>, Error> {
        let sizes = Sizes::of(
            specs[0].shape(),
            &inputs[1].shape,
            &inputs[0].shape,
            self.groups,
        );
        let data = each_ring_pair!(&inputs[0].data, &inputs[1].data, (y, w) => {
            let mut x = zeros(specs[0].elements(), y);
            sizes.each_product(&self.sliding, &mut |i, k, o| x[i] = x[i].plus(&y[o].times(&w[k])));
            x
        });
        Ok(vec![Array::new(specs[0].shape(), data)])
    }
}

impl Multilinear for ConvolutionInput {
    fn transpose(&self, argument: usize, inputs: &[Tensor], cotangent: &Tensor) -> Tensor {
        let (sliding, groups) = (self.sliding.clone(), self.groups);
        if argument == 0 {
            let windows = operation(Convolution { sliding, groups }).of(&[cotangent, &inputs[1]]);
            first_windows(windows, inputs[0].shape())
        } else {
            let extents = inputs[1].shape()[2..].to_vec();
            operation(ConvolutionWeight {
                sliding,
                groups,
                extents,
            })
            .of(&[cotangent, &inputs[0]])
        }
    }
}

/// The windows that stand in `shape`: extents beyond all taps, as a large output padding gives, have room for more.
fn first_windows(mut windows: Tensor, shape: &Shape) -> Tensor {
    for axis in 2..shape.rank() {
        if windows.shape()[axis] > shape[axis] {
            windows = windows.narrow(axis as isize, 0, shape[axis]);
        }
    }
    windows
}

impl Primitive for ConvolutionWeight {
    fn name(&self) -> &'static str {
        "convolution_weight"
    }

    fn formula(&self) -> &'static str {
        "w[o, c, k] = Σ x[n, c, i stride + k dilation - padding] y[n, o, i]"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        let [x, y] = pair(inputs, &["input", "cotangent"])?;
        let divides = |channels: usize| self.groups > 0 && channels.is_multiple_of(self.groups);
        if x.shape()[0] != y.shape()[0] || !divides(x.shape()[1]) || !divides(y.shape()[1]) {
            return Err(Mismatch::shape(
                "the batches differ, or the channels do not divide into the groups",
            ));
        }
        let channels = [y.shape()[1], x.shape()[1] / self.groups];
        one(x.with_shape(
            channels
                .into_iter()
                .chain(self.extents.iter().copied())
                .collect::<Shape>(),
        ))
    }

    fn evaluation(&self) -> Evaluation<'_> {
        Evaluation::Reference(self)
    }

    fn derivative(&self) -> Derivative<'_> {
        Derivative::Multilinear(self)
    }

    fn batch(&self) -> Batch<'_> {
        Batch::Rule(self)
    }

    fn samples() -> Vec<Sample> {
        let sample = |(sliding, groups, x, w): (Sliding, usize, Vec<usize>, Vec<usize>)| {
            let spatial = (2..x.len()).map(|axis| {
                sliding
                    .output(axis - 2, x[axis], w[axis])
                    .expect("the window fits")
            });
            let y: Vec<usize> = [x[0], w[0]].into_iter().chain(spatial).collect();
            let extents = w[2..].to_vec();
            Sample::new(operation(ConvolutionWeight {
                sliding,
                groups,
                extents,
            }))
            .input(x)
            .input(y)
        };
        cases().into_iter().map(sample).collect()
    }
}

impl Reference for ConvolutionWeight {
    fn value(&self, inputs: &[Array], specs: &[Spec]) -> Result<Vec<Array>, Error> {
        let sizes = Sizes::of(
            &inputs[0].shape,
            specs[0].shape(),
            &inputs[1].shape,
            self.groups,
        );
        let data = each_ring_pair!(&inputs[0].data, &inputs[1].data, (x, y) => {
            let mut w = zeros(specs[0].elements(), x);
            sizes.each_product(&self.sliding, &mut |i, k, o| w[k] = w[k].plus(&x[i].times(&y[o])));
            w
        });
        Ok(vec![Array::new(specs[0].shape(), data)])
    }
}

impl Multilinear for ConvolutionWeight {
    fn transpose(&self, argument: usize, inputs: &[Tensor], cotangent: &Tensor) -> Tensor {
        let (sliding, groups) = (self.sliding.clone(), self.groups);
        if argument == 0 {
            let extents = inputs[0].shape()[2..].to_vec();
            operation(ConvolutionInput {
                sliding,
                groups,
                extents,
            })
            .of(&[&inputs[1], cotangent])
        } else {
            operation(Convolution { sliding, groups }).of(&[&inputs[0], cotangent])
        }
    }
}

/// `[batch, n, c, spatial..]` (or the same without batch, repeated) as `[n, batch c, spatial..]`.
fn into_channels(tensor: &Tensor, batched: bool, extent: usize) -> Tensor {
    let tensor = if batched {
        tensor.clone()
    } else {
        tensor
            .unsqueeze(0)
            .expand(tensor.shape().with_axis(0, extent))
    };
    tensor.move_axis(0, 1).flatten(1, 2)
}

/// `[n, batch c, spatial..]` as `[batch, n, c, spatial..]`.
fn out_of_channels(tensor: &Tensor, extent: usize) -> Tensor {
    let channels = tensor.shape()[1] / extent;
    let split = tensor.shape().with_extent(1, channels).with_axis(1, extent);
    tensor.shaped(&split).move_axis(1, 0)
}

/// `[batch, o, ..]` (or the same without batch, repeated) as `[batch o, ..]`.
fn into_rows(tensor: &Tensor, batched: bool, extent: usize) -> Tensor {
    let tensor = if batched {
        tensor.clone()
    } else {
        tensor
            .unsqueeze(0)
            .expand(tensor.shape().with_axis(0, extent))
    };
    tensor.flatten(0, 1)
}

/// `[batch o, ..]` as `[batch, o, ..]`.
fn out_of_rows(tensor: &Tensor, extent: usize) -> Tensor {
    let rows = tensor.shape()[0] / extent;
    tensor.shaped(&tensor.shape().with_extent(0, rows).with_axis(0, extent))
}

impl BatchRule for Convolution {
    /// A batch of inputs joins the batch axis; a batch of weights becomes groups of channels.
    fn batch(&self, inputs: &[Tensor], batched: &[bool], extent: usize) -> Vec<Tensor> {
        if !batched[1] {
            let folded = operation(self.clone()).of(&[&inputs[0].flatten(0, 1), &inputs[1]]);
            return vec![out_of_rows(&folded, extent)];
        }
        let grouped = Convolution {
            sliding: self.sliding.clone(),
            groups: self.groups * extent,
        };
        let x = into_channels(&inputs[0], batched[0], extent);
        let w = into_rows(&inputs[1], batched[1], extent);
        vec![out_of_channels(&operation(grouped).of(&[&x, &w]), extent)]
    }
}

impl BatchRule for ConvolutionInput {
    fn batch(&self, inputs: &[Tensor], batched: &[bool], extent: usize) -> Vec<Tensor> {
        if !batched[1] {
            let folded = operation(self.clone()).of(&[&inputs[0].flatten(0, 1), &inputs[1]]);
            return vec![out_of_rows(&folded, extent)];
        }
        let grouped = ConvolutionInput {
            groups: self.groups * extent,
            ..self.clone()
        };
        let y = into_channels(&inputs[0], batched[0], extent);
        let w = into_rows(&inputs[1], batched[1], extent);
        vec![out_of_channels(&operation(grouped).of(&[&y, &w]), extent)]
    }
}

impl BatchRule for ConvolutionWeight {
    fn batch(&self, inputs: &[Tensor], batched: &[bool], extent: usize) -> Vec<Tensor> {
        let grouped = ConvolutionWeight {
            groups: self.groups * extent,
            ..self.clone()
        };
        let x = into_channels(&inputs[0], batched[0], extent);
        let y = into_channels(&inputs[1], batched[1], extent);
        vec![out_of_rows(&operation(grouped).of(&[&x, &y]), extent)]
    }
}
