//! Pooling over spatial axes: the greatest element or the mean of each window.

use super::window::{PerAxis, Sliding};
use crate::declare::{
    Array, Batch, Data, Derivative, Evaluation, Linear, Primitive, Reference, Ring, Sample, Specs,
    one, operation,
};
use crate::each_ring;
use crate::error::{Error, Mismatch, raise};
use crate::family;
use crate::graph::Spec;
use crate::shape::Shape;
use crate::tensor::Tensor;
use chainrule_kernels::DType;

family! { MaxPoolPositions, WindowSum, WindowSpread }

/// The geometry of a pooling over the last axes of `[batch, channels, spatial..]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Pool {
    pub(crate) sliding: Sliding,
    pub(crate) kernel: Vec<usize>,
    /// The number of windows along each spatial axis.
    pub(crate) output: Vec<usize>,
}

/// Where the greatest element of each window stands, as a flat position in the plane: the first of equals, NaN wins.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MaxPoolPositions {
    pub(crate) pool: Pool,
}

/// The sum of each window; elements outside count as 0.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct WindowSum {
    pub(crate) pool: Pool,
}

/// The transpose of [`WindowSum`]: each element added to all places of its window in a plane of `extents`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct WindowSpread {
    pub(crate) pool: Pool,
    pub(crate) extents: Vec<usize>,
}

fn split(shape: &Shape, spatial: usize) -> (usize, &[usize]) {
    let at = shape.rank() - spatial;
    (shape[..at].iter().product(), &shape[at..])
}

fn pooled_shape(shape: &Shape, extents: &[usize]) -> Shape {
    shape[..shape.rank() - extents.len()]
        .iter()
        .chain(extents)
        .copied()
        .collect()
}

impl Pool {
    fn check(&self, input: &Spec) -> Result<(), Mismatch> {
        if input.rank() < self.kernel.len() + 1 {
            return Err(Mismatch::shape(format!(
                "there are not {} spatial axes behind the channels",
                self.kernel.len()
            )));
        }
        self.sliding.check(&self.kernel)
    }

    /// The elements of every window, as `visit(window, position)` over all planes.
    fn each_element(&self, planes: usize, extents: &[usize], visit: &mut dyn FnMut(usize, usize)) {
        let (plane, windows) = (
            extents.iter().product::<usize>(),
            self.output.iter().product::<usize>(),
        );
        for number in 0..planes {
            self.sliding.each_tap(
                extents,
                &self.kernel,
                &self.output,
                &mut |window, _tap, position| {
                    visit(number * windows + window, number * plane + position);
                },
            );
        }
    }
}

fn samples_of(make: impl Fn(Pool, &[usize]) -> Sample) -> Vec<Sample> {
    let pool = |stride: &[usize],
                padding: &[usize],
                dilation: &[usize],
                kernel: &[usize],
                output: &[usize]| Pool {
        sliding: Sliding {
            stride: stride.to_vec(),
            padding: padding.to_vec(),
            dilation: dilation.to_vec(),
        },
        kernel: kernel.to_vec(),
        output: output.to_vec(),
    };
    vec![
        make(pool(&[2], &[0], &[1], &[2], &[2]), &[1, 2, 5]),
        make(
            pool(&[1, 2], &[1, 0], &[1, 1], &[2, 2], &[4, 2]),
            &[2, 1, 3, 4],
        ),
        make(
            pool(&[1, 1, 1], &[0, 0, 0], &[1, 1, 1], &[1, 2, 2], &[2, 1, 2]),
            &[1, 1, 2, 2, 3],
        ),
    ]
}

impl Primitive for MaxPoolPositions {
    fn name(&self) -> &'static str {
        "max_pool_positions"
    }

    fn formula(&self) -> &'static str {
        "y = the position of max x in each window"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        self.pool.check(inputs[0])?;
        one(inputs[0]
            .with_shape(pooled_shape(inputs[0].shape(), &self.pool.output))
            .with_dtype(DType::I64))
    }

    fn evaluation(&self) -> Evaluation<'_> {
        Evaluation::Reference(self)
    }

    fn derivative(&self) -> Derivative<'_> {
        Derivative::NotDifferentiable(
            "a position is an integer, constant wherever it is continuous",
        )
    }

    fn batch(&self) -> Batch<'_> {
        Batch::LeadingAxes
    }

    fn samples() -> Vec<Sample> {
        samples_of(|pool, shape| Sample::new(operation(MaxPoolPositions { pool })).distinct(shape))
    }
}

impl Reference for MaxPoolPositions {
    fn value(&self, inputs: &[Array], specs: &[Spec]) -> Result<Vec<Array>, Error> {
        let (planes, extents) = split(&inputs[0].shape, self.pool.kernel.len());
        let plane: usize = extents.iter().product();
        let numbers: Vec<f64> = match &inputs[0].data {
            Data::F32(elements) => elements.iter().map(|&x| x.into()).collect(),
            Data::F64(elements) => elements.clone(),
            _ => inputs[0]
                .to_integers()
                .into_iter()
                .map(|x| x as f64)
                .collect(),
        };
        let mut best: Vec<Option<usize>> = vec![None; specs[0].elements()];
        self.pool
            .each_element(planes, extents, &mut |window, position| {
                let better = best[window].is_none_or(|holder| {
                    !numbers[holder].is_nan()
                        && (numbers[position].is_nan() || numbers[position] > numbers[holder])
                });
                if better {
                    best[window] = Some(position);
                }
            });
        let positions = best
            .into_iter()
            .map(|position| position.map_or(0, |position| position % plane) as i64);
        Ok(vec![Array::new(
            specs[0].shape(),
            Data::I64(positions.collect()),
        )])
    }
}

impl Primitive for WindowSum {
    fn name(&self) -> &'static str {
        "window_sum"
    }

    fn formula(&self) -> &'static str {
        "y[i] = Σ x over window i"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        self.pool.check(inputs[0])?;
        one(inputs[0].with_shape(pooled_shape(inputs[0].shape(), &self.pool.output)))
    }

    fn evaluation(&self) -> Evaluation<'_> {
        Evaluation::Reference(self)
    }

    fn derivative(&self) -> Derivative<'_> {
        Derivative::Linear(self)
    }

    fn batch(&self) -> Batch<'_> {
        Batch::LeadingAxes
    }

    fn samples() -> Vec<Sample> {
        samples_of(|pool, shape| Sample::new(operation(WindowSum { pool })).input(shape))
    }
}

impl Reference for WindowSum {
    fn value(&self, inputs: &[Array], specs: &[Spec]) -> Result<Vec<Array>, Error> {
        let (planes, extents) = split(&inputs[0].shape, self.pool.kernel.len());
        let data = each_ring!(&inputs[0].data, elements => {
            let mut sums = vec![Default::default(); specs[0].elements()];
            self.pool.each_element(planes, extents, &mut |window, position| add(&mut sums[window], &elements[position]));
            sums
        });
        Ok(vec![Array::new(specs[0].shape(), data)])
    }
}

fn add<T: Ring>(sum: &mut T, element: &T) {
    *sum = sum.plus(element);
}

impl Linear for WindowSum {
    fn is_fixed(&self, _argument: usize) -> bool {
        false
    }

    fn transpose(
        &self,
        _argument: usize,
        inputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Tensor {
        let cotangent = cotangents[0]
            .as_ref()
            .expect("the single output has a cotangent");
        let (_, extents) = split(inputs[0].shape(), self.pool.kernel.len());
        let spread = WindowSpread {
            pool: self.pool.clone(),
            extents: extents.to_vec(),
        };
        operation(spread).of(&[cotangent])
    }
}

impl Primitive for WindowSpread {
    fn name(&self) -> &'static str {
        "window_spread"
    }

    fn formula(&self) -> &'static str {
        "y[j] = Σ x[i] over the windows i that hold j"
    }

    fn shape(&self, inputs: &[&Spec]) -> Result<Specs, Mismatch> {
        self.pool.check(inputs[0])?;
        let (_, windows) = split(inputs[0].shape(), self.pool.kernel.len());
        if windows != self.pool.output {
            return Err(Mismatch::shape(
                "the input does not have an element for each window",
            ));
        }
        one(inputs[0].with_shape(pooled_shape(inputs[0].shape(), &self.extents)))
    }

    fn evaluation(&self) -> Evaluation<'_> {
        Evaluation::Reference(self)
    }

    fn derivative(&self) -> Derivative<'_> {
        Derivative::Linear(self)
    }

    fn batch(&self) -> Batch<'_> {
        Batch::LeadingAxes
    }

    fn samples() -> Vec<Sample> {
        samples_of(|pool, shape| {
            let extents = shape[2..].to_vec();
            let windows: Vec<usize> = shape[..2].iter().chain(&pool.output).copied().collect();
            Sample::new(operation(WindowSpread { pool, extents })).input(windows)
        })
    }
}

impl Reference for WindowSpread {
    fn value(&self, inputs: &[Array], specs: &[Spec]) -> Result<Vec<Array>, Error> {
        let (planes, _) = split(&inputs[0].shape, self.pool.kernel.len());
        let data = each_ring!(&inputs[0].data, elements => {
            let mut sums = vec![Default::default(); specs[0].elements()];
            self.pool.each_element(planes, &self.extents, &mut |window, position| add(&mut sums[position], &elements[window]));
            sums
        });
        Ok(vec![Array::new(specs[0].shape(), data)])
    }
}

impl Linear for WindowSpread {
    fn is_fixed(&self, _argument: usize) -> bool {
        false
    }

    fn transpose(
        &self,
        _argument: usize,
        _inputs: &[Tensor],
        cotangents: &[Option<Tensor>],
    ) -> Tensor {
        let cotangent = cotangents[0]
            .as_ref()
            .expect("the single output has a cotangent");
        operation(WindowSum {
            pool: self.pool.clone(),
        })
        .of(&[cotangent])
    }
}

/// How a pooling window moves; the stride is the kernel unless it is set.
///
/// ```
/// use chainrule_core::PoolOptions;
/// let options = PoolOptions::new(3).stride(2).padding(1);
/// ```
#[derive(Clone, Debug)]
pub struct PoolOptions {
    kernel: PerAxis,
    stride: Option<PerAxis>,
    padding: PerAxis,
    dilation: PerAxis,
    ceil: bool,
    count_padding: bool,
    divisor: Option<f64>,
}

impl PoolOptions {
    /// Windows of `kernel` elements, one number for all spatial axes or an array, side by side.
    pub fn new(kernel: impl Into<PerAxis>) -> PoolOptions {
        PoolOptions {
            kernel: kernel.into(),
            stride: None,
            padding: PerAxis::All(0),
            dilation: PerAxis::All(1),
            ceil: false,
            count_padding: true,
            divisor: None,
        }
    }

    /// The step from one window to the next.
    pub fn stride(mut self, stride: impl Into<PerAxis>) -> PoolOptions {
        self.stride = Some(stride.into());
        self
    }

    /// Places added on both sides, at most half the window: never chosen as a maximum, 0 in a mean.
    pub fn padding(mut self, padding: impl Into<PerAxis>) -> PoolOptions {
        self.padding = padding.into();
        self
    }

    /// The distance between neighbouring elements of a window.
    pub fn dilation(mut self, dilation: impl Into<PerAxis>) -> PoolOptions {
        self.dilation = dilation.into();
        self
    }

    /// Also a last window that reaches over the end.
    pub fn ceil_mode(mut self) -> PoolOptions {
        self.ceil = true;
        self
    }

    /// Means are over the elements inside only, not over padding.
    pub fn without_padding_in_mean(mut self) -> PoolOptions {
        self.count_padding = false;
        self
    }

    /// What sums are divided by, instead of the number of elements.
    pub fn divisor(mut self, divisor: f64) -> PoolOptions {
        self.divisor = Some(divisor);
        self
    }

    fn resolve(&self, extents: &[usize]) -> Result<Pool, Mismatch> {
        let rank = extents.len();
        let kernel = self.kernel.resolve(rank, "kernel")?;
        let sliding = Sliding {
            stride: self
                .stride
                .as_ref()
                .unwrap_or(&self.kernel)
                .resolve(rank, "stride")?,
            padding: self.padding.resolve(rank, "padding")?,
            dilation: self.dilation.resolve(rank, "dilation")?,
        };
        sliding.check(&kernel)?;
        let reach = |axis: usize| sliding.reach(axis, kernel[axis]);
        if let Some(axis) = (0..rank).find(|&axis| 2 * sliding.padding[axis] > reach(axis)) {
            let reason = format!(
                "a padding of {} is more than half the window, which reaches over {}",
                sliding.padding[axis],
                reach(axis)
            );
            return Err(Mismatch::argument(reason));
        }
        let output: Result<Vec<usize>, Mismatch> = (0..rank)
            .map(|axis| {
                let whole = sliding.output(axis, extents[axis], kernel[axis])?;
                let left = (extents[axis] + 2 * sliding.padding[axis]
                    - sliding.reach(axis, kernel[axis]))
                    % sliding.stride[axis];
                // A window over the end counts only if it starts inside the tensor or its padding in front.
                let starts_inside =
                    whole * sliding.stride[axis] < extents[axis] + sliding.padding[axis];
                Ok(whole + usize::from(self.ceil && left > 0 && starts_inside))
            })
            .collect();
        Ok(Pool {
            sliding,
            kernel,
            output: output?,
        })
    }
}

macro_rules! pools {
    ($($max:ident, $average:ident, $adaptive:ident, $rank:literal, $layout:literal;)*) => {
        impl Tensor {
            $(
                #[doc = concat!("The greatest element of each window over ", $layout, ", also without batch. All of the gradient goes to the chosen element, the first of equals.")]
                ///
                /// # Panics
                /// When the windows do not fit.
                #[track_caller]
                pub fn $max(&self, options: PoolOptions) -> Tensor {
                    self.max_pool(&options, $rank, stringify!($max)).0
                }

                #[doc = concat!("The mean of each window over ", $layout, ", also without batch.")]
                ///
                /// # Panics
                /// When the windows do not fit.
                #[track_caller]
                pub fn $average(&self, options: PoolOptions) -> Tensor {
                    self.average_pool(&options, $rank, stringify!($average))
                }

                #[doc = concat!("The means over a grid of the given extents laid over ", $layout, ", also without batch.")]
                ///
                /// # Panics
                /// When there are not enough axes.
                #[track_caller]
                pub fn $adaptive(&self, extents: [usize; $rank]) -> Tensor {
                    self.adaptive_average_pool(&extents, stringify!($adaptive))
                }
            )*
        }
    };
}

pools! {
    max_pool1d, avg_pool1d, adaptive_avg_pool1d, 1, "`[batch, channels, length]`";
    max_pool2d, avg_pool2d, adaptive_avg_pool2d, 2, "`[batch, channels, height, width]`";
    max_pool3d, avg_pool3d, adaptive_avg_pool3d, 3, "`[batch, channels, depth, height, width]`";
}

impl Tensor {
    #[track_caller]
    fn pool(&self, options: &PoolOptions, rank: usize, name: &str) -> Pool {
        let complain =
            |mismatch: Mismatch| -> ! { raise(mismatch.into_error(name, &[self.as_operand()])) };
        if !(rank + 1..=rank + 2).contains(&self.rank()) {
            complain(Mismatch::shape(format!(
                "the input must have {} axes (or {} without batch)",
                rank + 2,
                rank + 1
            )));
        }
        let (_, extents) = split(self.shape(), rank);
        options
            .resolve(extents)
            .unwrap_or_else(|mismatch| complain(mismatch))
    }

    /// The greatest elements and their flat positions in the plane.
    #[track_caller]
    pub(crate) fn max_pool(
        &self,
        options: &PoolOptions,
        rank: usize,
        name: &str,
    ) -> (Tensor, Tensor) {
        let pool = self.pool(options, rank, name);
        let (planes, extents) = split(self.shape(), rank);
        for (axis, &extent) in extents.iter().enumerate() {
            let empty = |&window: &usize| counted(&pool, axis, window, extent, false) == 0;
            if let Some(window) = (0..pool.output[axis]).find(empty) {
                let reason = format!(
                    "window {window} along spatial axis {axis} lies wholly in the padding, where nothing is greatest"
                );
                let mismatch = Mismatch::shape(reason).help("use less padding or dilation");
                raise(mismatch.into_error(name, &[self.as_operand()]));
            }
        }
        let plane: usize = extents.iter().product();
        let windows: usize = pool.output.iter().product();
        let positions = operation(MaxPoolPositions { pool }).of(&[self]);
        let flat = self.shaped(&Shape::from([planes, plane]));
        let chosen = flat.gather(1, &positions.shaped(&Shape::from([planes, windows])));
        (chosen.shaped(positions.shape()), positions)
    }

    /// The sum of each window.
    #[track_caller]
    pub(crate) fn window_sums(&self, options: &PoolOptions, rank: usize, name: &str) -> Tensor {
        let pool = self.pool(options, rank, name);
        operation(WindowSum { pool }).of(&[self])
    }

    #[track_caller]
    fn average_pool(&self, options: &PoolOptions, rank: usize, name: &str) -> Tensor {
        let pool = self.pool(options, rank, name);
        let (_, extents) = split(self.shape(), rank);
        let sums = operation(WindowSum { pool: pool.clone() }).of(&[self]);
        if let Some(divisor) = options.divisor {
            return sums / divisor;
        }
        // How many elements count in a window along each axis; the count of a window is their product.
        let counts = (0..rank).map(|axis| {
            let counts: Vec<f64> = (0..pool.output[axis])
                .map(|window| {
                    counted(&pool, axis, window, extents[axis], options.count_padding) as f64
                })
                .collect();
            let shape: Shape = (0..rank)
                .map(|other| if other == axis { pool.output[axis] } else { 1 })
                .collect();
            Tensor::from_vec(counts, &shape)
                .cast(self.dtype())
                .to_device(self.device())
        });
        sums / counts
            .reduce(|product, count| product * count)
            .expect("there is a spatial axis")
    }

    #[track_caller]
    fn adaptive_average_pool(&self, extents: &[usize], name: &str) -> Tensor {
        let rank = extents.len();
        if !(rank + 1..=rank + 2).contains(&self.rank()) {
            let reason = format!(
                "the input must have {} axes (or {} without batch)",
                rank + 2,
                rank + 1
            );
            raise(Mismatch::shape(reason).into_error(name, &[self.as_operand()]));
        }
        let first = self.rank() - rank;
        (0..rank).fold(self.clone(), |pooled, axis| {
            pooled.averaged_along(first + axis, extents[axis])
        })
    }

    /// Means of `cells` overlapping parts of one axis, from floor(i n / cells) to ceil((i + 1) n / cells).
    #[track_caller]
    pub(crate) fn averaged_along(&self, axis: usize, cells: usize) -> Tensor {
        let extent = self.shape()[axis];
        let means: Vec<Tensor> = (0..cells)
            .map(|cell| {
                let (start, end) = (cell * extent / cells, ((cell + 1) * extent).div_ceil(cells));
                self.narrow(axis as isize, start, end - start)
                    .mean(axis as isize)
                    .unsqueeze(axis as isize)
            })
            .collect();
        Tensor::concat(&means, axis as isize)
    }
}

/// How many elements a window has along an axis, of those inside the tensor or else its padding too.
fn counted(pool: &Pool, axis: usize, window: usize, extent: usize, with_padding: bool) -> usize {
    let padding = pool.sliding.padding[axis];
    // Places before `padding` are padding in front; those from `extent + padding` on are behind.
    let counts = if with_padding {
        0..extent + 2 * padding
    } else {
        padding..extent + padding
    };
    let start = window * pool.sliding.stride[axis];
    (0..pool.kernel[axis])
        .filter(|tap| counts.contains(&(start + tap * pool.sliding.dilation[axis])))
        .count()
}
