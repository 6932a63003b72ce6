//! Rows of a table.

use super::rows::Rows;
use crate::layers::catalogue::Declared;
use crate::{ArgumentError, Arguments, Layer, Parameter};
use chainrule_core::error::raise;
use chainrule_core::{Error, ErrorKind, Shape, Tensor};
use chainrule_derive::Module;

crate::catalogue! { Embedding }

/// A learnt vector for each of a number of things: whole numbers `[..]` to `[.., width]`, `y[.., j] = weight[x[..], j]`.
///
/// The table starts normal with mean 0 and variance 1, as PyTorch's does; the padding row starts at 0.
///
/// ```
/// use chainrule_core::tensor;
/// use chainrule_nn::{Embedding, Layer};
/// let layer = Embedding::new(10, 4).padding(0);
/// let y = layer.forward(tensor![[3, 1, 0], [2, 0, 0]]);
/// assert_eq!(y.shape().to_string(), "[2, 3, 4]");
/// let gradient = y.sum(..).backward().of(&layer.weight).sum(1);
/// assert_eq!(gradient.to_vec::<f32>()[..4], [0.0, 4.0, 4.0, 4.0]);
/// ```
#[derive(Clone, Debug, Module)]
pub struct Embedding {
    /// `[entries, width]`.
    pub weight: Parameter,
    #[tree(fixed)]
    rows: Rows,
}

impl Embedding {
    /// A table of `entries` vectors of `width` numbers.
    #[track_caller]
    pub fn new(entries: usize, width: usize) -> Embedding {
        Embedding::from_pretrained(Tensor::normal([entries, width], 0.0, 1.0))
    }

    /// The given table `[entries, width]`. [`freeze`](crate::Module::freeze) it where it shall not be learnt.
    ///
    /// # Panics
    /// When the table is not a matrix.
    #[track_caller]
    pub fn from_pretrained(table: Tensor) -> Embedding {
        check_table("embedding", &table);
        Embedding {
            weight: Parameter::new(table),
            rows: Rows::plain(),
        }
    }

    /// The entry that stands for nothing: its vector becomes 0 and never gets a gradient.
    ///
    /// # Panics
    /// When there is no such entry.
    #[track_caller]
    pub fn padding(mut self, entry: usize) -> Embedding {
        check_entry("embedding", &self.weight, entry);
        self.weight.set(without_row(&self.weight, entry));
        self.keep_padding(entry)
    }

    /// The entry that never gets a gradient, without changing its vector.
    ///
    /// # Panics
    /// When there is no such entry.
    #[track_caller]
    pub fn keep_padding(mut self, entry: usize) -> Embedding {
        check_entry("embedding", &self.weight, entry);
        self.rows.padding = Some(entry);
        self
    }

    /// Vectors whose norm of the given order (2 in most networks) is greater than `longest` are shortened to it when they
    /// are looked up. The table keeps them as they are, and their gradient is as if they were not shortened.
    pub fn longest(mut self, longest: f64, order: f64) -> Embedding {
        self.rows.longest = Some(longest);
        self.rows.order = order;
        self
    }

    /// The gradient of a vector is divided by the number of its uses in the input.
    pub fn scale_by_frequency(mut self) -> Embedding {
        self.rows.by_frequency = true;
        self
    }
}

#[track_caller]
pub(crate) fn check_table(layer: &str, table: &Tensor) {
    if table.rank() != 2 {
        let shape = table.shape();
        let message = format!("{layer}: the table has shape {shape}; expected [entries, width]");
        raise(Error::new(ErrorKind::Shape, message));
    }
}

#[track_caller]
pub(crate) fn check_entry(layer: &str, table: &Tensor, entry: usize) {
    let entries = table.shape()[0];
    if entry >= entries {
        let message = format!("{layer}: the padding entry is {entry}, the table has {entries}");
        raise(Error::new(ErrorKind::Argument, message));
    }
}

/// The table with zeros in one row.
#[track_caller]
pub(crate) fn without_row(table: &Tensor, row: usize) -> Tensor {
    let rows = Tensor::arange(table.shape()[0] as i64).to_device(table.device());
    let others = rows.ne(row as i32).unsqueeze(-1);
    others.where_(table, table.zeros_like())
}

impl Layer for Embedding {
    #[track_caller]
    fn compute(&self, x: &Tensor) -> Tensor {
        self.rows.read("embedding", &self.weight, x, x)
    }
}

/// `entries`, `width`, `padding`, `longest`, `order`, `scale_by_frequency`.
impl Declared for Embedding {
    const NAME: &'static str = "embedding";

    fn declared(arguments: &mut Arguments, _input: &Shape) -> Result<Embedding, ArgumentError> {
        let entries = arguments.required("entries")?;
        let mut layer = Embedding::new(entries, arguments.required("width")?);
        if let Some(padding) = arguments.given::<usize>("padding")? {
            if padding >= entries {
                let message = format!("`padding` is {padding}; the table has {entries} entries");
                return Err(arguments.problem("padding", message));
            }
            layer = layer.padding(padding);
        }
        layer.rows.longest = arguments.given("longest")?;
        layer.rows.order = arguments.optional("order", 2.0)?;
        layer.rows.by_frequency = arguments.optional("scale_by_frequency", false)?;
        Ok(layer)
    }
}
