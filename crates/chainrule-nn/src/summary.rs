//! A model as a table: layers, output shapes, parameters, multiply-adds.

use crate::buffer::buffers_unchanged;
use crate::scope::{named, observe};
use crate::{Layer, Module};
use chainrule_core::tree::Tree;
use chainrule_core::{Graph, GraphNode, Shape, Tensor};
use std::cell::RefCell;
use std::fmt;

/// One layer of a [`Summary`].
#[derive(Clone, Debug)]
pub struct SummaryRow {
    /// The layer's path; empty for the model itself.
    pub path: String,
    /// Its type.
    pub kind: &'static str,
    /// The shapes of what it returns.
    pub outputs: Vec<Shape>,
    /// The number of numbers in its parameters, those of the layers inside included.
    pub parameters: usize,
    /// The multiply-adds of its products and convolutions, those of the layers inside included.
    pub multiply_adds: u64,
}

/// What a model is made of, and what it costs.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The layers, each before those inside it.
    pub rows: Vec<SummaryRow>,
    /// The number of numbers in all parameters.
    pub parameters: usize,
    /// Of these, how many are frozen.
    pub frozen: usize,
    /// The multiply-adds of all products and convolutions.
    pub multiply_adds: u64,
}

/// The summary of a model that `run` calls on `input`.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{summarise, Layer, Linear};
/// let pair = vec![Linear::new(4, 8), Linear::new(8, 2)];
/// let summary = summarise(&pair, &Tensor::ones([5, 4]), |pair, x| pair[1].forward(pair[0].forward(x).relu()));
/// assert_eq!(summary.multiply_adds, 5 * (4 * 8 + 8 * 2));
/// assert_eq!(summary.rows[1].path, "1");
/// ```
///
/// # Panics
/// When the model does not take `input`.
#[track_caller]
pub fn summarise<M: Module, I: Tree, O: Tree>(
    model: &M,
    input: &I,
    run: impl Fn(&M, &I) -> O,
) -> Summary {
    let seen = RefCell::new(Vec::new());
    let graph = Graph::trace(
        |input: &I| {
            let (output, observed) =
                buffers_unchanged(|| observe(|| named(model, || run(model, input))));
            *seen.borrow_mut() = observed;
            output
        },
        input,
    );
    let costs: Vec<(&str, u64)> = graph
        .nodes()
        .iter()
        .map(|node| (node.path(), multiply_adds(node, graph.nodes())))
        .collect();
    let state: Vec<(String, usize)> = model
        .named_parameters()
        .into_iter()
        .chain(model.named_frozen())
        .map(|(name, tensor)| (name, tensor.elements()))
        .collect();
    let mut rows: Vec<SummaryRow> = seen
        .into_inner()
        .into_iter()
        .map(|observation| {
            let path = observation.path;
            SummaryRow {
                parameters: below(
                    &path,
                    state.iter().map(|(name, count)| (name.as_str(), *count)),
                ),
                multiply_adds: below(&path, costs.iter().copied()),
                outputs: observation
                    .outputs
                    .iter()
                    .map(|output| output.shape().clone())
                    .collect(),
                kind: observation.kind,
                path,
            }
        })
        .collect();
    outer_first(&mut rows);
    Summary {
        rows,
        parameters: model.parameter_count(),
        frozen: model
            .named_frozen()
            .iter()
            .map(|(_, tensor)| tensor.elements())
            .sum(),
        multiply_adds: costs.iter().map(|(_, cost)| cost).sum(),
    }
}

/// The sum of what belongs to `path` or lies below it.
fn below<'a, N: std::iter::Sum>(path: &str, entries: impl Iterator<Item = (&'a str, N)>) -> N {
    let inside = |name: &str| {
        path.is_empty()
            || name
                .strip_prefix(path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    entries
        .filter(|(name, _)| inside(name))
        .map(|(_, number)| number)
        .sum()
}

/// Layers are seen when they finish, so one comes after those inside it: each moves before them.
fn outer_first(rows: &mut [SummaryRow]) {
    for end in 0..rows.len() {
        let path = rows[end].path.clone();
        let inside = |row: &SummaryRow| {
            row.path != path && (path.is_empty() || row.path.starts_with(&format!("{path}.")))
        };
        let start = rows[..end]
            .iter()
            .rposition(|row| !inside(row))
            .map_or(0, |last| last + 1);
        rows[start..=end].rotate_right(1);
    }
}

/// Of a product: the output's elements times the extent that is summed over. Of a convolution: times the taps of one output.
fn multiply_adds(node: &GraphNode, nodes: &[GraphNode]) -> u64 {
    let shape_of = |position: usize| {
        let operand = node.inputs()[position];
        nodes[operand.node].specs()[operand.output].shape()
    };
    let outputs = node.spec().shape().elements() as u64;
    match node.primitive() {
        "matmul" => outputs * shape_of(0).last().copied().unwrap_or(0) as u64,
        "convolution" => outputs * shape_of(1)[1..].iter().product::<usize>() as u64,
        // The transposed convolution is the map by its input turned round: every element of the input meets every tap.
        "convolution_input" => {
            shape_of(0).elements() as u64 * shape_of(1)[1..].iter().product::<usize>() as u64
        }
        _ => 0,
    }
}

/// [`summarise`] for a layer.
pub trait Summarise: Layer {
    /// The summary of this layer called on `input`.
    ///
    /// ```
    /// use chainrule_core::Tensor;
    /// use chainrule_nn::{Linear, Sequential, Summarise};
    /// let net = Sequential::new().then(Linear::new(784, 10));
    /// println!("{}", net.summary(&Tensor::zeros([1, 784])));
    /// ```
    ///
    /// # Panics
    /// When the layer does not take `input`.
    #[track_caller]
    fn summary(&self, input: &Tensor) -> Summary {
        summarise(self, input, |layer, input| layer.forward(input))
    }
}

impl<L: Layer> Summarise for L {}

impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["layer", "output", "parameters", "multiply-adds"].map(str::to_owned);
        let rows = self.rows.iter().map(|row| {
            let depth = match row.path.as_str() {
                "" => 0,
                path => path.split('.').count(),
            };
            let name = match row.path.as_str() {
                "" => row.kind.to_owned(),
                path => format!(
                    "{}{path} ({})",
                    "  ".repeat(depth.saturating_sub(1)),
                    row.kind
                ),
            };
            let outputs: Vec<String> = row.outputs.iter().map(Shape::to_string).collect();
            [
                name,
                outputs.join(" "),
                grouped(row.parameters as u64),
                grouped(row.multiply_adds),
            ]
        });
        let lines: Vec<[String; 4]> = std::iter::once(header).chain(rows).collect();
        let width = |column: usize| {
            lines
                .iter()
                .map(|line| line[column].chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: [usize; 4] = std::array::from_fn(width);
        for [name, outputs, parameters, cost] in &lines {
            writeln!(
                out,
                "{name:0$}  {outputs:1$}  {parameters:>2$}  {cost:>3$}",
                widths[0], widths[1], widths[2], widths[3]
            )?;
        }
        write!(out, "{} parameters", grouped(self.parameters as u64))?;
        if self.frozen > 0 {
            write!(out, ", {} of them frozen", grouped(self.frozen as u64))?;
        }
        writeln!(out, "; {} multiply-adds", grouped(self.multiply_adds))
    }
}

/// A number with commas between the thousands.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
