//! What an evaluation has to compute: the unevaluated nodes below some targets, and the values they start from.

use super::node::{Edge, Node};
use super::{Device, Few, IdMap, SharedSpecs};
use crate::backend::{Source, TaskStep, Value};
use crate::tensor::Tensor;
use smallvec::SmallVec;
use std::sync::Arc;

type Sources = Few<Source>;

/// The unevaluated nodes below some targets as steps, oldest first.
pub(super) struct Collected {
    pub(super) steps: Vec<TaskStep>,
    pub(super) leaves: Vec<Value>,
    pub(super) leaf_specs: Vec<(SharedSpecs, u32)>,
    /// Unevaluated tensors of other devices that some step reads; the steps are complete only if there are none.
    pub(super) elsewhere: Vec<Tensor>,
}

impl Collected {
    /// What lies below `targets`, all of one device; `None` if another thread evaluates it at the same time.
    pub(super) fn below(targets: &[&Tensor]) -> Option<Collected> {
        let mut search = Search::new(targets[0].device());
        for target in targets {
            if !target.node().is_evaluated() {
                search.find(target.edge());
            }
        }
        // The list is its own queue: the inputs of what was found are found next.
        let mut next = 0;
        while next < search.found.len() {
            search.find_inputs(next)?;
            next += 1;
        }
        Some(search.finish())
    }
}

struct Found {
    node: Arc<Node>,
    /// Steps are numbered as they are found until all are known.
    sources: Sources,
}

struct Search {
    device: Device,
    /// The number of each step, and of each leaf with [`LEAF`] set.
    numbers: IdMap,
    found: Vec<Option<Found>>,
    leaves: Vec<Value>,
    /// The specs of the leaf's node, and which of its outputs it is.
    leaf_specs: Vec<(SharedSpecs, u32)>,
    elsewhere: Vec<Tensor>,
}

const LEAF: u32 = 1 << 31;

impl Search {
    fn new(device: Device) -> Search {
        Search {
            device,
            numbers: IdMap::new(),
            found: Vec::with_capacity(8),
            leaves: Vec::new(),
            leaf_specs: Vec::new(),
            elsewhere: Vec::new(),
        }
    }

    /// Finds the inputs of step `number`; `None` if the step's node has lost them to another thread's evaluation.
    fn find_inputs(&mut self, number: usize) -> Option<()> {
        let mut step = self.found[number].take().expect("found above");
        {
            let edges = step.node.edges();
            if step.node.is_evaluated() {
                return None;
            }
            step.sources = Few::of(&edges, |edge| self.find(edge));
        }
        self.found[number] = Some(step);
        Some(())
    }

    fn find(&mut self, edge: &Edge) -> Source {
        match self.numbers.get(edge.node.id) {
            Some(number) if number & LEAF != 0 => Source::Leaf(number & !LEAF),
            Some(number) => Source::Step(number, edge.output),
            None => match edge.node.value(edge.output) {
                Some(value) => self.add_leaf(edge, value.clone()),
                None => self.add_step(edge),
            },
        }
    }

    fn add_leaf(&mut self, edge: &Edge, value: Value) -> Source {
        let number = self.leaves.len() as u32;
        self.leaves.push(value);
        self.leaf_specs.push((edge.node.specs.clone(), edge.output));
        if edge.node.specs.len() == 1 {
            self.numbers.insert(edge.node.id, number | LEAF);
        }
        Source::Leaf(number)
    }

    fn add_step(&mut self, edge: &Edge) -> Source {
        let number = self.found.len() as u32;
        if edge.spec().device() == self.device {
            self.numbers.insert(edge.node.id, number);
            self.found.push(Some(Found {
                node: Arc::clone(&edge.node),
                sources: Sources::None,
            }));
        } else {
            self.elsewhere.push(Tensor::from_edge(edge.clone()));
        }
        Source::Step(number, edge.output)
    }

    /// The steps in the order in which they are due, numbered anew.
    fn finish(mut self) -> Collected {
        let mut order: SmallVec<[(u64, u64, u32); 16]> = SmallVec::new();
        order.extend(
            (self.found.iter().flatten().zip(0..))
                .map(|(step, number)| (step.node.due, step.node.id, number)),
        );
        order.sort_unstable();
        let mut position: SmallVec<[u32; 16]> = SmallVec::from_elem(0, order.len());
        for (place, &(.., number)) in order.iter().enumerate() {
            position[number as usize] = place as u32;
        }
        let mut in_order = |number: u32| {
            let mut step = self.found[number as usize].take().expect("taken once");
            for source in step.sources.iter_mut() {
                if let Source::Step(number, _) = source {
                    *number = position[*number as usize];
                }
            }
            TaskStep::new(step.node, step.sources)
        };
        Collected {
            steps: order.iter().map(|&(.., number)| in_order(number)).collect(),
            leaves: self.leaves,
            leaf_specs: self.leaf_specs,
            elsewhere: self.elsewhere,
        }
    }
}
