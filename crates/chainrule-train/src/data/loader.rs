//! The loader: batches of a data set, epoch after epoch, made in the background.

use super::dataset::{examples, guarded};
use super::workers::{Work, Workers};
use super::{BatchSampler, DataError, Dataset, Random, Sampler, Sequential, Shuffled};
use chainrule_core::{Tree, evaluate, tree};
use std::sync::Arc;

/// What identifies a batch: all that its content may depend on.
struct Job<'a> {
    seed: u64,
    epoch: u64,
    batch: usize,
    indices: &'a [usize],
}

type Make<B> = Arc<dyn Fn(&Job<'_>) -> Result<B, DataError> + Send + Sync>;

/// Batches of a data set.
///
/// The batches of an epoch, random augmentation included, are a function of the data set, the seed and the epoch: they do
/// not depend on the number of threads or on whether the run was interrupted.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_train::data::{Loader, TensorDataset};
/// let images = Tensor::arange(40).reshape([10, 4]);
/// let data = TensorDataset::new((images, Tensor::arange(10)))?;
/// let loader = Loader::new(data, 4)?.shuffle(7).workers(2);
/// for epoch in 0..2 {
///     for batch in loader.epoch(epoch) {
///         let (images, labels) = batch?;
///         assert_eq!(images.shape()[0], labels.shape()[0]);
///     }
/// }
/// assert_eq!(loader.len(), 3);
/// // A run that was interrupted after two batches of the second epoch goes on with the third:
/// assert_eq!(loader.epoch(1).skip_to(2).count(), 1);
/// # Ok::<(), chainrule_train::data::DataError>(())
/// ```
pub struct Loader<B> {
    make: Make<B>,
    batches: BatchSampler<Arc<dyn Sampler>>,
    examples: usize,
    seed: u64,
    workers: usize,
    prefetch: usize,
}

impl<B> Clone for Loader<B> {
    /// Another handle to the same data.
    fn clone(&self) -> Loader<B> {
        Loader {
            make: Arc::clone(&self.make),
            batches: self.batches.clone(),
            ..*self
        }
    }
}

impl<E: Tree + Send + 'static> Loader<E> {
    /// Batches of `batch_size` examples in the order of the data set, made by one thread in the background.
    ///
    /// # Errors
    /// When the data set is empty or `batch_size` is 0.
    pub fn new<D>(dataset: D, batch_size: usize) -> Result<Loader<E>, DataError>
    where
        D: Dataset<Example = E> + 'static,
    {
        let len = dataset.len();
        Loader::made(len, batch_size, move |job| dataset.batch(job.indices))
    }
}

impl<B: Tree + Send + 'static> Loader<B> {
    /// Like [`new`](Loader::new), from examples that are first prepared one by one (decoded, cropped, with random numbers
    /// of their own) and then put together by `collate`, which gets them in order.
    ///
    /// ```
    /// use chainrule_core::{tensor, Tensor};
    /// use chainrule_train::data::{pad, Dataset, DataError, Loader};
    /// /// Countdowns from 1, from 2, from 3.
    /// struct Countdowns;
    /// impl Dataset for Countdowns {
    ///     type Example = Tensor;
    ///     fn len(&self) -> usize { 3 }
    ///     fn get(&self, index: usize) -> Result<Tensor, DataError> {
    ///         Ok(Tensor::from((0..=index as i64).rev().collect::<Vec<i64>>()))
    ///     }
    /// }
    /// let prepare = |sequence: Tensor, _random: &mut _| Ok(sequence + 1);
    /// let loader = Loader::from_examples(Countdowns, 2, prepare, |sequences| pad(&sequences, 0.0))?;
    /// let (batch, lengths) = loader.epoch(0).next().unwrap()?;
    /// assert_eq!(batch.to_vec::<i64>(), [1, 0, 2, 1]);
    /// assert_eq!(lengths.to_vec::<i64>(), [1, 2]);
    /// # Ok::<(), DataError>(())
    /// ```
    ///
    /// # Errors
    /// When the data set is empty or `batch_size` is 0.
    pub fn from_examples<D, E>(
        dataset: D,
        batch_size: usize,
        prepare: impl Fn(D::Example, &mut Random) -> Result<E, DataError> + Send + Sync + 'static,
        collate: impl Fn(Vec<E>) -> Result<B, DataError> + Send + Sync + 'static,
    ) -> Result<Loader<B>, DataError>
    where
        D: Dataset + 'static,
    {
        let len = dataset.len();
        Loader::made(len, batch_size, move |job| {
            let prepared: Result<Vec<E>, DataError> = examples(&dataset, job.indices)?
                .into_iter()
                .enumerate()
                .map(|(at, example)| {
                    // The place in the epoch, not the number: a weighted sampler draws examples repeatedly.
                    let numbers = [job.seed, job.epoch, job.batch as u64, at as u64];
                    guarded(|| prepare(example, &mut Random::at(&numbers)))
                        .map_err(|error| error.in_example(job.indices[at]))
                })
                .collect();
            collate(prepared?)
        })
    }

    fn made(
        examples: usize,
        batch_size: usize,
        make: impl Fn(&Job<'_>) -> Result<B, DataError> + Send + Sync + 'static,
    ) -> Result<Loader<B>, DataError> {
        if examples == 0 {
            return Err(DataError::Empty("the data set".to_owned()));
        }
        if batch_size == 0 {
            let message = "Loader: the batch size is 0; it is at least 1".to_owned();
            return Err(DataError::Argument(message));
        }
        let sampler: Arc<dyn Sampler> = Arc::new(Sequential { len: examples });
        Ok(Loader {
            make: Arc::new(make),
            batches: BatchSampler {
                sampler,
                batch_size,
                drop_last: false,
            },
            examples,
            seed: 0,
            workers: 1,
            prefetch: 2,
        })
    }

    /// Shuffles anew in each epoch, in orders that `seed` decides; random numbers of augmentation follow it too.
    pub fn shuffle(mut self, seed: u64) -> Loader<B> {
        self.seed = seed;
        self.batches.sampler = Arc::new(Shuffled {
            len: self.examples,
            seed,
        });
        self
    }

    /// The seed of the random numbers of augmentation, without shuffling.
    pub fn seed(mut self, seed: u64) -> Loader<B> {
        self.seed = seed;
        self
    }

    /// Takes the examples in the order that `sampler` says.
    pub fn sampler(mut self, sampler: impl Sampler + 'static) -> Loader<B> {
        self.batches.sampler = Arc::new(sampler);
        self
    }

    /// Leaves out the last batch of an epoch when it is smaller than the others.
    pub fn drop_last(mut self, drop_last: bool) -> Loader<B> {
        self.batches.drop_last = drop_last;
        self
    }

    /// How many threads make batches in the background; with 0 they are made when they are asked for.
    pub fn workers(mut self, workers: usize) -> Loader<B> {
        self.workers = workers;
        self
    }

    /// How many batches may be ready or in the making before they are asked for, at least 1.
    pub fn prefetch(mut self, batches: usize) -> Loader<B> {
        self.prefetch = batches.max(1);
        self
    }

    /// The loader of what `f` makes of each batch, in the background; its random numbers follow the seed, the epoch and
    /// the batch.
    ///
    /// ```
    /// use chainrule_core::{tensor, Tensor};
    /// use chainrule_train::data::{Loader, TensorDataset};
    /// let data = TensorDataset::new(Tensor::zeros([6, 2]))?;
    /// let noisy = Loader::new(data, 3)?.seed(5).map(|batch, random| batch + random.normal());
    /// let first = |epoch| noisy.epoch(epoch).next().unwrap().unwrap().to_vec::<f32>();
    /// assert_eq!(first(0), first(0));
    /// assert_ne!(first(0), first(1));
    /// # Ok::<(), chainrule_train::data::DataError>(())
    /// ```
    pub fn map<C, F>(self, f: F) -> Loader<C>
    where
        C: Tree + Send + 'static,
        F: Fn(B, &mut Random) -> C + Send + Sync + 'static,
    {
        let make = self.make;
        let mapped = move |job: &Job<'_>| {
            let batch = make(job)?;
            // Another length than the numbers of an example have, hence other random numbers.
            let mut random = Random::at(&[job.seed, job.epoch, job.batch as u64]);
            Ok(f(batch, &mut random))
        };
        Loader {
            make: Arc::new(mapped),
            batches: self.batches,
            examples: self.examples,
            seed: self.seed,
            workers: self.workers,
            prefetch: self.prefetch,
        }
    }

    /// How many batches an epoch has.
    pub fn len(&self) -> usize {
        self.batches.len()
    }

    /// Whether epochs have no batches: all examples together are fewer than a batch, and the last one is dropped.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many examples a whole batch has.
    pub fn batch_size(&self) -> usize {
        self.batches.batch_size
    }

    /// How many examples an epoch has; without those of a dropped last batch.
    pub fn examples(&self) -> usize {
        match self.batches.drop_last {
            true => self.len() * self.batch_size(),
            false => self.batches.sampler.len(),
        }
    }

    /// The batches of an epoch, in order.
    ///
    /// A batch that cannot be made is an `Err` in its place; the ones behind it follow. The threads start with the first
    /// batch that is asked for and stop when the iterator is dropped.
    pub fn epoch(&self, epoch: u64) -> Batches<B> {
        let batches: Arc<[Vec<usize>]> = self.batches.batches(epoch).into();
        let (make, seed, count) = (Arc::clone(&self.make), self.seed, batches.len());
        let work = move |batch: usize| {
            let indices = &batches[batch];
            let job = Job {
                seed,
                epoch,
                batch,
                indices,
            };
            made(&make, &job)
        };
        Batches {
            work: Arc::new(work),
            running: None,
            next: 0,
            count,
            workers: self.workers,
            prefetch: self.prefetch,
        }
    }
}

/// The batch, with its values computed; errors say which batch or example they are of.
fn made<B: Tree>(make: &Make<B>, job: &Job<'_>) -> Result<B, DataError> {
    let made = guarded(|| {
        let batch = make(job)?;
        evaluate(&tree::leaves(&batch));
        Ok(batch)
    });
    made.map_err(|error| match error {
        DataError::Example { .. } => error,
        other => DataError::Batch {
            batch: job.batch,
            examples: listed(job.indices),
            source: Box::new(other),
        },
    })
}

fn listed(indices: &[usize]) -> String {
    let shown: Vec<String> = indices.iter().take(8).map(usize::to_string).collect();
    match indices.len() > 8 {
        true => format!("{}, .., {} in all", shown.join(", "), indices.len()),
        false => shown.join(", "),
    }
}

/// The batches of one epoch; see [`Loader::epoch`].
pub struct Batches<B> {
    work: Work<Result<B, DataError>>,
    running: Option<Workers<Result<B, DataError>>>,
    next: usize,
    count: usize,
    workers: usize,
    prefetch: usize,
}

impl<B> Batches<B> {
    /// Leaves out the batches before the one with this number, without making them.
    ///
    /// (The iterator's own `skip` would make them and throw them away.)
    pub fn skip_to(mut self, batch: usize) -> Batches<B> {
        self.running = None;
        self.next = batch.min(self.count);
        self
    }

    /// The number of the batch that comes next, from 0.
    pub fn position(&self) -> usize {
        self.next
    }
}

impl<B: Send + 'static> Iterator for Batches<B> {
    type Item = Result<B, DataError>;

    fn next(&mut self) -> Option<Result<B, DataError>> {
        if self.next == self.count {
            self.running = None;
            return None;
        }
        let batch = self.next;
        self.next += 1;
        if self.workers == 0 {
            return Some((self.work)(batch));
        }
        let (count, threads, ahead) = (self.count, self.workers, self.prefetch);
        let running = self.running.get_or_insert_with(|| {
            Workers::start(Arc::clone(&self.work), batch, count, threads, ahead)
        });
        Some(running.take().unwrap_or_else(|| (self.work)(batch)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.count - self.next;
        (left, Some(left))
    }
}

impl<B: Send + 'static> ExactSizeIterator for Batches<B> {}
