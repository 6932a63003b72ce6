//! Arrays that NumPy wrote.

use super::{Changes, Data, Halves, Reading, Task};
use crate::train::TrainProblem;
use crate::train::config::Section;
use chainrule::data::readers::{npy, npz};
use chainrule::data::{DataError, Place, TensorDataset};
use chainrule::{DType, Tensor};
use std::path::Path;

/// The arrays called `inputs` and `labels` or `targets` in an `.npz` file, or in a folder of `.npy` files.
pub fn read(section: &mut Section, path: &Path, seed: u64) -> Result<Data, TrainProblem> {
    let inputs: String = section.optional("inputs", "inputs".to_owned())?;
    let targets: Option<String> = section.given("targets")?;
    let labels: Option<String> = section.given("labels")?;
    let fraction: f64 = section.optional("test", 0.2)?;
    let classes = section.positive("classes")?;
    if let (Some(_), Some(_)) = (&targets, &labels) {
        let message =
            "arrays have `labels`, which are classes, or `targets`, which are numbers, not both";
        return Err(section.problem("targets", message).into());
    }
    let x = as_inputs(array(path, &inputs)?);
    let (y, task) = match &targets {
        Some(name) => numbers(array(path, name)?),
        None => {
            let name = labels.unwrap_or_else(|| "labels".to_owned());
            labelled(path, &name, array(path, &name)?, classes)?
        }
    };
    let [examples, answers] = [&x, &y].map(|tensor| tensor.shape().first().copied().unwrap_or(0));
    if examples != answers {
        return Err(TrainProblem::Request(format!(
            "{}: `{inputs}` has {examples} rows and what they are compared with has {answers}",
            path.display()
        )));
    }
    let halves = Halves::of(examples, fraction, seed);
    let ((x, test_x), (y, test_y)) = (halves.of_tensor(&x), halves.of_tensor(&y));
    Ok(Data {
        training: Box::new(TensorDataset::new((x, y))?),
        test: Box::new(TensorDataset::new((test_x, test_y))?),
        task,
        reading: Reading::Arrays,
        changes: Changes::default(),
    })
}

/// What a file of inputs alone holds, to be predicted for.
pub fn to_predict(file: &Path) -> Result<Tensor, TrainProblem> {
    Ok(as_inputs(npy::read(file)?))
}

fn array(path: &Path, name: &str) -> Result<Tensor, TrainProblem> {
    if path.is_dir() {
        return Ok(npy::read(path.join(format!("{name}.npy")))?);
    }
    let mut arrays = npz::read(path)?;
    arrays.remove(name).ok_or_else(|| {
        let known: Vec<&str> = arrays.keys().map(String::as_str).collect();
        TrainProblem::Request(format!(
            "{}: there is no array `{name}`; there are {}",
            path.display(),
            known.join(", ")
        ))
    })
}

/// Numbers as f32; bytes, which are pictures, from 0 to 1; other integers, which are tokens, as i64.
fn as_inputs(array: Tensor) -> Tensor {
    match array.dtype() {
        DType::U8 => array.cast(DType::F32) / 255.0,
        dtype if dtype.is_floating() || dtype == DType::Bool => array.cast(DType::F32),
        _ => array.cast(DType::I64),
    }
}

/// Targets `[rows, numbers]`.
fn numbers(array: Tensor) -> (Tensor, Task) {
    let rows = array.shape().first().copied().unwrap_or(0);
    let count = array.elements() / rows.max(1);
    let targets = array
        .reshape([rows as isize, count as isize])
        .cast(DType::F32);
    (targets, Task::Numbers(count))
}

fn labelled(
    path: &Path,
    name: &str,
    array: Tensor,
    classes: Option<usize>,
) -> Result<(Tensor, Task), TrainProblem> {
    if array.rank() != 1 || array.dtype().is_floating() {
        return Err(TrainProblem::Request(format!(
            "{}: `{name}` is {} {}; labels are whole numbers, one for each row",
            path.display(),
            array.shape(),
            array.dtype()
        )));
    }
    let labels: Vec<i64> = array.cast(DType::I64).to_vec();
    let found = labels.iter().max().map_or(0, |&most| most.max(-1) + 1) as usize;
    let classes = classes.unwrap_or(found);
    if let Some(&label) = labels
        .iter()
        .find(|&&label| !(0..classes as i64).contains(&label))
    {
        return Err(TrainProblem::Data(DataError::Label {
            path: path.to_owned(),
            place: Place::Entry(name.to_owned()),
            label,
            classes,
        }));
    }
    let names = (0..classes).map(|class| class.to_string()).collect();
    Ok((Tensor::from(labels), Task::Classes(names)))
}
