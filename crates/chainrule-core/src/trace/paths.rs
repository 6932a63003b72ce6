//! Gradients as sums over paths: what every way from an input to the result contributes.
//!
//! The derivative of the result by an input is the sum, over all paths between them, of the products of the local
//! derivatives along each path.

use super::node::Structure;
use super::{Graph, LocalDerivative};
use crate::error::{Error, ErrorKind, raise};
use crate::tensor::Tensor;
use crate::tree::Tree;
use std::collections::HashMap;
use std::fmt;

/// How many paths there are.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum PathCount {
    /// Exactly so many.
    Exactly(u128),
    /// Too many for 128 bits: about ten to this power.
    PowerOfTen(f64),
}

impl PathCount {
    fn plus(self, other: PathCount) -> PathCount {
        if let (PathCount::Exactly(a), PathCount::Exactly(b)) = (self, other)
            && let Some(sum) = a.checked_add(b)
        {
            return PathCount::Exactly(sum);
        }
        let (a, b) = (self.logarithm(), other.logarithm());
        let (more, less) = (a.max(b), a.min(b));
        PathCount::PowerOfTen(more + (1.0 + 10f64.powf(less - more)).log10())
    }

    fn logarithm(self) -> f64 {
        match self {
            PathCount::Exactly(count) => (count as f64).log10(),
            PathCount::PowerOfTen(power) => power,
        }
    }
}

impl fmt::Display for PathCount {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PathCount::Exactly(count) => write!(out, "{count}"),
            PathCount::PowerOfTen(power) => write!(out, "about 10^{power:.2}"),
        }
    }
}

/// One path and what it contributes.
pub struct GradientPath {
    /// The nodes, from the input to the output.
    pub nodes: Vec<usize>,
    /// The share of the input's gradient that comes by this path: of the input's shape.
    pub contribution: Tensor,
    /// The Frobenius norm of the contribution.
    pub size: f64,
}

/// The paths from an input to an output.
pub struct GradientPaths {
    /// How many there are.
    pub count: PathCount,
    /// The largest contributions, largest first: exact for graphs of single numbers. Graphs of tensors are enumerated up
    /// to [`GradientPaths::ENUMERATED`] paths.
    pub largest: Vec<GradientPath>,
    /// Whether all paths were looked at for `largest`.
    pub complete: bool,
}

impl GradientPaths {
    /// The most paths that are enumerated where the nodes are tensors.
    pub const ENUMERATED: usize = 10_000;
}

/// An edge along which derivatives flow: the reader and the position of the operand.
type Reader = (usize, usize);

impl<P: Tree, O: Tree> Graph<P, O> {
    /// The paths from node `from` to node `to`, with the `most` largest contributions to the derivative of `to` by
    /// `from`; for a tensor `to`, of the sum of its elements.
    ///
    /// ```
    /// use chainrule_core::{Graph, Tensor};
    /// // x2 has a path through the product and one through the sine, and their contributions are summed.
    /// let f = |(x1, x2): &(Tensor, Tensor)| x1 * x2 + x2.sin();
    /// let mut graph = Graph::trace(f, &(Tensor::from(2.0), Tensor::from(5.0)));
    /// let to = graph.outputs()[0].node;
    /// let paths = graph.paths(1, to, 10);
    /// assert_eq!(paths.count.to_string(), "2");
    /// let sum: f64 = paths.largest.iter().map(|path| path.contribution.item::<f64>()).sum();
    /// assert_eq!(sum, 2.0 + 5f64.cos());
    /// ```
    ///
    /// # Panics
    /// When there is no such node, or a node between has several outputs.
    #[track_caller]
    pub fn paths(&mut self, from: usize, to: usize, most: usize) -> GradientPaths {
        self.check_node(from);
        self.check_node(to);
        let readers = self.readers(from, to);
        let count = self
            .path_counts(from, to, &readers)
            .remove(&from)
            .unwrap_or(PathCount::Exactly(0));
        if count == PathCount::Exactly(0) {
            return GradientPaths {
                count,
                largest: Vec::new(),
                complete: true,
            };
        }
        let numbers = readers
            .keys()
            .all(|&node| self.nodes[node].specs[0].elements() == 1);
        let (largest, complete) = match numbers && self.nodes[to].specs[0].elements() == 1 {
            true => (self.largest_products(from, to, most, &readers), true),
            false => self.enumerated(from, to, most, &readers),
        };
        GradientPaths {
            count,
            largest,
            complete,
        }
    }

    /// For every node on a path, the readers of it that are on one too.
    fn readers(&self, from: usize, to: usize) -> HashMap<usize, Vec<Reader>> {
        let mut leads = vec![false; to + 1];
        leads[to] = true;
        let mut readers: HashMap<usize, Vec<Reader>> = HashMap::new();
        for node in (from..=to)
            .rev()
            .filter(|&node| self.nodes[node].structure() != Structure::None)
        {
            if !leads[node] {
                continue;
            }
            for (position, operand) in self.nodes[node].inputs.iter().enumerate() {
                let flows = self.nodes[operand.node].specs[operand.output]
                    .dtype()
                    .is_floating()
                    && !self.is_fixed(node, position);
                if operand.node < from || !flows {
                    continue;
                }
                if operand.output > 0 {
                    let message = format!("paths: node {} has several outputs", operand.node);
                    raise(Error::new(ErrorKind::Argument, message));
                }
                leads[operand.node] = true;
                readers
                    .entry(operand.node)
                    .or_default()
                    .push((node, position));
            }
        }
        // Only what `from` reaches is on a path.
        let mut reached = vec![false; to + 1];
        reached[from] = true;
        for node in from..=to {
            if reached[node] {
                for &(reader, _) in readers.get(&node).into_iter().flatten() {
                    reached[reader] = true;
                }
            } else {
                readers.remove(&node);
            }
        }
        readers
    }

    fn is_fixed(&self, node: usize, position: usize) -> bool {
        match self.nodes[node].operation.derivative() {
            crate::declare::Derivative::Linear(linear) => linear.is_fixed(position),
            _ => false,
        }
    }

    fn path_counts(
        &self,
        from: usize,
        to: usize,
        readers: &HashMap<usize, Vec<Reader>>,
    ) -> HashMap<usize, PathCount> {
        let mut counts = HashMap::from([(to, PathCount::Exactly(1))]);
        for node in (from..to).rev() {
            let Some(readers) = readers.get(&node) else {
                continue;
            };
            let counted = readers
                .iter()
                .filter_map(|(reader, _)| counts.get(reader).copied());
            if let Some(count) = counted.reduce(PathCount::plus) {
                counts.insert(node, count);
            }
        }
        counts
    }

    /// The largest products of partials, exactly: the best of each node are among the best of its readers.
    fn largest_products(
        &mut self,
        from: usize,
        to: usize,
        most: usize,
        readers: &HashMap<usize, Vec<Reader>>,
    ) -> Vec<GradientPath> {
        // For each node, its best paths to the end: the product, the next node, and which of that node's paths goes on.
        let mut best: HashMap<usize, Vec<(f64, usize, usize)>> =
            HashMap::from([(to, vec![(1.0, to, 0)])]);
        for node in (from..to).rev() {
            let Some(readers) = readers.get(&node) else {
                continue;
            };
            let mut candidates = Vec::new();
            for &(reader, position) in readers {
                let Some(onward) = best.get(&reader) else {
                    continue;
                };
                let candidate = onward.iter().enumerate();
                let candidate: Vec<(usize, f64)> = candidate
                    .map(|(rank, &(product, ..))| (rank, product))
                    .collect();
                let partial = self
                    .local_derivative(reader, position)
                    .jacobian()
                    .sum(..)
                    .cast(crate::DType::F64)
                    .item::<f64>();
                candidates.extend(
                    candidate
                        .into_iter()
                        .map(|(rank, product)| (product * partial, reader, rank)),
                );
            }
            candidates.sort_by(|(a, ..), (b, ..)| b.abs().total_cmp(&a.abs()));
            candidates.truncate(most.max(1));
            best.insert(node, candidates);
        }
        let spec = self.nodes[from].specs[0].clone();
        let found = best.get(&from).cloned().unwrap_or_default();
        let path = |(rank, (product, ..)): (usize, (f64, usize, usize))| {
            let mut nodes = vec![from];
            let (mut node, mut rank) = (from, rank);
            while node != to {
                let (_, next, onward) = best[&node][rank];
                nodes.push(next);
                (node, rank) = (next, onward);
            }
            GradientPath {
                nodes,
                contribution: Tensor::filled(
                    crate::backend::Scalar::Float(product).cast(spec.dtype()),
                    spec.clone(),
                ),
                size: product.abs(),
            }
        };
        found.into_iter().enumerate().take(most).map(path).collect()
    }

    /// The cotangent pulled along every path, up to a number of paths.
    fn enumerated(
        &mut self,
        from: usize,
        to: usize,
        most: usize,
        readers: &HashMap<usize, Vec<Reader>>,
    ) -> (Vec<GradientPath>, bool) {
        let mut operands: HashMap<usize, Vec<(usize, usize)>> = HashMap::new();
        for (&node, list) in readers {
            for &(reader, position) in list {
                operands.entry(reader).or_default().push((node, position));
            }
        }
        operands.values_mut().for_each(|list| list.sort_unstable());
        let mut locals: HashMap<(usize, usize), LocalDerivative> = HashMap::new();
        let seed = self.value(to).ones_like();
        let mut pending = vec![(vec![to], seed)];
        let mut found: Vec<GradientPath> = Vec::new();
        let mut looked_at = 0;
        while let Some((nodes, cotangent)) = pending.pop() {
            let node = *nodes.last().expect("a path has a node");
            if node == from {
                looked_at += 1;
                found.push(GradientPath {
                    nodes: nodes.into_iter().rev().collect(),
                    size: cotangent
                        .cast(crate::DType::F64)
                        .square()
                        .sum(..)
                        .sqrt()
                        .item(),
                    contribution: cotangent,
                });
                if looked_at == GradientPaths::ENUMERATED {
                    break;
                }
                continue;
            }
            for &(operand, position) in operands.get(&node).into_iter().flatten() {
                let local = locals
                    .entry((node, position))
                    .or_insert_with(|| self.local_derivative(node, position));
                let pulled = local.pulled(&cotangent);
                pending.push(([&nodes[..], &[operand]].concat(), pulled));
            }
        }
        let complete = pending.is_empty();
        found.sort_by(|a, b| b.size.total_cmp(&a.size));
        found.truncate(most);
        (found, complete)
    }
}
