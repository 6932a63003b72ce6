//! From a configuration to everything that a run needs.

use super::TrainProblem;
use super::config::{Config, Problem, Section};
use super::data::{self, Data, Task};
use super::model;
use chainrule::data::Loader;
use chainrule::nn::precision::cast_parameters;
use chainrule::nn::schedules::{Schedule, build_schedule};
use chainrule::nn::{Regulariser, Sequential, Summary, build_optimiser, summarise};
use chainrule::prelude::*;
use chainrule_train::trainer::Trainer;
use std::path::{Path, PathBuf};

/// A batch of inputs and labels or targets.
pub type Batch = (Tensor, Tensor);

/// What the command line says instead of the configuration.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    pub data: Option<PathBuf>,
    pub seed: Option<u64>,
    pub epochs: Option<u64>,
    pub report: Option<PathBuf>,
    pub checkpoints: Option<PathBuf>,
}

/// A run that can begin.
pub struct Plan {
    pub title: String,
    pub text: String,
    pub data: Data,
    pub model: Sequential,
    pub optimiser: Box<dyn Optimiser>,
    pub schedule: Option<(Box<dyn Schedule>, bool)>,
    pub regulariser: Option<Regulariser>,
    pub settings: Settings,
    input: (Shape, DType),
}

/// `[run]`.
#[derive(Clone, Debug)]
pub struct Settings {
    pub seed: u64,
    pub epochs: u64,
    pub steps: Option<u64>,
    pub batch: usize,
    pub workers: usize,
    pub accumulate: usize,
    pub bf16: bool,
    pub clip_norm: Option<f64>,
    pub clip_value: Option<f64>,
    pub average: Option<f64>,
    pub validate_every: Option<u64>,
    pub early_stop: Option<u64>,
    /// The number that decides which checkpoint is the best and when to stop.
    pub monitor: String,
    pub checkpoints: Option<PathBuf>,
    pub checkpoint_every: Option<u64>,
    pub keep: usize,
    pub report: Option<PathBuf>,
    pub tensorboard: Option<PathBuf>,
    /// Every how many steps the gradients are looked at; 0 for never.
    pub watch: u64,
}

impl Settings {
    fn read(run: &mut Section, overrides: &Overrides, task: &Task) -> Result<Settings, Problem> {
        let path = |path: Option<String>| path.map(PathBuf::from);
        let precision: String = run.optional("precision", "f32".to_owned())?;
        if !["f32", "bf16"].contains(&precision.as_str()) {
            return Err(run.problem(
                "precision",
                format!("`precision` is \"{precision}\"; expected \"f32\" or \"bf16\""),
            ));
        }
        let monitor: String = run.optional("monitor", "loss".to_owned())?;
        let known: &[&str] = match task {
            Task::Classes(_) => &["loss", "accuracy"],
            Task::Numbers(_) => &["loss"],
        };
        if !known.contains(&monitor.as_str()) {
            return Err(run.problem(
                "monitor",
                format!(
                    "validation does not measure \"{monitor}\"; expected {}",
                    known.join(" or ")
                ),
            ));
        }
        let steps = run.positive("steps")?.map(|steps| steps as u64);
        let epochs = run.positive("epochs")?.map(|epochs| epochs as u64);
        if let (Some(_), Some(_)) = (steps, epochs) {
            return Err(run.problem(
                "steps",
                "a run is so many epochs or so many steps long, not both",
            ));
        }
        let settings = Settings {
            seed: overrides
                .seed
                .unwrap_or(run.optional("seed", 0_usize)? as u64),
            epochs: overrides.epochs.or(epochs).unwrap_or(10),
            steps: steps.filter(|_| overrides.epochs.is_none()),
            batch: run.positive("batch_size")?.unwrap_or(64),
            workers: run.optional("workers", 1)?,
            accumulate: run.positive("accumulate")?.unwrap_or(1),
            bf16: precision == "bf16",
            clip_norm: run.given("clip_norm")?,
            clip_value: run.given("clip_value")?,
            average: run.given("average")?,
            validate_every: run.positive("validate_every")?.map(|steps| steps as u64),
            early_stop: run.positive("early_stop")?.map(|count| count as u64),
            monitor,
            checkpoints: overrides
                .checkpoints
                .clone()
                .or(path(run.given("checkpoints")?)),
            checkpoint_every: run.positive("checkpoint_every")?.map(|steps| steps as u64),
            keep: run.positive("keep")?.unwrap_or(3),
            report: overrides.report.clone().or(path(run.given("report")?)),
            tensorboard: path(run.given("tensorboard")?),
            watch: run.optional("watch", 20_usize)? as u64,
        };
        run.finish()?;
        Ok(settings)
    }
}

/// Reads a configuration and makes everything in it; `name` is what messages call it.
pub fn plan(name: &str, text: &str, overrides: &Overrides) -> Result<Plan, TrainProblem> {
    let mut config = Config::parse(name, text)?;
    // The data is split, and the weights drawn, by the seed.
    let seed = overrides.seed.map_or_else(
        || config.run.optional("seed", 0_usize).map(|seed| seed as u64),
        Ok,
    )?;
    let data = data::read(&mut config.data, overrides.data.as_deref(), seed)?;
    let input = data.input()?;
    manual_seed(seed);
    let model = model::build(&mut config, &input.0, input.1, &data.task)?;
    let settings = Settings::read(&mut config.run, overrides, &data.task)?;
    let optimiser = {
        let kind: String = config.optimiser.required("type")?;
        let built = build_optimiser(&kind, &mut config.optimiser.arguments);
        built.map_err(|error| config.optimiser.explain(&error))?
    };
    Ok(Plan {
        title: Path::new(name)
            .file_stem()
            .map_or(name.to_owned(), |stem| stem.to_string_lossy().into_owned()),
        text: config.text.clone(),
        schedule: config.schedule.as_mut().map(read_schedule).transpose()?,
        regulariser: config
            .regulariser
            .as_mut()
            .map(read_regulariser)
            .transpose()?,
        data,
        model,
        optimiser,
        settings,
        input,
    })
}

/// The schedule, and whether it counts epochs.
fn read_schedule(section: &mut Section) -> Result<(Box<dyn Schedule>, bool), Problem> {
    let kind: String = section.required("type")?;
    let by: String = section.optional("by", "step".to_owned())?;
    if !["step", "epoch"].contains(&by.as_str()) {
        return Err(section.problem(
            "by",
            format!("`by` is \"{by}\"; expected \"step\" or \"epoch\""),
        ));
    }
    let schedule = build_schedule(&kind, &mut section.arguments);
    let schedule = schedule.map_err(|error| section.explain(&error))?;
    Ok((schedule, by == "epoch"))
}

fn read_regulariser(section: &mut Section) -> Result<Regulariser, Problem> {
    let mut regulariser =
        Regulariser::elastic(section.optional("l2", 0.0)?, section.optional("l1", 0.0)?);
    for pattern in section.optional::<Vec<String>>("except", Vec::new())? {
        regulariser = regulariser.except(pattern);
    }
    section.finish()?;
    Ok(regulariser)
}

impl Plan {
    /// The training data in batches, shuffled.
    pub fn training(&mut self) -> Result<Loader<Batch>, TrainProblem> {
        let examples = std::mem::replace(&mut self.data.training, Box::new(Nothing));
        let loader = Loader::new(examples, self.settings.batch)?;
        Ok(loader
            .shuffle(self.settings.seed)
            .workers(self.settings.workers))
    }

    /// The test data in batches.
    pub fn test(&mut self) -> Result<Loader<Batch>, TrainProblem> {
        let examples = std::mem::replace(&mut self.data.test, Box::new(Nothing));
        let loader = Loader::new(examples, self.settings.batch.max(256))?;
        Ok(loader.workers(self.settings.workers))
    }

    /// The table of the layers, for one example.
    pub fn summary(&self) -> Summary {
        let mut shape = vec![1];
        shape.extend(self.input.0.iter());
        let input = Tensor::zeros(shape).cast(self.input.1);
        let mut passive = self.model.clone();
        passive.eval();
        summarise(&passive, &input, |model: &Sequential, x: &Tensor| {
            model.forward(x)
        })
    }
}

/// What is left of data that a loader has taken.
struct Nothing;

impl chainrule::data::Dataset for Nothing {
    type Example = Batch;

    fn len(&self) -> usize {
        0
    }

    fn get(&self, index: usize) -> Result<Batch, chainrule::data::DataError> {
        Err(chainrule::data::DataError::Index { index, len: 0 })
    }
}

/// What a network returns for inputs, in f32; a row for each example, or for each place of each sequence.
pub fn outputs(model: &Sequential, x: &Tensor, bf16: bool) -> Tensor {
    let y = match bf16 {
        true if x.dtype().is_floating() => {
            cast_parameters(model, DType::BF16).forward(x.cast(DType::BF16))
        }
        true => cast_parameters(model, DType::BF16).forward(x),
        false => model.forward(x),
    };
    y.cast(DType::F32)
}

/// Loss, outputs and labels of a batch.
pub fn judge(
    model: &Sequential,
    (x, labels): &Batch,
    task: &Task,
    bf16: bool,
) -> (Tensor, Tensor, Tensor) {
    let y = outputs(model, x, bf16);
    match task {
        Task::Classes(names) => {
            let rows = y.reshape([-1, names.len() as isize]);
            let labels = labels.reshape([-1]);
            (rows.cross_entropy(&labels), rows, labels)
        }
        Task::Numbers(_) => ((&y - labels).square().mean(..), y, labels.clone()),
    }
}

/// The trainer of a plan, without what says how it goes.
pub fn trainer(plan: &mut Plan) -> Result<Trainer<'static, Sequential, Batch>, TrainProblem> {
    let (task, bf16) = (plan.data.task.clone(), plan.settings.bf16);
    let model = std::mem::take(&mut plan.model);
    let optimiser = std::mem::replace(&mut plan.optimiser, Box::new(Sgd::new(0.0)));
    let mut trainer = Trainer::new(
        model,
        optimiser,
        move |model: &Sequential, batch: &Batch| judge(model, batch, &task, bf16),
    );
    if let Task::Classes(_) = plan.data.task {
        trainer = trainer.metric(chainrule_train::metrics::Accuracy::new());
    }
    Ok(trainer)
}
