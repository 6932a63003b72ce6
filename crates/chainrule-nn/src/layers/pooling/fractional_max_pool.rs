//! Pooling by the maximum with random windows.

use crate::layers::catalogue::Declared;
use crate::layers::spatial::{EachAxis, check_spatial, numbered, refuse};
use crate::scope::layer_scope;
use crate::{ArgumentError, Arguments, Buffer, Layer};
use chainrule_core::{DType, Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { FractionalMaxPool2d, FractionalMaxPool3d }

/// Fractional max pooling of `[batch, channels, height, width]`: see [`FractionalMaxPool`].
pub type FractionalMaxPool2d = FractionalMaxPool<2>;
/// Fractional max pooling of `[batch, channels, depth, height, width]`: see [`FractionalMaxPool`].
pub type FractionalMaxPool3d = FractionalMaxPool<3>;

/// Fractional max pooling (Graham 2014): maxima of windows whose steps vary at random, so that extents shrink by any factor.
///
/// With `n` elements and `m` windows of `k` elements along an axis and `u` uniform in [0, 1), drawn for each axis, channel
/// and example, window `i` starts at `⌊(i + u) α⌋ - ⌊u α⌋` where `α = (n - k) / (m - 1)`, the last at `n - k`.
/// From `[batch, channels, spatial..]`, also without batch, to the same with the given extents.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{FractionalMaxPool2d, Layer};
/// let pool = FractionalMaxPool2d::by_ratio(2, [0.7, 0.7]);
/// assert_eq!(pool.forward(Tensor::ones([1, 3, 10, 10])).shape().to_string(), "[1, 3, 7, 7]");
/// ```
#[derive(Clone, Debug, Module)]
pub struct FractionalMaxPool<const AXES: usize> {
    /// The numbers `u`, `[batch, channels, axes]`, where they are not drawn anew in every call. PyTorch's order: the axes of
    /// two from the last to the first, those of three from the first to the last.
    pub samples: Option<Buffer>,
    #[tree(fixed)]
    kernel: [usize; AXES],
    #[tree(fixed)]
    size: Size<AXES>,
}

/// The output's extents.
#[derive(Clone, Copy, Debug)]
enum Size<const AXES: usize> {
    Extents([usize; AXES]),
    Ratio([f64; AXES]),
}

impl<const AXES: usize> FractionalMaxPool<AXES> {
    const NAME: &'static str = numbered::<AXES>([
        "fractional_max_pool1d",
        "fractional_max_pool2d",
        "fractional_max_pool3d",
    ]);

    /// Windows of `kernel` elements, as many as make the output's extents these.
    pub fn new(kernel: impl EachAxis<AXES>, extents: impl EachAxis<AXES>) -> Self {
        FractionalMaxPool {
            samples: None,
            kernel: kernel.each(),
            size: Size::Extents(extents.each()),
        }
    }

    /// Windows of `kernel` elements, as many as make the output's extents this share of the input's, rounded down.
    pub fn by_ratio(kernel: impl EachAxis<AXES>, ratio: [f64; AXES]) -> Self {
        FractionalMaxPool {
            samples: None,
            kernel: kernel.each(),
            size: Size::Ratio(ratio),
        }
    }

    /// The same numbers `u` in every call: see [`samples`](FractionalMaxPool::samples).
    pub fn with_samples(self, samples: Tensor) -> Self {
        let samples = Some(Buffer::new(samples));
        FractionalMaxPool { samples, ..self }
    }

    /// The maxima, and for each its flat position in the spatial axes.
    ///
    /// # Panics
    /// When there are more windows than can start at different places, or samples of another shape.
    #[track_caller]
    pub fn forward_with_positions(&self, x: impl AsRef<Tensor>) -> (Tensor, Tensor) {
        layer_scope(self, || self.chosen(x.as_ref()))
    }

    #[track_caller]
    fn chosen(&self, x: &Tensor) -> (Tensor, Tensor) {
        check_spatial::<AXES>(Self::NAME, x, None);
        let first = x.rank() - AXES;
        let extents: [usize; AXES] = std::array::from_fn(|axis| x.shape()[first + axis]);
        let windows = self.windows(x, extents);
        let planes: usize = x.shape()[..first].iter().product();
        let samples = self.samples_for(x, planes);
        let places = self.places(&samples, extents, windows);
        let count: usize = windows.iter().product();
        let (taps, plane) = (
            places.elements() / (planes * count).max(1),
            extents.iter().product(),
        );
        let all = places.reshape(Shape::from([planes, count * taps]));
        let elements = x.reshape(Shape::from([planes, plane])).gather(1, &all);
        let by_window = Shape::from([planes, count, taps]);
        let (greatest, tap) = elements.reshape(&by_window).max_with_indices(-1);
        let positions = all.reshape(&by_window).gather(-1, &tap.unsqueeze(-1));
        let shape: Shape = x.shape()[..first].iter().copied().chain(windows).collect();
        (greatest.reshape(&shape), positions.reshape(&shape))
    }

    /// The flat positions of every window's elements: `[planes, windows.., taps..]`.
    fn places(&self, samples: &Tensor, extents: [usize; AXES], windows: [usize; AXES]) -> Tensor {
        let planes = samples.shape()[0];
        let along = |axis: usize| {
            let column = if AXES == 2 { 1 - axis } else { axis };
            let (kernel, sample) = (self.kernel[axis], samples.narrow(1, column, 1));
            let starts = starts(&sample, extents[axis], windows[axis], kernel);
            let taps = Tensor::arange(kernel as i64).to_device(samples.device());
            let mut aligned = vec![1; 2 * AXES + 1];
            aligned[0] = planes;
            aligned[1 + axis] = windows[axis];
            aligned[1 + AXES + axis] = kernel;
            (starts.unsqueeze(-1) + taps).reshape(Shape::from(aligned.as_slice()))
        };
        (1..AXES).fold(along(0), |places, axis| {
            places * extents[axis] as i32 + along(axis)
        })
    }

    /// The number of windows along each axis.
    #[track_caller]
    fn windows(&self, x: &Tensor, extents: [usize; AXES]) -> [usize; AXES] {
        std::array::from_fn(|axis| {
            let (extent, kernel) = (extents[axis], self.kernel[axis]);
            let windows = match self.size {
                Size::Extents(windows) => windows[axis],
                Size::Ratio(ratio) => (extent as f64 * ratio[axis]) as usize,
            };
            if windows == 0 || kernel == 0 || windows + kernel > extent + 1 {
                let problem = format!(
                    "{windows} windows of {kernel} elements cannot start at different places of the extent {extent} of spatial axis {axis}"
                );
                refuse(Self::NAME, &problem, x);
            }
            windows
        })
    }

    /// `[planes, axes]`.
    #[track_caller]
    fn samples_for(&self, x: &Tensor, planes: usize) -> Tensor {
        let Some(samples) = &self.samples else {
            // In float64, so that rounding never moves a window over the end.
            let drawn = Tensor::uniform([planes, AXES], 0.0, 1.0).cast(DType::F64);
            return drawn.to_device(x.device());
        };
        let samples = samples.get();
        let channels = x.shape()[x.rank() - AXES - 1];
        let fits = samples.rank() == 3
            && samples.shape()[0] * channels >= planes
            && samples.shape()[1..] == [channels, AXES];
        if !fits {
            let problem = format!(
                "samples of shape {} are not [batch, channels, {AXES}]",
                samples.shape()
            );
            refuse(Self::NAME, &problem, x);
        }
        samples.reshape([-1, AXES as isize]).narrow(0, 0, planes)
    }
}

/// Where the windows of each plane start: `[planes, windows]`, from samples `[planes, 1]`.
fn starts(sample: &Tensor, extent: usize, windows: usize, kernel: usize) -> Tensor {
    let span = extent - kernel;
    let last = sample.zeros_like().cast(DType::I64) + span as i32;
    if windows == 1 {
        return last;
    }
    let step = span as f64 / (windows - 1) as f64;
    let index = Tensor::arange(windows as i64 - 1)
        .cast(sample.dtype())
        .to_device(sample.device());
    let moved = ((index + sample) * step).floor() - (sample * step).floor();
    Tensor::concat(&[moved.cast(DType::I64), last], 1)
}

impl<const AXES: usize> Layer for FractionalMaxPool<AXES> {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        self.chosen(x).0
    }
}

/// `kernel`, and `extents` or `ratio`.
impl<const AXES: usize> Declared for FractionalMaxPool<AXES> {
    const NAME: &'static str = FractionalMaxPool::<AXES>::NAME;

    fn declared(arguments: &mut Arguments, _input: &Shape) -> Result<Self, ArgumentError> {
        let kernel: [usize; AXES] = arguments.required("kernel")?;
        let extents = arguments.given::<[usize; AXES]>("extents")?;
        let ratio = arguments.given::<[f64; AXES]>("ratio")?;
        match (extents, ratio) {
            (Some(extents), None) => Ok(FractionalMaxPool::new(kernel, extents)),
            (None, Some(ratio)) => Ok(FractionalMaxPool::by_ratio(kernel, ratio)),
            _ => Err(arguments.problem("extents", "one of `extents` and `ratio` is needed")),
        }
    }
}
