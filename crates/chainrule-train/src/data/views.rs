//! Data sets made of other data sets: mapped, chosen from, put one behind the other.

use super::{DataError, Dataset, collate};
use chainrule_core::Tree;

/// What [`Dataset::map`] returns.
#[derive(Clone, Debug)]
pub struct Map<D, F> {
    dataset: D,
    f: F,
}

impl<D, F> Map<D, F> {
    pub(crate) fn new(dataset: D, f: F) -> Map<D, F> {
        Map { dataset, f }
    }
}

impl<D, E, F> Dataset for Map<D, F>
where
    D: Dataset,
    E: Tree + Send + 'static,
    F: Fn(D::Example) -> E + Send + Sync,
{
    type Example = E;

    fn len(&self) -> usize {
        self.dataset.len()
    }

    fn get(&self, index: usize) -> Result<E, DataError> {
        Ok((self.f)(self.dataset.get(index)?))
    }
}

/// What [`Dataset::subset`] and [`Dataset::split`] return.
#[derive(Clone, Debug)]
pub struct Subset<D> {
    dataset: D,
    indices: Vec<usize>,
}

impl<D: Dataset> Subset<D> {
    pub(crate) fn new(dataset: D, indices: Vec<usize>) -> Result<Subset<D>, DataError> {
        let len = dataset.len();
        match indices.iter().find(|&&index| index >= len) {
            Some(&index) => Err(DataError::Index { index, len }),
            None => Ok(Subset { dataset, indices }),
        }
    }

    /// The numbers of the examples in the whole data set.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }

    fn whole(&self, index: usize) -> Result<usize, DataError> {
        let len = self.indices.len();
        let there = self.indices.get(index).copied();
        there.ok_or(DataError::Index { index, len })
    }
}

impl<D: Dataset> Dataset for Subset<D> {
    type Example = D::Example;

    fn len(&self) -> usize {
        self.indices.len()
    }

    fn get(&self, index: usize) -> Result<D::Example, DataError> {
        self.dataset.get(self.whole(index)?)
    }

    fn batch(&self, indices: &[usize]) -> Result<D::Example, DataError> {
        let whole: Result<Vec<usize>, DataError> =
            indices.iter().map(|&index| self.whole(index)).collect();
        self.dataset.batch(&whole?)
    }
}

/// What [`Dataset::concat`] returns.
#[derive(Clone, Debug)]
pub struct Concat<A, B> {
    first: A,
    second: B,
}

impl<A, B> Concat<A, B> {
    pub(crate) fn new(first: A, second: B) -> Concat<A, B> {
        Concat { first, second }
    }
}

impl<A: Dataset, B: Dataset<Example = A::Example>> Dataset for Concat<A, B> {
    type Example = A::Example;

    fn len(&self) -> usize {
        self.first.len() + self.second.len()
    }

    fn get(&self, index: usize) -> Result<A::Example, DataError> {
        match index.checked_sub(self.first.len()) {
            None => self.first.get(index),
            Some(behind) if behind < self.second.len() => self.second.get(behind),
            Some(_) => {
                let len = self.len();
                Err(DataError::Index { index, len })
            }
        }
    }

    fn batch(&self, indices: &[usize]) -> Result<A::Example, DataError> {
        let boundary = self.first.len();
        if indices.iter().all(|&index| index < boundary) {
            return self.first.batch(indices);
        }
        if indices.iter().all(|&index| index >= boundary) {
            let behind: Vec<usize> = indices.iter().map(|index| index - boundary).collect();
            return self.second.batch(&behind);
        }
        // Both parts as fast as they can, then into the order that was asked for.
        let (front, back): (Vec<usize>, Vec<usize>) =
            (0..indices.len()).partition(|&at| indices[at] < boundary);
        let here: Vec<usize> = front.iter().map(|&at| indices[at]).collect();
        let there: Vec<usize> = back.iter().map(|&at| indices[at] - boundary).collect();
        let parts = (self.first.batch(&here)?, self.second.batch(&there)?);
        let mut places = vec![0; indices.len()];
        for (row, &at) in front.iter().chain(&back).enumerate() {
            places[at] = row;
        }
        collate::rows_of_both(&parts.0, &parts.1, &places)
    }
}
