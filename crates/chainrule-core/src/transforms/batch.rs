//! One function over many examples at once.

use crate::declare::{Batch, Evaluation};
use crate::error::{Error, ErrorKind, raise};
use crate::graph::walk::{Step, depending_or};
use crate::graph::{IdMap, placed_at, with_due, with_place, without_evaluation};
use crate::tensor::Tensor;
use crate::tree::{Path, Segment, Tree, leaves, rebuilt};
use std::panic::Location;

/// `f`, a function of one example, as a function of many: every tensor of the argument and of the result gets a further
/// axis 0, the batch.
///
/// `f` runs once, on stand-ins without values; what it records is replayed for the whole batch by the batching rule of
/// each operation. Reading a value inside `f` is therefore an error: use `where_`, or [`map_each`].
///
/// ```
/// use chainrule_core::{tensor, vmap, Tensor};
/// let dots = vmap(|(a, b): &(Tensor, Tensor)| a.dot(b))(&(
///     tensor![[1.0, 2.0], [3.0, 4.0]],
///     tensor![[1.0, 1.0], [0.5, 0.5]],
/// ));
/// assert_eq!(dots.to_vec::<f32>(), [3.0, 3.5]);
/// ```
///
/// # Panics
/// The returned function panics when the extents of axis 0 differ, or a value is read inside `f`.
#[track_caller]
pub fn vmap<P: Tree, O: Tree>(f: impl Fn(&P) -> O) -> impl Fn(&P) -> O {
    let caller = Location::caller();
    move |examples| {
        let batched = leaves(examples);
        let extent = common_extent(&batched, "vmap", caller);
        let batched: Vec<Option<Tensor>> = batched.into_iter().cloned().map(Some).collect();
        let (outputs, replayed) = mapped(&f, examples, &batched, extent, caller);
        rebuilt(&outputs, &replayed)
    }
}

/// [`vmap`] along chosen axes: `in_axes` has an entry for each element of the argument (of a tuple, array, `Vec`, map or
/// struct; one entry for a lone tensor), the axis that counts the examples, or `None` for what all examples share.
/// `out_axis` is where the batch is put in every tensor of the result. Negative axes count from the end.
///
/// ```
/// use chainrule_core::{tensor, vmap_axes, Tensor};
/// let w = tensor![[1.0, 2.0], [3.0, 4.0]];
/// let columns = tensor![[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]];
/// let product = |(w, x): &(Tensor, Tensor)| w.matmul(x);
/// let products = vmap_axes(product, [None, Some(1)], 1)(&(w.clone(), columns.clone()));
/// assert_eq!(products.to_vec::<f32>(), w.matmul(&columns).to_vec::<f32>());
/// ```
///
/// # Panics
/// The returned function panics as that of [`vmap`], and when `in_axes` has another number of entries than the argument
/// has elements, an axis is out of range, or no element is batched.
#[track_caller]
pub fn vmap_axes<P: Tree, O: Tree>(
    f: impl Fn(&P) -> O,
    in_axes: impl IntoIterator<Item = Option<isize>>,
    out_axis: isize,
) -> impl Fn(&P) -> O {
    let caller = Location::caller();
    let in_axes: Vec<Option<isize>> = in_axes.into_iter().collect();
    move |arguments| {
        let batched = placed_at(caller, || to_front(arguments, &in_axes, caller));
        let present: Vec<&Tensor> = batched.iter().flatten().collect();
        let extent = common_extent(&present, "vmap_axes", caller);
        let (outputs, replayed) = mapped(&f, arguments, &batched, extent, caller);
        let moved: Vec<Tensor> = placed_at(caller, || {
            replayed
                .iter()
                .map(|output| output.move_axis(0, out_axis))
                .collect()
        });
        rebuilt(&outputs, &moved)
    }
}

/// The leaves of `arguments` with the examples along axis 0; `None` for those that are shared.
fn to_front<P: Tree>(
    arguments: &P,
    in_axes: &[Option<isize>],
    caller: &'static Location<'static>,
) -> Vec<Option<Tensor>> {
    let mut elements: Vec<Option<Segment>> = Vec::new();
    let mut leaves: Vec<(usize, Tensor)> = Vec::new();
    arguments.visit(&mut Path::new(), &mut |path, leaf| {
        let element = path.segments().first().cloned();
        if elements.last() != Some(&element) {
            elements.push(element);
        }
        leaves.push((elements.len() - 1, leaf.clone()));
    });
    if elements.len() != in_axes.len() {
        let message = format!(
            "vmap_axes: the argument has {} elements and in_axes {} entries\n    help: give one entry for each element, \
             `None` for what all examples share",
            elements.len(),
            in_axes.len()
        );
        raise(Error::new(ErrorKind::Argument, message).at(caller));
    }
    leaves
        .into_iter()
        .map(|(element, leaf)| Some(leaf.move_axis(in_axes[element]?, 0)))
        .collect()
}

/// Records `f` on stand-ins for one example of what is batched, and replays it for all: the result for one example, and
/// its leaves for all. Where `batched` is `None`, the argument's own leaf is used.
fn mapped<P: Tree, O: Tree>(
    f: &impl Fn(&P) -> O,
    arguments: &P,
    batched: &[Option<Tensor>],
    extent: usize,
    caller: &'static Location<'static>,
) -> (O, Vec<Tensor>) {
    let one = |tensor: &Tensor| tensor.spec().with_shape(tensor.shape().without_axis(0));
    let (mut single, mut all) = (Vec::new(), Vec::new());
    let own = leaves(arguments);
    let inputs: Vec<Tensor> = placed_at(caller, || {
        let entries = batched.iter().zip(own);
        entries
            .map(|(batched, own)| match batched {
                None => own.clone(),
                Some(tensor) => {
                    single.push(Tensor::placeholder(one(tensor)));
                    all.push(tensor.clone());
                    single[single.len() - 1].clone()
                }
            })
            .collect()
    });
    let outputs = f(&rebuilt(arguments, &inputs));
    let recorded: Vec<Tensor> = leaves(&outputs).into_iter().cloned().collect();
    let replayed = without_evaluation(|| replay(&single, &all, &recorded, extent));
    (outputs, replayed)
}

/// `f` called for each example along axis 0, and the results stacked: [`vmap`] as a loop.
///
/// Works for every function, also one that reads values; costs as many calls as there are examples.
///
/// # Panics
/// The returned function panics when the extents of axis 0 differ or there is no example.
#[track_caller]
pub fn map_each<P: Tree, O: Tree>(f: impl Fn(&P) -> O) -> impl Fn(&P) -> O {
    let caller = Location::caller();
    move |examples| {
        let batched = leaves(examples);
        let extent = common_extent(&batched, "map_each", caller);
        if extent == 0 {
            let message = "map_each: there is no example to call the function for";
            raise(Error::new(ErrorKind::Shape, message).at(caller));
        }
        let results: Vec<O> = (0..extent)
            .map(|example| {
                let one: Vec<Tensor> = batched
                    .iter()
                    .map(|tensor| tensor.narrow(0, example, 1).squeeze(0))
                    .collect();
                f(&rebuilt(examples, &one))
            })
            .collect();
        let rows: Vec<Vec<&Tensor>> = results.iter().map(leaves).collect();
        let stacked: Vec<Tensor> = (0..rows[0].len())
            .map(|leaf| Tensor::stack(&rows.iter().map(|row| row[leaf]).collect::<Vec<_>>(), 0))
            .collect();
        rebuilt(&results[0], &stacked)
    }
}

/// The extent of axis 0 that all arguments have.
fn common_extent(batched: &[&Tensor], name: &str, caller: &'static Location<'static>) -> usize {
    let mut extent = None;
    for tensor in batched {
        let this = tensor.shape().first().copied();
        if this.is_none() || extent.is_some_and(|extent| Some(extent) != this) {
            let shapes: Vec<String> = batched
                .iter()
                .map(|tensor| tensor.shape().to_string())
                .collect();
            let message = format!(
                "{name}: the arguments do not have a common axis 0: their shapes are {}",
                shapes.join(", ")
            );
            raise(Error::new(ErrorKind::Shape, message).at(caller));
        }
        extent = this;
    }
    extent.unwrap_or_else(|| {
        let message = format!("{name}: the argument has no tensor");
        raise(Error::new(ErrorKind::Argument, message).at(caller))
    })
}

/// Replays what was recorded on `single` for the whole batch. What does not depend on `single` is shared, except for
/// random draws, which each example makes for itself.
fn replay(single: &[Tensor], batched: &[Tensor], outputs: &[Tensor], extent: usize) -> Vec<Tensor> {
    let walk = depending_or(single, outputs, |step| {
        // A draw whose value somebody has read is data by now.
        matches!(step.node.operation.batch(), Batch::Draw(_)) && !step.inputs.is_empty()
    });
    let mut table = Table {
        rows: IdMap::new(),
        outputs: Vec::new(),
    };
    for (placeholder, tensor) in single.iter().zip(batched) {
        table.set(placeholder.id(), vec![tensor.clone()]);
    }
    for step in &walk.steps {
        let due = (step.node.due < step.node.id).then_some(step.node.due);
        let replayed = with_place(step.node.place(), || {
            with_due(due, || replay_step(step, &table, extent))
        });
        table.set(step.node.id, replayed);
    }
    outputs
        .iter()
        .map(|output| {
            table
                .get(output)
                .cloned()
                .unwrap_or_else(|| repeated(output, extent))
        })
        .collect()
}

struct Table {
    rows: IdMap,
    outputs: Vec<Vec<Tensor>>,
}

impl Table {
    fn set(&mut self, id: u64, outputs: Vec<Tensor>) {
        self.rows.insert(id, self.outputs.len() as u32);
        self.outputs.push(outputs);
    }

    fn get(&self, tensor: &Tensor) -> Option<&Tensor> {
        let row = self.rows.get(tensor.id())?;
        Some(&self.outputs[row as usize][tensor.edge().output as usize])
    }
}

/// An unbatched tensor with the batch as axis 0.
fn repeated(tensor: &Tensor, extent: usize) -> Tensor {
    tensor
        .unsqueeze(0)
        .expand(tensor.shape().with_axis(0, extent))
}

fn replay_step(step: &Step, table: &Table, extent: usize) -> Vec<Tensor> {
    let operation = &step.node.operation;
    let batched: Vec<bool> = step
        .inputs
        .iter()
        .map(|input| table.get(input).is_some())
        .collect();
    let aligned = || -> Vec<Tensor> {
        step.inputs
            .iter()
            .map(|input| {
                table
                    .get(input)
                    .cloned()
                    .unwrap_or_else(|| repeated(input, extent))
            })
            .collect()
    };
    match operation.batch() {
        Batch::Aligned | Batch::LeadingAxes => operation
            .all_of(&aligned().iter().collect::<Vec<_>>())
            .into_vec(),
        Batch::ShiftAxes(shift) => shift
            .shifted(extent)
            .all_of(&aligned().iter().collect::<Vec<_>>())
            .into_vec(),
        Batch::Rule(rule) | Batch::Draw(rule) => {
            let inputs: Vec<Tensor> = step
                .inputs
                .iter()
                .map(|input| table.get(input).unwrap_or(input).clone())
                .collect();
            rule.batch(&inputs, &batched, extent)
        }
        Batch::Body => {
            let Evaluation::Body(body) = operation.evaluation() else {
                unreachable!("only composites are batched by their body")
            };
            let single: Vec<Tensor> = step
                .inputs
                .iter()
                .map(|input| Tensor::placeholder(input.spec().clone()))
                .collect();
            let outputs = body.body(&single);
            replay(&single, &aligned(), &outputs, extent)
        }
        Batch::Loop => looped(step, &aligned(), extent),
        Batch::Source => step
            .outputs()
            .iter()
            .map(|output| repeated(output, extent))
            .collect(),
    }
}

/// Runs an operation without a batching rule once for each example, and says so once.
fn looped(step: &Step, batched: &[Tensor], extent: usize) -> Vec<Tensor> {
    static SAID: std::sync::Once = std::sync::Once::new();
    SAID.call_once(|| {
        eprintln!(
            "chainrule: vmap runs `{}` at {} once for each example, because it has no batching rule",
            step.node.operation.name(),
            step.node.place
        );
    });
    let results: Vec<Vec<Tensor>> = (0..extent)
        .map(|example| {
            let one: Vec<Tensor> = batched
                .iter()
                .map(|tensor| tensor.narrow(0, example, 1).squeeze(0))
                .collect();
            step.node
                .operation
                .all_of(&one.iter().collect::<Vec<_>>())
                .into_vec()
        })
        .collect();
    (0..step.node.specs.len())
        .map(|output| {
            Tensor::stack(
                &results.iter().map(|row| &row[output]).collect::<Vec<_>>(),
                0,
            )
        })
        .collect()
}
