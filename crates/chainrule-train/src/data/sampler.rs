//! In which order examples come.

use super::{DataError, Random};
use std::sync::Arc;

/// The order of examples in each epoch.
///
/// An order is a function of the epoch alone, so a run that is resumed sees the examples it would have seen: it asks for
/// the same epoch and leaves out as many as it has had.
pub trait Sampler: Send + Sync {
    /// How many examples an epoch has.
    fn len(&self) -> usize;

    /// The numbers of the examples of this epoch, in order.
    fn order(&self, epoch: u64) -> Vec<usize>;

    /// Whether epochs have no examples.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<S: Sampler + ?Sized> Sampler for Arc<S> {
    fn len(&self) -> usize {
        (**self).len()
    }

    fn order(&self, epoch: u64) -> Vec<usize> {
        (**self).order(epoch)
    }
}

/// Every example once, in the order of the data set.
#[derive(Clone, Copy, Debug)]
pub struct Sequential {
    /// How many examples there are.
    pub len: usize,
}

impl Sampler for Sequential {
    fn len(&self) -> usize {
        self.len
    }

    fn order(&self, _epoch: u64) -> Vec<usize> {
        (0..self.len).collect()
    }
}

/// Every example once, in an order that the seed and the epoch decide.
///
/// ```
/// use chainrule_train::data::{Sampler, Shuffled};
/// let sampler = Shuffled { len: 100, seed: 7 };
/// assert_eq!(sampler.order(3), sampler.order(3));
/// assert_ne!(sampler.order(3), sampler.order(4));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Shuffled {
    /// How many examples there are.
    pub len: usize,
    /// Which orders.
    pub seed: u64,
}

impl Sampler for Shuffled {
    fn len(&self) -> usize {
        self.len
    }

    fn order(&self, epoch: u64) -> Vec<usize> {
        Random::at(&[self.seed, epoch]).permutation(self.len)
    }
}

/// Only these examples, each once, shuffled by the seed and the epoch if there is a seed.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The examples' numbers.
    pub indices: Vec<usize>,
    /// Which orders; `None` leaves them as they are.
    pub seed: Option<u64>,
}

impl Sampler for Chosen {
    fn len(&self) -> usize {
        self.indices.len()
    }

    fn order(&self, epoch: u64) -> Vec<usize> {
        let mut order = self.indices.clone();
        if let Some(seed) = self.seed {
            Random::at(&[seed, epoch]).shuffle(&mut order);
        }
        order
    }
}

/// Examples drawn with replacement, in proportion to weights: rare classes can be made to come as often as common ones.
///
/// ```
/// use chainrule_train::data::{Sampler, Weighted};
/// let sampler = Weighted::new(&[0.0, 3.0, 1.0], 1000, 7)?;
/// let ones = sampler.order(0).into_iter().filter(|&index| index == 1).count();
/// assert!((650..850).contains(&ones));
/// # Ok::<(), chainrule_train::data::DataError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Weighted {
    /// The sums of the weights up to and with each example.
    cumulative: Vec<f64>,
    len: usize,
    seed: u64,
}

impl Weighted {
    /// Epochs of `len` draws; `weights` has one number for each example.
    ///
    /// # Errors
    /// When a weight is negative or not finite, or all are 0.
    pub fn new(weights: &[f64], len: usize, seed: u64) -> Result<Weighted, DataError> {
        let mut sum = 0.0;
        let mut cumulative = Vec::with_capacity(weights.len());
        for (index, &weight) in weights.iter().enumerate() {
            if !(weight >= 0.0 && weight.is_finite()) {
                let message = format!(
                    "Weighted: the weight of example {index} is {weight}, not a number from 0 on"
                );
                return Err(DataError::Argument(message));
            }
            sum += weight;
            cumulative.push(sum);
        }
        if sum == 0.0 || !f64::is_finite(sum) {
            let message = format!("Weighted: the weights add up to {sum}, so nothing can be drawn");
            return Err(DataError::Argument(message));
        }
        Ok(Weighted {
            cumulative,
            len,
            seed,
        })
    }
}

impl Sampler for Weighted {
    fn len(&self) -> usize {
        self.len
    }

    fn order(&self, epoch: u64) -> Vec<usize> {
        let mut random = Random::at(&[self.seed, epoch]);
        let sum = self.cumulative.last().copied().unwrap_or(0.0);
        let mut draw = || {
            let point = random.unit() * sum;
            self.cumulative.partition_point(|&end| end <= point)
        };
        (0..self.len).map(|_| draw()).collect()
    }
}

/// An order in which each row of a batch continues the same row of the batch before: the data set is cut into as many
/// equal pieces as a batch has rows, read side by side. What is left over at the end is left out.
///
/// For recurrent networks whose state goes on from batch to batch, over windows that do not overlap.
///
/// ```
/// use chainrule_train::data::{Continued, Sampler};
/// assert_eq!(Continued { len: 7, batch_size: 2 }.order(0), [0, 3, 1, 4, 2, 5]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Continued {
    /// How many examples there are.
    pub len: usize,
    /// How many make a batch, at least 1.
    pub batch_size: usize,
}

impl Sampler for Continued {
    fn len(&self) -> usize {
        self.len / self.batch_size * self.batch_size
    }

    fn order(&self, _epoch: u64) -> Vec<usize> {
        let piece = self.len / self.batch_size;
        let batch = |step: usize| (0..self.batch_size).map(move |row| row * piece + step);
        (0..piece).flat_map(batch).collect()
    }
}

/// Cuts the order of a sampler into batches.
///
/// ```
/// use chainrule_train::data::{BatchSampler, Sequential};
/// let batches = BatchSampler { sampler: Sequential { len: 5 }, batch_size: 2, drop_last: false };
/// assert_eq!(batches.batches(0), [vec![0, 1], vec![2, 3], vec![4]]);
/// ```
#[derive(Clone, Debug)]
pub struct BatchSampler<S> {
    /// The order of the examples.
    pub sampler: S,
    /// How many make a batch, at least 1.
    pub batch_size: usize,
    /// Whether the last batch is left out when it is smaller than the others.
    pub drop_last: bool,
}

impl<S: Sampler> BatchSampler<S> {
    /// How many batches an epoch has.
    pub fn len(&self) -> usize {
        match self.drop_last {
            true => self.sampler.len() / self.batch_size,
            false => self.sampler.len().div_ceil(self.batch_size),
        }
    }

    /// Whether epochs have no batches.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The examples of each batch of this epoch.
    pub fn batches(&self, epoch: u64) -> Vec<Vec<usize>> {
        let order = self.sampler.order(epoch);
        let batches = order.chunks(self.batch_size).take(self.len());
        batches.map(<[usize]>::to_vec).collect()
    }
}
