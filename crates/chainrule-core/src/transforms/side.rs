//! The table of one walk: a tangent or cotangent for some outputs of some nodes. Absent means zero and costs nothing.

use crate::graph::Few;
use crate::graph::walk::Walk;
use crate::tensor::Tensor;

/// What belongs to the outputs of one node; empty when nothing does.
pub(crate) type Row = Few<Option<Tensor>>;

pub(crate) struct Side<'w> {
    walk: &'w Walk,
    rows: Vec<Row>,
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
        Side { walk, rows }
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
        let (rows, here) = self.rows.split_at_mut(self.walk.first + position);
        let walk = self.walk;
        (&here[0], Below { walk, rows })
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
        add(slot(&mut self.rows[row], tensor), cotangent);
    }
}
