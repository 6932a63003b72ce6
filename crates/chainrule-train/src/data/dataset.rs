//! Data sets: numbered examples, each a tree of tensors.

use super::views::{Concat, Map, Subset};
use super::{DataError, Random, collate};
use chainrule_core::{Tensor, Tree, attempt, evaluate, tree};
use std::sync::Arc;

/// Numbered examples: most often `(Tensor, Tensor)`, an input and its target, but any tree of tensors.
///
/// A loader asks from several threads at once, so `get` takes `&self`. A data set that has its examples in memory
/// overrides [`batch`](Dataset::batch) with something faster than stacking one example after the other.
///
/// ```
/// use chainrule_core::{tensor, Tensor};
/// use chainrule_train::data::{DataError, Dataset};
/// /// The squares of the natural numbers.
/// struct Squares(usize);
/// impl Dataset for Squares {
///     type Example = (Tensor, Tensor);
///     fn len(&self) -> usize { self.0 }
///     fn get(&self, index: usize) -> Result<(Tensor, Tensor), DataError> {
///         let x = index as f32;
///         Ok((Tensor::from(x), Tensor::from(x * x)))
///     }
/// }
/// let (x, y) = Squares(10).batch(&[2, 3])?;
/// assert_eq!(x.to_vec::<f32>(), [2.0, 3.0]);
/// assert_eq!(y.to_vec::<f32>(), [4.0, 9.0]);
/// # Ok::<(), DataError>(())
/// ```
pub trait Dataset: Send + Sync {
    /// One example.
    type Example: Tree + Send + 'static;

    /// How many examples there are.
    fn len(&self) -> usize;

    /// The example with this number, from 0 on.
    ///
    /// # Errors
    /// When there is no such example, or it cannot be read.
    fn get(&self, index: usize) -> Result<Self::Example, DataError>;

    /// The examples with these numbers in this order, every tensor with a new first axis.
    ///
    /// # Errors
    /// When an example cannot be read (a panic in `get` is caught) or the examples do not fit together; the error says
    /// which example it is.
    fn batch(&self, indices: &[usize]) -> Result<Self::Example, DataError> {
        collate::stack_numbered(&examples(self, indices)?, indices)
    }

    /// Whether there are no examples.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The data set of what `f` makes of each example, when it is asked for.
    ///
    /// To change whole batches, which is faster, see [`Loader::map`](super::Loader::map).
    ///
    /// ```
    /// use chainrule_core::tensor;
    /// use chainrule_train::data::{Dataset, TensorDataset};
    /// let data = TensorDataset::new(tensor![1.0, 2.0])?.map(|x| x * 10.0);
    /// assert_eq!(data.get(1)?.item::<f32>(), 20.0);
    /// # Ok::<(), chainrule_train::data::DataError>(())
    /// ```
    fn map<E, F>(self, f: F) -> Map<Self, F>
    where
        Self: Sized,
        E: Tree + Send + 'static,
        F: Fn(Self::Example) -> E + Send + Sync,
    {
        Map::new(self, f)
    }

    /// The examples with these numbers, in this order; a number may occur more than once.
    ///
    /// # Errors
    /// When a number is not that of an example.
    fn subset(self, indices: Vec<usize>) -> Result<Subset<Self>, DataError>
    where
        Self: Sized,
    {
        Subset::new(self, indices)
    }

    /// Two data sets without common examples, chosen at random by `seed`; `fraction` of them, rounded, are in the first.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// use chainrule_train::data::{Dataset, TensorDataset};
    /// let (training, validation) = TensorDataset::new(Tensor::zeros([50, 3]))?.split(0.9, 1)?;
    /// assert_eq!((training.len(), validation.len()), (45, 5));
    /// # Ok::<(), chainrule_train::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// When `fraction` is not between 0 and 1.
    fn split(self, fraction: f64, seed: u64) -> Result<Halves<Self>, DataError>
    where
        Self: Sized,
    {
        if !(0.0..=1.0).contains(&fraction) {
            let message = format!("split: the fraction is {fraction}, not between 0 and 1");
            return Err(DataError::Argument(message));
        }
        let mut first = Random::new(seed).permutation(self.len());
        let second = first.split_off((self.len() as f64 * fraction).round() as usize);
        let whole = Arc::new(self);
        Ok((
            Subset::new(Arc::clone(&whole), first)?,
            Subset::new(whole, second)?,
        ))
    }

    /// The examples of this data set, then those of `other`.
    fn concat<D: Dataset<Example = Self::Example>>(self, other: D) -> Concat<Self, D>
    where
        Self: Sized,
    {
        Concat::new(self, other)
    }
}

/// What [`Dataset::split`] returns: two parts of one data set.
pub type Halves<D> = (Subset<Arc<D>>, Subset<Arc<D>>);

/// The examples with these numbers, each error and panic with the number of its example.
pub(crate) fn examples<D: Dataset + ?Sized>(
    dataset: &D,
    indices: &[usize],
) -> Result<Vec<D::Example>, DataError> {
    indices
        .iter()
        .map(|&index| guarded(|| dataset.get(index)).map_err(|error| error.in_example(index)))
        .collect()
}

/// What `work` returns, a panic as an error.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, DataError>) -> Result<T, DataError> {
    attempt(work).unwrap_or_else(|error| Err(DataError::Panic(error.to_string())))
}

impl<D: Dataset + ?Sized> Dataset for Arc<D> {
    type Example = D::Example;

    fn len(&self) -> usize {
        (**self).len()
    }

    fn get(&self, index: usize) -> Result<D::Example, DataError> {
        (**self).get(index)
    }

    fn batch(&self, indices: &[usize]) -> Result<D::Example, DataError> {
        (**self).batch(indices)
    }
}

impl<D: Dataset + ?Sized> Dataset for Box<D> {
    type Example = D::Example;

    fn len(&self) -> usize {
        (**self).len()
    }

    fn get(&self, index: usize) -> Result<D::Example, DataError> {
        (**self).get(index)
    }

    fn batch(&self, indices: &[usize]) -> Result<D::Example, DataError> {
        (**self).batch(indices)
    }
}

/// Examples in memory: a tree of tensors whose first axes are the examples.
///
/// A batch is made by gathering rows, which costs little more than copying them.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_train::data::{Dataset, TensorDataset};
/// let inputs = tensor![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
/// let data = TensorDataset::new((inputs, tensor![0, 1, 0]))?;
/// assert_eq!(data.len(), 3);
/// let (x, label) = data.get(1)?;
/// assert_eq!(x.to_vec::<f32>(), [3.0, 4.0]);
/// let (_, labels) = data.batch(&[2, 1])?;
/// assert_eq!(labels.to_vec::<i64>(), [0, 1]);
/// # Ok::<(), chainrule_train::data::DataError>(())
/// ```
#[derive(Clone, Debug)]
pub struct TensorDataset<T> {
    tensors: T,
    len: usize,
}

impl<T: Tree + Send + Sync + 'static> TensorDataset<T> {
    /// The rows of `tensors`. They are computed here if they are not yet.
    ///
    /// # Errors
    /// When there is no tensor, one has no axes, or their first axes differ.
    pub fn new(tensors: T) -> Result<TensorDataset<T>, DataError> {
        let mut len = None;
        for (name, tensor) in tree::named_leaves(&tensors) {
            let Some(&rows) = tensor.shape().first() else {
                let message = format!(
                    "TensorDataset: tensor `{name}` has no axes; its first axis would be the examples"
                );
                return Err(DataError::Argument(message));
            };
            let (expected, first) = len.get_or_insert_with(|| (rows, name.clone()));
            if rows != *expected {
                let message = format!(
                    "TensorDataset: tensor `{first}` has {expected} examples, `{name}` has {rows} (shape {})",
                    tensor.shape()
                );
                return Err(DataError::Argument(message));
            }
        }
        let Some((len, _)) = len else {
            let message = "TensorDataset: there are no tensors".to_owned();
            return Err(DataError::Argument(message));
        };
        evaluate(&tree::leaves(&tensors));
        Ok(TensorDataset { tensors, len })
    }

    /// All examples at once.
    pub fn tensors(&self) -> &T {
        &self.tensors
    }
}

impl<T: Tree + Send + Sync + 'static> Dataset for TensorDataset<T> {
    type Example = T;

    fn len(&self) -> usize {
        self.len
    }

    fn get(&self, index: usize) -> Result<T, DataError> {
        let len = self.len;
        if index >= len {
            return Err(DataError::Index { index, len });
        }
        let row = |tensor: &Tensor| tensor.narrow(0, index, 1).squeeze(0);
        Ok(tree::mapped(&self.tensors, row))
    }

    fn batch(&self, indices: &[usize]) -> Result<T, DataError> {
        let len = self.len;
        if let Some(&index) = indices.iter().find(|&&index| index >= len) {
            return Err(DataError::Index { index, len });
        }
        let rows: Vec<i64> = indices.iter().map(|&index| index as i64).collect();
        let rows = Tensor::from(rows);
        Ok(tree::mapped(&self.tensors, |tensor| {
            tensor.index_select(0, &rows)
        }))
    }
}
