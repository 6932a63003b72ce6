//! From a configuration to everything that a run needs.

use super::config::Config;
use super::data::{self, Data, Task};
use super::objective::{Objective, Precision};
use super::settings::Settings;
use super::{TrainProblem, learning, model};
use chainrule::data::Loader;
use chainrule::data::transforms::Transform;
use chainrule::nn::schedules::Schedule;
use chainrule::nn::{Regulariser, Sequential, Summary, summarise};
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
    objective.normalise = data.changes.normalise.clone();
    let settings = Settings::read(&mut config.run, overrides, &data.task)?;
    let optimiser = learning::optimiser(&mut config.optimiser, &model)?;
    Ok(Plan {
        title: Path::new(name)
            .file_stem()
            .map_or(name.to_owned(), |stem| stem.to_string_lossy().into_owned()),
        text: config.text.clone(),
        schedule: config
            .schedule
            .as_mut()
            .map(learning::schedule)
            .transpose()?,
        regulariser: config
            .regulariser
            .as_mut()
            .map(learning::regulariser)
            .transpose()?,
        data,
        model,
        optimiser,
        objective,
        settings,
        input,
    })
}

impl Plan {
    /// The training data in batches, shuffled.
    pub fn training(&mut self) -> Result<Loader<Batch>, TrainProblem> {
        let examples = std::mem::replace(&mut self.data.training, Box::new(Nothing));
        let loader = Loader::new(examples, self.settings.batch)?;
        let loader = loader
            .shuffle(self.settings.seed)
            .drop_last(self.settings.drop_last)
            .workers(self.settings.workers);
        Ok(match self.data.changes.augment.clone() {
            Some(augment) => loader.map(move |(x, y), random| (augment.batch(&x, random), y)),
            None => loader,
        })
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
