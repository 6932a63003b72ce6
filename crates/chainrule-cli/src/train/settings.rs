//! `[run]`: how long a run is, and what belongs to it.

use super::config::{Problem, Section};
use super::data::Task;
use super::plan::Overrides;
use chainrule::nn::{FromValue, Value};
use std::path::PathBuf;

/// `[run]`.
#[derive(Clone, Debug)]
pub struct Settings {
    pub seed: u64,
    pub epochs: u64,
    pub steps: Option<u64>,
    pub batch: usize,
    /// Leaves out the last batch of an epoch if it is smaller than the others.
    pub drop_last: bool,
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

    pub fn read(
        run: &mut Section,
        overrides: &Overrides,
        task: &Task,
    ) -> Result<Settings, Problem> {
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
            drop_last: run.optional("drop_last", false)?,
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
