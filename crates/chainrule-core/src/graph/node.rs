//! One node of the graph: an operation, the edges to its inputs, and its values once they are computed.

use super::few::Few;
use super::history::{self, Scope};
use super::place::{ModulePath, Place};
use super::spec::Spec;
use super::specs::SharedSpecs;
use super::{counters, due};
use crate::backend::Value;
use crate::declare::OperationRef;
use crate::tensor::Tensor;
use std::cell::{Cell, RefCell};
use std::panic::Location;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

/// A reference to one output of a node, as nodes hold it (a [`Tensor`] is what a user holds).
#[derive(Clone)]
pub(crate) struct Edge {
    pub(crate) node: Arc<Node>,
    pub(crate) output: u32,
}

impl Edge {
    pub(crate) fn spec(&self) -> &Spec {
        &self.node.specs[self.output as usize]
    }
}

pub(crate) type Inputs = Few<Edge>;

/// What a node has computed.
pub(crate) enum Values {
    One(Value),
    #[expect(
        clippy::box_collection,
        reason = "a thin pointer keeps the nodes with one output small"
    )]
    Many(Box<Vec<Value>>),
}

/// One operation and its results.
///
/// Nobody counts who wants a value: of the references to a node, those by nodes of a task and those by tables of
/// gradients are known, so the others are a user's handles or the edges of nodes outside the task.
pub(crate) struct Node {
    /// Ids only grow, so ascending id is a topological order.
    pub(crate) id: u64,
    /// When an evaluation comes to this node: those with smaller numbers are computed first. The id, unless the node was
    /// recorded [with](super::due) an earlier one.
    pub(crate) due: u64,
    pub(crate) operation: OperationRef,
    pub(crate) specs: SharedSpecs,
    pub(crate) place: &'static Location<'static>,
    pub(crate) module: ModulePath,
    pub(crate) derived: bool,
    pub(crate) kind: Kind,
    /// The length of the longest chain of unevaluated nodes below this one, when it was made; 0 once it is evaluated.
    pub(crate) pending_depth: AtomicU32,
    /// The memory that evaluated inputs along that chain hold, in units of 64 KiB.
    pub(crate) pending_weight: AtomicU32,
    /// How many of the references belong to tables of gradients, which want no value to be kept.
    listed: AtomicU32,
    scope: Option<Arc<Scope>>,
    /// Set once, and read without a lock.
    values: OnceLock<Values>,
    /// Emptied when the node forgets what it was computed from.
    inputs: Mutex<Inputs>,
}

/// How a node takes part in walks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An ordinary result.
    Inner,
    /// A leaf whose values are given; also a boundary that history does not cross.
    Leaf,
    /// An input of a running transform.
    Fresh,
    /// A stand-in without a value.
    Placeholder,
    /// A result that stands on a placeholder.
    Abstract,
}

const WEIGHT_UNIT: usize = 1 << 16;

impl Node {
    #[inline]
    fn assemble(
        operation: OperationRef,
        specs: SharedSpecs,
        place: Place,
        kind: Kind,
        scope: Option<Arc<Scope>>,
        inputs: Inputs,
        values: Option<Values>,
    ) -> Node {
        let id = counters::next_id();
        let due = match due::current() {
            None => id,
            Some(due) => inputs
                .iter()
                .fold(due, |due, edge| match edge.node.is_evaluated() {
                    true => due,
                    false => due.max(edge.node.due),
                }),
        };
        Node {
            id,
            due,
            operation,
            specs,
            place: place.location,
            module: place.module,
            derived: place.derived,
            kind,
            pending_depth: AtomicU32::new(0),
            pending_weight: AtomicU32::new(0),
            listed: AtomicU32::new(0),
            scope,
            values: values.map_or_else(OnceLock::new, OnceLock::from),
            inputs: Mutex::new(inputs),
        }
    }

    /// A node whose values will be computed from `inputs` when somebody looks.
    pub(crate) fn recorded(
        operation: OperationRef,
        specs: SharedSpecs,
        inputs: &[&Tensor],
        place: Place,
    ) -> Node {
        let mut scope: Option<&Arc<Scope>> = None;
        let mut kind = Kind::Inner;
        let (mut depth, mut weight, mut held) = (0, 0, 0);
        for input in inputs {
            let node = input.node();
            if node.scope.is_some() {
                scope = Scope::outermost(scope, node.scope.as_ref());
            }
            if node.is_abstract() {
                kind = Kind::Abstract;
            }
            depth = depth.max(node.pending_depth.load(Relaxed));
            weight = weight.max(node.pending_weight.load(Relaxed));
            if node.kind == Kind::Leaf && node.scope.is_none() {
                held += input.spec().bytes() / WEIGHT_UNIT;
            }
        }
        let scope = scope.filter(|_| history::tracking_enabled()).cloned();
        let edges = Inputs::of(inputs, |input| input.edge().clone());
        let mut node = Node::assemble(operation, specs, place, kind, scope, edges, None);
        *node.pending_depth.get_mut() = depth + 1;
        *node.pending_weight.get_mut() = weight.saturating_add(held as u32);
        node
    }

    /// A leaf with a given value.
    pub(crate) fn leaf(
        operation: OperationRef,
        specs: SharedSpecs,
        value: Value,
        place: Place,
    ) -> Node {
        let value = Some(Values::One(value));
        let inputs = Inputs::None;
        Node::assemble(operation, specs, place, Kind::Leaf, None, inputs, value)
    }

    /// A stand-in for a value of this spec: operations can be recorded on it, nothing can be read.
    pub(crate) fn placeholder(operation: OperationRef, spec: Spec, place: Place) -> Node {
        let kind = Kind::Placeholder;
        let inputs = Inputs::None;
        Node::assemble(operation, spec.into(), place, kind, None, inputs, None)
    }

    /// An identity node on `original` in `scope`: the input of a transform, or the boundary that `tracked()` makes.
    pub(crate) fn identity(
        operation: OperationRef,
        original: &Edge,
        kind: Kind,
        scope: Option<Arc<Scope>>,
        place: Place,
    ) -> Node {
        let source = &original.node;
        let value = source.value(original.output).cloned();
        // A boundary forgets what lies below it as soon as there is a value; a fresh input keeps the edge, by which
        // outer transforms reach the original.
        let keeps_edge = value.is_none() || (kind == Kind::Fresh && source.is_tracked());
        let depth = match value {
            Some(_) => 0,
            None => source.pending_depth.load(Relaxed) + 1,
        };
        let specs = match &source.specs {
            shared if shared.len() == 1 => shared.clone(),
            _ => original.spec().clone().into(),
        };
        let inputs = match keeps_edge {
            true => Inputs::One([original.clone()]),
            false => Inputs::None,
        };
        let value = value.map(Values::One);
        let mut node = Node::assemble(operation, specs, place, kind, scope, inputs, value);
        *node.pending_depth.get_mut() = depth;
        node
    }

    pub(crate) fn place(&self) -> Place {
        Place {
            location: self.place,
            module: self.module,
            derived: self.derived,
        }
    }

    /// The edges to the inputs; none once the node has forgotten them.
    pub(crate) fn edges(&self) -> MutexGuard<'_, Inputs> {
        // A panic never happens while the lock is held, so poisoned edges are still whole.
        self.inputs
            .lock()
            .unwrap_or_else(|broken| broken.into_inner())
    }

    pub(crate) fn is_tracked(&self) -> bool {
        self.scope.as_ref().is_some_and(|scope| scope.is_open())
    }

    /// The scope of this node, if it is still open.
    pub(crate) fn scope(&self) -> Option<&Arc<Scope>> {
        self.scope.as_ref().filter(|scope| scope.is_open())
    }

    /// Whether the node stands on a placeholder, so that its value can never be computed.
    pub(crate) fn is_abstract(&self) -> bool {
        matches!(self.kind, Kind::Placeholder | Kind::Abstract)
    }

    /// Whether the values have been computed and kept.
    pub(crate) fn is_evaluated(&self) -> bool {
        self.values.get().is_some()
    }

    /// The value of one output, if it has been computed and kept.
    pub(crate) fn value(&self, output: u32) -> Option<&Value> {
        match self.values.get()? {
            Values::One(value) => Some(value),
            Values::Many(values) => values.get(output as usize),
        }
    }

    /// The inputs as tensors, as long as the node remembers them.
    pub(crate) fn inputs(&self) -> Few<Tensor> {
        Few::of(&self.edges(), |edge| Tensor::from_edge(edge.clone()))
    }

    /// Stores computed values; a node nobody can differentiate through forgets its inputs. The first result wins when
    /// two threads have computed the same.
    pub(crate) fn settle(&self, values: Values) {
        if self.values.set(values).is_ok() {
            self.pending_depth.store(0, Relaxed);
            self.pending_weight.store(0, Relaxed);
        }
        if !self.is_tracked() || self.kind == Kind::Leaf {
            self.forget();
        }
    }

    /// Forgets the inputs of an evaluated node whose scope has ended in the meantime.
    pub(crate) fn forget_if_done(&self) {
        if !self.is_tracked() && self.is_evaluated() {
            self.forget();
        }
    }

    fn forget(&self) {
        let forgotten = std::mem::take(&mut *self.edges());
        drop(forgotten); // after the lock is released: this may drop a graph
    }

    /// How many of the references belong to tables of gradients.
    pub(crate) fn listed(&self) -> usize {
        self.listed.load(Relaxed) as usize
    }

    /// Counts one of the references as a table's.
    pub(crate) fn list(&self) {
        self.listed.fetch_add(1, Relaxed);
    }

    /// Takes back a [`list`](Node::list).
    pub(crate) fn unlist(&self) {
        self.listed.fetch_sub(1, Relaxed);
    }
}

thread_local! {
    static DROPPING: Cell<bool> = const { Cell::new(false) };
    static DROPPED: RefCell<Vec<Inputs>> = const { RefCell::new(Vec::new()) };
}

impl Drop for Node {
    /// Drops a graph of any depth without recursion: inputs queue up and the outermost drop works the queue off.
    fn drop(&mut self) {
        counters::count_drop();
        let inputs = self
            .inputs
            .get_mut()
            .unwrap_or_else(|broken| broken.into_inner());
        if inputs.is_empty() {
            return;
        }
        let inputs = std::mem::take(inputs);
        let Ok(already) = DROPPING.try_with(|flag| flag.replace(true)) else {
            return; // the thread is ending; what is left is dropped in place
        };
        if already {
            DROPPED.with_borrow_mut(|queue| queue.push(inputs));
            return;
        }
        drop(inputs);
        while let Some(next) = DROPPED.with_borrow_mut(Vec::pop) {
            drop(next);
        }
        DROPPING.set(false);
    }
}
