//! From "somebody looks" to a task for a backend, and its results back into the nodes.

use super::collect::Collected;
use super::node::{Kind, Values};
use super::walk::placeholders_below;
use crate::backend::{Computed, Source, Task, TaskStep};
use crate::check::anomaly;
use crate::error::{Error, ErrorKind};
use crate::tensor::Tensor;
use smallvec::SmallVec;
use std::cell::Cell;
use std::panic::Location;
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
        let is_read_here = error.kind() == ErrorKind::NoValue;
        crate::error::raise(match is_read_here {
            true => error.at(Location::caller()),
            false => error,
        })
    }
}

fn try_evaluate(tensors: &[&Tensor]) -> Result<(), Error> {
    let mut pending: SmallVec<[&Tensor; 4]> = SmallVec::new();
    for &tensor in tensors {
        if tensor.node().is_abstract() {
            return Err(no_value(tensor));
        }
        if !tensor.node().is_evaluated() {
            pending.push(tensor);
        }
    }
    while let Some(first) = pending.first() {
        let device = first.device();
        let here: SmallVec<[&Tensor; 4]> = pending
            .iter()
            .copied()
            .filter(|tensor| tensor.device() == device)
            .collect();
        evaluate_here(&here)?;
        pending.retain(|tensor| tensor.device() != device);
    }
    Ok(())
}

/// Evaluates tensors of one device.
fn evaluate_here(targets: &[&Tensor]) -> Result<(), Error> {
    loop {
        match Collected::below(targets) {
            Some(collected) if collected.elsewhere.is_empty() => return run(collected, targets),
            // Values of other devices that this one reads come first.
            Some(collected) => {
                try_evaluate(&collected.elsewhere.iter().collect::<SmallVec<[_; 4]>>())?;
            }
            // Another thread has evaluated a part in the meantime.
            None => {}
        }
    }
}

/// The error of a value that is asked for while a function runs on stand-ins: what was read, and whose stand-in it is.
fn no_value(tensor: &Tensor) -> Error {
    let node = tensor.node();
    let mapped = placeholders_below(tensor).last();
    let place = mapped
        .as_ref()
        .map_or(node.place, |stand_in| stand_in.place);
    let what = match node.kind {
        Kind::Placeholder => format!("the argument of the vmap at {place}"),
        _ => format!(
            "`{}` made at {}, which depends on the argument of the vmap at {place},",
            node.operation.name(),
            node.place
        ),
    };
    let message = format!(
        "{what} has no value here: vmap runs its function once for all examples\n    help: choose by value with `where_`, \
         or use `map_each`, which calls the function for each example"
    );
    Error::new(ErrorKind::NoValue, message)
}

fn run(collected: Collected, targets: &[&Tensor]) -> Result<(), Error> {
    let Collected {
        mut steps,
        leaves,
        leaf_specs,
        ..
    } = collected;
    if steps.is_empty() {
        return Ok(());
    }
    mark_kept(&mut steps);
    let watching = anomaly::is_watching();
    if watching {
        steps.iter_mut().for_each(TaskStep::keep);
    }
    let task = Task::new(steps, leaves, leaf_specs);
    let results = targets[0].device().backend().evaluate(&task)?;
    if watching {
        anomaly::inspect(&task, &results)?;
    }
    store(&task, results);
    Ok(())
}

/// What will be differentiated after the task, as far as can be told.
#[derive(Clone, Copy, Default)]
struct Later {
    /// The node itself, as part of a result that a user holds.
    itself: bool,
    /// The gradient that runs through the node, as part of such a result.
    its_gradient: bool,
}

impl Later {
    fn any(self) -> bool {
        self.itself || self.its_gradient
    }
}

/// Decides whose values outlive the task: what a user holds (the targets among them), what an unevaluated node elsewhere
/// still reads, and what the backward pass of a tracked result will read.
///
/// Where the gradient is part of the task that backward pass is taking place already, and what it reads is not kept for
/// another one. Should there be another, the values are computed again.
fn mark_kept(steps: &mut [TaskStep]) {
    let references = references_here(steps);
    let gradients_read = read_by_gradients(steps);
    let mut later: SmallVec<[Later; 64]> = SmallVec::from_elem(Later::default(), steps.len());
    for position in (0..steps.len()).rev() {
        let node = steps[position].node();
        let wanted = Arc::strong_count(node) > references[position] as usize + node.listed();
        let (tracked, derived) = (node.is_tracked(), node.derived);
        let mut kept = wanted;
        later[position].itself |= wanted && tracked && !derived;
        let known = later[position];
        if node.kind == Kind::Leaf {
            // A boundary below a history that stays: without its value it would hold on to all that came before it.
            kept |= known.any();
        } else if known.any() && tracked {
            let reads = node.operation.backward_reads();
            let read_again = |read: usize| known.its_gradient || !gradients_read[read];
            kept |= reads.outputs && read_again(position);
            for operand in 0..steps[position].inputs().len() {
                if let Source::Step(input, _) = steps[position].inputs()[operand] {
                    let input = input as usize;
                    later[input].itself |= known.itself && !derived;
                    later[input].its_gradient |= known.its_gradient || derived;
                    if reads.reads_input(operand) && read_again(input) {
                        steps[input].keep();
                    }
                }
            }
        }
        if kept {
            steps[position].keep();
        }
    }
}

/// Which values the gradients of the task read.
fn read_by_gradients(steps: &[TaskStep]) -> SmallVec<[bool; 64]> {
    let mut read = SmallVec::from_elem(false, steps.len());
    for step in steps.iter().filter(|step| step.is_derived()) {
        for source in step.inputs() {
            if let Source::Step(input, _) = *source {
                read[input as usize] = true;
            }
        }
    }
    read
}

/// How many references to each step's node the task accounts for: its own and those of later steps.
fn references_here(steps: &[TaskStep]) -> SmallVec<[u32; 64]> {
    let mut references = SmallVec::from_elem(1, steps.len());
    for step in steps {
        for source in step.inputs() {
            if let Source::Step(input, _) = *source {
                references[input as usize] += 1;
            }
        }
    }
    references
}

fn store(task: &Task, results: Computed) {
    for (step, mut values) in results {
        let node = task.steps()[step as usize].node();
        node.settle(match values.len() {
            1 => Values::One(values.pop().expect("there is one")),
            _ => Values::Many(Box::new(values.into_vec())),
        });
    }
}
