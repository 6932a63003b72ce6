//! Sparse Jacobians and Hessians from compressed directions.

use super::colouring::{Colouring, Directions, NEUTRAL, lone_entries};
use super::detect::Detection;
use super::{Pattern, SparseMatrix};
use crate::error::{Error, ErrorKind, or_raise, raise};
use crate::graph::walk::{Edges, between};
use crate::graph::watch::{Reading, watching};
use crate::graph::without_evaluation;
use crate::tensor::Tensor;
use crate::transforms::record::{Recorded, Running};
use crate::transforms::{grad, pulled, pushed, vmap};
use crate::tree::{Tree, leaves, rebuilt};
use std::panic::Location;
use std::sync::Arc;

/// Where the Jacobian of `f` can have entries, for all values of the argument of these shapes.
///
/// Rows are the elements of the floating-point leaves of the result, leaf after leaf, columns those of the argument. The
/// pattern follows from the operations alone; no Jacobian is computed. An operation that chooses by value (`max`,
/// `where_`) contributes everything it may choose; an index that depends on the argument may be anything, one that does
/// not is as given. Constant factors that are zero leave no entry.
///
/// ```
/// use chainrule_core::{sparsity, Tensor};
/// let difference = |x: &Tensor| x.narrow(0, 1, 3) - x.narrow(0, 0, 3);
/// let pattern = sparsity(difference, &Tensor::from(vec![1.0, 2.0, 4.0, 8.0]));
/// assert_eq!(pattern.to_string(), "××··\n·××·\n··××\n");
/// ```
///
/// # Panics
/// When `f` reads a value that depends on its argument: the pattern could then be another one elsewhere. Use
/// [`sparsity_along_path`] if it takes the same path for all values, or [`sparsity_at`].
#[track_caller]
pub fn sparsity<P: Tree, O: Tree>(f: impl Fn(&P) -> O, at: &P) -> Pattern {
    detected("sparsity", &f, at, false, false, Location::caller())
}

/// [`sparsity`] for a function that reads values, but takes the same path whatever they are.
#[track_caller]
pub fn sparsity_along_path<P: Tree, O: Tree>(f: impl Fn(&P) -> O, at: &P) -> Pattern {
    detected(
        "sparsity_along_path",
        &f,
        at,
        false,
        true,
        Location::caller(),
    )
}

/// Where the Jacobian of `f` has entries at `at`: [`sparsity`] with the choices and zero factors of these values.
///
/// ```
/// use chainrule_core::{sparsity_at, Tensor};
/// let pattern = sparsity_at(|x: &Tensor| x.relu(), &Tensor::from(vec![1.0, -1.0]));
/// assert_eq!(pattern.to_string(), "×·\n··\n");
/// ```
#[track_caller]
pub fn sparsity_at<P: Tree, O: Tree>(f: impl Fn(&P) -> O, at: &P) -> Pattern {
    detected("sparsity_at", &f, at, true, true, Location::caller())
}

/// Where the Hessian of `f`, a function with one number as its result, can have entries: [`sparsity`] of its gradient.
///
/// Piecewise linear operations such as `relu` and `abs` leave none.
///
/// # Panics
/// As [`sparsity`] and [`grad`].
#[track_caller]
pub fn hessian_sparsity<P: Tree>(f: impl Fn(&P) -> Tensor, at: &P) -> Pattern {
    detected(
        "hessian_sparsity",
        &grad(f),
        at,
        false,
        false,
        Location::caller(),
    )
}

/// The Jacobian of `f` with the entries that it can have, from as few products as a colouring of its pattern finds: sums
/// of columns by forward mode, sums of rows by reverse mode, or both.
///
/// ```
/// use chainrule_core::{sparse_jacobian, Tensor};
/// let x = Tensor::from(vec![1.0, -2.0, 3.0]);
/// let jacobian = sparse_jacobian(|x: &Tensor| x.square(), &x);
/// assert_eq!(jacobian.colouring().count(), 1); // diagonal
/// assert_eq!(jacobian.values().to_vec::<f64>(), [2.0, -4.0, 6.0]);
/// ```
///
/// To use a pattern and its colouring again for other values, see [`Compression`].
///
/// # Panics
/// As [`sparsity`].
#[track_caller]
pub fn sparse_jacobian<P: Tree, O: Tree>(f: impl Fn(&P) -> O, at: &P) -> SparseMatrix {
    let caller = Location::caller();
    let pattern = detected("sparse_jacobian", &f, at, false, false, caller);
    Compression::fewest(pattern).jacobian(f, at)
}

/// The Hessian of `f`, a function with one number as its result, with the entries that it can have, from Hessian-vector
/// products for a star colouring of its pattern.
///
/// ```
/// use chainrule_core::{sparse_hessian, Tensor};
/// let chain = |x: &Tensor| (x.narrow(0, 1, 4) * x.narrow(0, 0, 4)).square().sum(..);
/// let hessian = sparse_hessian(chain, &Tensor::from(vec![1.0, 2.0, 3.0, 4.0, 5.0]));
/// assert_eq!(hessian.colouring().count(), 3); // tridiagonal
/// ```
///
/// # Panics
/// As [`hessian_sparsity`].
#[track_caller]
pub fn sparse_hessian<P: Tree>(f: impl Fn(&P) -> Tensor, at: &P) -> SparseMatrix {
    let caller = Location::caller();
    let gradient = grad(f);
    let pattern = detected("sparse_hessian", &gradient, at, false, false, caller);
    let colouring = Colouring::symmetric(&pattern);
    Compression::new(pattern, colouring).jacobian(gradient, at)
}

/// The error of a pattern that is asked for although it may hold on one path only.
fn path_dependent(name: &str, reading: Reading) -> Error {
    let message = format!(
        "{name}: the function reads a value that depends on its argument: `{}` made at {}, read at {}, so the pattern may \
         hold on this path only\n    help: choose by value with `where_`; or use `sparsity_along_path` if the path is always \
         the same, or `sparsity_at` for the pattern at this argument",
        reading.operation, reading.made, reading.read
    );
    Error::new(ErrorKind::Derivative, message)
}

fn detected<P: Tree, O: Tree>(
    name: &str,
    f: &impl Fn(&P) -> O,
    at: &P,
    local: bool,
    any_path: bool,
    caller: &'static Location<'static>,
) -> Pattern {
    let running = Running::start();
    let inputs = running.fresh(&leaves(at));
    let (output, reading) = watching(&inputs, || f(&rebuilt(at, &inputs)));
    if let (Some(reading), false) = (reading, any_path) {
        raise(path_dependent(name, reading).at(caller));
    }
    let outputs = floating(leaves(&output));
    let mut detection = Detection::new(local);
    let mut columns = 0;
    for input in inputs.iter().filter(|input| input.dtype().is_floating()) {
        detection.number(input, columns);
        columns += input.elements();
    }
    let sets = or_raise(without_evaluation(|| detection.walk(&inputs, &outputs)));
    let rows = outputs
        .iter()
        .zip(sets)
        .flat_map(|(output, sets)| match sets {
            Some(sets) => sets.iter().map(|set| set.0.clone()).collect(),
            None => vec![Vec::new(); output.elements()],
        });
    let pattern = Pattern::from_rows(columns, rows);
    running.finish(&between(&inputs, &outputs, Edges::All));
    pattern
}

fn floating(tensors: Vec<&Tensor>) -> Vec<Tensor> {
    let floating = tensors
        .into_iter()
        .filter(|tensor| tensor.dtype().is_floating());
    floating.cloned().collect()
}

/// A pattern with a colouring of it: how to get a sparse Jacobian from few products, again and again.
///
/// ```
/// use chainrule_core::{sparsity, Compression, Tensor};
/// let f = |x: &Tensor| x.narrow(0, 1, 3) * x.narrow(0, 0, 3);
/// let x = Tensor::from(vec![1.0, 2.0, 3.0, 4.0]);
/// let compression = Compression::fewest(sparsity(f, &x));
/// for scale in [1.0, 2.0] {
///     let jacobian = compression.jacobian(f, &(&x * scale));
///     assert_eq!(jacobian.to_dense().shape().to_string(), "[3, 4]");
/// }
/// ```
pub struct Compression {
    pattern: Arc<Pattern>,
    colouring: Arc<Colouring>,
    /// For every entry, where it is in the products: those of the columns' colours, then those of the rows'.
    places: Tensor,
}

impl Compression {
    /// The pattern with the colouring that needs the fewest products.
    pub fn fewest(pattern: Pattern) -> Compression {
        let colouring = Colouring::fewest(&pattern);
        Compression::new(pattern, colouring)
    }

    /// The pattern with a colouring of it.
    pub fn new(pattern: Pattern, colouring: Colouring) -> Compression {
        let places = Tensor::from(places(&pattern, &colouring));
        Compression {
            pattern: Arc::new(pattern),
            colouring: Arc::new(colouring),
            places,
        }
    }

    /// Where the entries are.
    pub fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// Which columns and rows share a product.
    pub fn colouring(&self) -> &Colouring {
        &self.colouring
    }

    /// The Jacobian of `f` at `at`, whose entries are all within the pattern. With a symmetric colouring, `f` is a
    /// gradient.
    ///
    /// # Panics
    /// When the argument or the result has another number of elements than the pattern has columns or rows.
    #[track_caller]
    pub fn jacobian<P: Tree, O: Tree>(&self, f: impl Fn(&P) -> O, at: &P) -> SparseMatrix {
        let caller = Location::caller();
        let running = Running::start();
        let inputs = running.fresh(&leaves(at));
        let output = f(&rebuilt(at, &inputs));
        let recorded = Recorded::between(inputs, floating(leaves(&output)));
        self.check(&recorded, caller);
        let values = without_evaluation(|| self.values(&recorded, caller));
        running.finish(&recorded.walk);
        SparseMatrix::new(
            Arc::clone(&self.pattern),
            values,
            Arc::clone(&self.colouring),
        )
    }

    fn check(&self, recorded: &Recorded, caller: &'static Location<'static>) {
        let count = |tensors: &[Tensor]| -> usize {
            let floating = tensors.iter().filter(|tensor| tensor.dtype().is_floating());
            floating.map(Tensor::elements).sum()
        };
        let actual = [count(&recorded.outputs), count(&recorded.inputs)];
        if actual != self.pattern.shape() {
            let message = format!(
                "sparse jacobian: the function has {} outputs and {} inputs, the pattern {:?}",
                actual[0], actual[1], self.pattern
            );
            raise(Error::new(ErrorKind::Shape, message).at(caller));
        }
    }

    /// The values of all entries.
    fn values(&self, recorded: &Recorded, caller: &'static Location<'static>) -> Tensor {
        let [columns, rows] = self.colouring.counts();
        let mut products = Vec::new();
        if columns > 0 {
            let seeds = seeds(self.colouring.column_colours(), columns, &recorded.inputs);
            let tangents = vmap(|seed: &Vec<Tensor>| {
                let seed: Vec<&Tensor> = seed.iter().collect();
                match pushed(recorded, &seed, "sparse jacobian") {
                    Ok(tangents) => tangents,
                    Err(error) => raise(error.at(caller)),
                }
            })(&seeds);
            products.extend(flattened(&tangents, columns));
        }
        if rows > 0 {
            let seeds = seeds(self.colouring.row_colours(), rows, &recorded.outputs);
            let cotangents = vmap(|seed: &Vec<Tensor>| {
                let seed: Vec<&Tensor> = seed.iter().collect();
                match pulled(recorded, &seed, "sparse jacobian") {
                    Ok(cotangents) => cotangents,
                    Err(error) => raise(error.at(caller)),
                }
            })(&seeds);
            let cotangents = cotangents.into_iter().zip(&recorded.inputs);
            let floating = cotangents.filter(|(_, input)| input.dtype().is_floating());
            let floating: Vec<Tensor> = floating.map(|(cotangent, _)| cotangent).collect();
            products.extend(flattened(&floating, rows));
        }
        match joined(products) {
            Some(all) => all.index_select(0, &self.places),
            None => Tensor::from(Vec::<f64>::new()),
        }
    }
}

/// Where every entry stands among the flattened products.
fn places(pattern: &Pattern, colouring: &Colouring) -> Vec<i64> {
    let [rows, columns] = pattern.shape();
    let of_column = |colour: u32, row: u32| i64::from(colour) * rows as i64 + i64::from(row);
    let first_of_rows = colouring.counts()[0] * rows;
    let of_row = |colour: u32, column: u32| {
        first_of_rows as i64 + i64::from(colour) * columns as i64 + i64::from(column)
    };
    let by_column = colouring.column_colours();
    let by_row = colouring.row_colours();
    let entries = pattern.coordinates();
    match colouring.directions() {
        Directions::Columns => entries
            .map(|(row, column)| of_column(by_column[column as usize], row))
            .collect(),
        Directions::Rows => entries
            .map(|(row, column)| of_row(by_row[row as usize], column))
            .collect(),
        Directions::Symmetric => {
            let lone = lone_entries(pattern, by_column);
            let place = |((row, column), lone)| match lone {
                true => of_column(by_column[column as usize], row),
                false => of_column(by_column[row as usize], column),
            };
            entries.zip(lone).map(place).collect()
        }
        Directions::Both => {
            let place = |(row, column): (u32, u32)| {
                let (row_colour, column_colour) =
                    (by_row[row as usize], by_column[column as usize]);
                match colouring.reads_row(row_colour, column_colour) {
                    true => of_row(row_colour, column),
                    false => of_column(column_colour, row),
                }
            };
            entries.map(place).collect()
        }
    }
}

/// For each tensor, one seed for every colour: 1 at the elements of that colour, 0 elsewhere.
fn seeds(colours: &[u32], count: usize, tensors: &[Tensor]) -> Vec<Tensor> {
    let mut first = 0;
    tensors
        .iter()
        .map(|tensor| {
            let shape = tensor.shape().with_axis(0, count);
            if !tensor.dtype().is_floating() {
                return tensor.unsqueeze(0).zeros_like().expand(shape);
            }
            let own = &colours[first..first + tensor.elements()];
            first += own.len();
            let own: Vec<i64> = own
                .iter()
                .map(|&colour| match colour {
                    NEUTRAL => -1,
                    colour => i64::from(colour),
                })
                .collect();
            let colour = Tensor::arange(count as i64).unsqueeze(1);
            let seed = Tensor::from(own)
                .unsqueeze(0)
                .eq(&colour)
                .cast(tensor.dtype());
            seed.to_device(tensor.device()).shaped(&shape)
        })
        .collect()
}

/// The products of all tensors side by side, one colour after the other, as one vector.
fn flattened(products: &[Tensor], colours: usize) -> Option<Tensor> {
    let flat: Vec<Tensor> = products
        .iter()
        .map(|product| {
            let each = product.elements() / colours;
            product.shaped(&[colours, each].into())
        })
        .collect();
    let first = flat.first()?;
    let flat: Vec<Tensor> = flat
        .iter()
        .map(|product| product.cast(first.dtype()))
        .collect();
    let beside = Tensor::concat(&flat.iter().collect::<Vec<_>>(), 1);
    Some(beside.shaped(&beside.elements().into()))
}

fn joined(products: Vec<Tensor>) -> Option<Tensor> {
    match &products[..] {
        [] => None,
        [one] => Some(one.clone()),
        [columns, rows, ..] => Some(Tensor::concat(&[columns, &rows.cast(columns.dtype())], 0)),
    }
}
