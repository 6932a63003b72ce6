//! Reading a batch: shapes and labels checked once, for all metrics.

use chainrule_core::{DType, Error, ErrorKind, Tensor};

/// The labels of a batch against outputs `[.., classes]`: the examples flattened, the ignored ones left out.
pub(super) struct Batch {
    pub(super) classes: usize,
    /// Which of the flattened examples count, with their class.
    pub(super) examples: Vec<(usize, usize)>,
}

impl Batch {
    /// Checks that `labels` has the shape of `outputs` without its last axis and that every label is a class or `ignored`.
    pub(super) fn read(
        metric: &str,
        outputs: &Tensor,
        labels: &Tensor,
        ignored: Option<i64>,
    ) -> Result<Batch, Error> {
        let shape = outputs.shape();
        let Some((&classes, leading)) = shape.split_last() else {
            return Err(shape_error(metric, outputs, labels, "[.., classes]"));
        };
        if leading != &labels.shape()[..] {
            return Err(shape_error(metric, outputs, labels, "[.., classes]"));
        }
        require_floating(metric, outputs)?;
        let numbers = integer_labels(metric, labels)?;
        let mut examples = Vec::with_capacity(numbers.len());
        for (position, label) in numbers.into_iter().enumerate() {
            match usize::try_from(label) {
                _ if ignored == Some(label) => {}
                Ok(class) if class < classes => examples.push((position, class)),
                _ => return Err(label_error(metric, label, position, classes, labels)),
            }
        }
        Ok(Batch { classes, examples })
    }
}

/// Labels 0 and 1 against scores of the same shape, or `[.., 1]`.
pub(super) fn binary(
    metric: &str,
    outputs: &Tensor,
    labels: &Tensor,
) -> Result<Vec<(f64, bool)>, Error> {
    let same = outputs.shape() == labels.shape();
    let column = outputs.shape().split_last() == Some((&1, &labels.shape()[..]));
    if !same && !column {
        return Err(shape_error(metric, outputs, labels, "that of the labels"));
    }
    require_floating(metric, outputs)?;
    let numbers = integer_labels(metric, labels)?;
    if let Some(position) = numbers.iter().position(|label| !(0..=1).contains(label)) {
        return Err(label_error(metric, numbers[position], position, 2, labels));
    }
    let scores = outputs.to_vec::<f64>();
    Ok(scores
        .into_iter()
        .zip(numbers.into_iter().map(|label| label == 1))
        .collect())
}

fn require_floating(metric: &str, outputs: &Tensor) -> Result<(), Error> {
    if outputs.dtype().is_floating() {
        return Ok(());
    }
    let message = format!(
        "{metric}: the outputs are {} (from `{}` at {}), expected scores of a floating dtype\n    help: give the network's \
         output, not the predicted classes",
        outputs.dtype(),
        outputs.operation_name(),
        outputs.place()
    );
    Err(Error::new(ErrorKind::DType, message))
}

/// Labels as integers: of an integer dtype, truth values, or floating numbers that are whole.
fn integer_labels(metric: &str, labels: &Tensor) -> Result<Vec<i64>, Error> {
    if labels.dtype() == DType::Bool {
        return Ok(labels.to_vec::<bool>().into_iter().map(i64::from).collect());
    }
    if !labels.dtype().is_floating() {
        return Ok(labels.to_vec::<i64>());
    }
    let numbers = labels.to_vec::<f64>();
    match numbers
        .iter()
        .position(|label| label.fract() != 0.0 || !label.is_finite())
    {
        None => Ok(numbers.into_iter().map(|label| label as i64).collect()),
        Some(position) => {
            let message = format!(
                "{metric}: label {} at position {position} is no class\n    help: labels are whole numbers counted from 0",
                numbers[position]
            );
            Err(Error::new(ErrorKind::Index, message))
        }
    }
}

fn label_error(
    metric: &str,
    label: i64,
    position: usize,
    classes: usize,
    labels: &Tensor,
) -> Error {
    let message = format!(
        "{metric}: label {label} at position {position} of the batch is outside the {classes} classes 0 to {} (labels from \
         `{}` at {})\n    help: count classes from 0; a label that stands for no class is left out with `.ignoring({label})`",
        classes.saturating_sub(1),
        labels.operation_name(),
        labels.place()
    );
    Error::new(ErrorKind::Index, message)
}

fn shape_error(metric: &str, outputs: &Tensor, labels: &Tensor, expected: &str) -> Error {
    let message = format!(
        "{metric}: outputs of shape {} (from `{}` at {}) do not belong to labels of shape {} (from `{}` at {})\n    help: \
         the shape of the outputs is {expected}, where the labels have shape [..]",
        outputs.shape(),
        outputs.operation_name(),
        outputs.place(),
        labels.shape(),
        labels.operation_name(),
        labels.place()
    );
    Error::new(ErrorKind::Shape, message)
}
