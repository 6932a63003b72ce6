//! The table of one walk: a tangent or cotangent for some outputs of some nodes. Absent means zero and costs nothing.

use crate::declare::Derivative;
use crate::graph::walk::Walk;
use crate::graph::{Few, recorded_at};
use crate::tensor::Tensor;
use std::collections::BTreeMap;

/// What belongs to the outputs of one node; empty when nothing does.
pub(crate) type Row = Few<Option<Tensor>>;

/// Terms that are summed together when all have come, by row and output.
type Waiting = BTreeMap<(usize, u32), Vec<Tensor>>;

pub(crate) struct Side<'w> {
    walk: &'w Walk,
    rows: Vec<Row>,
    waiting: Waiting,
}

fn slot<'r>(row: &'r mut Row, tensor: &Tensor) -> &'r mut Option<Tensor> {
    if row.is_empty() {
        *row = Few::filled(tensor.node().specs.len(), None);
    }
    &mut row[tensor.edge().output as usize]
}

/// Adds a contribution: gradients are summed over the paths they come by.
fn add(slot: &mut Option<Tensor>, contribution: Tensor) {
    *slot = Some(match slot.take() {
        None => contribution,
        Some(sum) => sum + contribution,
    });
}

impl<'w> Side<'w> {
    /// The empty table of a walk.
    pub(crate) fn over(walk: &'w Walk) -> Side<'w> {
        let rows = std::iter::repeat_with(Row::default)
            .take(walk.len())
            .collect();
        let waiting = Waiting::new();
        Side {
            walk,
            rows,
            waiting,
        }
    }

    pub(crate) fn get(&self, tensor: &Tensor) -> Option<&Tensor> {
        let row = &self.rows[self.walk.row(tensor)?];
        row.get(tensor.edge().output as usize)?.as_ref()
    }

    /// Sets the entry of a tensor that takes part in the walk.
    pub(crate) fn set(&mut self, tensor: &Tensor, value: Tensor) {
        if let Some(row) = self.walk.row(tensor) {
            *slot(&mut self.rows[row], tensor) = Some(value);
        }
    }

    /// Adds to the entry of a tensor, if that takes part in the walk.
    pub(crate) fn accumulate(&mut self, tensor: &Tensor, contribution: Tensor) {
        if let Some(row) = self.walk.row(tensor) {
            add(slot(&mut self.rows[row], tensor), contribution);
        }
    }

    /// The entries of the step at `position`, and what lies below it.
    pub(crate) fn at_step(&mut self, position: usize) -> (&Row, Below<'_>) {
        self.settle(self.walk.first + position);
        let (rows, here) = self.rows.split_at_mut(self.walk.first + position);
        let (walk, waiting) = (self.walk, &mut self.waiting);
        let below = Below {
            walk,
            rows,
            waiting,
        };
        (&here[0], below)
    }

    /// Sums the terms that wait for rows from `first` on: nothing more comes there.
    pub(crate) fn settle(&mut self, first: usize) {
        if self.waiting.is_empty() {
            return;
        }
        for ((row, output), terms) in self.waiting.split_off(&(first, 0)) {
            let slot = &mut self.rows[row][output as usize];
            for alike in by_operation(terms) {
                let place = alike[0].node().place();
                let sum = match sum_of_many(&alike[0]) {
                    Some(sum) if alike.len() > 1 => recorded_at(place, || sum(&alike)),
                    _ => alike[0].clone(),
                };
                add(slot, sum);
            }
        }
    }

    /// All entries, by the rows of the walk.
    pub(crate) fn into_rows(self) -> Vec<Row> {
        self.rows
    }
}

/// The part of a table that is older than some step: where the cotangents of its inputs are gathered.
pub(crate) struct Below<'a> {
    walk: &'a Walk,
    rows: &'a mut [Row],
    waiting: &'a mut Waiting,
}

impl Below<'_> {
    /// The row of a tensor to which a derivative flows: it has a tangent space and lies on a path from what is
    /// differentiated by.
    pub(crate) fn row(&self, tensor: &Tensor) -> Option<usize> {
        let row = self.walk.row(tensor)?;
        tensor.dtype().is_floating().then_some(row)
    }

    /// Adds a cotangent of `tensor` to its row.
    pub(crate) fn give(&mut self, row: usize, tensor: &Tensor, cotangent: Tensor) {
        let cotangent = if cotangent.dtype() == tensor.dtype() {
            cotangent
        } else {
            cotangent.cast(tensor.dtype())
        };
        let slot = slot(&mut self.rows[row], tensor);
        match sum_of_many(&cotangent) {
            Some(_) => {
                let waiting = self.waiting.entry((row, tensor.edge().output));
                waiting.or_default().push(cotangent);
            }
            None => add(slot, cotangent),
        }
    }
}

/// How many terms of the kind of `term` are summed in one operation, if they are.
fn sum_of_many(term: &Tensor) -> Option<fn(&[Tensor]) -> Tensor> {
    match term.node().operation.derivative() {
        Derivative::Linear(linear) => linear.sum(),
        Derivative::Multilinear(multilinear) => multilinear.sum(),
        _ => None,
    }
}

/// The terms by the types of the operations that made them.
fn by_operation(terms: Vec<Tensor>) -> Vec<Vec<Tensor>> {
    let mut groups: Vec<Vec<Tensor>> = Vec::new();
    let kind = |term: &Tensor| term.node().operation.declaration().type_id();
    for term in terms {
        match groups
            .iter_mut()
            .find(|group| kind(&group[0]) == kind(&term))
        {
            Some(group) => group.push(term),
            None => groups.push(vec![term]),
        }
    }
    groups
}
