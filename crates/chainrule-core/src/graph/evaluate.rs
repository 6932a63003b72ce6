//! From "somebody looks" to a task for a backend, and its results back into the nodes.

use super::node::{Edge, Kind, Node, Values};
use super::{IdMap, Spec};
use crate::backend::{Computed, Source, Task, TaskStep, Value};
use crate::check::anomaly;
use crate::error::{Error, ErrorKind};
use crate::tensor::Tensor;
use smallvec::SmallVec;
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// Unevaluated work longer than this chain of nodes is evaluated although nobody looks.
const DEPTH_BOUND: u32 = 8192;
/// Unevaluated work that holds more than this much memory (in units of 64 KiB) is evaluated although nobody looks.
const WEIGHT_BOUND: u32 = 8192;

thread_local! {
    static SUSPENDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` without the bound on pending work: a walk that is under way must not be evaluated half done.
pub(crate) fn without_evaluation<R>(work: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            SUSPENDED.set(self.0);
        }
    }
    let _restore = Restore(SUSPENDED.replace(true));
    work()
}

/// Evaluates `node` if too much work or memory hangs on it unevaluated.
#[track_caller]
pub(crate) fn keep_bounded(tensor: &Tensor) {
    let node = &tensor.edge().node;
    if (node.pending_depth.load(Relaxed) < DEPTH_BOUND
        && node.pending_weight.load(Relaxed) < WEIGHT_BOUND)
        || SUSPENDED.get()
        || node.is_abstract()
    {
        return;
    }
    evaluate(&[tensor]);
}

/// Computes the values of `tensors` together, in one plan for each device.
///
/// Values that are there already cost nothing. Reading a value (`item`, `to_vec`, printing) does this for one tensor;
/// calling it for several at once lets the planner see them together.
///
/// ```
/// use chainrule_core::{evaluate, Tensor};
/// let x = Tensor::from(vec![1.0, 2.0, 3.0]);
/// let (a, b) = (x.exp(), &x * 2.0);
/// evaluate(&[&a, &b]);
/// ```
///
/// # Panics
/// When a tensor stands on a placeholder (a value is read inside `vmap`), or memory runs out.
#[track_caller]
pub fn evaluate(tensors: &[&Tensor]) {
    if let Err(error) = try_evaluate(tensors) {
        crate::error::raise(error)
    }
}

fn try_evaluate(tensors: &[&Tensor]) -> Result<(), Error> {
    let mut targets: SmallVec<[Edge; 4]> = SmallVec::new();
    for tensor in tensors {
        let node = &tensor.edge().node;
        if node.is_abstract() {
            return Err(no_value(node));
        }
        if node.value(tensor.edge().output).is_none() {
            targets.push(tensor.edge().clone());
        }
    }
    while let Some(first) = targets.first() {
        let device = first.spec().device();
        let (mine, others): (SmallVec<[Edge; 4]>, SmallVec<[Edge; 4]>) = targets
            .into_iter()
            .partition(|edge| edge.spec().device() == device);
        let collected = Collected::below(&mine);
        if !collected.elsewhere.is_empty() {
            // Values of other devices that this one reads come first.
            let handles: Vec<Tensor> = collected
                .elsewhere
                .iter()
                .cloned()
                .map(Tensor::from_edge)
                .collect();
            try_evaluate(&handles.iter().collect::<Vec<_>>())?;
            targets = mine.into_iter().chain(others).collect();
            continue;
        }
        run(collected, &mine)?;
        targets = others;
    }
    Ok(())
}

fn no_value(node: &Node) -> Error {
    let message = format!(
        "`{}` at {} has no value here: it stands on the argument of a transform that runs its function once for many \
         inputs (vmap)\n    help: choose by value with `where_`, or use `map_each`, which calls the function for each input",
        node.operation.name(),
        node.place
    );
    Error::new(ErrorKind::NoValue, message)
}

/// The unevaluated nodes below some targets, oldest first, with the values they start from.
struct Collected {
    nodes: Vec<(Arc<Node>, SmallVec<[Edge; 2]>)>,
    positions: IdMap,
    elsewhere: Vec<Edge>,
}

impl Collected {
    fn below(targets: &[Edge]) -> Collected {
        let mut seen = IdMap::new();
        let mut nodes: Vec<(Arc<Node>, SmallVec<[Edge; 2]>)> = Vec::new();
        let mut elsewhere = Vec::new();
        let mut stack: Vec<Edge> = targets.to_vec();
        let device = targets[0].spec().device();
        while let Some(edge) = stack.pop() {
            let node = &edge.node;
            if seen.contains(node.id) {
                continue;
            }
            let inputs = {
                let state = node.state();
                if !matches!(state.values, Values::Pending) {
                    continue;
                }
                state.inputs.clone()
            };
            if edge.spec().device() != device {
                elsewhere.push(edge);
                continue;
            }
            seen.insert(node.id, 0);
            stack.extend(inputs.iter().cloned());
            nodes.push((edge.node, inputs));
        }
        nodes.sort_unstable_by_key(|(node, _)| node.id);
        let mut positions = IdMap::new();
        for (position, (node, _)) in nodes.iter().enumerate() {
            positions.insert(node.id, position as u32);
        }
        Collected {
            nodes,
            positions,
            elsewhere,
        }
    }
}

fn run(collected: Collected, targets: &[Edge]) -> Result<(), Error> {
    let Collected {
        nodes, positions, ..
    } = collected;
    let mut leaves: Vec<Value> = Vec::new();
    let mut leaf_specs: Vec<Spec> = Vec::new();
    let mut leaf_positions = IdMap::new();
    let mut consumers_here = vec![0u32; nodes.len()];
    let mut steps: Vec<TaskStep> = Vec::with_capacity(nodes.len());
    let device = targets[0].spec().device();
    for (node, inputs) in nodes {
        let mut sources: SmallVec<[Source; 2]> = SmallVec::new();
        for edge in &inputs {
            if let Some(step) = positions.get(edge.node.id) {
                consumers_here[step as usize] += 1;
                sources.push(Source::Step(step, edge.output));
                continue;
            }
            let single = edge.node.specs.len() == 1;
            let known = if single {
                leaf_positions.get(edge.node.id)
            } else {
                None
            };
            let leaf = known.unwrap_or_else(|| {
                let value = edge
                    .node
                    .value(edge.output)
                    .expect("only evaluated nodes are left out");
                leaves.push(value);
                leaf_specs.push(edge.spec().clone());
                let leaf = leaves.len() as u32 - 1;
                if single {
                    leaf_positions.insert(edge.node.id, leaf);
                }
                leaf
            });
            sources.push(Source::Leaf(leaf));
        }
        steps.push(TaskStep::new(node, sources));
    }
    mark_kept(&mut steps, &consumers_here, targets, &positions);
    let watching = anomaly::is_watching();
    if watching {
        steps.iter_mut().for_each(TaskStep::keep);
    }
    let task = Task::new(steps, leaves, leaf_specs);
    let results = device.backend().evaluate(&task)?;
    if watching {
        anomaly::inspect(&task, &results)?;
    }
    store(&task, results);
    Ok(())
}

/// Decides whose values outlive the task: targets, what a user holds, what an unevaluated node elsewhere still reads,
/// and what the backward pass of a tracked result will read.
fn mark_kept(steps: &mut [TaskStep], consumers_here: &[u32], targets: &[Edge], positions: &IdMap) {
    let count = steps.len();
    let mut differentiable_later = vec![false; count];
    for target in targets {
        if let Some(step) = positions.get(target.node.id) {
            steps[step as usize].keep();
        }
    }
    for step in (0..count).rev() {
        let node = steps[step].node().clone();
        let held = node.handles.load(Relaxed) > 0;
        let read_elsewhere = node.consumers.load(Relaxed) > consumers_here[step];
        if held || read_elsewhere {
            steps[step].keep();
        }
        if !node.is_tracked() {
            continue;
        }
        differentiable_later[step] |= held || read_elsewhere || node.retainers.load(Relaxed) > 0;
        if !differentiable_later[step] || node.kind == Kind::Leaf {
            continue;
        }
        let reads = node.operation.backward_reads();
        if reads.outputs {
            steps[step].keep();
        }
        let sources: SmallVec<[Source; 2]> = steps[step].inputs().iter().copied().collect();
        for (position, source) in sources.iter().enumerate() {
            if let Source::Step(input, _) = *source {
                differentiable_later[input as usize] = true;
                if reads.reads_input(position) {
                    steps[input as usize].keep();
                }
            }
        }
    }
}

fn store(task: &Task, results: Computed) {
    for (step, mut values) in results {
        let node = task.steps()[step as usize].node();
        node.settle(match values.len() {
            1 => Values::One(values.remove(0)),
            _ => Values::Many(values.into_vec().into_boxed_slice()),
        });
    }
}
