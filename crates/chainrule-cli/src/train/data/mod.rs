//! `[data]`: what a run learns from.

pub mod arrays;
mod table;

pub use table::Rows;

use super::TrainProblem;
use super::config::Section;
use chainrule::data::readers::csv::Csv;
use chainrule::data::readers::image::Colour;
use chainrule::data::readers::image_folder::ImageFolder;
use chainrule::data::readers::text::{Vocabulary, Windows};
use chainrule::data::readers::{cifar, idx, text};
use chainrule::data::transforms::{Compose, Normalise, build_transform};
use chainrule::data::{DataError, Dataset, Random, breast_cancer};
use chainrule::error::nearest;
use chainrule::{DType, Shape, Tensor};
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
    /// Rows of a table.
    Rows(Rows),
    /// Arrays like the inputs, a row for each example.
    Arrays,
    /// Characters.
    Text(Vocabulary),
}

/// The data of a run.
pub struct Data {
    pub training: Examples,
    pub test: Examples,
    pub task: Task,
    pub reading: Reading,
    pub changes: Changes,
}

/// What becomes of images on their way to the network.
#[derive(Clone, Default)]
pub struct Changes {
    /// Random changes of the training images.
    pub augment: Option<Arc<Compose>>,
    /// What all images are normalised by.
    pub normalise: Option<Normalise>,
}

impl Data {
    /// The shape and dtype of one input.
    pub fn input(&self) -> Result<(Shape, DType), DataError> {
        let (input, _) = self.training.get(0)?;
        Ok((input.shape().clone(), input.dtype()))
    }
}

/// Which examples are learnt from and which are held out, drawn by a seed.
struct Halves {
    training: Vec<usize>,
    test: Vec<usize>,
}

impl Halves {
    /// The share `fraction` of `count` examples is for the test.
    fn of(count: usize, fraction: f64, seed: u64) -> Halves {
        let mut training = Random::new(seed).permutation(count);
        let kept = (count as f64 * (1.0 - fraction.clamp(0.0, 1.0))).round();
        let test = training.split_off(kept as usize);
        Halves { training, test }
    }

    /// The rows of a tensor of either part.
    fn of_tensor(&self, tensor: &Tensor) -> (Tensor, Tensor) {
        let part = |rows: &[usize]| {
            let rows: Vec<i64> = rows.iter().map(|&row| row as i64).collect();
            tensor.index_select(0, &Tensor::from(rows))
        };
        (part(&self.training), part(&self.test))
    }
}

const KINDS: [&str; 8] = [
    "mnist",
    "fashion-mnist",
    "cifar10",
    "images",
    "csv",
    "arrays",
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
                changes: Changes::default(),
            }
        }
        "images" => folders(section, &required(section)?, seed)?,
        "csv" => {
            let csv = table::csv_of(section)?;
            table::table(section, csv.read(required(section)?)?, csv, seed)?
        }
        "arrays" => arrays::read(section, &required(section)?, seed)?,
        "breast-cancer" => table::table(section, breast_cancer()?, Csv::new(), seed)?,
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
    data.changes = changes(section, &data)?;
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
        changes: Changes::default(),
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
        if train.classes() != test.classes() {
            return Err(TrainProblem::Request(format!(
                "{}: `train` has folders for the classes {}, `test` for {}; both need the same",
                path.display(),
                train.classes().join(", "),
                test.classes().join(", ")
            )));
        }
        return Ok(Data {
            task: Task::Classes(train.classes().to_vec()),
            training: Box::new(train.load()?),
            test: Box::new(test.load()?),
            reading,
            changes: Changes::default(),
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
        changes: Changes::default(),
    })
}

/// `[[data.augment]]` and `normalise`.
fn changes(section: &mut Section, data: &Data) -> Result<Changes, TrainProblem> {
    let normalised = section.optional("normalise", false)?;
    if !normalised && section.parts.is_empty() {
        return Ok(Changes::default());
    }
    let (input, _) = data.input()?;
    let ([channels, height, width], Reading::Image(_)) = (&input[..], &data.reading) else {
        let message = "`normalise` and `augment` are for images";
        let part = section.parts.first();
        let problem = part.map(|part| part.whole(message));
        return Err(problem
            .unwrap_or_else(|| section.problem("normalise", message))
            .into());
    };
    let image = [*channels, *height, *width];
    let mut augment = Compose::new();
    for part in &mut section.parts {
        let kind: String = part.required("type")?;
        let transform = build_transform(&kind, &mut part.arguments, image);
        augment = augment.then(transform.map_err(|error| part.explain(&error))?);
    }
    let normalise = match normalised {
        true => {
            let count = data.training.len().min(LOOKED_AT);
            let images = data.training.batch(&(0..count).collect::<Vec<_>>())?.0;
            Some(Normalise::fit(&images)?)
        }
        false => None,
    };
    Ok(Changes {
        augment: (!section.parts.is_empty()).then(|| Arc::new(augment)),
        normalise,
    })
}

/// How many images give mean and deviation.
const LOOKED_AT: usize = 5000;

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
        changes: Changes::default(),
    })
}
