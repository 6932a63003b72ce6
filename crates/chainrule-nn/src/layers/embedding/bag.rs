//! Sums, means and maxima of rows of a table.

use super::rows::{Rows, check_indices};
use super::table::{check_entry, check_table, without_row};
use crate::scope::layer_scope;
use crate::{Layer, Parameter};
use chainrule_core::error::raise;
use chainrule_core::{Error, ErrorKind, Shape, Tensor};
use chainrule_derive::Module;

/// What a bag's vectors are reduced to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BagReduction {
    /// Their sum.
    Sum,
    /// Their mean.
    Mean,
    /// The greatest number at each place; the gradient goes to the first of equals.
    Max,
}

/// An [`Embedding`](crate::Embedding) of bags: each bag of whole numbers becomes one vector, the sum, mean or maximum of the
/// vectors of its numbers. An empty bag becomes 0.
///
/// Bags `[bags, size]` to `[bags, width]` by [`forward`](Layer::forward), or bags of several sizes one behind the other,
/// `[all]`, by [`forward_offsets`](EmbeddingBag::forward_offsets).
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::{BagReduction, EmbeddingBag, Layer};
/// let table = tensor![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
/// let layer = EmbeddingBag::from_pretrained(table).reduction(BagReduction::Sum);
/// assert_eq!(layer.forward(tensor![[0, 2]]).to_vec::<f32>(), [6.0, 8.0]);
/// let y = layer.forward_offsets(&tensor![0, 2, 1], &tensor![0, 2], None);
/// assert_eq!(y.to_vec::<f32>(), [6.0, 8.0, 3.0, 4.0]);
/// ```
#[derive(Clone, Debug, Module)]
pub struct EmbeddingBag {
    /// `[entries, width]`.
    pub weight: Parameter,
    #[tree(fixed)]
    rows: Rows,
    #[tree(fixed)]
    reduction: BagReduction,
    last_offset: bool,
}

impl EmbeddingBag {
    /// A table of `entries` vectors of `width` numbers; bags become means.
    #[track_caller]
    pub fn new(entries: usize, width: usize) -> EmbeddingBag {
        EmbeddingBag::from_pretrained(Tensor::normal([entries, width], 0.0, 1.0))
    }

    /// The given table `[entries, width]`.
    ///
    /// # Panics
    /// When the table is not a matrix.
    #[track_caller]
    pub fn from_pretrained(table: Tensor) -> EmbeddingBag {
        check_table("embedding_bag", &table);
        EmbeddingBag {
            weight: Parameter::new(table),
            rows: Rows::plain(),
            reduction: BagReduction::Mean,
            last_offset: false,
        }
    }

    /// What bags become.
    pub fn reduction(self, reduction: BagReduction) -> EmbeddingBag {
        EmbeddingBag { reduction, ..self }
    }

    /// The entry that stands for nothing: bags are reduced as if it were not there. Its vector becomes 0.
    ///
    /// # Panics
    /// When there is no such entry.
    #[track_caller]
    pub fn padding(mut self, entry: usize) -> EmbeddingBag {
        check_entry("embedding_bag", &self.weight, entry);
        self.weight.set(without_row(&self.weight, entry));
        self.keep_padding(entry)
    }

    /// The entry that stands for nothing, without changing its vector.
    ///
    /// # Panics
    /// When there is no such entry.
    #[track_caller]
    pub fn keep_padding(mut self, entry: usize) -> EmbeddingBag {
        check_entry("embedding_bag", &self.weight, entry);
        self.rows.padding = Some(entry);
        self
    }

    /// Shortens long vectors: see [`Embedding::longest`](crate::Embedding::longest).
    pub fn longest(mut self, longest: f64, order: f64) -> EmbeddingBag {
        self.rows.longest = Some(longest);
        self.rows.order = order;
        self
    }

    /// The gradient of a vector is divided by the number of its uses in the input.
    pub fn scale_by_frequency(mut self) -> EmbeddingBag {
        self.rows.by_frequency = true;
        self
    }

    /// Offsets have one entry more: where the last bag ends.
    pub fn with_last_offset(self) -> EmbeddingBag {
        EmbeddingBag {
            last_offset: true,
            ..self
        }
    }

    /// Sums of bags `[bags, size]` in which each number's vector has the given factor, of the same shape.
    ///
    /// # Panics
    /// When the shapes differ, or the layer does not sum.
    #[track_caller]
    pub fn forward_weighted(&self, x: impl AsRef<Tensor>, factors: &Tensor) -> Tensor {
        layer_scope(self, || self.bags(x.as_ref(), None, Some(factors)))
    }

    /// Bags of several sizes one behind the other: numbers `[all]`, of which bag `i` begins at `offsets[i]`; where sums are
    /// made, optionally with a factor for each, `[all]`. The result is `[bags, width]`.
    ///
    /// # Panics
    /// When the offsets do not ascend from 0 to at most the number of numbers, or the factors do not fit.
    #[track_caller]
    pub fn forward_offsets(
        &self,
        x: impl AsRef<Tensor>,
        offsets: &Tensor,
        factors: Option<&Tensor>,
    ) -> Tensor {
        layer_scope(self, || {
            let x = x.as_ref();
            check_indices("embedding_bag", x);
            let bounds = self.bounds(x, offsets);
            let size = bounds.windows(2).map(|bag| bag[1] - bag[0]).max();
            let size = size.unwrap_or(0);
            // Bags of one size: what is missing of a bag is a number of another, which does not count.
            let last = x.elements().saturating_sub(1);
            let (mut places, mut counts) = (Vec::new(), Vec::new());
            for bag in bounds.windows(2) {
                for place in bag[0]..bag[0] + size {
                    places.push(place.min(last) as i64);
                    counts.push(u8::from(place < bag[1]));
                }
            }
            let shape = Shape::from([bounds.len() - 1, size]);
            let places = Tensor::from(places).to_device(x.device());
            let counts = Tensor::from_vec(counts, &shape).to_device(x.device());
            let in_bags = |values: &Tensor| values.index_select(0, &places).reshape(&shape);
            if let Some(factors) = factors
                && factors.shape() != x.shape()
            {
                refuse_factors(x, factors);
            }
            let factors = factors.map(in_bags);
            let given = Some((&counts.ne(0), x));
            self.bags(&in_bags(x), given, factors.as_ref())
        })
    }

    /// Where the bags begin, and behind them where the last ends.
    #[track_caller]
    fn bounds(&self, x: &Tensor, offsets: &Tensor) -> Vec<usize> {
        let complain = |problem: String| -> ! {
            raise(Error::new(
                ErrorKind::Argument,
                format!("embedding_bag: {problem}"),
            ))
        };
        if x.rank() != 1 || offsets.rank() != 1 {
            let (x, offsets) = (x.shape(), offsets.shape());
            complain(format!(
                "with offsets the layer takes numbers [all] and offsets [bags], not {x} and {offsets}"
            ));
        }
        check_indices("embedding_bag", offsets);
        let mut bounds = offsets.cast(chainrule_core::DType::I64).to_vec::<i64>();
        let all = x.elements() as i64;
        if !self.last_offset {
            bounds.push(all);
        }
        let ascending = bounds.windows(2).all(|pair| pair[0] <= pair[1]);
        if bounds.first() != Some(&0) || !ascending || bounds.last() > Some(&all) {
            complain(format!(
                "offsets must ascend from 0 to at most {all}, the number of numbers"
            ));
        }
        bounds.into_iter().map(|bound| bound as usize).collect()
    }

    /// The reduced bags `[bags, size]`; where bags were filled up, which of their numbers count, and the numbers before.
    #[track_caller]
    fn bags(
        &self,
        x: &Tensor,
        given: Option<(&Tensor, &Tensor)>,
        factors: Option<&Tensor>,
    ) -> Tensor {
        if x.rank() != 2 {
            let shape = x.shape();
            let message =
                format!("embedding_bag: the layer takes [bags, size], the input has shape {shape}");
            raise(Error::new(ErrorKind::Shape, message));
        }
        let mut rows = {
            let all = given.map_or(x, |(_, numbers)| numbers);
            self.rows.read("embedding_bag", &self.weight, x, all)
        };
        if let Some(factors) = factors {
            if self.reduction != BagReduction::Sum {
                let message = "embedding_bag: factors are for sums; use `BagReduction::Sum`";
                raise(Error::new(ErrorKind::Argument, message.to_owned()));
            }
            if factors.shape() != x.shape() {
                refuse_factors(x, factors);
            }
            rows *= factors.unsqueeze(-1);
        }
        let mut counted = x.ones_like().ne(0);
        if let Some((counts, _)) = given {
            counted = counted.logical_and(counts);
        }
        if let Some(padding) = self.rows.padding {
            counted = counted.logical_and(x.ne(padding as i32));
        }
        let counted = counted.unsqueeze(-1);
        match self.reduction {
            BagReduction::Sum => counted.where_(&rows, rows.zeros_like()).sum(1),
            BagReduction::Mean => {
                let sum = counted.where_(&rows, rows.zeros_like()).sum(1);
                sum / counted.cast(rows.dtype()).sum(1).maximum(1.0)
            }
            BagReduction::Max => greatest(&rows, &counted),
        }
    }
}

/// The greatest of those rows that count, 0 where none does.
#[track_caller]
fn greatest(rows: &Tensor, counted: &Tensor) -> Tensor {
    if rows.shape()[1] == 0 {
        return rows.sum(1);
    }
    let (greatest, _) = counted.where_(rows, f64::NEG_INFINITY).max_with_indices(1);
    let some = counted.any(1);
    some.where_(&greatest, greatest.zeros_like())
}

#[track_caller]
fn refuse_factors(x: &Tensor, factors: &Tensor) -> ! {
    let message = format!(
        "embedding_bag: the factors have shape {}, the numbers {}",
        factors.shape(),
        x.shape()
    );
    raise(Error::new(ErrorKind::Shape, message))
}

impl Layer for EmbeddingBag {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        self.bags(x, None, None)
    }
}
