//! Images of other extents: interpolation along each of the last axes.

use crate::error::{Mismatch, raise};
use crate::shape::Shape;
use crate::tensor::Tensor;

/// How [`Tensor::resize`] finds elements between elements.
///
/// With `align_corners` the first and last elements keep their places; without it, elements are seen as cells whose outer
/// edges do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interpolation {
    /// The element at floor(position · ratio), as PyTorch's "nearest".
    Nearest,
    /// The element whose cell holds the new cell's centre, as PyTorch's "nearest-exact".
    NearestExact,
    /// On straight lines between neighbours along each axis (linear, bilinear, trilinear).
    Linear {
        /// Whether corners keep their places.
        align_corners: bool,
    },
    /// On cubic polynomials through four neighbours along each axis (bicubic; Keys 1981 with a = -0.75).
    Cubic {
        /// Whether corners keep their places.
        align_corners: bool,
    },
    /// The mean over the cells that a new cell covers.
    Area,
}

/// Which elements an output element of one axis is made of, and their weights: as many of each for every output.
struct Taps {
    positions: Vec<Vec<i64>>,
    weights: Vec<Vec<f64>>,
}

impl Interpolation {
    /// The taps along an axis of `extent` elements for `outputs`, one output element being `ratio` input elements wide.
    fn taps(self, extent: usize, outputs: usize, ratio: f64) -> Taps {
        let last = extent as i64 - 1;
        match self {
            // PyTorch computes these positions in single precision for all dtypes.
            Interpolation::Nearest => chosen(outputs, last, |i| (i as f32 * ratio as f32) as i64),
            Interpolation::NearestExact => {
                chosen(outputs, last, |i| ((i as f32 + 0.5) * ratio as f32) as i64)
            }
            Interpolation::Linear { align_corners } => {
                let place = |i| source(i, extent, outputs, ratio, align_corners).max(0.0);
                weighted(outputs, last, place, 0, |part| vec![1.0 - part, part])
            }
            Interpolation::Cubic { align_corners } => {
                let place = |i| source(i, extent, outputs, ratio, align_corners);
                weighted(outputs, last, place, -1, cubic)
            }
            Interpolation::Area => unreachable!("means over areas are adaptive pooling"),
        }
    }
}

/// The place of output element `i` among the input elements.
fn source(i: usize, extent: usize, outputs: usize, ratio: f64, align_corners: bool) -> f64 {
    match (align_corners, outputs) {
        (true, 0 | 1) => 0.0,
        (true, _) => i as f64 * ((extent - 1) as f64 / (outputs - 1) as f64),
        (false, _) => (i as f64 + 0.5) * ratio - 0.5,
    }
}

fn chosen(outputs: usize, last: i64, place: impl Fn(usize) -> i64) -> Taps {
    Taps {
        positions: vec![(0..outputs).map(|i| place(i).min(last)).collect()],
        weights: Vec::new(),
    }
}

/// Neighbours from `first` before the place on, as many as `weights` gives for the place's fractional part.
fn weighted(
    outputs: usize,
    last: i64,
    place: impl Fn(usize) -> f64,
    first: i64,
    weights: impl Fn(f64) -> Vec<f64>,
) -> Taps {
    let places: Vec<f64> = (0..outputs).map(place).collect();
    let count = weights(0.0).len();
    let position =
        |tap: usize, place: f64| (place.floor() as i64 + first + tap as i64).clamp(0, last);
    let weight = |tap: usize, place: f64| weights(place - place.floor())[tap];
    let each = |tap: usize| places.iter().map(|&place| weight(tap, place)).collect();
    Taps {
        positions: (0..count)
            .map(|tap| places.iter().map(|&place| position(tap, place)).collect())
            .collect(),
        weights: (0..count).map(each).collect(),
    }
}

/// The weights of four neighbours at `part` between the second and the third.
fn cubic(part: f64) -> Vec<f64> {
    const A: f64 = -0.75;
    let near = |x: f64| ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
    let far = |x: f64| ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A;
    vec![
        far(part + 1.0),
        near(part),
        near(1.0 - part),
        far(2.0 - part),
    ]
}

impl Tensor {
    /// The last axes at other extents, by interpolation along each; any axes before them stay as they are.
    ///
    /// ```
    /// use chainrule_core::{Interpolation, tensor};
    /// let x = tensor![0.0, 1.0];
    /// let linear = Interpolation::Linear { align_corners: true };
    /// assert_eq!(x.resize(&[3], linear).to_vec::<f32>(), [0.0, 0.5, 1.0]);
    /// assert_eq!(x.resize(&[4], Interpolation::Nearest).to_vec::<f32>(), [0.0, 0.0, 1.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// When there are more extents than axes, an axis has extent 0, or the elements are integers (unless nearest ones are
    /// chosen).
    #[track_caller]
    pub fn resize(&self, extents: &[usize], interpolation: Interpolation) -> Tensor {
        let first = self.first_resized("resize", extents.len(), interpolation);
        let ratio = |axis: usize| self.shape()[first + axis] as f64 / extents[axis] as f64;
        let ratios: Vec<f64> = (0..extents.len()).map(ratio).collect();
        self.resampled(first, extents, &ratios, interpolation)
    }

    /// [`resize`](Tensor::resize) to floor(extent · factor) along each of the last axes, with exactly these factors between
    /// places (PyTorch's `scale_factor` without recomputation).
    ///
    /// ```
    /// use chainrule_core::{Interpolation, tensor};
    /// let y = tensor![0.0, 1.0].resize_by(&[1.5], Interpolation::Nearest);
    /// assert_eq!(y.to_vec::<f32>(), [0.0, 0.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// As [`resize`](Tensor::resize), and when a factor is not positive.
    #[track_caller]
    pub fn resize_by(&self, factors: &[f64], interpolation: Interpolation) -> Tensor {
        let first = self.first_resized("resize_by", factors.len(), interpolation);
        if factors
            .iter()
            .any(|factor| factor.is_nan() || *factor <= 0.0)
        {
            let mismatch = Mismatch::argument("the factors must be positive");
            raise(mismatch.into_error("resize_by", &[self.as_operand()]));
        }
        let extent = |axis: usize| (self.shape()[first + axis] as f64 * factors[axis]) as usize;
        let extents: Vec<usize> = (0..factors.len()).map(extent).collect();
        let ratios: Vec<f64> = factors.iter().map(|factor| 1.0 / factor).collect();
        self.resampled(first, &extents, &ratios, interpolation)
    }

    /// The first axis that is resized, once everything fits.
    #[track_caller]
    fn first_resized(&self, name: &str, count: usize, interpolation: Interpolation) -> usize {
        if count > self.rank() {
            let reason = format!(
                "{count} axes are to be resized, the tensor has {}",
                self.rank()
            );
            raise(Mismatch::shape(reason).into_error(name, &[self.as_operand()]));
        }
        let first = self.rank() - count;
        if self.shape()[first..].contains(&0) {
            let mismatch = Mismatch::shape("an axis of extent 0 has no elements to interpolate");
            raise(mismatch.into_error(name, &[self.as_operand()]));
        }
        let chooses = matches!(
            interpolation,
            Interpolation::Nearest | Interpolation::NearestExact
        );
        if !chooses {
            self.require_floating(name);
        }
        first
    }

    #[track_caller]
    fn resampled(
        &self,
        first: usize,
        extents: &[usize],
        ratios: &[f64],
        interpolation: Interpolation,
    ) -> Tensor {
        let axes = first..self.rank();
        let pairs = extents.iter().zip(ratios);
        axes.zip(pairs).fold(
            self.clone(),
            |x, (axis, (&extent, &ratio))| match interpolation {
                Interpolation::Area => x.averaged_along(axis, extent),
                _ => x.tapped(axis, &interpolation.taps(x.shape()[axis], extent, ratio)),
            },
        )
    }

    /// The weighted sums of taps along one axis.
    #[track_caller]
    fn tapped(&self, axis: usize, taps: &Taps) -> Tensor {
        let picked = |positions: &Vec<i64>| {
            let positions = Tensor::from(positions.clone()).to_device(self.device());
            self.index_select(axis as isize, &positions)
        };
        let aligned = |weights: &Vec<f64>| {
            let extent = |at| if at == axis { weights.len() } else { 1 };
            let shape: Shape = (0..self.rank()).map(extent).collect();
            let weights = Tensor::from_vec(weights.clone(), &shape);
            weights.cast(self.dtype()).to_device(self.device())
        };
        if taps.weights.is_empty() {
            return picked(&taps.positions[0]);
        }
        let pairs = taps.positions.iter().zip(&taps.weights);
        let terms = pairs.map(|(positions, weights)| picked(positions) * aligned(weights));
        terms
            .reduce(|sum, term| sum + term)
            .expect("there is a tap")
    }

    /// `[.., channels · factor², height, width]` as `[.., channels, height · factor, width · factor]`
    /// (Shi and others 2016).
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::zeros([1, 8, 2, 3]).pixel_shuffle(2).shape()[..], [1, 2, 4, 6]);
    /// ```
    ///
    /// # Panics
    /// When there are fewer than three axes, or the channels do not divide by factor².
    #[track_caller]
    pub fn pixel_shuffle(&self, factor: usize) -> Tensor {
        let rank = self.rank();
        if rank < 3 || factor == 0 || !self.shape()[rank - 3].is_multiple_of(factor * factor) {
            let reason = format!("the channels (third last axis) must divide by {factor}²");
            raise(Mismatch::shape(reason).into_error("pixel_shuffle", &[self.as_operand()]));
        }
        let outer = &self.shape()[..rank - 3];
        let (channels, height, width) = (
            self.shape()[rank - 3],
            self.shape()[rank - 2],
            self.shape()[rank - 1],
        );
        let channels = channels / (factor * factor);
        let split = shape_of(outer, &[channels, factor, factor, height, width]);
        let result = shape_of(outer, &[channels, height * factor, width * factor]);
        let order = order_of(outer.len(), &[0, 3, 1, 4, 2]);
        self.shaped(&split).permute(order).shaped(&result)
    }

    /// The inverse of [`pixel_shuffle`](Tensor::pixel_shuffle): `[.., channels, height · factor, width · factor]` as
    /// `[.., channels · factor², height, width]`.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::zeros([1, 2, 4, 6]).pixel_unshuffle(2).shape()[..], [1, 8, 2, 3]);
    /// ```
    ///
    /// # Panics
    /// When there are fewer than three axes, or height or width do not divide by the factor.
    #[track_caller]
    pub fn pixel_unshuffle(&self, factor: usize) -> Tensor {
        let rank = self.rank();
        let divides = |axis: usize| self.shape()[axis].is_multiple_of(factor);
        if rank < 3 || factor == 0 || !divides(rank - 2) || !divides(rank - 1) {
            let reason = format!("height and width (the last two axes) must divide by {factor}");
            raise(Mismatch::shape(reason).into_error("pixel_unshuffle", &[self.as_operand()]));
        }
        let outer = &self.shape()[..rank - 3];
        let channels = self.shape()[rank - 3];
        let (height, width) = (
            self.shape()[rank - 2] / factor,
            self.shape()[rank - 1] / factor,
        );
        let split = shape_of(outer, &[channels, height, factor, width, factor]);
        let result = shape_of(outer, &[channels * factor * factor, height, width]);
        let order = order_of(outer.len(), &[0, 2, 4, 1, 3]);
        self.shaped(&split).permute(order).shaped(&result)
    }

    /// The channels of `[batch, channels, ..]`, divided into groups, in turns from each (Zhang and others 2018).
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// let y = tensor![[1.0, 2.0, 3.0, 4.0]].channel_shuffle(2);
    /// assert_eq!(y.to_vec::<f32>(), [1.0, 3.0, 2.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// When there is no channel axis, or the channels do not divide into the groups.
    #[track_caller]
    pub fn channel_shuffle(&self, groups: usize) -> Tensor {
        if self.rank() < 2 || groups == 0 || !self.shape()[1].is_multiple_of(groups) {
            let reason = format!("axis 1 must divide into {groups} groups");
            raise(Mismatch::shape(reason).into_error("channel_shuffle", &[self.as_operand()]));
        }
        let each = self.shape()[1] / groups;
        let split: Shape = [self.shape()[0], groups, each]
            .into_iter()
            .chain(self.shape()[2..].iter().copied())
            .collect();
        self.shaped(&split).transpose(1, 2).shaped(self.shape())
    }
}

fn shape_of(outer: &[usize], inner: &[usize]) -> Shape {
    outer.iter().chain(inner).copied().collect()
}

/// The outer axes in place, the inner ones in `order`.
fn order_of(outer: usize, order: &[usize]) -> Vec<usize> {
    (0..outer)
        .chain(order.iter().map(|axis| outer + axis))
        .collect()
}
