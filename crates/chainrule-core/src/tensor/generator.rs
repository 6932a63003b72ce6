//! Generators: streams of random numbers, explicit ones and a default one for each thread.

use super::{Like, Tensor, default_dtype};
use crate::declare::{OperationRef, operation};
use crate::error::{Error, ErrorKind, raise};
use crate::primitives::random::{Distribution, Draw, derived_key};
use crate::shape::Shape;
use chainrule_kernels::DType;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A stream of random numbers: Philox4x32-10 with the seed as key.
///
/// A draw takes its place in the stream when it is called, and is computed when somebody looks; the numbers depend on
/// the seed and on the order of the calls only, never on threads or devices. A clone continues with the same numbers,
/// [`fork`](Generator::fork) with independent ones.
///
/// ```
/// use chainrule_core::Generator;
/// let generator = Generator::new(7);
/// let noise = generator.normal([2, 3], 0.0, 1.0);
/// let again = Generator::new(7).normal([2, 3], 0.0, 1.0);
/// assert_eq!(noise.to_vec::<f32>(), again.to_vec::<f32>());
/// ```
#[derive(Debug)]
pub struct Generator {
    key: u64,
    counter: AtomicU64,
}

impl Clone for Generator {
    fn clone(&self) -> Generator {
        Generator::from_state(self.state())
    }
}

impl Generator {
    /// A generator at the start of the stream that `seed` names.
    pub fn new(seed: u64) -> Generator {
        Generator::from_state((seed, 0))
    }

    /// The key and the counter of the next draw, to be stored and continued from.
    ///
    /// ```
    /// use chainrule_core::Generator;
    /// let generator = Generator::new(7);
    /// generator.uniform(5, 0.0, 1.0);
    /// let later = Generator::from_state(generator.state());
    /// assert_eq!(later.randint(0, 100, 4).to_vec::<i64>(), generator.randint(0, 100, 4).to_vec::<i64>());
    /// ```
    pub fn state(&self) -> (u64, u64) {
        (self.key, self.counter.load(Relaxed))
    }

    /// A generator that continues from a [`state`](Generator::state).
    pub fn from_state((key, counter): (u64, u64)) -> Generator {
        Generator {
            key,
            counter: AtomicU64::new(counter),
        }
    }

    /// A generator of independent numbers; this one moves on by one place.
    pub fn fork(&self) -> Generator {
        let counter = self.counter.fetch_add(1, Relaxed);
        Generator::new(derived_key(self.key, counter, u64::MAX - 1))
    }

    /// The state of the next draw of `draw`'s kind, which takes its place in the stream.
    fn next_state(&self, draw: &Draw) -> Tensor {
        let elements = draw.shape.checked_elements().unwrap_or(0);
        let blocks = draw.distribution.blocks(elements, draw.dtype).max(1);
        let counter = self.counter.fetch_add(blocks, Relaxed);
        Tensor::from_vec(vec![self.key as i64, counter as i64], 2)
    }

    #[track_caller]
    fn draw(&self, distribution: Distribution, shape: Shape, dtype: DType) -> Tensor {
        if shape.checked_elements().is_none() {
            let message = format!("random: a tensor of shape {shape} does not fit in any memory");
            raise(Error::new(ErrorKind::Memory, message));
        }
        let draw = Draw {
            distribution,
            shape,
            dtype,
        };
        let state = self.next_state(&draw);
        operation(draw).of(&[&state])
    }

    /// Numbers of the default dtype, equally likely between `low` and `high` (which rounding may reach).
    ///
    /// ```
    /// use chainrule_core::Generator;
    /// let x = Generator::new(1).uniform(100, -1.0, 1.0).to_vec::<f32>();
    /// assert!(x.iter().all(|x| (-1.0..=1.0).contains(x)));
    /// ```
    #[track_caller]
    pub fn uniform(&self, shape: impl Into<Shape>, low: f64, high: f64) -> Tensor {
        self.uniform_as(shape, low, high, default_dtype())
    }

    /// Like [`uniform`](Generator::uniform), of another floating dtype.
    ///
    /// # Panics
    /// When `dtype` is not a floating-point type.
    #[track_caller]
    pub fn uniform_as(&self, shape: impl Into<Shape>, low: f64, high: f64, dtype: DType) -> Tensor {
        floating_only("uniform", dtype);
        let unit = self.draw(Distribution::Uniform, shape.into(), dtype);
        if (low, high) == (0.0, 1.0) {
            return unit;
        }
        unit * (high - low) + low
    }

    /// Numbers of the default dtype from the normal distribution.
    ///
    /// ```
    /// use chainrule_core::Generator;
    /// let x = Generator::new(1).normal(10_000, 5.0, 0.1);
    /// let mean = x.sum(..).item::<f32>() / 10_000.0;
    /// assert!((mean - 5.0).abs() < 0.01);
    /// ```
    #[track_caller]
    pub fn normal(&self, shape: impl Into<Shape>, mean: f64, deviation: f64) -> Tensor {
        self.normal_as(shape, mean, deviation, default_dtype())
    }

    /// Like [`normal`](Generator::normal), of another floating dtype.
    ///
    /// # Panics
    /// When `dtype` is not a floating-point type.
    #[track_caller]
    pub fn normal_as(
        &self,
        shape: impl Into<Shape>,
        mean: f64,
        deviation: f64,
        dtype: DType,
    ) -> Tensor {
        floating_only("normal", dtype);
        let unit = self.draw(Distribution::Normal, shape.into(), dtype);
        if (mean, deviation) == (0.0, 1.0) {
            return unit;
        }
        unit * deviation + mean
    }

    /// 1 with the given probability, else 0. The probability is a number, which gives the default dtype, or a tensor that
    /// broadcasts against `shape`, whose dtype the result has.
    ///
    /// ```
    /// use chainrule_core::{tensor, Generator};
    /// let x = Generator::new(1).bernoulli(3, tensor![0.0, 1.0, 0.0]);
    /// assert_eq!(x.to_vec::<f32>(), [0.0, 1.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// When a number is not between 0 and 1, or the shapes do not broadcast.
    #[track_caller]
    pub fn bernoulli(&self, shape: impl Into<Shape>, probability: impl Like) -> Tensor {
        let unit = self.draw(Distribution::Uniform, shape.into(), DType::F32);
        let probability = probability.like(&unit);
        if let Some(number) = probability.known_fill()
            && !(0.0..=1.0).contains(&number)
        {
            let message =
                format!("bernoulli: the probability is {number}, not a number from 0 to 1");
            raise(Error::new(ErrorKind::Argument, message));
        }
        let dtype = match probability.dtype() {
            DType::F32 => default_dtype(),
            dtype => dtype,
        };
        unit.lt(probability.stop_gradient()).cast(dtype)
    }

    /// Integers (`i64`) from `low` to `high - 1`, equally likely.
    ///
    /// ```
    /// use chainrule_core::Generator;
    /// let dice = Generator::new(1).randint(1, 7, 100).to_vec::<i64>();
    /// assert!(dice.iter().all(|eyes| (1..7).contains(eyes)));
    /// ```
    ///
    /// # Panics
    /// When `low` is not less than `high`.
    #[track_caller]
    pub fn randint(&self, low: i64, high: i64, shape: impl Into<Shape>) -> Tensor {
        if low >= high {
            let message = format!("randint: there is no integer from {low} to below {high}");
            raise(Error::new(ErrorKind::Argument, message));
        }
        self.draw(
            Distribution::Integers { low, high },
            shape.into(),
            DType::I64,
        )
    }

    /// The integers (`i64`) from 0 to `count - 1` in random order, every order equally likely.
    ///
    /// ```
    /// use chainrule_core::Generator;
    /// let mut order = Generator::new(1).permutation(5).to_vec::<i64>();
    /// order.sort();
    /// assert_eq!(order, [0, 1, 2, 3, 4]);
    /// ```
    #[track_caller]
    pub fn permutation(&self, count: usize) -> Tensor {
        self.draw(Distribution::Permutation, Shape::from(count), DType::I64)
    }
}

#[track_caller]
fn floating_only(name: &str, dtype: DType) {
    if !dtype.is_floating() {
        let message = format!("{name}: {dtype} is not a floating-point type");
        raise(Error::new(ErrorKind::DType, message));
    }
}

/// Numbers threads in the order in which they first draw.
static THREADS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static DEFAULT: std::cell::RefCell<Generator> = {
        let thread = THREADS.fetch_add(1, Relaxed);
        let key = if thread == 0 { 0 } else { derived_key(0, thread, 0) };
        std::cell::RefCell::new(Generator::new(key))
    };
}

/// Restarts this thread's default generator from `seed`.
///
/// ```
/// use chainrule_core::{manual_seed, Tensor};
/// manual_seed(3);
/// let first = Tensor::uniform(4, 0.0, 1.0);
/// manual_seed(3);
/// assert_eq!(Tensor::uniform(4, 0.0, 1.0).to_vec::<f32>(), first.to_vec::<f32>());
/// ```
pub fn manual_seed(seed: u64) {
    DEFAULT.with_borrow_mut(|generator| *generator = Generator::new(seed));
}

/// A generator that goes on where this thread's default generator is; the default one stays there.
///
/// Its [state](Generator::state) is what a checkpoint keeps, so that a resumed run draws the same numbers.
///
/// ```
/// use chainrule_core::{default_generator, set_default_generator, Tensor};
/// let before = default_generator();
/// let first = Tensor::uniform(4, 0.0, 1.0);
/// set_default_generator(before);
/// assert_eq!(Tensor::uniform(4, 0.0, 1.0).to_vec::<f32>(), first.to_vec::<f32>());
/// ```
pub fn default_generator() -> Generator {
    DEFAULT.with_borrow(Generator::clone)
}

/// Lets `generator` be this thread's default generator.
pub fn set_default_generator(generator: Generator) {
    DEFAULT.set(generator);
}

/// The state of the next draw by this thread's default generator, if `operation` is a draw.
pub(crate) fn state_of_next_draw(operation: &OperationRef) -> Option<Tensor> {
    let draw = operation.declaration().downcast_ref::<Draw>()?;
    Some(DEFAULT.with_borrow(|generator| generator.next_state(draw)))
}

/// Draws by this thread's default generator, which starts from seed 0 unless [`manual_seed`](crate::manual_seed) said
/// otherwise; every further thread has a stream of its own.
impl Tensor {
    /// As [`Generator::uniform`], from the default generator.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::uniform([2, 3], -1.0, 1.0).shape().to_string(), "[2, 3]");
    /// ```
    #[track_caller]
    pub fn uniform(shape: impl Into<Shape>, low: f64, high: f64) -> Tensor {
        DEFAULT.with_borrow(|generator| generator.uniform(shape, low, high))
    }

    /// As [`Generator::normal`], from the default generator.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::normal([2, 3], 0.0, 1.0).shape().to_string(), "[2, 3]");
    /// ```
    #[track_caller]
    pub fn normal(shape: impl Into<Shape>, mean: f64, deviation: f64) -> Tensor {
        DEFAULT.with_borrow(|generator| generator.normal(shape, mean, deviation))
    }

    /// As [`Generator::bernoulli`], from the default generator.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::bernoulli(3, 1.0).to_vec::<f32>(), [1.0; 3]);
    /// ```
    ///
    /// # Panics
    /// When a number is not between 0 and 1, or the shapes do not broadcast.
    #[track_caller]
    pub fn bernoulli(shape: impl Into<Shape>, probability: impl Like) -> Tensor {
        DEFAULT.with_borrow(|generator| generator.bernoulli(shape, probability))
    }

    /// As [`Generator::randint`], from the default generator.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::randint(5, 6, 2).to_vec::<i64>(), [5, 5]);
    /// ```
    ///
    /// # Panics
    /// When `low` is not less than `high`.
    #[track_caller]
    pub fn randint(low: i64, high: i64, shape: impl Into<Shape>) -> Tensor {
        DEFAULT.with_borrow(|generator| generator.randint(low, high, shape))
    }

    /// As [`Generator::permutation`], from the default generator.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// assert_eq!(Tensor::permutation(1).to_vec::<i64>(), [0]);
    /// ```
    #[track_caller]
    pub fn permutation(count: usize) -> Tensor {
        DEFAULT.with_borrow(|generator| generator.permutation(count))
    }
}
