//! Values that parameters begin with.
//!
//! Each function makes a tensor in the default dtype; weights are `[outputs, inputs, kernel..]`. An [`Initialiser`] draws from
//! the thread's generator, or with [`Initialiser::draw_from`] from a given one.
//!
//! ```
//! use chainrule_core::Generator;
//! use chainrule_nn::init::{kaiming_normal, FanMode, Nonlinearity};
//! use chainrule_nn::Linear;
//! let mut layer = Linear::new(256, 128);
//! let weight = kaiming_normal(FanMode::In, Nonlinearity::Relu).draw_from([128, 256], &Generator::new(1));
//! let deviation = weight.square().mean(..).sqrt().item::<f64>();
//! assert!((deviation - (2.0 / 256.0_f64).sqrt()).abs() < 2e-3);
//! layer.weight.set(weight);
//! ```

use chainrule_core::error::raise;
use chainrule_core::{Error, ErrorKind, Generator, Shape, Tensor};

/// What follows a layer, for the gain that keeps the size of its signals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Nonlinearity {
    /// Nothing, or a convolution: gain 1.
    Linear,
    /// Gain 1.
    Sigmoid,
    /// Gain 5/3.
    Tanh,
    /// Gain √2.
    Relu,
    /// With this slope below zero: gain √(2 / (1 + slope²)).
    LeakyRelu(f64),
    /// Gain 3/4.
    Selu,
}

impl Nonlinearity {
    /// By what the deviation of the weights is multiplied. PyTorch's `calculate_gain`.
    ///
    /// ```
    /// use chainrule_nn::init::Nonlinearity;
    /// assert_eq!(Nonlinearity::Relu.gain(), 2.0_f64.sqrt());
    /// ```
    pub fn gain(self) -> f64 {
        match self {
            Nonlinearity::Linear | Nonlinearity::Sigmoid => 1.0,
            Nonlinearity::Tanh => 5.0 / 3.0,
            Nonlinearity::Relu => 2.0_f64.sqrt(),
            Nonlinearity::LeakyRelu(slope) => (2.0 / (1.0 + slope * slope)).sqrt(),
            Nonlinearity::Selu => 0.75,
        }
    }
}

/// Which signals keep their size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FanMode {
    /// Those of the forward pass.
    In,
    /// Those of the backward pass.
    Out,
}

/// With how many inputs and outputs one output and one input of a weight are connected: its extents along axis 1 and 0, times
/// the size of the kernel.
///
/// ```
/// use chainrule_core::Shape;
/// use chainrule_nn::init::fans;
/// assert_eq!(fans(&Shape::from([16, 3, 5, 5])), (75, 400));
/// ```
///
/// # Panics
/// When the shape has fewer than two axes.
#[track_caller]
pub fn fans(shape: &Shape) -> (usize, usize) {
    if shape.len() < 2 {
        let message = format!(
            "initialisation: a weight [outputs, inputs, ..] is needed, the shape is {shape}\n    help: begin biases with \
             `constant` or `uniform`"
        );
        raise(Error::new(ErrorKind::Shape, message));
    }
    let kernel: usize = shape[2..].iter().product();
    (shape[1] * kernel, shape[0] * kernel)
}

/// A way to draw a tensor of any shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Initialiser(Kind);

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Constant(f64),
    Uniform(f64, f64),
    Normal {
        mean: f64,
        deviation: f64,
    },
    Truncated {
        mean: f64,
        deviation: f64,
        low: f64,
        high: f64,
    },
    Xavier {
        gain: f64,
        uniform: bool,
    },
    Kaiming {
        mode: FanMode,
        gain: f64,
        uniform: bool,
    },
    Orthogonal {
        gain: f64,
    },
    Sparse {
        share: f64,
        deviation: f64,
    },
    Dirac {
        groups: usize,
    },
}

/// Every entry is `value`.
pub fn constant(value: f64) -> Initialiser {
    Initialiser(Kind::Constant(value))
}

/// Uniform in `[low, high)`.
pub fn uniform(low: f64, high: f64) -> Initialiser {
    Initialiser(Kind::Uniform(low, high))
}

/// Normal.
pub fn normal(mean: f64, deviation: f64) -> Initialiser {
    Initialiser(Kind::Normal { mean, deviation })
}

/// Normal, without what lies outside of `low` to `high`.
pub fn truncated_normal(mean: f64, deviation: f64, low: f64, high: f64) -> Initialiser {
    Initialiser(Kind::Truncated {
        mean,
        deviation,
        low,
        high,
    })
}

/// Uniform in `±gain √(6 / (inputs + outputs))` (Glorot, Bengio 2010).
pub fn xavier_uniform(gain: f64) -> Initialiser {
    Initialiser(Kind::Xavier {
        gain,
        uniform: true,
    })
}

/// Normal with deviation `gain √(2 / (inputs + outputs))` (Glorot, Bengio 2010).
pub fn xavier_normal(gain: f64) -> Initialiser {
    Initialiser(Kind::Xavier {
        gain,
        uniform: false,
    })
}

/// Uniform in `±gain √(3 / fan)` (He et al. 2015).
pub fn kaiming_uniform(mode: FanMode, before: Nonlinearity) -> Initialiser {
    Initialiser(Kind::Kaiming {
        mode,
        gain: before.gain(),
        uniform: true,
    })
}

/// Normal with deviation `gain / √fan` (He et al. 2015).
pub fn kaiming_normal(mode: FanMode, before: Nonlinearity) -> Initialiser {
    Initialiser(Kind::Kaiming {
        mode,
        gain: before.gain(),
        uniform: false,
    })
}

/// Rows (or, of a tall matrix, columns) that are orthogonal and of length `gain` (Saxe et al. 2014). Axes beyond the first
/// count as one.
pub fn orthogonal(gain: f64) -> Initialiser {
    Initialiser(Kind::Orthogonal { gain })
}

/// Normal, but in every column the given share of the entries is zero (Martens 2010). For matrices.
pub fn sparse(share: f64, deviation: f64) -> Initialiser {
    Initialiser(Kind::Sparse { share, deviation })
}

/// Convolutions that hand their input on: one in the middle of the kernel where output and input channel are the same, in each
/// of `groups` groups of outputs.
pub fn dirac(groups: usize) -> Initialiser {
    Initialiser(Kind::Dirac { groups })
}

impl Initialiser {
    /// A tensor of this shape from the thread's generator.
    ///
    /// # Panics
    /// When the shape does not suit the kind: fewer than two axes where fans are needed, no matrix for `sparse`, no weight of a
    /// convolution for `dirac`.
    #[track_caller]
    pub fn draw(&self, shape: impl Into<Shape>) -> Tensor {
        // A generator of its own would repeat itself; one seeded by the thread's does not.
        let seed = Tensor::randint(0, i64::MAX, ()).item::<i64>();
        self.draw_from(shape, &Generator::new(seed as u64))
    }

    /// A tensor of this shape from `generator`.
    ///
    /// # Panics
    /// As [`draw`](Initialiser::draw).
    #[track_caller]
    pub fn draw_from(&self, shape: impl Into<Shape>, generator: &Generator) -> Tensor {
        let shape = shape.into();
        match self.0 {
            Kind::Constant(value) => Tensor::full(shape, value),
            Kind::Uniform(low, high) => generator.uniform(shape, low, high),
            Kind::Normal { mean, deviation } => generator.normal(shape, mean, deviation),
            Kind::Truncated {
                mean,
                deviation,
                low,
                high,
            } => truncated(shape, mean, deviation, (low, high), generator),
            Kind::Xavier { gain, uniform } => {
                let (inputs, outputs) = fans(&shape);
                let variance = 2.0 / (inputs + outputs).max(1) as f64;
                spread(shape, gain * variance.sqrt(), uniform, generator)
            }
            Kind::Kaiming {
                mode,
                gain,
                uniform,
            } => {
                let (inputs, outputs) = fans(&shape);
                let fan = match mode {
                    FanMode::In => inputs,
                    FanMode::Out => outputs,
                };
                spread(shape, gain / (fan.max(1) as f64).sqrt(), uniform, generator)
            }
            Kind::Orthogonal { gain } => orthogonal_rows(shape, gain, generator),
            Kind::Sparse { share, deviation } => sparse_columns(shape, share, deviation, generator),
            Kind::Dirac { groups } => identity_kernel(&shape, groups),
        }
    }
}

/// With this deviation, uniform or normal.
fn spread(shape: Shape, deviation: f64, uniform: bool, generator: &Generator) -> Tensor {
    match uniform {
        true => {
            let bound = 3.0_f64.sqrt() * deviation;
            generator.uniform(shape, -bound, bound)
        }
        false => generator.normal(shape, 0.0, deviation),
    }
}

/// By the inverse of the normal distribution function: uniform between its values at the bounds.
fn truncated(
    shape: Shape,
    mean: f64,
    deviation: f64,
    (low, high): (f64, f64),
    generator: &Generator,
) -> Tensor {
    let share = |bound: f64| {
        let scaled = (bound - mean) / (deviation * 2.0_f64.sqrt());
        Tensor::from(scaled).erf().item::<f64>()
    };
    let between = generator.uniform(shape, share(low), share(high));
    let drawn = between.erfinv() * (deviation * 2.0_f64.sqrt()) + mean;
    drawn.clamp(low, high)
}

#[track_caller]
fn orthogonal_rows(shape: Shape, gain: f64, generator: &Generator) -> Tensor {
    let (inputs, _) = fans(&shape);
    let (rows, columns) = (shape[0], inputs);
    let (long, short) = (rows.max(columns), rows.min(columns));
    let (q, r) = generator.normal([long, short], 0.0, 1.0).qr();
    // With the signs of R's diagonal the matrix is spread evenly over all orthogonal ones (Mezzadri 2007).
    let signs = (r * Tensor::eye(short)).sum(0).sign();
    let q = q * signs;
    let matrix = if rows < columns { q.t() } else { q };
    matrix.reshape(shape) * gain
}

#[track_caller]
fn sparse_columns(shape: Shape, share: f64, deviation: f64, generator: &Generator) -> Tensor {
    let &[rows, columns] = &shape[..] else {
        let message = format!("sparse initialisation: a matrix is needed, the shape is {shape}");
        raise(Error::new(ErrorKind::Shape, message));
    };
    let zeros = (share * rows as f64).ceil() as usize;
    let mut kept = vec![true; rows * columns];
    for column in 0..columns {
        let order = generator.permutation(rows).to_vec::<i64>();
        for &row in &order[..zeros.min(rows)] {
            kept[row as usize * columns + column] = false;
        }
    }
    let drawn = generator.normal([rows, columns], 0.0, deviation);
    let kept = Tensor::from(kept).reshape(drawn.shape().clone());
    kept.where_(&drawn, drawn.zeros_like())
}

#[track_caller]
fn identity_kernel(shape: &Shape, groups: usize) -> Tensor {
    let suits = (3..=5).contains(&shape.len()) && groups > 0 && shape[0].is_multiple_of(groups);
    if !suits {
        let message = format!(
            "dirac initialisation: a weight [outputs, inputs, kernel..] with one to three axes of the kernel, and outputs that \
             {groups} groups divide, is needed; the shape is {shape}"
        );
        raise(Error::new(ErrorKind::Shape, message));
    }
    let outputs = shape[0] / groups;
    Tensor::from_fn(shape.clone(), |index| {
        let is_middle = index[2..]
            .iter()
            .zip(&shape[2..])
            .all(|(at, extent)| *at == extent / 2);
        let same_channel = index[0] % outputs == index[1];
        f64::from(u8::from(is_middle && same_channel))
    })
}
