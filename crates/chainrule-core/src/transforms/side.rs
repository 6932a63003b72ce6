//! The table of one walk: a tangent or cotangent for some outputs of some nodes. Absent means zero and costs nothing.

use crate::graph::IdMap;
use crate::tensor::Tensor;
use smallvec::SmallVec;

pub(crate) struct Side {
    rows: IdMap,
    entries: Vec<SmallVec<[Option<Tensor>; 1]>>,
}

impl Side {
    pub(crate) fn new() -> Side {
        Side {
            rows: IdMap::new(),
            entries: Vec::new(),
        }
    }

    fn row(&mut self, tensor: &Tensor) -> &mut SmallVec<[Option<Tensor>; 1]> {
        let row = match self.rows.get(tensor.id()) {
            Some(row) => row,
            None => {
                let outputs = tensor.node().specs.len();
                self.entries.push(SmallVec::from_elem(None, outputs));
                let row = self.entries.len() as u32 - 1;
                self.rows.insert(tensor.id(), row);
                row
            }
        };
        &mut self.entries[row as usize]
    }

    pub(crate) fn get(&self, tensor: &Tensor) -> Option<&Tensor> {
        let row = self.rows.get(tensor.id())?;
        self.entries[row as usize][tensor.edge().output as usize].as_ref()
    }

    pub(crate) fn set(&mut self, tensor: &Tensor, value: Tensor) {
        let output = tensor.edge().output as usize;
        self.row(tensor)[output] = Some(value);
    }

    /// Adds a contribution: gradients are summed over the paths they come by.
    pub(crate) fn accumulate(&mut self, tensor: &Tensor, contribution: Tensor) {
        let output = tensor.edge().output as usize;
        let slot = &mut self.row(tensor)[output];
        *slot = Some(match slot.take() {
            None => contribution,
            Some(sum) => sum + contribution,
        });
    }

    /// The entries of all outputs of a node, in order; empty when the node has none.
    pub(crate) fn of_node(&self, id: u64) -> &[Option<Tensor>] {
        self.rows
            .get(id)
            .map_or(&[], |row| &self.entries[row as usize])
    }
}
