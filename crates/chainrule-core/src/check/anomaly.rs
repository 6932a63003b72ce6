//! Finding the operation that first made NaN or an infinity.

use crate::backend::{Computed, Source, Task, Value, to_array};
use crate::declare::Data;
use crate::error::{Error, ErrorKind};
use crate::graph::Spec;
use std::cell::Cell;
use std::fmt::Write;

thread_local! {
    static WATCHING: Cell<bool> = const { Cell::new(false) };
}

pub(crate) fn is_watching() -> bool {
    WATCHING.get()
}

/// Runs `work` in anomaly mode: the first operation whose result holds NaN or an infinity, while its inputs are finite,
/// stops the program with its name, the user's line, the pass (forward or derivative), and the ranges of its inputs.
///
/// Every intermediate value is kept and inspected, so this is for finding a mistake, not for production. Only what is
/// evaluated inside `work`, on this thread, is inspected.
///
/// ```
/// use chainrule_core::{attempt, check::anomaly, tensor};
/// let x = tensor![1.0, -1.0];
/// let error = attempt(|| anomaly::watch(|| (x.log() * 2.0).to_vec::<f32>())).unwrap_err();
/// assert!(error.message().starts_with("anomaly: `log` made NaN in the forward pass"));
/// ```
///
/// # Panics
/// When an anomaly is found.
pub fn watch<R>(work: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            WATCHING.set(self.0);
        }
    }
    let _restore = Restore(WATCHING.replace(true));
    work()
}

/// What a value's elements look like.
struct Range {
    least: f64,
    greatest: f64,
    nan: usize,
    infinite: usize,
}

/// The range of a floating-point value; `None` for integers and truth values.
fn range(value: &Value, spec: &Spec) -> Option<Range> {
    let mut range = Range {
        least: f64::INFINITY,
        greatest: f64::NEG_INFINITY,
        nan: 0,
        infinite: 0,
    };
    let mut note = |x: f64| {
        if x.is_nan() {
            range.nan += 1;
        } else if x.is_infinite() {
            range.infinite += 1;
        } else {
            range.least = range.least.min(x);
            range.greatest = range.greatest.max(x);
        }
    };
    match to_array(value, spec).ok()?.data {
        Data::F32(elements) => elements.into_iter().for_each(|x| note(x.into())),
        Data::F64(elements) => elements.into_iter().for_each(note),
        _ => return None,
    }
    Some(range)
}

impl Range {
    fn is_finite(&self) -> bool {
        self.nan + self.infinite == 0
    }

    fn text(&self) -> String {
        match self.least <= self.greatest {
            true => format!("from {:.4e} to {:.4e}", self.least, self.greatest),
            false => "no finite element".to_owned(),
        }
    }
}

/// Reports the first step that turned finite inputs into something that is not finite. Every step's values are given.
pub(crate) fn inspect(task: &Task, results: &Computed) -> Result<(), Error> {
    for (position, values) in results {
        let step = &task.steps()[*position as usize];
        let made: Vec<Range> = values
            .iter()
            .zip(step.specs())
            .filter_map(|(value, spec)| range(value, spec))
            .collect();
        if made.iter().all(Range::is_finite) {
            continue;
        }
        let inputs: Vec<(&Spec, Option<Range>)> = step
            .inputs()
            .iter()
            .map(|&source| {
                (
                    task.spec(source),
                    range(value_of(task, results, source), task.spec(source)),
                )
            })
            .collect();
        if inputs
            .iter()
            .all(|(_, range)| range.as_ref().is_none_or(Range::is_finite))
        {
            return Err(report(step, &made, &inputs));
        }
    }
    Ok(())
}

/// The value a source refers to; in anomaly mode every step has results, in order.
fn value_of<'a>(task: &'a Task, results: &'a Computed, source: Source) -> &'a Value {
    match source {
        Source::Leaf(leaf) => &task.leaves()[leaf as usize],
        Source::Step(step, output) => &results[step as usize].1[output as usize],
    }
}

fn report(
    step: &crate::backend::TaskStep,
    made: &[Range],
    inputs: &[(&Spec, Option<Range>)],
) -> Error {
    let nan: usize = made.iter().map(|range| range.nan).sum();
    let infinite: usize = made.iter().map(|range| range.infinite).sum();
    let what = if nan > 0 { "NaN" } else { "infinity" };
    let pass = if step.is_derived() {
        "a derivative of the line below"
    } else {
        "the forward pass"
    };
    let mut message = format!(
        "anomaly: `{}` made {what} in {pass}, at {}",
        step.operation().name(),
        step.place()
    );
    let module = step.module_path();
    if !module.is_empty() {
        let _ = write!(message, " (module `{module}`)");
    }
    let elements: usize = step.specs().iter().map(Spec::elements).sum();
    let _ = write!(
        message,
        "\n    result   {nan} NaN and {infinite} infinite of {elements} elements"
    );
    for (position, (spec, range)) in inputs.iter().enumerate() {
        let text = range
            .as_ref()
            .map_or("not real numbers".to_owned(), Range::text);
        let _ = write!(
            message,
            "\n    input {position}  {} {}  {text}",
            spec.shape(),
            spec.dtype()
        );
    }
    Error::new(ErrorKind::Argument, message).at(step.place())
}
