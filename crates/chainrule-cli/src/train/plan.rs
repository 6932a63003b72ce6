//! From a configuration to everything that a run needs.

use super::TrainProblem;
use super::config::{Config, Problem, Section};
use super::data::{self, Data, Task};
use super::model;
use super::objective::{Objective, Precision};
use chainrule::data::Loader;
use chainrule::nn::schedules::{Schedule, Sequence, build_schedule};
use chainrule::nn::{
    FromValue, Group, Regulariser, Sequential, Summary, Value, build_optimiser, summarise,
};
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
    pub objective: Objective,
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
    pub clip_norm: Option<f64>,
    pub clip_value: Option<f64>,
    pub average: Option<Average>,
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

/// How weights are averaged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Average {
    /// The share that an exponential moving average keeps at each step.
    Exponential(f64),
    /// The mean from some step on, after every so many steps; without numbers the last quarter of the run, each epoch.
    Mean {
        from: Option<u64>,
        every: Option<u64>,
    },
}

impl FromValue for Average {
    fn from_value(value: &Value) -> Option<Average> {
        match value {
            Value::Float(decay) if (0.0..1.0).contains(decay) => Some(Average::Exponential(*decay)),
            Value::Text(name) if name == "swa" => Some(Average::Mean {
                from: None,
                every: None,
            }),
            _ => None,
        }
    }

    fn expected() -> String {
        "\"swa\", or the share that a moving average keeps, at least 0 and below 1".to_owned()
    }
}

impl Average {
    fn read(run: &mut Section) -> Result<Option<Average>, Problem> {
        let average = run.given("average")?;
        let Some(Average::Mean { .. }) = average else {
            return Ok(average);
        };
        Ok(Some(Average::Mean {
            from: run.positive("average_from")?.map(|step| step as u64),
            every: run.positive("average_every")?.map(|steps| steps as u64),
        }))
    }
}

impl Settings {
    /// The number of updates, where an epoch has so many batches.
    pub fn total_steps(&self, batches: usize) -> u64 {
        let per_epoch = batches.div_ceil(self.accumulate) as u64;
        self.steps.unwrap_or(self.epochs * per_epoch)
    }

    fn read(run: &mut Section, overrides: &Overrides, task: &Task) -> Result<Settings, Problem> {
        let path = |path: Option<String>| path.map(PathBuf::from);
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
            clip_norm: run.given("clip_norm")?,
            clip_value: run.given("clip_value")?,
            average: Average::read(run)?,
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
    let mut objective = Objective::read(config.loss.as_mut(), &data.task)?;
    objective.precision = Precision::read(&mut config.run)?;
    let settings = Settings::read(&mut config.run, overrides, &data.task)?;
    let optimiser = {
        let kind: String = config.optimiser.required("type")?;
        let built = build_optimiser(&kind, &mut config.optimiser.arguments);
        let mut optimiser = built.map_err(|error| config.optimiser.explain(&error))?;
        read_groups(&mut config.optimiser.parts, &mut *optimiser, &model)?;
        optimiser
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
        objective,
        settings,
        input,
    })
}

/// `[[optimiser.groups]]`: what parameters are treated otherwise.
fn read_groups(
    groups: &mut [Section],
    optimiser: &mut dyn Optimiser,
    model: &Sequential,
) -> Result<(), Problem> {
    for section in groups {
        let group = Group::configured(&mut section.arguments);
        let group = group.map_err(|error| section.explain(&error))?;
        if !group.matches_any(model) {
            return Err(section.problem("parameters", nothing_matches(model)));
        }
        if !optimiser.add_group(group) {
            let message = format!("{} treats all parameters alike", optimiser.name());
            return Err(section.whole(message));
        }
    }
    Ok(())
}

/// A pattern that no parameter matches is probably misspelt.
fn nothing_matches(model: &Sequential) -> String {
    let names: Vec<String> = model
        .named_parameters()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let shown = names.iter().take(8).cloned().collect::<Vec<_>>().join(", ");
    let more = if names.len() > 8 { ", ..." } else { "" };
    format!("no parameter matches; there are {shown}{more}")
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
    let schedule = match kind.as_str() {
        SEQUENCE => read_sequence(section)?,
        _ if !section.parts.is_empty() => {
            let message = format!("only `type = \"{SEQUENCE}\"` has stages");
            return Err(section.parts[0].whole(message));
        }
        _ => {
            let schedule = build_schedule(&kind, &mut section.arguments);
            schedule.map_err(|error| section.explain(&error))?
        }
    };
    Ok((schedule, by == "epoch"))
}

/// The schedule made of `[[schedule.stages]]`.
const SEQUENCE: &str = "sequence";

/// One schedule after another: each stage begins, with its own step 0, at the step `from`.
fn read_sequence(section: &mut Section) -> Result<Box<dyn Schedule>, Problem> {
    section.finish()?;
    let mut sequence: Option<(Sequence, u64)> = None;
    for stage in &mut section.parts {
        let kind: String = stage.required("type")?;
        let from: usize = stage.optional("from", 0)?;
        let schedule = build_schedule(&kind, &mut stage.arguments);
        let schedule = schedule.map_err(|error| stage.explain(&error))?;
        let from = from as u64;
        sequence = Some(match sequence {
            None if from == 0 => (Sequence::new(schedule), 0),
            None => return Err(stage.problem("from", "the first stage begins at step 0")),
            Some((_, last)) if from <= last => {
                let message = format!("`from` is {from}; the stage before begins at {last}");
                return Err(stage.problem("from", message));
            }
            Some((stages, _)) => (stages.then(from, schedule), from),
        });
    }
    let (sequence, _) = sequence
        .ok_or_else(|| section.whole("a sequence needs stages: add `[[schedule.stages]]`"))?;
    Ok(Box::new(sequence))
}

fn read_regulariser(section: &mut Section) -> Result<Regulariser, Problem> {
    let mut regulariser =
        Regulariser::elastic(section.optional("l2", 0.0)?, section.optional("l1", 0.0)?);
    for pattern in section.optional::<Vec<String>>("except", Vec::new())? {
        regulariser = regulariser.except(pattern);
    }
    section.finish()?;
    for group in &mut section.parts {
        let pattern: String = group.required("parameters")?;
        let (l2, l1) = (group.optional("l2", 0.0)?, group.optional("l1", 0.0)?);
        group.finish()?;
        regulariser = regulariser.group(pattern, l2, l1);
    }
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

    /// How many characters a network of a text has seen at once.
    pub fn window(&self) -> usize {
        self.input.0.first().copied().unwrap_or(1)
    }

    /// The shape of one example's input.
    pub fn input(&self) -> &Shape {
        &self.input.0
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

/// The trainer of a plan, without what says how it goes.
pub fn trainer(plan: &mut Plan) -> Result<Trainer<'static, Sequential, Batch>, TrainProblem> {
    let objective = plan.objective.clone();
    let model = std::mem::take(&mut plan.model);
    let optimiser = std::mem::replace(&mut plan.optimiser, Box::new(Sgd::new(0.0)));
    let mut trainer = Trainer::new(
        model,
        optimiser,
        move |model: &Sequential, batch: &Batch| objective.judge(model, batch),
    );
    if let Task::Classes(_) = plan.data.task {
        trainer = trainer.metric(chainrule_train::metrics::Accuracy::new());
    }
    Ok(trainer)
}
