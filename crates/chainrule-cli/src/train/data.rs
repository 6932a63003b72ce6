//! `[data]`: what a run learns from.

use super::TrainProblem;
use super::config::{Problem, Section};
use chainrule::data::readers::csv::{Column, Csv, Table};
use chainrule::data::readers::image::Colour;
use chainrule::data::readers::image_folder::ImageFolder;
use chainrule::data::readers::text::{Vocabulary, Windows};
use chainrule::data::readers::{cifar, idx, text};
use chainrule::data::{DataError, Dataset, Random, TensorDataset, breast_cancer};
use chainrule::error::nearest;
use chainrule::nn::{FromValue, Value};
use chainrule::{DType, Shape, Tensor};
use std::path::{Path, PathBuf};

/// Examples of inputs and labels or targets.
pub type Examples = Box<dyn Dataset<Example = (Tensor, Tensor)>>;

/// What the outputs are compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Task {
    /// One of these classes for each example (or for each place of a sequence).
    Classes(Vec<String>),
    /// So many numbers.
    Numbers(usize),
}

impl Task {
    /// The extent of the last axis of what a network returns.
    pub fn outputs(&self) -> usize {
        match self {
            Task::Classes(names) => names.len(),
            Task::Numbers(count) => *count,
        }
    }
}

/// How a file of the user's becomes an input.
#[derive(Clone, Debug)]
pub enum Reading {
    /// An image with this many channels.
    Image(usize),
    /// Rows of a table, standardised by these means and deviations.
    Rows(Csv, Option<(Tensor, Tensor)>),
    /// Characters.
    Text(Vocabulary),
}

/// The data of a run.
pub struct Data {
    pub training: Examples,
    pub test: Examples,
    pub task: Task,
    pub reading: Reading,
}

impl Data {
    /// The shape and dtype of one input.
    pub fn input(&self) -> Result<(Shape, DType), DataError> {
        let (input, _) = self.training.get(0)?;
        Ok((input.shape().clone(), input.dtype()))
    }
}

const KINDS: [&str; 7] = [
    "mnist",
    "fashion-mnist",
    "cifar10",
    "images",
    "csv",
    "breast-cancer",
    "text",
];

/// Reads the data; `folder` replaces the path of the configuration.
pub fn read(section: &mut Section, folder: Option<&Path>, seed: u64) -> Result<Data, TrainProblem> {
    let kind: String = section.required("kind")?;
    let path: Option<String> = section.given("path")?;
    let path = folder.map(Path::to_owned).or(path.map(PathBuf::from));
    let required = |section: &Section| {
        path.clone().ok_or_else(|| {
            let message = format!("where is `{kind}`? Give `path = \"...\"`, or `--data FOLDER`");
            section.problem("kind", message)
        })
    };
    let mut data = match kind.as_str() {
        "mnist" => images(idx::mnist(required(section)?)?),
        "fashion-mnist" => images(idx::fashion_mnist(required(section)?)?),
        "cifar10" => {
            let cifar = cifar::cifar10(required(section)?)?;
            Data {
                training: Box::new(cifar.training),
                test: Box::new(cifar.test),
                task: Task::Classes(cifar.classes),
                reading: Reading::Image(3),
            }
        }
        "images" => folders(section, &required(section)?, seed)?,
        "csv" => {
            let csv = csv_of(section)?;
            table(section, csv.read(required(section)?)?, csv, seed)?
        }
        "breast-cancer" => table(section, breast_cancer()?, Csv::new(), seed)?,
        "text" => sequence(section, &required(section)?)?,
        other => {
            let hint = match nearest(other, KINDS) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("there are {}", KINDS.join(", ")),
            };
            let message = format!("there is no data of kind `{other}`; {hint}");
            return Err(section.problem("kind", message).into());
        }
    };
    if let Some(limit) = section.positive("limit")? {
        let count = limit.min(data.training.len());
        data.training = Box::new(data.training.subset((0..count).collect())?);
    }
    if let Some(limit) = section.positive("test_limit")? {
        let count = limit.min(data.test.len());
        data.test = Box::new(data.test.subset((0..count).collect())?);
    }
    section.finish()?;
    for (examples, part) in [(&data.training, "training"), (&data.test, "test")] {
        if examples.is_empty() {
            return Err(DataError::Empty(format!("the {part} part of the data")).into());
        }
    }
    Ok(data)
}

fn images(mnist: idx::Mnist) -> Data {
    Data {
        training: Box::new(mnist.training),
        test: Box::new(mnist.test),
        task: Task::Classes(mnist.classes.map(str::to_owned).to_vec()),
        reading: Reading::Image(1),
    }
}

/// A folder with a folder for each class; or with `train` and `test`, which have those.
fn folders(section: &mut Section, path: &Path, seed: u64) -> Result<Data, TrainProblem> {
    let grey: bool = section.optional("grey", false)?;
    let colour = if grey { Colour::Grey } else { Colour::Rgb };
    let fraction: f64 = section.optional("test", 0.2)?;
    let reading = Reading::Image(colour.channels());
    let (train, test) = (path.join("train"), path.join("test"));
    if train.is_dir() && test.is_dir() {
        let (train, test) = (
            ImageFolder::open(train, colour)?,
            ImageFolder::open(test, colour)?,
        );
        return Ok(Data {
            task: Task::Classes(train.classes().to_vec()),
            training: Box::new(train.load()?),
            test: Box::new(test.load()?),
            reading,
        });
    }
    let folder = ImageFolder::open(path, colour)?;
    let task = Task::Classes(folder.classes().to_vec());
    let (training, test) = folder.load()?.split(1.0 - fraction, seed)?;
    Ok(Data {
        training: Box::new(training),
        test: Box::new(test),
        task,
        reading,
    })
}

/// A column by its name or its number.
struct ColumnName(Column);

impl FromValue for ColumnName {
    fn from_value(value: &Value) -> Option<ColumnName> {
        match value {
            Value::Text(name) => Some(ColumnName(Column::Named(name.clone()))),
            Value::Integer(number) => {
                Some(ColumnName(Column::Numbered(isize::try_from(*number).ok()?)))
            }
            _ => None,
        }
    }

    fn expected() -> String {
        "the name or the number of a column".to_owned()
    }
}

fn csv_of(section: &mut Section) -> Result<Csv, Problem> {
    let mut csv = Csv::new().header(section.optional("header", true)?);
    let label: Option<ColumnName> = section.given("label")?;
    let targets: Option<Vec<ColumnName>> = section.given("targets")?;
    match (label, targets) {
        (Some(label), None) => csv = csv.label(label.0),
        (None, Some(targets)) => csv = csv.targets(targets.into_iter().map(|column| column.0)),
        _ => {
            return Err(section.whole(
                "a table needs `label`, the column of the class, or `targets`, those of numbers",
            ));
        }
    }
    if let Some(inputs) = section.given::<Vec<ColumnName>>("inputs")? {
        csv = csv.inputs(inputs.into_iter().map(|column| column.0));
    }
    Ok(csv)
}

/// The rows of a table in two parts, standardised by the first.
fn table(section: &mut Section, table: Table, csv: Csv, seed: u64) -> Result<Data, TrainProblem> {
    let fraction: f64 = section.optional("test", 0.2)?;
    let standardise = section.optional("standardise", true)?;
    let (targets, task) = match (&table.labels, &table.targets) {
        (Some(labels), _) => (labels, Task::Classes(table.classes.clone())),
        (None, Some(targets)) => (targets, Task::Numbers(targets.shape()[1])),
        (None, None) => {
            return Err(section
                .whole("the table has neither labels nor targets")
                .into());
        }
    };
    let rows = table.inputs.shape()[0];
    let mut first = Random::new(seed).permutation(rows);
    let second = first.split_off((rows as f64 * (1.0 - fraction.clamp(0.0, 1.0))).round() as usize);
    let part = |rows: &[usize], tensor: &Tensor| {
        let rows: Vec<i64> = rows.iter().map(|&row| row as i64).collect();
        tensor.index_select(0, &Tensor::from(rows))
    };
    let (mut training, mut test) = (part(&first, &table.inputs), part(&second, &table.inputs));
    let mut scale = None;
    if standardise && !first.is_empty() {
        let (mean, deviation) = moments(&training);
        training = (training - &mean) / &deviation;
        test = (test - &mean) / &deviation;
        scale = Some((mean, deviation));
    }
    Ok(Data {
        training: Box::new(TensorDataset::new((training, part(&first, targets)))?),
        test: Box::new(TensorDataset::new((test, part(&second, targets)))?),
        task,
        reading: Reading::Rows(csv, scale),
    })
}

/// The mean and the deviation of each column, 1 where a column does not vary.
fn moments(inputs: &Tensor) -> (Tensor, Tensor) {
    let mean = inputs.mean(0);
    let deviation = (inputs - &mean).square().mean(0).sqrt();
    let deviation = deviation.gt(0.0).where_(&deviation, 1.0);
    chainrule::evaluate(&[&mean, &deviation]);
    (mean, deviation)
}

/// The windows of a text, the last part of it for the test.
fn sequence(section: &mut Section, path: &Path) -> Result<Data, TrainProblem> {
    let length = section.positive("length")?.unwrap_or(64);
    let fraction: f64 = section.optional("test", 0.1)?;
    let stride = section.positive("stride")?.unwrap_or(length);
    let content = match path.is_dir() {
        true => text::tiny_shakespeare(path)?,
        false => text::read(path)?,
    };
    let vocabulary = Vocabulary::of(&content);
    let numbers = vocabulary.encode(&content)?;
    let (training, test) = Windows::divided(numbers, length, 1.0 - fraction)?;
    let names = vocabulary
        .characters()
        .iter()
        .map(char::to_string)
        .collect();
    Ok(Data {
        training: Box::new(training.stride(stride)),
        test: Box::new(test.stride(length)),
        task: Task::Classes(names),
        reading: Reading::Text(vocabulary),
    })
}
