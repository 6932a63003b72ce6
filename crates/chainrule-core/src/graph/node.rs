//! One node of the graph: an operation, the edges to its inputs, and its values once they are computed.

use super::history::{self, Scope};
use super::place::{ModulePath, Place};
use super::spec::Spec;
use crate::backend::Value;
use crate::declare::{OperationRef, Specs};
use crate::tensor::Tensor;
use smallvec::SmallVec;
use std::cell::{Cell, RefCell};
use std::panic::Location;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};

/// A reference to one output of a node, as nodes and tables hold it (a [`Tensor`] is what a user holds).
pub(crate) struct Edge {
    pub(crate) node: Arc<Node>,
    pub(crate) output: u32,
}

impl Clone for Edge {
    fn clone(&self) -> Edge {
        Edge {
            node: Arc::clone(&self.node),
            output: self.output,
        }
    }
}

impl Edge {
    pub(crate) fn spec(&self) -> &Spec {
        &self.node.specs[self.output as usize]
    }
}

pub(crate) type Inputs = SmallVec<[Edge; 2]>;

/// What a node has computed.
pub(crate) enum Values {
    Pending,
    One(Value),
    Many(Box<[Value]>),
}

pub(crate) struct State {
    pub(crate) inputs: Inputs,
    pub(crate) values: Values,
}

pub(crate) struct Node {
    /// Ids only grow, so ascending id is a topological order.
    pub(crate) id: u64,
    pub(crate) operation: OperationRef,
    pub(crate) specs: Specs,
    pub(crate) place: &'static Location<'static>,
    pub(crate) module: ModulePath,
    pub(crate) derived: bool,
    pub(crate) kind: Kind,
    /// The length of the longest chain of unevaluated nodes below this one, when it was made; 0 once it is evaluated.
    pub(crate) pending_depth: AtomicU32,
    /// The memory that evaluated inputs along that chain hold, in units of 64 KiB.
    pub(crate) pending_weight: AtomicU32,
    /// Tensors that users hold.
    pub(crate) handles: AtomicU32,
    /// Unevaluated nodes that have this one as an input.
    pub(crate) consumers: AtomicU32,
    /// Evaluated nodes that still have this one as an input, because they are tracked.
    pub(crate) retainers: AtomicU32,
    scope: Option<Arc<Scope>>,
    state: Mutex<State>,
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

static NEXT_ID: AtomicU64 = AtomicU64::new(1);
static LIVE_NODES: AtomicUsize = AtomicUsize::new(0);

/// What is alive: for programs that watch their own memory.
pub mod counters {
    use super::{LIVE_NODES, Relaxed};

    /// The number of graph nodes that exist now, over all threads.
    pub fn live_nodes() -> usize {
        LIVE_NODES.load(Relaxed)
    }
}

const WEIGHT_UNIT: usize = 1 << 16;

impl Node {
    fn assemble(
        operation: OperationRef,
        specs: Specs,
        place: Place,
        kind: Kind,
        scope: Option<Arc<Scope>>,
        state: State,
    ) -> Node {
        LIVE_NODES.fetch_add(1, Relaxed);
        Node {
            id: NEXT_ID.fetch_add(1, Relaxed),
            operation,
            specs,
            place: place.location,
            module: place.module,
            derived: place.derived,
            kind,
            pending_depth: AtomicU32::new(0),
            pending_weight: AtomicU32::new(0),
            handles: AtomicU32::new(0),
            consumers: AtomicU32::new(0),
            retainers: AtomicU32::new(0),
            scope,
            state: Mutex::new(state),
        }
    }

    /// A node whose values will be computed from `inputs` when somebody looks.
    pub(crate) fn recorded(
        operation: OperationRef,
        specs: Specs,
        inputs: &[&Tensor],
        place: Place,
    ) -> Node {
        let mut scope: Option<&Arc<Scope>> = None;
        let mut kind = Kind::Inner;
        let (mut depth, mut weight) = (0u32, 0u32);
        let mut edges = Inputs::new();
        for input in inputs {
            let node = &input.edge().node;
            if node.scope.is_some() {
                scope = Scope::outermost(scope, node.scope.as_ref());
            }
            if node.is_abstract() {
                kind = Kind::Abstract;
            }
            node.consumers.fetch_add(1, Relaxed);
            depth = depth.max(node.pending_depth.load(Relaxed));
            weight = weight.max(node.pending_weight.load(Relaxed));
            edges.push(input.edge().clone());
        }
        for input in inputs {
            let node = &input.edge().node;
            if node.kind == Kind::Leaf && node.scope.is_none() {
                weight = weight.saturating_add((input.spec().bytes() / WEIGHT_UNIT) as u32);
            }
        }
        let scope = scope.filter(|_| history::tracking_enabled()).cloned();
        let state = State {
            inputs: edges,
            values: Values::Pending,
        };
        let mut node = Node::assemble(operation, specs, place, kind, scope, state);
        *node.pending_depth.get_mut() = depth + 1;
        *node.pending_weight.get_mut() = weight;
        node
    }

    /// A leaf with a given value.
    pub(crate) fn leaf(
        operation: OperationRef,
        spec: Spec,
        value: Value,
        scope: Option<Arc<Scope>>,
        place: Place,
    ) -> Node {
        let state = State {
            inputs: Inputs::new(),
            values: Values::One(value),
        };
        Node::assemble(
            operation,
            smallvec::smallvec![spec],
            place,
            Kind::Leaf,
            scope,
            state,
        )
    }

    /// A stand-in for a value of this spec: operations can be recorded on it, nothing can be read.
    pub(crate) fn placeholder(operation: OperationRef, spec: Spec, place: Place) -> Node {
        let state = State {
            inputs: Inputs::new(),
            values: Values::Pending,
        };
        let specs = smallvec::smallvec![spec];
        Node::assemble(operation, specs, place, Kind::Placeholder, None, state)
    }

    /// An identity node on `original` in `scope`: the input of a transform, or the boundary that `tracked()` makes.
    pub(crate) fn identity(
        operation: OperationRef,
        original: &Edge,
        kind: Kind,
        scope: Option<Arc<Scope>>,
        place: Place,
    ) -> Node {
        let value = original.node.value(original.output);
        // A boundary forgets what lies below it as soon as there is a value; a fresh input keeps the edge, by which
        // outer transforms reach the original.
        let keeps_edge = value.is_none() || (kind == Kind::Fresh && original.node.is_tracked());
        let mut inputs = Inputs::new();
        if keeps_edge {
            let counter = match value {
                Some(_) => &original.node.retainers,
                None => &original.node.consumers,
            };
            counter.fetch_add(1, Relaxed);
            inputs.push(original.clone());
        }
        let depth = match value {
            Some(_) => 0,
            None => original.node.pending_depth.load(Relaxed) + 1,
        };
        let state = State {
            inputs,
            values: value.map_or(Values::Pending, Values::One),
        };
        let specs = smallvec::smallvec![original.spec().clone()];
        let mut node = Node::assemble(operation, specs, place, kind, scope, state);
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

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // A panic never happens while the lock is held, so a poisoned state is still whole.
        self.state
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

    /// The value of one output, if it has been computed and kept.
    pub(crate) fn value(&self, output: u32) -> Option<Value> {
        match &self.state().values {
            Values::Pending => None,
            Values::One(value) => Some(value.clone()),
            Values::Many(values) => Some(values[output as usize].clone()),
        }
    }

    /// The inputs as tensors, as long as the node remembers them.
    pub(crate) fn inputs(&self) -> SmallVec<[Tensor; 2]> {
        let state = self.state();
        state
            .inputs
            .iter()
            .map(|edge| Tensor::from_edge(edge.clone()))
            .collect()
    }

    /// Stores computed values; a node nobody can differentiate through forgets its inputs. The first result wins when
    /// two threads have computed the same.
    pub(crate) fn settle(&self, values: Values) {
        let forgotten = {
            let mut state = self.state();
            if matches!(state.values, Values::Pending) {
                state.values = values;
                self.pending_depth.store(0, Relaxed);
                self.pending_weight.store(0, Relaxed);
                for edge in &state.inputs {
                    edge.node.consumers.fetch_sub(1, Relaxed);
                    edge.node.retainers.fetch_add(1, Relaxed);
                }
            }
            let remembers = self.is_tracked() && self.kind != Kind::Leaf;
            if remembers {
                return;
            }
            let forgotten = std::mem::take(&mut state.inputs);
            for edge in &forgotten {
                edge.node.retainers.fetch_sub(1, Relaxed);
            }
            forgotten
        };
        drop(forgotten);
    }

    /// Forgets the inputs of an evaluated node whose scope has ended in the meantime.
    pub(crate) fn forget_if_done(&self) {
        if self.is_tracked() {
            return;
        }
        let forgotten = {
            let mut state = self.state();
            if matches!(state.values, Values::Pending) {
                return;
            }
            let forgotten = std::mem::take(&mut state.inputs);
            for edge in &forgotten {
                edge.node.retainers.fetch_sub(1, Relaxed);
            }
            forgotten
        };
        drop(forgotten);
    }
}

thread_local! {
    static DROPPING: Cell<bool> = const { Cell::new(false) };
    static DROPPED: RefCell<Vec<Inputs>> = const { RefCell::new(Vec::new()) };
}

impl Drop for Node {
    /// Drops a graph of any depth without recursion: inputs queue up and the outermost drop works the queue off.
    fn drop(&mut self) {
        LIVE_NODES.fetch_sub(1, Relaxed);
        let state = self
            .state
            .get_mut()
            .unwrap_or_else(|broken| broken.into_inner());
        if state.inputs.is_empty() {
            return;
        }
        let pending = matches!(state.values, Values::Pending);
        for edge in &state.inputs {
            let counter = if pending {
                &edge.node.consumers
            } else {
                &edge.node.retainers
            };
            counter.fetch_sub(1, Relaxed);
        }
        let inputs = std::mem::take(&mut state.inputs);
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
