//! Checkpoints: a run on the disk, whole at every moment, from which it goes on as if it had not been interrupted.
//!
//! A checkpoint is a folder `step-00001200` with the weights, the optimiser's state and the history, and a small readable
//! `state.json` that names them. It is written under another name and renamed when all of it is on the disk: whatever
//! happens, and whenever, the newest folder of that name is a whole one.

mod files;
mod state;

pub use state::{Best, RunState};

use crate::flow::GradientFlow;
use crate::history::History;
use crate::trainer::{Goal, TrainError};
use chainrule_core::Tensor;
use chainrule_core::tree::Tree;
use chainrule_nn::{Ema, Module};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where checkpoints are written, how often, and which are kept.
///
/// ```
/// use chainrule_train::checkpoint::Checkpoints;
/// let checkpoints = Checkpoints::new("runs/lenet").every(500).keep(2).best("accuracy").resume(true);
/// assert_eq!(checkpoints.folder().to_str(), Some("runs/lenet"));
/// ```
#[derive(Clone, Debug)]
pub struct Checkpoints {
    folder: PathBuf,
    every: Option<u64>,
    keep: usize,
    best: (String, Goal),
    resume: bool,
}

/// What a checkpoint holds besides its state.
pub(crate) struct Content<'a, M> {
    pub(crate) model: &'a M,
    pub(crate) optimiser: BTreeMap<String, Tensor>,
    pub(crate) averaged: Option<BTreeMap<String, Tensor>>,
    pub(crate) history: &'a History,
    pub(crate) flow: Option<&'a GradientFlow>,
}

impl Checkpoints {
    /// Checkpoints in `folder`, which is made when the first is written: one after each epoch, of which the last three
    /// and the one with the smallest loss in validation are kept.
    pub fn new(folder: impl Into<PathBuf>) -> Checkpoints {
        Checkpoints {
            folder: folder.into(),
            every: None,
            keep: 3,
            best: ("loss".to_owned(), Goal::Smaller),
            resume: false,
        }
    }

    /// One every `steps` steps too.
    pub fn every(mut self, steps: u64) -> Checkpoints {
        self.every = Some(steps.max(1));
        self
    }

    /// How many of the last ones are kept, at least 1.
    pub fn keep(mut self, count: usize) -> Checkpoints {
        self.keep = count.max(1);
        self
    }

    /// The number of validations by which a checkpoint is the best, larger being better.
    pub fn best(mut self, name: impl Into<String>) -> Checkpoints {
        self.best = (name.into(), Goal::Larger);
        self
    }

    /// The number of validations by which a checkpoint is the best, smaller being better.
    pub fn best_smallest(mut self, name: impl Into<String>) -> Checkpoints {
        self.best = (name.into(), Goal::Smaller);
        self
    }

    /// Goes on from the newest checkpoint if there is one; otherwise the folder must not have any.
    pub fn resume(mut self, resume: bool) -> Checkpoints {
        self.resume = resume;
        self
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn resumes(&self) -> bool {
        self.resume
    }

    pub(crate) fn is_due(&self, step: u64, epoch_is_over: bool) -> bool {
        epoch_is_over || self.every.is_some_and(|every| step.is_multiple_of(every))
    }

    /// The number that decides which one is the best.
    pub(crate) fn judges_by(&self) -> (&str, Goal) {
        (&self.best.0, self.best.1)
    }

    /// Writes a checkpoint and removes those that are not kept.
    pub(crate) fn write<M: Tree>(
        &self,
        state: RunState,
        content: &Content<'_, M>,
    ) -> Result<(), TrainError> {
        let best = state.best.as_ref().map(|best| best.step);
        files::write(&self.folder, state, content)?;
        files::rotate(&self.folder, self.keep, best)
    }
}

/// A checkpoint that was found on the disk.
///
/// ```no_run
/// use chainrule_train::checkpoint::Checkpoint;
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let net = chainrule_nn::Linear::new(3, 2);
/// let checkpoint = Checkpoint::best_of("runs/small")?.ok_or("there is none")?;
/// println!("step {}", checkpoint.state().step);
/// let net = checkpoint.model(&net)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Checkpoint {
    folder: PathBuf,
    state: RunState,
}

impl Checkpoint {
    /// The newest one in the folder of a run; none if there is none.
    ///
    /// # Errors
    /// When its state cannot be read.
    pub fn newest_of(run: impl AsRef<Path>) -> Result<Option<Checkpoint>, TrainError> {
        match files::steps(run.as_ref())?.pop() {
            Some(step) => Checkpoint::open(files::folder_of(run.as_ref(), step)).map(Some),
            None => Ok(None),
        }
    }

    /// The one that was best in validation, or the newest in a run without validation; none if there is none.
    ///
    /// # Errors
    /// When a state cannot be read.
    pub fn best_of(run: impl AsRef<Path>) -> Result<Option<Checkpoint>, TrainError> {
        let Some(newest) = Checkpoint::newest_of(run.as_ref())? else {
            return Ok(None);
        };
        let best = newest.state.best.as_ref().map(|best| best.step);
        match best {
            Some(step) if files::steps(run.as_ref())?.contains(&step) => {
                Checkpoint::open(files::folder_of(run.as_ref(), step)).map(Some)
            }
            _ => Ok(Some(newest)),
        }
    }

    /// The checkpoint in this very folder.
    ///
    /// # Errors
    /// When its state cannot be read.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Checkpoint, TrainError> {
        let folder = folder.into();
        let state = files::read_state(&folder)?;
        Ok(Checkpoint { folder, state })
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the run was.
    pub fn state(&self) -> &RunState {
        &self.state
    }

    /// The weights and buffers in the structure of `like`.
    ///
    /// # Errors
    /// When the file cannot be read or is not of this model: all names that differ are listed.
    pub fn model<M: Tree>(&self, like: &M) -> Result<M, TrainError> {
        Ok(chainrule_nn::load(
            like,
            self.folder.join(&self.state.weights),
        )?)
    }

    /// The averaged weights, if the run kept any.
    ///
    /// # Errors
    /// As [`model`](Checkpoint::model).
    pub fn averaged<M: Module>(&self, like: &M) -> Result<Option<M>, TrainError> {
        let Some(averages) = self.averages()? else {
            return Ok(None);
        };
        let model = self.model(like)?;
        let mut average = Ema::new(&model, 0.0);
        average.restore(&averages);
        Ok(Some(average.averaged(&model)))
    }

    /// The averages by name.
    pub(crate) fn averages(&self) -> Result<Option<BTreeMap<String, Tensor>>, TrainError> {
        let file = self.state.averaged.as_ref();
        file.map(|file| Ok(chainrule_nn::load_tensors(self.folder.join(file))?))
            .transpose()
    }

    /// The optimiser's state.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn optimiser(&self) -> Result<BTreeMap<String, Tensor>, TrainError> {
        Ok(chainrule_nn::load_tensors(
            self.folder.join(&self.state.optimiser),
        )?)
    }

    /// The watch over the gradients, if the run kept one.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn flow(&self) -> Result<Option<GradientFlow>, TrainError> {
        let file = self.state.flow.as_ref();
        file.map(|file| files::read_flow(&self.folder.join(file)))
            .transpose()
    }

    /// The history up to here.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn history(&self) -> Result<History, TrainError> {
        files::read_history(&self.folder.join(&self.state.history))
    }
}
