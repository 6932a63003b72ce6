//! Where batches come from.

use crate::data::{DataError, Loader};
use chainrule_core::Tree;

/// Batches, epoch after epoch. The batches of an epoch are a function of its number, so that a resumed run sees those that
/// it would have seen: a [`Loader`] is one, [`Generated`] makes them of their number.
pub trait Source<B> {
    /// How many batches an epoch has.
    fn batches(&self) -> usize;

    /// The batches of an epoch from the one numbered `first` on, both counted from 0.
    fn from(&self, epoch: u64, first: usize)
    -> Box<dyn Iterator<Item = Result<B, DataError>> + '_>;
}

impl<B: Tree + Send + 'static> Source<B> for Loader<B> {
    fn batches(&self) -> usize {
        self.len()
    }

    fn from(
        &self,
        epoch: u64,
        first: usize,
    ) -> Box<dyn Iterator<Item = Result<B, DataError>> + '_> {
        Box::new(self.epoch(epoch).skip_to(first))
    }
}

impl<B, S: Source<B> + ?Sized> Source<B> for &S {
    fn batches(&self) -> usize {
        (**self).batches()
    }

    fn from(
        &self,
        epoch: u64,
        first: usize,
    ) -> Box<dyn Iterator<Item = Result<B, DataError>> + '_> {
        (**self).from(epoch, first)
    }
}

/// Batches that a function makes of their number, as for tasks whose examples are drawn afresh.
///
/// ```
/// use chainrule_core::{Generator, Tensor};
/// use chainrule_train::trainer::{Generated, Source};
/// let batches = Generated::new(100, |number| Generator::new(number).uniform([16, 2], 0.0, 1.0));
/// assert_eq!(Source::<Tensor>::batches(&batches), 100);
/// let (first, again) = (batches.from(1, 7).next().unwrap()?, batches.from(1, 7).next().unwrap()?);
/// assert_eq!(first.to_vec::<f32>(), again.to_vec::<f32>());
/// # Ok::<(), chainrule_train::data::DataError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Generated<F> {
    batches: usize,
    make: F,
}

impl<F> Generated<F> {
    /// Epochs of `batches` batches; `make` is given the number of the batch in the whole run, from 0.
    pub fn new<B>(batches: usize, make: F) -> Generated<F>
    where
        F: Fn(u64) -> B,
    {
        Generated { batches, make }
    }
}

impl<B, F: Fn(u64) -> B> Source<B> for Generated<F> {
    fn batches(&self) -> usize {
        self.batches
    }

    fn from(
        &self,
        epoch: u64,
        first: usize,
    ) -> Box<dyn Iterator<Item = Result<B, DataError>> + '_> {
        let begin = epoch * self.batches as u64;
        let numbers = begin + first as u64..begin + self.batches as u64;
        Box::new(numbers.map(|number| Ok((self.make)(number))))
    }
}
